/* tests/unit/test_learning_deals.c - rows against what really became of the deals. */
#include "deals_world.h"

#define HORIZON (60 * DAY)

/* Contacts became leads in their order. */
static const struct deal *deal_of(struct pipeline *p, uint32_t group)
{
    struct lead l;

    OK(read_lead(p->w->reader, group, &p->w->arena, &l));
    assert_in_range(l.crm_id, 1, DEALS);
    return &deals[l.crm_id];
}

static void check_row(const struct learning *l, size_t i, const struct deal *d, int64_t now)
{
    int64_t at = (int64_t)l->set.time[i], end = at + HORIZON;
    bool won = d->won && d->closed > at && d->closed <= end;

    assert_int_equal(l->set.positive[i], won);
    assert_true(at >= d->engaged);
    assert_true(end <= now); /* what is open is neither won nor lost */
    assert_false(d->won && d->closed <= at);
    assert_true(l->set.known_at[i] == (double)end);
}

static void each_row_says_what_became_of_the_deal(void **state)
{
    struct pipeline *p = *state;
    size_t positive = 0;

    load(p, DEALS_CONF);
    import_deals(p, BY_LOT);
    struct learning l = learn(p, 0);
    assert_int_equal(l.leads, DEALS);
    assert_true(l.set.table.n_rows > 3 * DEALS && l.censored > DEALS / 10);
    for (size_t i = 0; i < l.set.table.n_rows; i++) {
        check_row(&l, i, deal_of(p, l.set.group[i]), p->now);
        positive += l.set.positive[i];
    }
    assert_true(positive > DEALS / 2);
    assert_null(column(&l, "stage"));
    assert_non_null(column(&l, "agent"));
    learning_free(&l);
}

static void the_same_store_gives_the_same_rows(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS_CONF);
    import_deals(p, BY_LOT);
    struct learning a = learn(p, 1000), b = learn(p, 1000);
    assert_int_equal(a.set.table.n_rows, b.set.table.n_rows);
    assert_int_equal(a.set.table.n_columns, b.set.table.n_columns);
    for (size_t i = 0; i < a.set.table.n_rows; i++) {
        assert_int_equal(a.set.group[i], b.set.group[i]);
        SAME(text_at(&a, "agent", i), text_at(&b, "agent", i));
    }
    learning_free(&a);
    learning_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(each_row_says_what_became_of_the_deal),
        CHECKS(the_same_store_gives_the_same_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
