/* tests/sim/sender.c - see sender.h. */
#include "sender.h"

#include <stdio.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "random.h"
#include "services.h"

enum { CONTACTS = 7, PLANS = 512 };

static struct request_plan plans[PLANS];
static size_t n_plans;
static int64_t forms;

void sender_begin(void)
{
    n_plans = 0;
    forms = 0;
}

static int below(uint64_t *chance, int n)
{
    return (int)random_below(chance, (uint64_t)n);
}

static const char *pick(uint64_t *chance, const char *const texts[], int n)
{
    return texts[below(chance, n)];
}

static const char *const emails[] = {"ada@example.com", "Bob@Example.com", "eve@example.org",
                                     "ADA@example.com", "no address",      ""};
static const char *const companies[] = {"Acme", "Acme", "Initech", ""};
static const char *const pages[] = {"/pricing", "/pricing/more", "/home"};

/* Mostly now; in another order than it comes in; at the same moment as another; from a clock that
 * is ahead. */
static int64_t some_time(uint64_t *chance, int64_t now)
{
    switch (below(chance, 12)) {
    case 0:
        return now - below(chance, 1 + (int)(3 * DAYS_MS / 1000)) * INT64_C(1000);
    case 1:
        return now / MINUTES_MS * MINUTES_MS;
    case 2:
        return now + below(chance, (int)(2 * HOURS_MS));
    default:
        return now - below(chance, 5000);
    }
}

static void set(char ret[FACT_TEXT], const char *text)
{
    (void)!snprintf(ret, FACT_TEXT, "%s", text);
}

static struct fact change(uint64_t *chance, int64_t now)
{
    struct fact f = {
        .kind = FACT_CHANGE, .contact = 1 + below(chance, CONTACTS), .at = some_time(chance, now)};

    switch (below(chance, 5)) {
    case 0:
        set(f.name, "demo_requested");
        set(f.value, below(chance, 4) ? "true" : "false");
        break;
    case 1:
    case 2:
        set(f.name, "page");
        set(f.value, pick(chance, pages, 3));
        break;
    case 3:
        set(f.name, "company");
        set(f.value, pick(chance, companies, 4));
        break;
    default:
        set(f.name, "email");
        set(f.value, pick(chance, emails, 6));
    }
    crm_set(f.contact, f.name, f.value, now);
    return f;
}

static struct fact form(uint64_t *chance, int64_t now)
{
    struct fact f = {.kind = FACT_FORM, .form = below(chance, 3) ? ++forms : 0};

    if (f.form && below(chance, 8) == 0) /* corrected, under the same id */
        f.form = 1 + below(chance, (int)forms);
    f.at = below(chance, 2) ? some_time(chance, now) : 0;
    set(f.email, pick(chance, emails, 4));
    set(f.company, pick(chance, companies, 4));
    set(f.name, "page");
    set(f.value, pick(chance, pages, 3));
    return f;
}

static struct fact odd(uint64_t *chance, int64_t now)
{
    struct fact f = {.kind = FACT_ODD, .at = some_time(chance, now)};

    set(f.value, pick(chance, pages, 3));
    if (below(chance, 2)) {
        f.contact = -1;
        set(f.name, "page");
    } else {
        f.at = 0; /* a text says no time */
    }
    return f;
}

static struct fact rare(uint64_t *chance, int64_t now)
{
    static const enum fact_kind kinds[] = {FACT_CREATION, FACT_DELETION, FACT_RESTORE, FACT_MERGE,
                                           FACT_MERGE,    FACT_COMPANY,  FACT_ERASURE};
    struct fact f = {.kind = kinds[below(chance, 7)],
                     .contact = 1 + below(chance, CONTACTS),
                     .at = some_time(chance, now)};

    if (f.kind == FACT_ERASURE && below(chance, 2))
        f.kind = FACT_CREATION;
    if (f.kind == FACT_MERGE)
        f.other = 1 + (f.contact + below(chance, CONTACTS - 1)) % CONTACTS;
    if (f.kind == FACT_DELETION || f.kind == FACT_ERASURE)
        crm_remove(f.contact);
    return f;
}

static size_t element(uint64_t *chance, int64_t now)
{
    switch (below(chance, 12)) {
    case 0:
        return fact_add(odd(chance, now));
    case 1:
    case 2:
        return fact_add(rare(chance, now));
    default:
        return fact_add(change(chance, now));
    }
}

/* Something that was said before; SIZE_MAX: there was nothing of this sort. */
static size_t again(uint64_t *chance, bool forms_only)
{
    for (int i = 0; i < 8 && facts_count(); i++) {
        size_t fact = (size_t)below(chance, (int)facts_count());
        enum fact_kind kind = fact_get(fact)->kind;

        if (kind != FACT_CRM && (kind == FACT_FORM) == forms_only)
            return fact;
    }
    return SIZE_MAX;
}

static int batch(uint64_t *chance)
{
    switch (below(chance, 8)) {
    case 0:
        return 2 + below(chance, REQUEST_FACTS - 1);
    case 1:
    case 2:
        return 2 + below(chance, 3);
    default:
        return 1;
    }
}

struct request_plan sender_plan(uint64_t *chance, int64_t now)
{
    struct request_plan plan = {.bad_signature = below(chance, 40) == 0};
    bool forms_only = below(chance, 4) == 0;

    for (int n = batch(chance); n > 0; n--) {
        size_t fact = below(chance, 6) ? SIZE_MAX : again(chance, forms_only);

        if (fact == SIZE_MAX)
            fact = forms_only ? fact_add(form(chance, now)) : element(chance, now);
        plan.facts[plan.n++] = fact;
    }
    if (n_plans < PLANS)
        plans[n_plans++] = plan;
    return plan;
}

struct request_plan sender_repeat(uint64_t *chance, int64_t now)
{
    if (!n_plans)
        return sender_plan(chance, now);
    struct request_plan plan = plans[below(chance, (int)n_plans)];

    plan.bad_signature = false;
    return plan;
}
