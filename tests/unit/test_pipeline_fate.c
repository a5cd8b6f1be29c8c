/* tests/unit/test_pipeline_fate.c - deletion, restore, and the privacy deletion of a person. */
#include "pipeline_world.h"

static const char telling[] = BASIC_SOURCES SLACK NOTION RULES
    "[route all]\nwhen = event.property == \"demo_requested\" or event.source == \"zapier\"\n"
    "to = sales-slack, lead-book\n";

struct bodies {
    size_t n, kept;
    int64_t lead;
};

static void count_bodies(void *self, const struct event_view *e)
{
    struct bodies *b = self;

    b->n += e->lead == b->lead;
    b->kept += e->lead == b->lead && e->body.at;
}

static struct bodies bodies(struct pipeline *p, int64_t lead)
{
    const struct list_filter f = {.limit = 1000};
    struct bodies b = {.lead = lead};

    OK(read_events(p->w->reader, &f, count_bodies, &b));
    return b;
}

static void check_forgotten(struct pipeline *p, int64_t contact)
{
    struct lead l = contact_lead(p, contact);

    assert_true(l.erased);
    assert_int_equal(l.n_properties, 0);
    assert_null(l.email.at);
    assert_int_equal(ledger_rows(p, l.id), 0);
    assert_int_equal(bodies(p, l.id).kept, 0);
}

static void a_deleted_lead_hears_on_but_nobody_is_told(void **state)
{
    struct pipeline *p = *state;

    load(p, telling);
    change(p, 7, "company", "Acme");
    tell(p, "contact.deletion", 7);
    struct lead l = contact_lead(p, 7);
    assert_int_equal(l.state, LEAD_DELETED);
    assert_int_equal(l.state_at, p->now);
    PROPERTY(l, "company", "Acme");
    change(p, 7, "demo_requested", "true");
    assert_int_equal(contact_lead(p, 7).score, 500);
    assert_int_equal(count_deliveries(p, NULL, NULL), 0);
    assert_true(counted(METRIC_LEADS, "warm", NULL) == 0);

    p->now += 1000;
    tell(p, "contact.restore", 7);
    assert_int_equal(contact_lead(p, 7).state, LEAD_ACTIVE);
    assert_true(counted(METRIC_LEADS, "warm", NULL) == 1);
}

static void the_newer_of_deletion_and_restore_wins(void **state)
{
    struct pipeline *p = *state;

    load(p, telling);
    tell(p, "contact.restore", 7);
    struct intake in = post_one(p, fact_json(p, "contact.deletion", 7, p->now - 1));
    COUNTS(in, 1, 0, 0);
    assert_int_equal(contact_lead(p, 7).state, LEAD_ACTIVE);
    in = post_one(p, fact_json(p, "contact.deletion", 7, p->now + 1));
    COUNTS(in, 1, 0, 0);
    assert_int_equal(contact_lead(p, 7).state, LEAD_DELETED);
}

static void a_form_of_a_deleted_contact_makes_a_new_lead(void **state)
{
    struct pipeline *p = *state;

    load(p, telling);
    change(p, 7, "email", "ada@example.com");
    tell(p, "contact.deletion", 7);
    fill_form(p, "ada@example.com", "");
    assert_int_not_equal(email_lead(p, "ada@example.com").id, contact_lead(p, 7).id);
}

static void a_privacy_deletion_leaves_a_tombstone(void **state)
{
    struct pipeline *p = *state;

    load(p, telling);
    change(p, 7, "email", "ada@example.com");
    change(p, 7, "demo_requested", "true");
    assert_int_equal(count_deliveries(p, NULL, "pending"), 2);
    tell(p, "contact.privacyDeletion", 7);
    check_forgotten(p, 7);
    assert_int_equal(bodies(p, contact_lead(p, 7).id).n, 3);
    assert_int_equal(contact_lead(p, 7).state, LEAD_DELETED);
    assert_int_equal(contact_lead(p, 7).score, 0);
    assert_false(has_email(p, "ada@example.com"));
    assert_int_equal(count_deliveries(p, NULL, "pending"), 0);
    struct deliveries gone = deliveries(p, NULL, "cancelled");
    assert_int_equal(gone.n, 2);
    assert_int_equal(gone.items[0].facts.score, 0);
    assert_int_equal(gone.items[0].facts.reasons.len, 0);
    assert_true(counted(METRIC_DELIVERIES, "sales-slack", "cancelled") == 1);
    assert_true(counted(METRIC_DELIVERIES, "lead-book", "cancelled") == 1);
    assert_true(counted(METRIC_LEADS, "cold", NULL) == 0);
}

static void late_events_do_not_bring_an_erased_person_back(void **state)
{
    struct pipeline *p = *state;
    static const char *const facts[] = {"contact.creation", "contact.restore", "contact.deletion",
                                        "contact.privacyDeletion"};

    load(p, telling);
    tell(p, "contact.privacyDeletion", 7);
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        p->now += 1000;
        tell(p, facts[i], 7);
        check_forgotten(p, 7);
    }
    change(p, 7, "email", "ada@example.com");
    change(p, 7, "demo_requested", "true");
    check_forgotten(p, 7);
    assert_int_equal(contact_lead(p, 7).state, LEAD_DELETED);
    assert_int_equal(bodies(p, contact_lead(p, 7).id).n, 7);
    assert_int_equal(count_deliveries(p, NULL, NULL), 0);
}

static void an_erasure_covers_the_forms_and_records_that_were_joined(void **state)
{
    struct pipeline *p = *state;

    load(p, telling);
    fill_form(p, "ada@example.com", ",\"company\":\"Acme\"");
    change(p, 7, "email", "ada@example.com");
    change(p, 6, "email", "ada@work.example");
    merge(p, 6, 7);
    tell(p, "contact.privacyDeletion", 7);
    check_forgotten(p, 7);
    check_forgotten(p, 6);
    for (int64_t id = 1; id <= 3; id++)
        assert_int_equal(get_lead(p->w, id).n_properties, 0);
    assert_int_equal(count_deliveries(p, NULL, "pending"), 0);
    assert_false(has_email(p, "ada@example.com"));
    assert_false(has_email(p, "ada@work.example"));
}

/* In the CRM the merge came first: the other record is the same person's. */
static void a_merge_that_comes_after_the_erasure_erases_the_other_record(void **state)
{
    struct pipeline *p = *state;

    load(p, telling);
    change(p, 7, "email", "ada@example.com");
    change(p, 7, "demo_requested", "true");
    tell(p, "contact.privacyDeletion", 8);
    merge(p, 7, 8);
    check_forgotten(p, 8);
    check_forgotten(p, 7);
    assert_int_equal(contact_lead(p, 7).state, LEAD_MERGED);
    assert_int_equal(count_deliveries(p, NULL, "cancelled"), 2);
    assert_true(counted(METRIC_LEADS, "cold", NULL) == 0);
    change(p, 7, "company", "Acme");
    check_forgotten(p, 8);
}

static void the_erasure_of_an_absorbed_record_is_the_persons_in_either_order(void **state)
{
    struct pipeline *p = *state;

    load(p, telling);
    change(p, 7, "email", "ada@example.com");
    change(p, 8, "company", "Acme");
    merge(p, 7, 8);
    tell(p, "contact.privacyDeletion", 7);
    check_forgotten(p, 8);

    change(p, 17, "email", "bob@example.com");
    change(p, 18, "company", "Acme");
    tell(p, "contact.privacyDeletion", 17);
    merge(p, 17, 18);
    check_forgotten(p, 18);
    check_forgotten(p, 17);
}

static void another_form_with_the_address_of_an_erased_person_is_a_new_lead(void **state)
{
    struct pipeline *p = *state;

    load(p, telling);
    change(p, 7, "email", "ada@example.com");
    tell(p, "contact.privacyDeletion", 7);
    fill_form(p, "ada@example.com", "");
    assert_int_equal(email_lead(p, "ada@example.com").crm_id, 0);
    check_forgotten(p, 7);
}

/* The only one that is pending for it. */
static void end_dead(struct pipeline *p, const char *connector)
{
    struct deliveries list = deliveries(p, connector, "pending");
    struct attempt_end end = {.delivery = list.items[0].id,
                              .lead = list.items[0].lead,
                              .connector = str_of(connector),
                              .verdict = ATTEMPT_DEAD,
                              .started_at = p->now,
                              .ended_at = p->now,
                              .status = 401,
                              .detail = STR("token_revoked")};
    struct verdicts v = {.ends = &end, .n = 1};

    assert_int_equal(list.n, 1);
    run(p, &v.work, WORK_VERDICTS);
    OK(p->rc);
    assert_true(end.applied);
}

static int64_t retry_all(struct pipeline *p)
{
    struct retry_filter all = {0};
    struct command c = {.kind = COMMAND_RETRY, .arg = &all};

    run(p, &c.work, WORK_COMMAND);
    OK(p->rc);
    return c.count;
}

static void an_erased_leads_dead_deliveries_are_not_retried(void **state)
{
    struct pipeline *p = *state;

    load(p, telling);
    change(p, 7, "demo_requested", "true");
    end_dead(p, "sales-slack");
    tell(p, "contact.privacyDeletion", 7);
    assert_int_equal(retry_all(p), 0);
}

static void a_retried_upsert_gives_way_to_a_newer_one_that_waits(void **state)
{
    struct pipeline *p = *state;

    load(p, BASIC_SOURCES NOTION SLACK RULES
         "[route all]\nwhen = event.property == \"page\"\nto = lead-book, sales-slack\n");
    change(p, 7, "page", "a");
    end_dead(p, "lead-book");
    end_dead(p, "sales-slack");
    change(p, 7, "page", "b");
    assert_int_equal(retry_all(p), 2);
    assert_int_equal(count_deliveries(p, "lead-book", "superseded"), 1);
    assert_int_equal(count_deliveries(p, "lead-book", "pending"), 1);
    assert_int_equal(count_deliveries(p, "sales-slack", "pending"), 2);
    assert_true(counted(METRIC_DELIVERIES, "lead-book", "superseded") == 1);
    assert_true(counted(METRIC_DELIVERIES, "sales-slack", "superseded") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(a_deleted_lead_hears_on_but_nobody_is_told),
        CHECKS(the_newer_of_deletion_and_restore_wins),
        CHECKS(a_form_of_a_deleted_contact_makes_a_new_lead),
        CHECKS(a_privacy_deletion_leaves_a_tombstone),
        CHECKS(late_events_do_not_bring_an_erased_person_back),
        CHECKS(an_erasure_covers_the_forms_and_records_that_were_joined),
        CHECKS(a_merge_that_comes_after_the_erasure_erases_the_other_record),
        CHECKS(the_erasure_of_an_absorbed_record_is_the_persons_in_either_order),
        CHECKS(another_form_with_the_address_of_an_erased_person_is_a_new_lead),
        CHECKS(an_erased_leads_dead_deliveries_are_not_retried),
        CHECKS(a_retried_upsert_gives_way_to_a_newer_one_that_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
