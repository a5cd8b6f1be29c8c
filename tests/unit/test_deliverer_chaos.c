/* tests/unit/test_deliverer_chaos.c - whatever fails, each delivery has its effect once, in order.
 */
#include "cm.h"
#include "delivery_world.h"

#include "../../src/deliver/pace_priv.h"

/* Chaos: a service that may be slow, lose answers or refuse, a store that fails, crashes. Whatever
 * happens, each delivery has its effect once, and of a lead in order. */
enum { CHAOS_ROWS = 60, CHAOS_LEADS = 9 };

struct chaos {
    struct world *w;
    uint64_t seed;
    int effects[CHAOS_ROWS + 1], newest[CHAOS_LEADS + 1];
};

static uint64_t dice(struct chaos *c, uint64_t sides)
{
    return (random_next(&c->seed) >> 16) % sides;
}

/* The service acts on all deliveries of the request. */
static void take_effect(struct chaos *c, const char *ids)
{
    for (char *rest; *ids; ids = *rest ? rest + 1 : rest) {
        long id = strtol(ids, &rest, 10);
        int64_t lead = fake_row(id)->lead;

        c->effects[id]++;
        assert_true(id >= c->newest[lead]);
        c->newest[lead] = (int)id;
    }
}

/* What the service does with an open request: maybe lost before it came, or after. */
static struct http_response serve(struct chaos *c, const struct sent *s)
{
    struct http_response r = {
        .fate = HTTP_ANSWERED, .status = 200, .body = STR("none"), .retry_after_ms = -1};
    bool is_post = strncmp(s->path, "post/", 5) == 0;

    switch (dice(c, 6)) {
    case 0:
        return (struct http_response){.fate = HTTP_NOT_SENT, .retry_after_ms = -1};
    case 1:
        if (is_post && dice(c, 2))
            take_effect(c, s->path + 5);
        return (struct http_response){.fate = HTTP_UNKNOWN, .retry_after_ms = -1};
    case 2:
        r.status = 503;
        r.retry_after_ms = dice(c, 2) ? 3000 : -1;
        return r;
    }
    if (is_post)
        take_effect(c, s->path + 5);
    else if (c->effects[strtol(s->path + 5, NULL, 10)])
        r.body = STR("found");
    return r;
}

static void crash(struct chaos *c)
{
    struct world *w = c->w;

    for (size_t i = 0; i < w->n_sent; i++)
        if (w->sent[i].open && strncmp(w->sent[i].path, "post/", 5) == 0 && dice(c, 2))
            take_effect(c, w->sent[i].path + 5);
    w->n_sent = w->n_results = w->n_taken = w->n_waiting = 0;
    deliverer_free(w->d);
    world_start_deliverer(w);
}

static void serve_some(struct chaos *c)
{
    struct world *w = c->w;
    struct sent *open[WORLD_MAX];
    size_t n = 0;

    for (size_t i = 0; i < w->n_sent; i++)
        if (w->sent[i].open)
            open[n++] = &w->sent[i];
    if (n && dice(c, 3)) {
        struct sent *s = open[dice(c, n)];

        respond(w, s, serve(c, s));
    } else if (!n && w->n_sent > WORLD_MAX / 2) {
        w->n_sent = 0;
    }
}

static bool all_delivered(void)
{
    for (int64_t id = 1; id <= CHAOS_ROWS; id++)
        if (fake_n < CHAOS_ROWS || fake_row(id)->state != DELIVERY_DELIVERED)
            return false;
    return true;
}

static void run_chaos(uint64_t seed)
{
    struct chaos c = {.w = world_new(one, 1), .seed = seed};
    struct world *w = c.w;

    w->settings[0].common.concurrency = 3;
    w->settings[0].needs_token = seed % 2;
    world_start_deliverer(w);
    for (int turn = 0; turn < 200000 && !all_delivered(); turn++) {
        w->now += (int64_t)dice(&c, 1500);
        if (fake_n < CHAOS_ROWS && !dice(&c, 4))
            post(w, "c", 1 + (int64_t)dice(&c, CHAOS_LEADS));
        if (!dice(&c, 8))
            w->store = dice(&c, 3) ? STORE_COMMITS : dice(&c, 2) ? STORE_WAITS : STORE_FAILS;
        if (!dice(&c, 3))
            world_commit(w);
        if (!dice(&c, 150))
            crash(&c);
        serve_some(&c);
        step(w);
        w->n_ends = 0;
    }
    for (int id = 1; id <= CHAOS_ROWS; id++)
        assert_int_equal(c.effects[id], 1);
    assert_true(all_delivered());
    w->store = STORE_COMMITS;
    world_commit(w);
    world_free(w);
}

static void whatever_fails_each_delivery_has_its_effect_once_and_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        run_chaos(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_fails_each_delivery_has_its_effect_once_and_in_order),
    };

    return cmocka_run_group_tests_name("deliverer_chaos", tests, quiet, NULL);
}
