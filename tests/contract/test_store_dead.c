/* tests/contract/test_store_dead.c - what a delivery died of; finding and reviving dead ones. */
#include "store_world.h"

static const char hostile[] = "<h1>\x1b[31mno\0\r\n\xff\xfe</h1> \xf0\x9f\x98\x80";

static enum rc die(struct world *w, int64_t delivery, struct str answer)
{
    return store_attempt_end(w->store, &(struct attempt_end){.delivery = delivery,
                                                             .connector = STR("slack"),
                                                             .verdict = ATTEMPT_DEAD,
                                                             .started_at = T0,
                                                             .ended_at = T0 + 1,
                                                             .status = 400,
                                                             .detail = STR("refused"),
                                                             .answer = answer});
}

static struct str answer_of(struct world *w, int64_t delivery)
{
    struct attempt_view *views;
    size_t n = 0;

    OK(read_attempts(w->reader, delivery, &w->arena, &views, &n));
    assert_true(n > 0);
    return views[n - 1].answer;
}

static void an_answer_comes_back_byte_by_byte(void **state)
{
    struct world *w = *state;
    struct str answer = {hostile, sizeof hostile - 1};

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL), id = put_delivery(w, lead, "slack", T0);
    OK(die(w, id, answer));
    OK(store_commit(w->store));
    assert_true(str_eq(answer_of(w, id), answer));
    check_promises(w, T0 + 2);
}

static void none_is_none(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL), id = put_delivery(w, lead, "slack", T0);
    OK(die(w, id, STR_NULL));
    OK(store_commit(w->store));
    assert_null(answer_of(w, id).at);
}

static void nothing_cancelled(void *self, struct str connector)
{
    (void)self;
    (void)connector;
}

static void erase(struct world *w, int64_t lead)
{
    struct lead l = get_lead(w, lead);

    OK(store_lead_erase(w->store, &l, T0 + 5, nothing_cancelled, NULL));
    l.email = STR_NULL; /* as the fold of the erasure leaves it */
    OK(store_lead_save(w->store, &l));
}

/* Also those of leads that had been merged into it; nobody else's. */
static void an_erasure_takes_the_answers_along(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, "ada@example.com"), bob = put_lead(w, "bob@example.com");
    int64_t cleo = put_lead(w, "cleo@example.com");
    int64_t of_ada = put_delivery(w, ada, "slack", T0), of_bob = put_delivery(w, bob, "slack", T0);
    int64_t of_cleo = put_delivery(w, cleo, "slack", T0);
    OK(die(w, of_ada, STR("ada@example.com is unknown")));
    OK(die(w, of_bob, STR("bob@example.com is unknown")));
    OK(die(w, of_cleo, STR("cleo@example.com is unknown")));
    move_lead(w, bob, ada);
    erase(w, ada);
    OK(store_commit(w->store));
    assert_null(answer_of(w, of_ada).at);
    assert_null(answer_of(w, of_bob).at);
    TEXT(answer_of(w, of_cleo), "cleo@example.com is unknown");
    check_promises(w, T0 + 9);
}

/* Its attempt was under way when the lead was erased. */
static void an_answer_that_comes_after_the_erasure_is_not_kept(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, "ada@example.com"), id = put_delivery(w, ada, "slack", T0);
    erase(w, ada);
    assert_int_equal(die(w, id, STR("ada@example.com is unknown")), RC_NONE);
    OK(store_commit(w->store));
    assert_null(answer_of(w, id).at);
    check_promises(w, T0 + 9);
}

static size_t listed(struct world *w, struct list_filter f)
{
    struct shown s = {0};

    f.limit = 100;
    f.state = STR("dead");
    OK(read_deliveries(w->reader, &f, show_delivery, &s));
    return s.n;
}

static int64_t revived(struct world *w, struct retry_filter f)
{
    int64_t n = 0;

    OK(store_begin(w->store));
    OK(store_retry(w->store, &f, T0 + 900, &n));
    store_rollback(w->store); /* the next filter finds them dead again */
    return n;
}

static int64_t put_dead(struct world *w, int64_t lead, const char *route, int64_t died_at,
                        const char *reason)
{
    struct delivery d = delivery_of(put_event_at(w, lead, died_at), lead, "slack");

    d.route = str_of(route);
    add_delivery(w, &d);
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = d.id,
                                                         .connector = STR("slack"),
                                                         .verdict = ATTEMPT_DEAD,
                                                         .started_at = died_at - 1,
                                                         .ended_at = died_at,
                                                         .detail = str_of(reason)}));
    return d.id;
}

static void dead_ones_are_found_and_revived_by_the_same_filters(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, "ada@example.com"), bob = put_lead(w, "bob@example.com");
    (void)put_dead(w, ada, "hot", T0 + 10, "no_permission");
    (void)put_dead(w, bob, "hot", T0 + 20, "is_archived");
    (void)put_dead(w, bob, "warm", T0 + 30, "No_Permission; ask");
    OK(store_commit(w->store));
    const struct {
        struct list_filter list;
        struct retry_filter retry;
        int n;
    } cases[] = {
        {{0}, {0}, 3},
        {{.route = STR("hot")}, {.route = STR("hot")}, 2},
        {{.route = STR("cold")}, {.route = STR("cold")}, 0},
        {{.reason = STR("NO_PERM")}, {.reason = STR("NO_PERM")}, 2},
        {{.lead = bob}, {.lead = bob}, 2},
        {{.lead = bob, .route = STR("warm")}, {.lead = bob, .route = STR("warm")}, 1},
        {{.route = STR("hot"), .reason = STR("perm")},
         {.route = STR("hot"), .reason = STR("perm"), .connector = STR("slack")},
         1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(listed(w, cases[i].list), cases[i].n);
        assert_int_equal(revived(w, cases[i].retry), cases[i].n);
    }
    assert_int_equal(revived(w, (struct retry_filter){.since = T0 + 20}), 2); /* dead since then */
    assert_int_equal(revived(w, (struct retry_filter){.since = T0 + 31}), 0);
}

int main(void)
{
#define CHECKS(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        CHECKS(an_answer_comes_back_byte_by_byte),
        CHECKS(none_is_none),
        CHECKS(an_erasure_takes_the_answers_along),
        CHECKS(an_answer_that_comes_after_the_erasure_is_not_kept),
        CHECKS(dead_ones_are_found_and_revived_by_the_same_filters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
