/* tests/contract/test_store_crowd.c - a lead for which much waits. */
#include "store_world.h"

static void see_due(void *self, struct str connector, const struct due_row *row)
{
    assert_true(connector.len > 0);
    *(int64_t *)self = row->id;
}

/* More than the lead's row names: in order, whoever asks. */
static void a_crowd_waits_in_order_and_nobody_of_it_is_forgotten(void **state)
{
    enum { MANY = 200 };
    struct world *w = *state;
    struct due_row row, rows[4];
    int64_t ids[MANY], n = 0;
    bool waits = false, urgent = true;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL), into = put_lead(w, NULL);
    for (int i = 0; i < MANY; i++) {
        struct delivery d =
            delivery_of(put_event_at(w, lead, i + 1), lead, i % 2 ? "slack" : "log");

        d.wait_until = i == MANY - 1 ? T0 + 9 : 0;
        add_delivery(w, &d);
        ids[i] = d.id;
    }
    struct lead l = get_lead(w, lead);
    OK(read_first_waiting(w->reader, STR("slack"), &l, &row));
    assert_int_equal(row.id, ids[1]);
    OK(store_delivery_release(w->store, &l, T0 + 1, see_due, &n));
    assert_int_equal(n, ids[MANY - 1]);
    OK(read_delivery_waiting(w->reader, STR("slack"), STR("hot-lead"), &l, &waits));
    assert_true(waits);
    move_lead(w, lead, into);
    check_promises(w, T0);
    for (int i = 1; i < MANY; i += 2) {
        OK(read_due_of_lead(w->reader, STR("slack"), into, 0, &row));
        assert_int_equal(row.id, ids[i]);
        assert_int_equal(row.lead, into);
        assert_int_equal(due(w, "slack", false, 4, rows), 1);
        OK(end_with(w, ids[i], i == 1 ? ATTEMPT_DEAD : ATTEMPT_DELIVERED, "no"));
    }
    assert_int_equal(read_due_of_lead(w->reader, STR("slack"), into, 0, &row), RC_NONE);
    OK(store_retry(w->store, &(struct retry_filter){0}, T0 + 2, &n)); /* the first is back */
    assert_int_equal(n, 1);
    OK(read_due_of_lead(w->reader, STR("slack"), into, 0, &row));
    assert_int_equal(row.id, ids[1]);
    l = get_lead(w, into);
    OK(store_delivery_fold(w->store, STR("log"), &l, ids[MANY - 2], T0 + 3, &n, &urgent));
    assert_int_equal(n, MANY / 2 - 1);
    assert_false(urgent);
    OK(store_commit(w->store));
    check_promises(w, T0 + 30);
}

static int commas(struct str list)
{
    int n = 0;

    for (size_t i = 0; i < list.len; i++)
        n += list.at[i] == ',';
    return n;
}

/* Two full lists become one that is no longer than each was. */
static void a_merge_makes_no_list_longer(void **state)
{
    enum { EACH = 60 };
    struct world *w = *state;
    struct due_row row;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL), bob = put_lead(w, NULL);
    int64_t first = put_delivery(w, bob, "slack", T0);
    for (int i = 1; i < 2 * EACH; i++)
        (void)put_delivery(w, i % 2 ? ada : bob, "slack", T0);
    move_lead(w, ada, bob);
    assert_int_equal(commas(get_lead(w, bob).waiting), 63);
    check_promises(w, T0);
    for (int i = 0; i < 2 * EACH; i++) {
        OK(read_due_of_lead(w->reader, STR("slack"), bob, 0, &row));
        assert_int_equal(row.id, first + i);
        OK(end_with(w, row.id, ATTEMPT_DELIVERED, NULL));
    }
    assert_int_equal(read_due_of_lead(w->reader, STR("slack"), bob, 0, &row), RC_NONE);
    OK(store_commit(w->store));
}

/* Those that are put back are of the crowd, each of its own lead's. */
static void what_is_put_back_is_overtaken_by_its_own_lead_alone(void **state)
{
    struct world *w = *state;
    int64_t ids[3], n = 0;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL), bob = put_lead(w, NULL);
    for (int i = 0; i < 3; i++) {
        ids[i] = put_delivery(w, i < 2 ? ada : bob, "notion", T0);
        OK(end_with(w, ids[i], ATTEMPT_DEAD, "no"));
    }
    OK(store_retry(w->store, &(struct retry_filter){0}, T0 + 9, &n));
    assert_int_equal(n, 3);
    OK(store_delivery_fold_again(w->store, STR("notion"), T0 + 9, &n));
    OK(store_commit(w->store));
    assert_int_equal(n, 1);
    assert_int_equal(get_delivery(w, ids[0]).state, DELIVERY_SUPERSEDED);
    assert_int_equal(get_delivery(w, ids[1]).state, DELIVERY_PENDING);
    assert_int_equal(get_delivery(w, ids[2]).state, DELIVERY_PENDING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_is_put_back_is_overtaken_by_its_own_lead_alone),
        RUN(a_merge_makes_no_list_longer),
        RUN(a_crowd_waits_in_order_and_nobody_of_it_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
