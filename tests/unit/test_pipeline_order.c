/* tests/unit/test_pipeline_order.c - the same events in any order end in the same leads.
 *
 * One set of several hundred: ties of one millisecond, forms of people who turn out to be
 * contacts, merges of merges, deletions, restores, erasures. It leaves out what arrival decides
 * by its nature: an address that a contact had for a while, and forms of deleted contacts (they
 * are new leads).
 */
#include "fault_vfs.h"
#include "pipeline_world.h"
#include "random.h"

enum { SHUFFLES = 50, MAX_FACTS = 600, CONTACTS = 14, TIMES = 40, MAX_TEXT = 16 * 1024 };

struct fact {
    bool form;
    struct str json, again; /* again: the same fact as the sender would repeat it */
};

static struct fact facts[MAX_FACTS];
static size_t n_facts;
static uint64_t seed;

static int64_t some_time(void)
{
    return START - 1000 + (int64_t)random_below(&seed, TIMES);
}

static void add(struct fact f)
{
    assert_true(n_facts < MAX_FACTS);
    facts[n_facts++] = f;
}

static void add_change(struct pipeline *p, int64_t contact, const char *name, const char *value,
                       int64_t at)
{
    struct str json = change_json(p, contact, name, value, at);

    add((struct fact){.json = json, .again = change_json(p, contact, name, value, at)});
}

static void add_fact(struct pipeline *p, const char *type, int64_t contact)
{
    int64_t at = some_time();
    struct str json = fact_json(p, type, contact, at);

    add((struct fact){.json = json, .again = fact_json(p, type, contact, at)});
}

/* In the same millisecond the deletion wins. */
static void add_tie(struct pipeline *p, int64_t contact)
{
    struct str gone = fact_json(p, "contact.deletion", contact, START - 5);
    struct str back = fact_json(p, "contact.restore", contact, START - 5);

    add((struct fact){.json = gone, .again = gone});
    add((struct fact){.json = back, .again = back});
}

static void add_merge(struct pipeline *p, int64_t from, int64_t into)
{
    int64_t at = some_time();
    struct str json = merge_json(p, from, into, at);

    add((struct fact){.json = json, .again = merge_json(p, from, into, at)});
}

static void add_form(struct pipeline *p, const char *email, const char *more)
{
    struct str json = form_json(p, email, some_time(), more);

    add((struct fact){.form = true, .json = json, .again = json});
}

static void add_changes(struct pipeline *p, int n)
{
    static const struct {
        const char *name, *values[3];
    } some[] = {
        {"company", {"Acme", "Other", ""}},
        {"demo_requested", {"true", "false", "true"}},
        {"page", {"/pricing", "/", "/pricing/eu"}},
        {"firstname", {"Ada", "Bob", "Eve"}},
    };

    for (int i = 0; i < n; i++) {
        size_t k = random_below(&seed, ARRAY_LEN(some));

        add_change(p, 1 + (int64_t)random_below(&seed, CONTACTS), some[k].name,
                   some[k].values[random_below(&seed, 3)], some_time());
    }
}

static void add_people(struct pipeline *p)
{
    static const char *const forms[] = {"ada@example.com", "bob@example.com", "Eve@example.com"};

    add_change(p, 1, "email", "ada@example.com", START - 10);
    add_change(p, 2, "email", "bob@example.com", START - 10);
    add_change(p, 3, "email", "third@example.com", START - 900);
    add_change(p, 6, "email", "sixth@example.com", START - 900);
    for (int i = 0; i < 24; i++)
        add_form(p, forms[i % 3], i % 2 ? ",\"company\":\"Acme\"" : ",\"page\":\"/pricing\"");
}

static void add_fates(struct pipeline *p)
{
    add_merge(p, 3, 1);
    add_merge(p, 4, 3); /* a merge of a merge */
    add_merge(p, 6, 5);
    add_merge(p, 9, 10);
    add_merge(p, 10, 11);
    add_merge(p, 12, 11);
    add_fact(p, "contact.deletion", 6); /* of an absorbed record: 5 has a fate of its own */
    add_fact(p, "contact.restore", 9);
    for (int i = 0; i < 3; i++) {
        add_fact(p, "contact.deletion", 5);
        add_fact(p, "contact.restore", 5);
        add_fact(p, "contact.deletion", 13);
        add_fact(p, "contact.restore", 13);
    }
    add_fact(p, "contact.deletion", 4);
    add_tie(p, 14);
    add_fact(p, "contact.privacyDeletion", 7);
    add_merge(p, 8, 7); /* into an erased one, or before it is erased */
    add_fact(p, "contact.creation", 7);
    add_fact(p, "contact.restore", 7);
}

static void make_facts(struct pipeline *p)
{
    n_facts = 0;
    seed = 1;
    add_people(p);
    add_fates(p);
    add_changes(p, 400);
}

static void shuffle(struct fact *list, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = random_below(&seed, i);
        struct fact f = list[i - 1];

        list[i - 1] = list[k];
        list[k] = f;
    }
}

/* A sender's request: some of what waits, of one kind, now and then with repetitions. */
static size_t post_some(struct pipeline *p, const struct fact *list, size_t n)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    size_t want = 1 + random_below(&seed, 20), i = 0;

    sbuf_char(&b, '[');
    for (; i < n && i < want && list[i].form == list[0].form; i++) {
        sbuf_printf(&b, "%s%.*s", i ? "," : "", STR_ARG(list[i].json));
        if (random_below(&seed, 8) == 0)
            sbuf_printf(&b, ",%.*s", STR_ARG(list[i].again));
    }
    if (random_below(&seed, 4) == 0) { /* a retry of something long ago, or of what comes yet */
        const struct fact *f = &facts[random_below(&seed, n_facts)];

        if (f->form == list[0].form)
            sbuf_printf(&b, ",%.*s", STR_ARG(f->again));
    }
    sbuf_char(&b, ']');
    assert_false(b.failed);
    struct intake in = post(p, list[0].form ? "zapier" : "hubspot", sbuf_str(&b));
    OK(in.work.rc);
    assert_int_equal(in.unprocessable, 0);
    return i;
}

static void post_all(struct pipeline *p, const struct fact *list, size_t n)
{
    for (size_t done = 0; done < n;)
        done += post_some(p, list + done, n - done);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Events have other ids in another order, so rows are told by what they say. */
static void write_ledger(struct pipeline *p, int64_t lead, struct sbuf *b)
{
    struct ledger_row *rows;
    size_t n = ledger(p, lead, &rows);
    const char **texts = arena_array(&p->w->arena, n, sizeof *texts);

    for (size_t i = 0; i < n; i++)
        texts[i] = arena_printf(&p->w->arena, " %.*s+%lld@%lld", STR_ARG(rows[i].rule),
                                (long long)rows[i].points, (long long)(rows[i].occurred_at - START))
                       .at;
    qsort(texts, n, sizeof *texts, by_text);
    for (size_t i = 0; i < n; i++)
        sbuf_text(b, texts[i]);
}

static void write_lead(struct pipeline *p, const struct lead *l, struct sbuf *b)
{
    sbuf_printf(b, " %s%s score %lld email %.*s crm %lld:", lead_state_name(l->state),
                l->erased ? " erased" : "", (long long)l->score, STR_ARG(l->email),
                (long long)l->crm_id);
    for (size_t i = 0; i < l->n_properties; i++)
        sbuf_printf(b, " %.*s=%.*s@%lld", STR_ARG(l->properties[i].name),
                    STR_ARG(l->properties[i].value), (long long)(l->properties[i].at - START));
    sbuf_text(b, " |");
    write_ledger(p, l->id, b);
    sbuf_char(b, '\n');
}

static struct str world_text(struct pipeline *p)
{
    static const char *const forms[] = {"ada@example.com", "bob@example.com", "eve@example.com"};
    struct sbuf b AUTO(sbuf_free) = SBUF(MAX_TEXT * CONTACTS);
    struct str ret;

    for (int64_t id = 1; id <= CONTACTS; id++) {
        struct lead l = contact_lead(p, id);

        while (l.state == LEAD_MERGED)
            l = get_lead(p->w, l.merged_into);
        sbuf_printf(&b, "contact %d:", (int)id);
        write_lead(p, &l, &b);
    }
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct lead l = email_lead(p, forms[i]);

        sbuf_printf(&b, "form %s:", forms[i]);
        write_lead(p, &l, &b);
    }
    OK(sbuf_seal(&b, &p->w->arena, &ret));
    return ret;
}

static char *world_after(const struct fact *list, size_t n)
{
    void *state = NULL;
    assert_int_equal(pipeline_setup(&state), 0);
    struct pipeline *p = state;

    load(p, PLAIN_CONF);
    post_all(p, list, n);
    char *text = mem_text(world_text(p));
    assert_int_equal(pipeline_teardown(&state), 0);
    return text;
}

static void show_difference(const char *wanted, const char *got)
{
    struct str a = str_of(wanted), b = str_of(got), x, y;

    while (str_split(&a, '\n', &x) && str_split(&b, '\n', &y))
        if (!str_eq(x, y))
            print_message("wanted %.*s\ngot    %.*s\n", STR_ARG(x), STR_ARG(y));
}

static void any_order_ends_in_the_same_leads(void **state)
{
    struct pipeline *p = *state;
    struct fact list[MAX_FACTS];

    load(p, PLAIN_CONF);
    make_facts(p);
    char *wanted = world_after(facts, n_facts);
    assert_non_null(strstr(wanted, "erased"));
    assert_non_null(strstr(wanted, "deleted"));
    for (uint64_t i = 0; i < SHUFFLES; i++) {
        seed = 1000 + i;
        memcpy(list, facts, sizeof list);
        shuffle(list, n_facts);
        char *got = world_after(list, n_facts);
        if (strcmp(wanted, got) != 0) {
            show_difference(wanted, got);
            fail_msg("seed %d", (int)(1000 + i));
        }
        free(got);
    }
    free(wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(any_order_ends_in_the_same_leads),
    };

    fault_install(); /* nothing is armed: it only leaves out the syncs */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fault_remove();
    return failed;
}
