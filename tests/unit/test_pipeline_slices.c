/* tests/unit/test_pipeline_slices.c - a replay goes on in slices, and holds up nobody. */
#include "funneld/observe/health.h"
#include "objects_world.h"
#include "replay_world.h"

enum { DEALS_EVENTS = 200, CONTACTS = 60 };

struct slices {
    int n;
    size_t most_steps;
    int64_t taken, fired, deliveries;
};

/* Between two slices somebody posts; the writer beats in each. */
static struct slices replay_beside_others(struct pipeline *p)
{
    struct replay r = {.filter = {.state = -1}, .arena = &p->w->arena};
    struct slices all = {0};

    for (; !r.done; r.from = r.next) {
        struct command c = {.kind = COMMAND_REPLAY, .arg = &r};

        assert_true(all.n < 200);
        atomic_store(&health.writer_beat, 0);
        run(p, &c.work, WORK_COMMAND);
        OK(p->rc);
        assert_true(!r.steps || atomic_load(&health.writer_beat) > 0);
        all.n++;
        all.most_steps = r.steps > all.most_steps ? r.steps : all.most_steps;
        all.taken += r.sums.taken;
        all.fired += r.sums.fired;
        all.deliveries += r.sums.deliveries;
        p->now++;
        change(p, 5000 + all.n, "page", "x");
    }
    return all;
}

/* Two hundred events of a deal that was nobody's, and is sixty people's now. */
static void what_is_told_to_many_counts_for_each(void **state)
{
    struct pipeline *p = *state;

    load(p, FEW_CONF);
    for (int i = 0; i < DEALS_EVENTS; i++) {
        p->now++;
        change_deal(p, 9, "amount", i % 2 ? "10" : "20");
    }
    for (int c = 1; c <= CONTACTS; c++)
        link_deal(p, 9, c);
    struct slices s = replay_beside_others(p);
    assert_int_equal(s.taken, DEALS_EVENTS);
    assert_in_range(s.n, 3, 20);
    assert_in_range(s.most_steps, 1000, 5000 + CONTACTS + 2);
}

static void deliveries_count_as_well(void **state)
{
    struct pipeline *p = *state;

    load(p, FEW_CONF);
    for (int i = 0; i < 100; i++) {
        p->now++;
        change(p, 7, "page", i % 2 ? "x" : "y");
    }
    load(p, SOURCES SHEETS SCORE DEMO "[route all]\nwhen = event.property == \"page\"\n"
                                      "to = sales-slack, lead-book\n");
    struct slices s = replay_beside_others(p);
    assert_int_equal(s.deliveries, 200);
    assert_int_equal(s.most_steps, 300 + 1); /* and what came meanwhile */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(what_is_told_to_many_counts_for_each),
        CHECKS(deliveries_count_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
