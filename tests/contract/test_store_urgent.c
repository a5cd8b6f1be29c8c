/* tests/contract/test_store_urgent.c - what is urgent stays so, and makes urgent what holds it up.
 */
#include "store_world.h"

static int64_t put_as(struct world *w, int64_t lead, const char *connector, int64_t target,
                      bool urgent)
{
    static int64_t at = T0;
    struct delivery d = delivery_of(put_event_at(w, lead, at++), lead, connector);

    d.target = target;
    d.urgent = urgent;
    add_delivery(w, &d);
    return d.id;
}

static bool is_urgent(struct world *w, int64_t id)
{
    return get_delivery(w, id).urgent;
}

static void what_holds_up_something_urgent_is_urgent(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL), bob = put_lead(w, NULL);
    int64_t first = put_as(w, ada, "slack", 0, false), second = put_as(w, ada, "slack", 0, false);
    int64_t other[] = {put_as(w, ada, "slack", 7, false), put_as(w, ada, "log", 0, false),
                       put_as(w, bob, "slack", 0, false)};
    int64_t done = put_as(w, ada, "slack", 0, false);
    OK(end_with(w, done, ATTEMPT_DELIVERED, NULL));
    (void)put_as(w, ada, "slack", 0, true);
    int64_t behind = put_as(w, ada, "slack", 0, false);
    OK(store_commit(w->store));
    assert_true(is_urgent(w, first) && is_urgent(w, second));
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        assert_false(is_urgent(w, other[i]));
    assert_false(is_urgent(w, behind) || is_urgent(w, done));
}

static void so_it_is_in_a_crowd(void **state)
{
    enum { MANY = 150 };
    struct world *w = *state;
    int64_t ids[MANY];

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL);
    for (int i = 0; i < MANY; i++)
        ids[i] = put_as(w, ada, "slack", 0, i == MANY - 2);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(is_urgent(w, ids[i]), i < MANY - 1);
    OK(store_commit(w->store));
}

static void a_merge_puts_what_is_routine_before_what_is_urgent(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL), bob = put_lead(w, NULL);
    int64_t old = put_as(w, ada, "slack", 0, false), log = put_as(w, ada, "log", 0, false);
    (void)put_as(w, bob, "slack", 0, true);
    int64_t late = put_as(w, ada, "slack", 0, false);
    move_lead(w, ada, bob);
    OK(store_commit(w->store));
    assert_true(is_urgent(w, old));
    assert_false(is_urgent(w, log) || is_urgent(w, late));
}

static void what_takes_the_place_of_something_urgent_is_urgent(void **state)
{
    struct world *w = *state;
    bool urgent = false;
    int64_t n = 0;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL);
    (void)put_as(w, ada, "notion", 0, true);
    int64_t newer = put_as(w, ada, "notion", 0, false);
    struct lead l = get_lead(w, ada);
    OK(store_delivery_fold(w->store, STR("notion"), &l, newer, T0, &n, &urgent));
    assert_int_equal(n, 1);
    assert_true(urgent && is_urgent(w, newer));
    int64_t newest = put_as(w, ada, "notion", 0, true);
    OK(store_delivery_fold(w->store, STR("notion"), &l, newest, T0, &n, &urgent));
    OK(store_commit(w->store));
}

static int64_t put_dead(struct world *w, int64_t lead, const char *connector, bool urgent)
{
    int64_t id = put_as(w, lead, connector, 0, urgent);

    OK(end_with(w, id, ATTEMPT_DEAD, "no"));
    return id;
}

static void what_is_put_back_before_something_urgent_is_urgent(void **state)
{
    struct world *w = *state;
    int64_t n = 0;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL), bob = put_lead(w, NULL);
    int64_t old = put_dead(w, ada, "slack", false), log = put_dead(w, ada, "log", false);
    int64_t bobs = put_dead(w, bob, "slack", false);
    (void)put_as(w, ada, "slack", 0, true);
    int64_t other = put_as(w, bob, "slack", 0, false), dead = put_dead(w, bob, "slack", true);
    int64_t behind = put_dead(w, ada, "slack", false);
    OK(store_retry(w->store, &(struct retry_filter){.ids = &old, .n_ids = 1}, T0 + 900, &n));
    assert_true(is_urgent(w, old));
    assert_true(is_urgent(w, other)); /* since then */
    assert_false(is_urgent(w, bobs));
    OK(store_retry(w->store, &(struct retry_filter){0}, T0 + 901, &n));
    assert_int_equal(n, 4);
    assert_true(is_urgent(w, dead) && is_urgent(w, bobs));
    assert_false(is_urgent(w, log) || is_urgent(w, behind));
    OK(store_commit(w->store));
}

/* A newer one takes the place of something urgent that is put back, behind a question. */
static void so_is_the_heir_of_what_is_put_back(void **state)
{
    struct world *w = *state;
    int64_t n = 0;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL);
    int64_t dead = put_dead(w, ada, "crm", true);
    struct delivery question = delivery_of(put_event_at(w, ada, 1), ada, "crm");
    question.route = route_enrichment;
    add_delivery(w, &question);
    int64_t heir = put_as(w, ada, "crm", 0, false);
    OK(store_retry(w->store, &(struct retry_filter){0}, T0 + 900, &n));
    assert_false(is_urgent(w, heir));
    OK(store_delivery_fold_again(w->store, STR("crm"), T0 + 900, &n));
    assert_int_equal(n, 1);
    assert_int_equal(get_delivery(w, dead).state, DELIVERY_SUPERSEDED);
    assert_true(is_urgent(w, heir) && is_urgent(w, question.id));
    OK(store_commit(w->store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_holds_up_something_urgent_is_urgent),
        RUN(so_it_is_in_a_crowd),
        RUN(a_merge_puts_what_is_routine_before_what_is_urgent),
        RUN(what_is_put_back_before_something_urgent_is_urgent),
        RUN(so_is_the_heir_of_what_is_put_back),
        RUN(what_takes_the_place_of_something_urgent_is_urgent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
