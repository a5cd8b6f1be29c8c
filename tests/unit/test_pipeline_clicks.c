/* tests/unit/test_pipeline_clicks.c - a button under a message: whose lead, and the message again.
 */
#include "pipeline_ends.h"

#include <inttypes.h>

#include "funneld/base/url.h"

#define BUTTONS "[source buttons]\ntype = slack\nsecret = three\n"
#define CLAIMED "[route claimed]\nwhen = event.type == \"slack.claim\"\nto = lead-book\n"
#define CONF    PLAIN_CONF BUTTONS CLAIMED
#define MESSAGE "C0123456789:1767225600.000247"

static struct str public_id(struct pipeline *p, int64_t id)
{
    return arena_printf(&p->w->arena, "%s-%" PRId64, reader_database_id(p->w->reader), id);
}

struct click {
    const char *action;
    struct str lead, delivery;
    int64_t at; /* seconds */
};

static struct intake press(struct pipeline *p, const struct click *c)
{
    struct sbuf body AUTO(sbuf_free) = SBUF(1 << 16);
    const struct source *s = source(p, "buttons");
    struct intake in = {0};
    struct str payload =
        arena_printf(&p->w->arena,
                     "{\"type\":\"block_actions\",\"user\":{\"id\":\"U0ADA\",\"username\":\"ada\"},"
                     "\"channel\":{\"id\":\"C0123456789\"},\"container\":{\"message_ts\":"
                     "\"1767225600.000247\"},\"actions\":[{\"action_id\":\"%s\",\"value\":\"%.*s\","
                     "\"block_id\":\"%.*s\",\"action_ts\":\"%" PRId64 ".5\"}]}",
                     c->action, STR_ARG(c->lead), STR_ARG(c->delivery), c->at);

    sbuf_text(&body, "payload=");
    url_encode(&body, payload);
    struct request r = {.raw = {.method = STR("POST"),
                                .body = arena_str(&p->w->arena, sbuf_str(&body)),
                                .received_at = p->now,
                                .request_id = STR("req-2")}};
    request_add(&r, "Content-Type", STR("application/x-www-form-urlencoded"));
    OK(s->type->decode(s, request_raw(&r), &p->w->arena, &in.events, &in.n, NULL));
    run(p, &in.work, WORK_INTAKE);
    return in;
}

/* A lead that is hot, and the message of it, delivered. */
static struct delivery announced(struct pipeline *p, int64_t contact)
{
    change(p, contact, "demo_requested", "true");
    change(p, contact, "page", "/pricing");
    change(p, contact, "page", "/pricing/teams");
    struct delivery d = only(p, "sales-slack", "pending");
    struct attempt_end end = end_of(p, &d, ATTEMPT_DELIVERED);
    end.remote_id = STR(MESSAGE);
    give(p, &end);
    return d;
}

static void a_click_is_an_event_of_its_lead_and_brings_its_message_up_to_date(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    struct delivery said = announced(p, 7);
    p->now += 5000;
    struct intake in = press(p, &(struct click){"funneld_claim", public_id(p, said.lead),
                                                public_id(p, said.id), p->now / 1000});
    COUNTS(in, 1, 0, 0);
    struct lead l = contact_lead(p, 7);
    assert_int_equal(newest_event(p).lead, l.id);
    TEXT(newest_event(p).type, "slack.claim");
    PROPERTY(l, "funneld_owner", "U0ADA");
    PROPERTY(l, "funneld_feedback", "claimed");
    struct delivery d = only(p, "sales-slack", "pending");
    TEXT(d.remote_id, MESSAGE);
    TEXT(d.route, "hot-lead");
    assert_int_equal(d.lead, said.lead);
    assert_int_equal(d.event, newest_event(p).id);
    SAME(d.facts.reasons, said.facts.reasons); /* it says what it said */
    SAME(d.facts.event_property, said.facts.event_property);
    assert_int_equal(d.facts.previous, said.facts.previous);
    assert_int_equal(count_deliveries(p, "lead-book", "pending"), 1); /* a route of clicks */
}

static void a_double_click_counts_once(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    struct delivery said = announced(p, 7);
    const struct click c = {"funneld_not_a_fit", public_id(p, said.lead), public_id(p, said.id),
                            p->now / 1000};
    struct intake in = press(p, &c);
    COUNTS(in, 1, 0, 0);
    in = press(p, &c);
    COUNTS(in, 0, 1, 0);
    assert_int_equal(count_deliveries(p, "sales-slack", "pending"), 1);
}

static void a_lead_that_is_not_ours_leaves_the_click_unprocessable(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    struct delivery said = announced(p, 7);
    const struct {
        struct str lead;
        const char *reason;
    } cases[] = {
        {arena_printf(&p->w->arena, "00000000-%" PRId64, said.lead), "another database"},
        {public_id(p, said.lead + 1000), "no such lead"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct intake in =
            press(p, &(struct click){"funneld_claim", cases[i].lead, public_id(p, said.id),
                                     p->now / 1000 + (int64_t)i});
        COUNTS(in, 1, 0, 1);
        struct event_view e = newest_event(p);
        assert_int_equal(e.state, EVENT_UNPROCESSABLE);
        assert_int_equal(e.lead, 0);
        assert_non_null(str_find(e.reason, str_of(cases[i].reason)));
    }
    assert_int_equal(count_deliveries(p, "sales-slack", "pending"), 0);
    assert_null(property(&(struct lead[]){contact_lead(p, 7)}[0], "funneld_owner").at);
    assert_int_equal((int64_t)counted(METRIC_EVENTS_UNPROCESSABLE, "buttons", NULL), 2);
}

static void without_a_message_of_ours_only_the_lead_changes(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    struct delivery said = announced(p, 7);
    change(p, 8, "demo_requested", "true");
    int64_t other = contact_lead(p, 8).id;
    struct delivery book = deliveries(p, "lead-book", NULL).items[0];
    const struct {
        int64_t lead;
        struct str delivery;
    } cases[] = {
        {said.lead, STR("x")},
        {said.lead, STR("00000000-1")},
        {said.lead, public_id(p, 1000)},   /* purged */
        {other, public_id(p, said.id)},    /* of another lead */
        {book.lead, public_id(p, book.id)} /* of a service that nobody answers */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct intake in = press(p, &(struct click){"funneld_claim", public_id(p, cases[i].lead),
                                                    cases[i].delivery, p->now / 1000 + (int64_t)i});
        COUNTS(in, 1, 0, 0);
    }
    assert_int_equal(count_deliveries(p, "sales-slack", "pending"), 0);
    struct lead l = get_lead(p->w, other);
    PROPERTY(l, "funneld_owner", "U0ADA");
}

static void after_a_merge_the_survivor_is_claimed_by_either_name(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    struct delivery said = announced(p, 7);
    change(p, 8, "company", "Acme");
    p->now += 1000;
    merge(p, 7, 8);
    int64_t survivor = contact_lead(p, 8).id;
    struct intake in = press(p, &(struct click){"funneld_claim", public_id(p, said.lead),
                                                public_id(p, said.id), p->now / 1000});
    COUNTS(in, 1, 0, 0);
    struct lead l = get_lead(p->w, survivor);
    PROPERTY(l, "funneld_owner", "U0ADA");
    struct delivery d = only(p, "sales-slack", "pending");
    assert_int_equal(d.lead, survivor);
    TEXT(d.remote_id, MESSAGE);
}

static void an_erased_lead_is_deaf_to_clicks(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    struct delivery said = announced(p, 7);
    p->now += 1000;
    tell(p, "contact.privacyDeletion", 7);
    struct intake in = press(p, &(struct click){"funneld_claim", public_id(p, said.lead),
                                                public_id(p, said.id), p->now / 1000});
    COUNTS(in, 1, 0, 0);
    assert_int_equal(get_lead(p->w, said.lead).n_properties, 0);
    assert_int_equal(count_deliveries(p, "sales-slack", "pending"), 0);
    assert_null(newest_event(p).body.at);
}

static void a_message_of_a_connector_that_is_gone_stays_as_it_is(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    struct delivery said = announced(p, 7);
    load(p, BASIC_SOURCES NOTION RULES BUTTONS CLAIMED);
    struct intake in = press(p, &(struct click){"funneld_claim", public_id(p, said.lead),
                                                public_id(p, said.id), p->now / 1000});
    COUNTS(in, 1, 0, 0);
    assert_int_equal(count_deliveries(p, "sales-slack", NULL), 1);
}

static void newest_decision_wins_and_claiming_wakes(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    struct delivery said = announced(p, 7);
    const struct str lead = public_id(p, said.lead), id = public_id(p, said.id);
    int64_t at = p->now / 1000;
    (void)press(p, &(struct click){"funneld_snooze", lead, id, at});
    struct lead l = contact_lead(p, 7);
    assert_true(property(&l, "funneld_snoozed_until").len > 0);
    (void)press(p, &(struct click){"funneld_not_a_fit", lead, id, at + 2});
    (void)press(p, &(struct click){"funneld_claim", lead, id, at + 1}); /* came late */
    l = contact_lead(p, 7);
    PROPERTY(l, "funneld_feedback", "not_a_fit");
    PROPERTY(l, "funneld_owner", "U0ADA");
    assert_null(property(&l, "funneld_snoozed_until").at);
    assert_int_equal(count_deliveries(p, "sales-slack", "pending"), 3); /* in order, each its own */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(a_click_is_an_event_of_its_lead_and_brings_its_message_up_to_date),
        CHECKS(a_double_click_counts_once),
        CHECKS(a_lead_that_is_not_ours_leaves_the_click_unprocessable),
        CHECKS(without_a_message_of_ours_only_the_lead_changes),
        CHECKS(after_a_merge_the_survivor_is_claimed_by_either_name),
        CHECKS(an_erased_lead_is_deaf_to_clicks),
        CHECKS(a_message_of_a_connector_that_is_gone_stays_as_it_is),
        CHECKS(newest_decision_wins_and_claiming_wakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
