/* tests/unit/test_deliverer_quota.c - conversations that share what an account has left. */
#include "cm.h"
#include "delivery_world.h"

enum { TALKS_MAX = 8, LATENCY_MS = 50, TICK_MS = 5 };

/* Requests of each conversation that were answered. */
struct talks {
    int asked[TALKS_MAX + 1]; /* by the delivery's id */
    int64_t sent_at[WORLD_MAX];
    size_t seen;
};

/* Each is answered after a while, and none ends. */
static void talk(struct world *w, struct talks *t)
{
    for (; t->seen < w->n_sent; t->seen++)
        t->sent_at[t->seen] = w->now;
    for (size_t i = 0; i < w->n_sent; i++)
        if (w->sent[i].open && w->now - t->sent_at[i] >= LATENCY_MS) {
            t->asked[atoi(w->sent[i].path + sizeof "post/" - 1)]++;
            respond(
                w, &w->sent[i],
                (struct http_response){.fate = HTTP_ANSWERED, .status = 299, .retry_after_ms = -1});
        }
}

/* Ten a second, and each answer says that a little less is left. */
static void one_starves_no_other(void **state)
{
    static const int n_talks[] = {2, TALKS_MAX};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(n_talks); i++) {
        struct world *w = world_one();
        struct talks t = {0};
        int n = n_talks[i];

        w->settings[0].common.concurrency = n;
        for (int64_t lead = 1; lead <= n; lead++)
            (void)post(w, "c", lead);
        step(w);
        assert_int_equal(open_requests(w), n);
        w->settings[0].quota = 10;
        w->settings[0].left = 95;
        w->settings[0].left_ms = 10000;
        int64_t began = w->now;
        while (w->now < began + 6000) {
            step_to(w, w->now + TICK_MS);
            talk(w, &t);
        }
        for (int id = 1; id <= n; id++)
            assert_in_range(t.asked[id], 48 / n, 80 / n);
        world_free(w);
    }
}

/* Nothing is left: that is a rest, and behind it they leave one by one. */
static void when_nothing_is_left_all_rest(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].common.concurrency = 3;
    w->settings[0].quota = 10;
    w->settings[0].left_ms = 10000;
    for (int64_t lead = 1; lead <= 3; lead++)
        (void)post(w, "c", lead);
    for (int i = 0; i < 3; i++)
        step_to(w, w->now + 100);
    assert_int_equal(open_requests(w), 3);
    int64_t told = w->now;
    for (int id = 1; id <= 3; id++)
        respond(w, &w->sent[id - 1],
                (struct http_response){.fate = HTTP_ANSWERED, .status = 299, .retry_after_ms = -1});
    assert_int_equal(open_requests(w), 0);
    w->settings[0].left_ms = 0;
    for (size_t n = 1; n <= 3; n++) {
        while (open_requests(w) < n)
            step_to(w, w->next);
        assert_int_equal(open_requests(w), n);
        assert_in_range(w->now - told, 10000 + 100 * ((int64_t)n - 1), 10000 + 100 * (int64_t)n);
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_starves_no_other),
        cmocka_unit_test(when_nothing_is_left_all_rest),
    };

    return cmocka_run_group_tests_name("deliverer_quota", tests, quiet, NULL);
}
