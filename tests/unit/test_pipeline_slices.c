/* tests/unit/test_pipeline_slices.c - a replay goes on in slices, and holds up nobody. */
#include <sys/resource.h>

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

static int64_t peak_kib(void)
{
    struct rusage u;

    assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
    return u.ru_maxrss;
}

static const char *many_rules(struct pipeline *p, int n, const char *routes)
{
    struct str conf = str_of(SOURCES SHEETS SCORE);

    for (int i = 0; i < n; i++)
        conf = arena_printf(&p->w->arena,
                            "%s[rule page-%d]\nwhen = event.property == \"page\"\npoints = 1\n",
                            conf.at, i);
    return arena_printf(&p->w->arena, "%s%s", conf.at, routes).at;
}

/* Each message is made of all that fired before it, and keeps none of that. */
static void what_is_told_of_one_lead_needs_little_memory(void **state)
{
    enum { EVENTS = 220, MANY = 100, MOST_KIB = 350 << 10 }; /* a sanitizer keeps what is freed */
    struct pipeline *p = *state;

    load(p, many_rules(p, MANY, ""));
    for (int i = 0; i < EVENTS; i++) {
        p->now++;
        change(p, 7, "page", i % 2 ? "x" : "y");
    }
    load(p,
         many_rules(p, MANY, "[route all]\nwhen = event.property == \"page\"\nto = sales-slack\n"));
    int64_t before = peak_kib();
    assert_int_equal(replay_all(p).deliveries, EVENTS);
    assert_in_range(peak_kib() - before, 0, MOST_KIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(what_is_told_to_many_counts_for_each),
        CHECKS(deliveries_count_as_well),
        CHECKS(what_is_told_of_one_lead_needs_little_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
