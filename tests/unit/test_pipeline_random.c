/* tests/unit/test_pipeline_random.c - whatever happens to a few leads, what must hold holds.
 *
 * After each step the world checks the gauge of leads against a scan and what the deliverer was
 * told against the pending rows; after each sequence every lead against its ledger.
 */
#include "activity_check.h"
#include "contact_event.h"
#include "fault_vfs.h"
#include "objects_world.h"
#include "random.h"

enum { SEQUENCES = 200, STEPS = 50, CONTACTS = 5, OBJECTS = 3, MAX_SAID = STEPS };

struct story {
    struct pipeline *p;
    struct str said[MAX_SAID]; /* elements of HubSpot, to be repeated */
    size_t n_said;
    int64_t accepted, duplicates;
};

static uint64_t seed;
static size_t n_counted;

static int below(int n)
{
    return (int)random_below(&seed, (uint64_t)n);
}

static int64_t some_contact(void)
{
    return 1 + below(CONTACTS);
}

static int64_t some_time(const struct story *s)
{
    return s->p->now - below(5000);
}

static const char *one_of(const char *const texts[], int n)
{
    return texts[below(n)];
}

static void count(struct story *s, const struct intake *in)
{
    OK(in->work.rc);
    s->accepted += in->accepted;
    s->duplicates += in->duplicates;
    assert_int_equal(in->accepted + in->duplicates, in->n);
}

static void say(struct story *s, struct str element)
{
    struct intake in = post_one(s->p, element);

    count(s, &in);
    if (s->n_said < MAX_SAID)
        s->said[s->n_said++] = element;
}

static const char *const emails[] = {"ada@example.com", "bob@example.com", "Eve@Example.com", ""};

static void say_change(struct story *s)
{
    static const char *const values[] = {"true", "/pricing", "Acme", ""};
    static const char *const names[] = {"demo_requested", "page", "company"};
    bool email = below(3) == 0;

    say(s, change_json(s->p, some_contact(), email ? "email" : one_of(names, 3),
                       email ? one_of(emails, 4) : one_of(values, 4), some_time(s)));
}

static void say_fact(struct story *s)
{
    static const char *const types[] = {"contact.deletion", "contact.restore", "contact.creation",
                                        "company.creation", "starship.launch"};

    say(s, fact_json(s->p, one_of(types, 5), some_contact(), some_time(s)));
}

static void say_erasure(struct story *s)
{
    if (below(3) == 0)
        say(s, fact_json(s->p, "contact.privacyDeletion", some_contact(), some_time(s)));
}

static void say_merge(struct story *s)
{
    int64_t from = some_contact(), into = some_contact();

    if (from != into)
        say(s, merge_json(s->p, from, into, some_time(s)));
}

static const char *some_kind(void)
{
    static const char *const kinds[] = {"deal", "deal", "company", "ticket"};

    return one_of(kinds, 4);
}

static int64_t some_object(void)
{
    return 1 + below(OBJECTS); /* contacts have the same numbers: they must not be mixed up */
}

static void say_object(struct story *s)
{
    static const char *const changes[] = {"creation", "deletion", "restore", "restore"};
    const char *kind = some_kind();
    struct str type = arena_printf(&s->p->w->arena, "%s.%s", kind, one_of(changes, 4));

    if (below(3))
        say(s, object_change_json(s->p, kind, some_object(), below(2) ? "dealstage" : "name",
                                  below(2) ? "Acme" : "", some_time(s)));
    else
        say(s, fact_json(s->p, type.at, some_object(), some_time(s)));
}

static void say_association(struct story *s)
{
    static const char *const types[][4] = {
        {"deal.associationChange", "DEAL_TO_CONTACT", "contact.associationChange",
         "CONTACT_TO_DEAL"},
        {"company.associationChange", "COMPANY_TO_CONTACT", "contact.associationChange",
         "CONTACT_TO_COMPANY"},
        {"ticket.associationChange", "TICKET_TO_CONTACT", "contact.associationChange",
         "CONTACT_TO_TICKET"},
    };
    const char *const *t = types[below(3)];
    bool from_contact = below(2);
    int64_t object = some_object(), contact = some_contact();

    say(s, association_json(s->p, t[from_contact ? 2 : 0], t[from_contact ? 3 : 1],
                            from_contact ? contact : object, from_contact ? object : contact,
                            below(3) == 0, some_time(s)));
}

static void say_object_merge(struct story *s)
{
    int64_t from = some_object(), into = some_object();

    if (from != into)
        say(s, object_merge_json(s->p, some_kind(), from, into, some_time(s)));
}

static void say_nonsense(struct story *s)
{
    say(s, change_json(s->p, 0, "page", "x", some_time(s)));
}

static void say_again(struct story *s)
{
    if (!s->n_said)
        return;
    struct intake in = post_one(s->p, s->said[random_below(&seed, s->n_said)]);
    COUNTS(in, 0, 1, 0);
    count(s, &in);
}

static void send_form(struct story *s)
{
    struct intake in =
        post(s->p, "zapier",
             form_json(s->p, emails[below(3)], some_time(s),
                       below(2) ? ",\"company\":\"Acme\"" : ",\"page\":\"/pricing\""));

    count(s, &in);
}

/* One of those that are pending, if any. */
static bool some_delivery(struct story *s, struct delivery *ret)
{
    struct deliveries list = deliveries(s->p, NULL, "pending");

    if (list.n)
        *ret = list.items[random_below(&seed, list.n)];
    return list.n;
}

static void begin_attempt(struct story *s)
{
    struct delivery d;

    if (!some_delivery(s, &d))
        return;
    struct attempts w = {.deliveries = &d.id, .n = 1, .at = s->p->now};
    run(s->p, &w.work, WORK_ATTEMPTS);
    OK(s->p->rc);
}

/* Of a contact, or of an object with some contacts. */
static struct event crm_says(struct story *s, int64_t whose, const struct field *known, size_t n)
{
    struct world *w = s->p->w;
    int64_t contacts[CONTACTS];
    size_t n_contacts = 0;
    struct object o;
    struct event e;

    if (whose > 0) {
        enriched_event(STR("crm"), PORTAL, get_lead(w, whose).crm_id, some_time(s), known, n,
                       s->p->now, &w->arena, &e);
        e.request_id = STR("req-1");
        return e;
    }
    OK(read_object(w->reader, -whose, &w->arena, &o));
    for (int64_t c = 1; c <= CONTACTS; c++)
        if (below(3) == 0)
            contacts[n_contacts++] = c;
    return record_read(s->p, &o, some_time(s), known, n, contacts, n_contacts, some_time(s));
}

static void end_attempt(struct story *s)
{
    const struct field known[] = {{STR("company"), STR("Acme")},
                                  {STR("email"), str_of(emails[below(3)])}};
    struct delivery d;
    struct event e;

    if (!some_delivery(s, &d))
        return;
    struct attempt_end end = {.delivery = d.id,
                              .lead = d.lead,
                              .connector = d.connector,
                              .verdict = (enum attempt_verdict)below(4),
                              .started_at = s->p->now,
                              .ended_at = s->p->now,
                              .due_at = s->p->now + 1000,
                              .detail = STR("so it was")};
    if (end.verdict == ATTEMPT_RETRY || end.verdict == ATTEMPT_AMBIGUOUS) {
        s->p->known[d.id].due_at = end.due_at; /* the deliverer's own choice */
    } else if (str_is(d.connector, "crm")) {
        end.enriched = true;
        e = crm_says(s, d.lead, known, 2);
        end.events = &e;
        end.n_events = 1;
    } else {
        end.remote_lead = STR("page");
    }
    struct verdicts w = {.ends = &end, .n = 1};
    run(s->p, &w.work, WORK_VERDICTS);
    OK(s->p->rc);
    assert_true(end.applied);
}

static void retry_all(struct story *s)
{
    struct retry_filter all = {0};
    struct command c = {.kind = COMMAND_RETRY, .arg = &all};

    run(s->p, &c.work, WORK_COMMAND);
    OK(s->p->rc);
}

#define TELLING                                                                                    \
    "[route all]\nwhen = event.property == \"page\" or event.source == \"zapier\"\n"               \
    "to = sales-slack, lead-book\nwait_for = enrichment\n"
static const char all_connectors[] = BASIC_SOURCES SLACK NOTION CRM RULES TELLING;
static const char no_notion[] =
    BASIC_SOURCES SLACK CRM RULES "[route some]\nwhen = score > 20\nto = sales-slack\n";

static void reload(struct story *s)
{
    load(s->p, below(3) ? all_connectors : no_notion);
}

static void let_time_pass(struct story *s)
{
    s->p->now += below(4) ? below(60000) : below(2 * (int)DAYS_MS);
}

static void forget_activity(struct story *s)
{
    forget_counted(s->p, 1 + below(CONTACTS));
}

static void (*const acts[])(struct story *s) = {
    say_object,  say_object,  say_association, say_association, say_object_merge,
    end_attempt, say_change,  say_change,      say_change,      say_change,
    say_fact,    say_erasure, say_merge,       say_merge,       send_form,
    send_form,   say_again,   say_nonsense,    end_attempt,     begin_attempt,
    end_attempt, retry_all,   reload,          let_time_pass,   forget_activity,
};

struct check {
    struct pipeline *p;
    int64_t erased[64];
    size_t n_erased, n_counted;
};

/* What it knows of its objects is what they are, and nobody else's deal is left in it. */
static bool object_kind_of_fact(struct str name)
{
    return str_starts(name, STR("deal")) || str_starts(name, STR("company_")) ||
           str_starts(name, STR("ticket"));
}

static void check_facts(struct check *c, const struct lead *l)
{
    struct linked_object *objects = NULL;
    const struct property *facts;
    size_t n = 0, n_facts = 0;
    struct world *w = c->p->w;

    OK(read_contact_objects(w->reader, l->portal_id, l->crm_id, 1000, &w->arena, &objects, &n));
    lead_facts(objects, n, &w->arena, &facts, &n_facts);
    assert_true(lead_knows(l, facts, n_facts));
    for (size_t i = 0; i < l->n_properties; i++) {
        struct str name = l->properties[i].name;
        bool known = !object_kind_of_fact(name);

        for (size_t k = 0; k < n_facts && !known; k++)
            known = str_eq(facts[k].name, name);
        assert_true(known || !l->properties[i].value.len);
    }
}

/* None of the rules decays, so the time does not matter. */
static void check_lead(void *self, const struct lead *l)
{
    struct check *c = self;
    struct ledger_row *rows;
    size_t n = ledger(c->p, l->id, &rows);
    struct verdict_score v;

    if (l->erased) {
        assert_int_equal(l->n_properties, 0);
        assert_null(l->email.at);
        c->erased[c->n_erased++] = l->id;
    }
    if (l->erased || l->state == LEAD_MERGED) {
        assert_int_equal(n, 0);
        assert_null(l->activity.at);
        return;
    }
    if (l->crm_id)
        check_facts(c, l);
    c->n_counted += is_counted_right(c->p, l);
    scorecard_evaluate(&c->p->rules->scorecard, l, rows, n, c->p->now, NULL, &v);
    assert_int_equal(l->score, l->evaluated ? v.score : 0);
    assert_int_equal(l->band, l->evaluated ? v.band : BAND_COLD);
}

static void check_event(void *self, const struct event_view *e)
{
    const struct check *c = self;

    for (size_t i = 0; i < c->n_erased; i++)
        if (e->lead == c->erased[i] && e->body.at)
            fail_msg("the body of event %d is still there", (int)e->id);
}

static void check_delivery(void *self, const struct delivery *d)
{
    const struct check *c = self;

    if (d->state == DELIVERY_PENDING || d->state == DELIVERY_HELD)
        for (size_t i = 0; i < c->n_erased; i++)
            assert_int_not_equal(d->lead, c->erased[i]);
}

static void check_story(const struct story *s)
{
    struct check c = {.p = s->p};
    const struct list_filter all = {.limit = 10000};

    OK(read_leads(s->p->w->reader, &all, check_lead, &c));
    OK(read_events(s->p->w->reader, &all, check_event, &c));
    OK(read_deliveries(s->p->w->reader, &all, check_delivery, &c));
    double duplicates = counted(METRIC_EVENTS_DUPLICATE, "hubspot", NULL) +
                        counted(METRIC_EVENTS_DUPLICATE, "zapier", NULL);
    assert_int_equal((int64_t)duplicates, s->duplicates);
    n_counted += c.n_counted;
}

static void tell_story(uint64_t number)
{
    void *state = NULL;
    assert_int_equal(pipeline_setup(&state), 0);
    struct story s = {.p = state};

    seed = number;
    load(s.p, all_connectors);
    for (int i = 0; i < STEPS; i++)
        acts[below((int)ARRAY_LEN(acts))](&s);
    check_story(&s);
    assert_int_equal(s.p->failures, 0);
    assert_int_equal(pipeline_teardown(&state), 0);
}

static void whatever_happens_what_must_hold_holds(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= SEQUENCES; i++) {
        print_message("\r%d", (int)i); /* the seed, where it fails */
        tell_story(i);
    }
    print_message("\r");
    assert_true(n_counted > SEQUENCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_what_must_hold_holds),
    };

    fault_install(); /* nothing is armed: it only leaves out the syncs */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fault_remove();
    return failed;
}
