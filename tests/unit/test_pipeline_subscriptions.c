/* tests/unit/test_pipeline_subscriptions.c - one delivery for each subscriber, and when it ends. */
#include "pipeline_ends.h"

#define HOOKED                                                                                     \
    "[server]\npublic_url = https://hooks.example.com\nhooks_token = t\n"                          \
    "[source zapier]\ntype = zapier\nsecret = two\n"                                               \
    "[source hubspot]\ntype = hubspot\nsecret = one\n" SLACK                                       \
    "[connector subscribers]\ntype = rest_hooks\n" RULES                                           \
    "[route page]\nwhen = event.property == \"page\"\nto = subscribers, sales-slack\n"

static int64_t subscribe(struct pipeline *p, const char *route, const char *target)
{
    struct subscription s = {.token = str_of(target),
                             .route = str_of(route),
                             .target = str_of(target),
                             .created_at = p->now};
    bool fresh;

    OK(store_begin(p->w->store));
    OK(store_subscribe(p->w->store, &p->w->arena, &s, &fresh));
    OK(store_commit(p->w->store));
    return s.id;
}

static struct attempt_end end_at(struct pipeline *p, const struct delivery *d,
                                 enum attempt_verdict verdict)
{
    struct attempt_end end = end_of(p, d, verdict);

    end.target = d->target;
    end.due_at = d->due_at; /* as the deliverer knows it */
    end.detail = STR("no");
    return end;
}

static int64_t subscriptions(struct pipeline *p)
{
    int64_t n = -1;

    OK(read_subscription_count(p->w->reader, &n));
    return n;
}

static void each_subscriber_of_the_route_gets_a_delivery_of_its_own(void **state)
{
    struct pipeline *p = *state;
    int64_t a, b;

    load(p, HOOKED);
    change(p, 7, "page", "a");
    assert_int_equal(count_deliveries(p, "subscribers", NULL), 0);
    assert_int_equal(count_deliveries(p, "sales-slack", "pending"), 1);
    a = subscribe(p, "page", "https://x/a");
    b = subscribe(p, "page", "https://x/b");
    (void)subscribe(p, "another", "https://x/c");
    change(p, 7, "page", "b");
    struct deliveries d = deliveries(p, "subscribers", "pending");
    assert_int_equal(d.n, 2);
    assert_int_equal(d.items[1].target, a);
    assert_int_equal(d.items[0].target, b);
    TEXT(d.items[0].route, "page");
    assert_int_equal(deliveries(p, "sales-slack", "pending").items[0].target, 0);
}

static void who_wants_no_more_ends_with_the_verdict(void **state)
{
    struct pipeline *p = *state;
    double before;

    load(p, HOOKED);
    (void)subscribe(p, "page", "https://x/a");
    (void)subscribe(p, "page", "https://x/b");
    change(p, 7, "page", "a");
    change(p, 8, "page", "a");
    before = counted(METRIC_DELIVERIES, "subscribers", "cancelled");
    struct deliveries d = deliveries(p, "subscribers", "pending");
    struct attempt_end end = end_at(p, &d.items[3], ATTEMPT_DEAD);
    end.target_gone = true;
    give(p, &end);
    assert_int_equal(subscriptions(p), 1);
    assert_int_equal(count_deliveries(p, "subscribers", "dead"), 1);
    assert_int_equal(count_deliveries(p, "subscribers", "cancelled"), 1);
    assert_int_equal(count_deliveries(p, "subscribers", "pending"), 2);
    assert_true(counted(METRIC_DELIVERIES, "subscribers", "cancelled") == before + 1);
    change(p, 9, "page", "a");
    assert_int_equal(count_deliveries(p, "subscribers", "pending"), 3);
}

/* Ten tries and seven days, both. */
static void who_is_not_reached_for_a_week_is_left_behind(void **state)
{
    struct pipeline *p = *state;

    load(p, HOOKED);
    (void)subscribe(p, "page", "https://x/a");
    change(p, 7, "page", "a");
    const struct delivery d = only(p, "subscribers", "pending");
    struct attempt_end end;
    for (int i = 0; i < 20; i++) {
        end = end_at(p, &d, ATTEMPT_RETRY);
        give(p, &end);
    }
    assert_int_equal(subscriptions(p), 1);
    p->now += 7 * DAYS_MS - 1;
    end = end_at(p, &d, ATTEMPT_RETRY);
    give(p, &end);
    assert_int_equal(subscriptions(p), 1);
    p->now += 1;
    end = end_at(p, &d, ATTEMPT_RETRY);
    give(p, &end);
    assert_int_equal(subscriptions(p), 0);
    assert_int_equal(count_deliveries(p, "subscribers", "cancelled"), 1);
}

static void a_clock_that_jumps_leaves_nobody_behind(void **state)
{
    struct pipeline *p = *state;

    load(p, HOOKED);
    (void)subscribe(p, "page", "https://x/a");
    change(p, 7, "page", "a");
    const struct delivery d = only(p, "subscribers", "pending");
    struct attempt_end end = end_at(p, &d, ATTEMPT_RETRY);
    give(p, &end);
    p->now += 400 * DAYS_MS;
    for (int i = 0; i < 8; i++) {
        end = end_at(p, &d, ATTEMPT_RETRY);
        give(p, &end);
    }
    assert_int_equal(subscriptions(p), 1);
}

static void one_answer_makes_up_for_all_failures(void **state)
{
    struct pipeline *p = *state;

    load(p, HOOKED);
    (void)subscribe(p, "page", "https://x/a");
    change(p, 7, "page", "a");
    change(p, 8, "page", "a");
    struct deliveries d = deliveries(p, "subscribers", "pending");
    struct attempt_end end;
    for (int i = 0; i < 20; i++) {
        end = end_at(p, &d.items[1], ATTEMPT_RETRY);
        give(p, &end);
    }
    end = end_at(p, &d.items[1], ATTEMPT_DELIVERED);
    give(p, &end);
    p->now += 8 * DAYS_MS;
    end = end_at(p, &d.items[0], ATTEMPT_RETRY);
    give(p, &end);
    assert_int_equal(subscriptions(p), 1);
}

static void the_verdict_of_one_that_has_ended_meanwhile_is_taken(void **state)
{
    struct pipeline *p = *state;

    load(p, HOOKED);
    (void)subscribe(p, "page", "https://x/a");
    change(p, 7, "page", "a");
    const struct delivery d = only(p, "subscribers", "pending");
    struct attempt_end end = end_at(p, &d, ATTEMPT_DEAD);
    end.target_gone = true;
    give(p, &end);
    for (enum attempt_verdict v = ATTEMPT_DELIVERED; v <= ATTEMPT_DEAD; v++) {
        end = end_at(p, &d, v);
        end.target_gone = v == ATTEMPT_DEAD;
        give(p, &end);
        assert_false(end.applied);
    }
    assert_int_equal(count_deliveries(p, "subscribers", "dead"), 1);
}

static void facts_say_what_band_it_was_before(void **state)
{
    struct pipeline *p = *state;

    load(p, HOOKED "[route demo]\nwhen = event.property == \"demo_requested\"\nto = sales-slack\n");
    change(p, 7, "demo_requested", "true");
    struct delivery d = only(p, "sales-slack", "pending");
    assert_int_equal(d.facts.band, BAND_COLD);
    assert_int_equal(d.facts.previous_band, BAND_COLD);
    change(p, 7, "demo_requested", "false");
    p->now += 1000;
    change(p, 7, "demo_requested", "true");
    struct deliveries all = deliveries(p, "sales-slack", "pending");
    assert_int_equal(all.n, 3);
    assert_int_equal(all.items[0].facts.score, 700);
    assert_int_equal(all.items[0].facts.band, BAND_WARM);
    assert_int_equal(all.items[0].facts.previous_band, BAND_COLD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(each_subscriber_of_the_route_gets_a_delivery_of_its_own),
        CHECKS(who_wants_no_more_ends_with_the_verdict),
        CHECKS(who_is_not_reached_for_a_week_is_left_behind),
        CHECKS(a_clock_that_jumps_leaves_nobody_behind),
        CHECKS(one_answer_makes_up_for_all_failures),
        CHECKS(the_verdict_of_one_that_has_ended_meanwhile_is_taken),
        CHECKS(facts_say_what_band_it_was_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
