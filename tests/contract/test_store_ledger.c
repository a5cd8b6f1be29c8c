/* tests/contract/test_store_ledger.c - many firings at once. */
#include "store_world.h"

static size_t ledger(struct world *w, int64_t lead, int64_t by, struct ledger_row **ret)
{
    struct lead l = get_lead(w, lead);
    size_t n = 0;

    OK(read_ledger(w->reader, &l, by, &w->arena, ret, &n));
    return n;
}

static void many_rows_at_once_go_where_each_alone_would(void **state)
{
    static const char *const rules[] = {"a", "b", "c"};
    struct world *w = *state;
    struct ledger_row new[12], *one, *many;
    int64_t events[2][6], leads[2];
    size_t n = ARRAY_LEN(new);

    for (int k = 0; k < 2; k++) {
        leads[k] = put_lead(w, NULL);
        for (int i = 0; i < 6; i++)
            events[k][i] = i % 3 ? put_event_at(w, leads[k], T0 + i)
                                 : put_row(w, leads[k], "known", T0 + i, 0);
    }
    for (int k = 0; k < 2; k++) {
        struct lead l = get_lead(w, leads[k]);

        for (size_t i = 0; i < n; i++)
            new[i] = (struct ledger_row){.event = events[k][i / 2],
                                         .rule = str_of(rules[i % 3]),
                                         .why = STR("x"),
                                         .points = 10,
                                         .max = INT64_MAX,
                                         .occurred_at = T0,
                                         .received_at = T0 + (int64_t)i};
        for (size_t i = 0; i < n && k == 0; i++)
            OK(store_ledger_add(w->store, &l, &new[i], &w->arena));
        if (k == 1)
            OK(store_ledger_add_all(w->store, &l, new, n, &w->arena));
        OK(store_lead_save(w->store, &l));
    }
    assert_int_equal(ledger(w, leads[0], INT64_MAX, &one), n + 2);
    assert_int_equal(ledger(w, leads[1], INT64_MAX, &many), n + 2);
    for (size_t i = 0; i < n + 2; i++) {
        assert_int_equal(one[i].event - events[0][0], many[i].event - events[1][0]);
        assert_int_equal(one[i].received_at, many[i].received_at);
        SAME(one[i].rule, many[i].rule);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(many_rows_at_once_go_where_each_alone_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
