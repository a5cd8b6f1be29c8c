/* tests/unit/test_pipeline_arrivals.c - events that had no effect, and get it when they are
 * processed again. */
#include "funneld/pipeline/past.h"
#include "replay_world.h"

static void what_was_not_understood_takes_effect_as_if_it_had_just_come(void **state)
{
    struct pipeline *p = *state;

    load(p, MORE_CONF);
    int64_t came = p->now;
    int64_t id = keep_raw(p, "hubspot", change_json(p, 7, "demo", "true", came), 1);
    later(p);
    change(p, 7, "page", "pricing");
    later(p);
    struct replay_sums s = replay(p, (struct replay){.filter.state = EVENT_UNPROCESSABLE});
    assert_int_equal(s.taken, 1);
    assert_int_equal(s.fired, 1);
    assert_int_equal(s.deliveries, 1);
    struct event_view v = view(p, id);
    struct lead l = contact_lead(p, 7);
    assert_int_equal(v.state, EVENT_PROCESSED);
    assert_int_equal(v.lead, l.id);
    assert_int_equal(v.received_at, came);
    assert_int_equal(v.replayed_at, p->now);
    assert_int_equal(l.score, 850);
    PROPERTY(l, "demo", "true");
    struct deliveries d = deliveries(p, "sales-slack", NULL);
    assert_int_equal(d.items[0].event, id); /* the rise is now */
    assert_int_equal(d.items[0].facts.previous, 350);
    NOTHING_NEW(replay_all(p));
}

static void it_can_be_the_first_that_is_heard_of_a_lead(void **state)
{
    struct pipeline *p = *state;

    load(p, ALL_CONF);
    (void)keep_raw(p, "zapier", form_json(p, "eve@example.com", p->now, ",\"company\":\"Acme\""),
                   1);
    assert_int_equal(replay_all(p).taken, 1);
    assert_int_equal(email_lead(p, "eve@example.com").score, 100);
    NOTHING_NEW(replay_all(p));
}

/* Of the map that made sense of it; a later one is for what comes later. */
static void what_is_taken_up_keeps_how_it_was_read(void **state)
{
    static const char mapped[] = "[source zapier]\ntype = zapier\nsecret = two\n"
                                 "map.email = $.mail\nmap.company = $.firm\n" SHEETS SCORE ACME;
    struct pipeline *p = *state;

    load(p, SOURCES SHEETS SCORE);
    int64_t id = keep_raw(p, "zapier", STR("{\"mail\":\"eve@example.com\",\"firm\":\"Acme\"}"), 1);
    load(p, mapped);
    assert_int_equal(replay_all(p).taken, 1);
    assert_int_equal(email_lead(p, "eve@example.com").score, 100);
    load(p, SOURCES SHEETS SCORE ACME); /* no map again */
    struct event_view v = view(p, id);
    struct event e;
    OK(stored_event(p->rules, &v, &p->w->arena, &e));
    assert_int_equal(e.state, EVENT_PROCESSED);
    TEXT(e.email, "eve@example.com");
    uint8_t hash[SHA256_LEN];
    char hex[SHA256_HEX];
    sha256(&v.body, 1, hash);
    hex_encode(hash, sizeof hash, hex);
    assert_string_equal(v.body_sha256, hex);
}

/* Older releases left the body as it was sent. */
static void what_an_older_release_took_up_is_read_by_the_map_of_now(void **state)
{
    struct pipeline *p = *state;
    struct event_view v = {.source = STR("zapier"),
                           .type = STR("zapier.event"),
                           .body = STR("{\"mail\":\"eve@example.com\"}"),
                           .received_at = p->now,
                           .replayed_at = p->now};
    struct event e;

    load(p, "[source zapier]\ntype = zapier\nsecret = two\nmap.email = $.mail\n" SHEETS SCORE);
    OK(stored_event(p->rules, &v, &p->w->arena, &e));
    assert_int_equal(e.state, EVENT_PROCESSED);
    v.replayed_at = 0;
    OK(stored_event(p->rules, &v, &p->w->arena, &e));
    assert_int_equal(e.state, EVENT_UNPROCESSABLE);
}

static void the_same_fact_takes_effect_once(void **state)
{
    struct pipeline *p = *state;
    struct str body = change_json(p, 7, "demo", "true", p->now);

    load(p, FEW_CONF);
    int64_t first = keep_raw(p, "hubspot", body, 1), second = keep_raw(p, "hubspot", body, 2);
    struct replay_sums s = replay_all(p);
    assert_int_equal(s.taken, 1);
    assert_int_equal(s.left, 1);
    assert_int_equal(view(p, first).state, EVENT_PROCESSED);
    assert_int_equal(view(p, second).state, EVENT_UNPROCESSABLE);
    TEXT(view(p, second).reason, "it says the same as event 1");
    assert_int_equal(contact_lead(p, 7).score, 500);
    struct intake in = post_one(p, body); /* nor when the sender says it again */
    COUNTS(in, 0, 1, 0);
}

static void what_still_is_not_understood_says_why(void **state)
{
    struct pipeline *p = *state;

    load(p, FEW_CONF);
    int64_t id = keep_raw(p, "zapier", STR("{\"email\":5}"), 1);
    int64_t company = keep_raw(p, "hubspot", fact_json(p, "company.creation", 9, p->now), 2);
    int64_t gone = keep_raw(p, "typeform", STR("{}"), 3);
    int64_t broken = keep_raw(p, "hubspot", STR("{"), 4);
    struct replay_sums s = replay_all(p);
    assert_int_equal(s.left, 2);
    assert_int_equal(s.sourceless, 1);
    assert_int_equal(s.unreadable, 1);
    assert_false(str_is(view(p, id).reason, "not understood"));
    assert_int_equal(view(p, company).state, EVENT_UNLINKED);
    TEXT(view(p, gone).reason, "not understood");
    TEXT(view(p, broken).reason, "not understood");
}

/* Hundreds of leads and odd events: more than one slice takes. */
static void slices_add_up_to_the_whole(void **state)
{
    enum { LEADS = 450, ODD = 1100 };
    struct pipeline *p = *state;
    struct sbuf body AUTO(sbuf_free) = SBUF(1 << 20);

    load(p, FEW_CONF);
    sbuf_char(&body, '[');
    for (int i = 0; i < LEADS; i++) {
        struct str one = change_json(p, 100 + i, "page", "x", p->now);

        sbuf_printf(&body, "%s%.*s", i ? "," : "", STR_ARG(one));
    }
    sbuf_char(&body, ']');
    struct intake in = post(p, "hubspot", sbuf_str(&body));
    COUNTS(in, LEADS, 0, 0);
    OK(store_begin(p->w->store));
    for (int i = 0; i < ODD; i++) {
        struct event e = event_at(p->now, 10000 + i);

        e.state = EVENT_UNPROCESSABLE;
        e.reason = STR("not understood");
        e.body = change_json(p, 100 + i % LEADS, "demo", i % 2 ? "yes" : "no", p->now + i);
        (void)put_event(p->w, 0, &e);
    }
    OK(store_commit(p->w->store));
    load(p, SOURCES SHEETS SCORE DEMO PAGE);
    struct replay_sums dry = replay(p, (struct replay){.dry_run = true});
    struct replay_sums s = replay_all(p);
    assert_int_equal(dry.taken, ODD);
    assert_int_equal(s.taken, ODD);
    assert_int_equal(s.fired, ODD + LEADS);
    assert_int_equal(s.leads, LEADS);
    NOTHING_NEW(replay_all(p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(what_was_not_understood_takes_effect_as_if_it_had_just_come),
        CHECKS(it_can_be_the_first_that_is_heard_of_a_lead),
        CHECKS(what_is_taken_up_keeps_how_it_was_read),
        CHECKS(what_an_older_release_took_up_is_read_by_the_map_of_now),
        CHECKS(the_same_fact_takes_effect_once),
        CHECKS(what_still_is_not_understood_says_why),
        CHECKS(slices_add_up_to_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
