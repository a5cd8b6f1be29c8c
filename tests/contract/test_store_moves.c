/* tests/contract/test_store_moves.c - the ledger, rule sets; leads that merge, leads that go. */
#include "store_world.h"

static void count_cancelled(void *self, struct str connector)
{
    assert_true(str_is(connector, "slack") || str_is(connector, "gone"));
    ++*(int *)self;
}

static size_t ledger(struct world *w, int64_t lead, int64_t by, struct ledger_row **ret)
{
    size_t n = 0;

    struct lead l = get_lead(w, lead);

    OK(read_ledger(w->reader, &l, by, &w->arena, ret, &n));
    return n;
}

static void a_ledger_row_comes_back_as_it_was_written(void **state)
{
    struct world *w = *state;
    struct ledger_row *rows;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    struct ledger_row row = {
        .event = put_event_at(w, lead, T0),
        .rule = STR("pricing"),
        .group = STR("engagement"),
        .why = STR("visited pricing"),
        .points = -85,
        .half_life_ms = INT64_C(30) * 86400000,
        .max = INT64_MAX,
        .occurred_at = T0 - 3,
        .received_at = T0,
    };
    add_row(w, lead, &row);
    OK(store_commit(w->store));
    assert_int_equal(ledger(w, lead, T0, &rows), 1);
    assert_int_equal(rows[0].event, row.event);
    SAME(rows[0].rule, row.rule);
    SAME(rows[0].group, row.group);
    SAME(rows[0].why, row.why);
    assert_int_equal(rows[0].points, row.points);
    assert_int_equal(rows[0].half_life_ms, row.half_life_ms);
    assert_int_equal(rows[0].max, row.max);
    assert_int_equal(rows[0].occurred_at, row.occurred_at);
    assert_int_equal(rows[0].received_at, row.received_at);
}

static void the_ledger_is_read_as_it_was_at_a_time(void **state)
{
    struct world *w = *state;
    struct ledger_row *rows;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, "ada@example.com"), bob = put_lead(w, "bob@example.com");
    for (int i = 0; i < 40; i++)
        (void)put_row(w, i % 2 ? bob : ada, "pricing", T0 + i, 1000);
    OK(store_commit(w->store));
    assert_int_equal(ledger(w, ada, INT64_MAX, &rows), 20);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(rows[i].received_at, T0 + 2 * i);
        assert_null(rows[i].group.at);
    }
    assert_int_equal(ledger(w, ada, T0 + 10, &rows), 6);
    assert_int_equal(rows[5].received_at, T0 + 10);
    assert_int_equal(ledger(w, ada, T0 - 1, &rows), 0);
    assert_int_equal(ledger(w, put_lead(w, NULL), INT64_MAX, &rows), 0);
}

/* What a rule gave is kept once for all firings; what was rolled back, and its number given anew,
 * must not be taken for what stands there now. */
static void terms_that_were_rolled_back_are_forgotten(void **state)
{
    struct world *w = *state;
    struct ledger_row *rows;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, "ada@example.com");
    OK(store_commit(w->store));
    OK(store_begin(w->store));
    (void)put_row(w, ada, "pricing", T0, 1000);
    assert_int_equal(ledger(w, ada, INT64_MAX, &rows), 1); /* now they are known */
    store_rollback(w->store);
    OK(store_begin(w->store));
    (void)put_row(w, ada, "demo", T0, 1000);
    OK(store_savepoint(w->store));
    (void)put_row(w, ada, "webinar", T0 + 1, 1000);
    assert_int_equal(ledger(w, ada, INT64_MAX, &rows), 2);
    OK(store_undo(w->store));
    (void)put_row(w, ada, "visit", T0 + 2, 1000);
    (void)put_row(w, ada, "demo", T0 + 3, 1000);
    OK(store_commit(w->store));
    assert_int_equal(ledger(w, ada, INT64_MAX, &rows), 3);
    TEXT(rows[0].rule, "demo");
    TEXT(rows[1].rule, "visit");
    TEXT(rows[2].rule, "demo");
}

static void a_ledger_that_cannot_be_read_says_so(void **state)
{
    struct world *w = *state;
    struct ledger_row *rows;
    size_t n = 7;
    static const char *const wrong[] = {"[[1,9,2,3]]",           "[[1,1,2,3]",   "[[1,1,2]]",
                                        "[[2,1,2,3],[1,1,2,3]]", "[[1,1,2,3],]", "[1,1,2,3]",
                                        "[[1,1,2,x]]",           "{}",           " []"};

    OK(store_begin(w->store));
    struct lead l = get_lead(w, put_lead(w, NULL));
    (void)put_row(w, l.id, "pricing", T0, 1000);
    OK(store_commit(w->store));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        l.ledger = str_of(wrong[i]);
        assert_int_equal(read_ledger(w->reader, &l, INT64_MAX, &w->arena, &rows, &n), RC_INVALID);
    }
    assert_int_equal(n, 7);
    l.ledger = STR("[[1,1,2,3]]");
    OK(read_ledger(w->reader, &l, INT64_MAX, &w->arena, &rows, &n));
    assert_int_equal(n, 1);
}

static void the_rule_set_of_a_time_is_remembered(void **state)
{
    struct world *w = *state;
    struct str text = STR("untouched");

    assert_int_equal(read_ruleset(w->reader, T0, &w->arena, &text), RC_NONE);
    TEXT(text, "untouched");
    OK(store_begin(w->store));
    OK(store_ruleset_add(w->store, STR("one"), T0));
    OK(store_ruleset_add(w->store, STR("one"), T0 + 5)); /* no news */
    OK(store_ruleset_add(w->store, STR("two"), T0 + 10));
    OK(store_ruleset_add(w->store, STR("one"), T0 + 20));
    OK(store_commit(w->store));
    assert_int_equal(read_ruleset(w->reader, T0 - 1, &w->arena, &text), RC_NONE);
    OK(read_ruleset(w->reader, T0 + 9, &w->arena, &text));
    TEXT(text, "one");
    OK(read_ruleset(w->reader, T0 + 10, &w->arena, &text));
    TEXT(text, "two");
    OK(read_ruleset(w->reader, INT64_MAX, &w->arena, &text));
    TEXT(text, "one");
}

static void a_move_takes_events_and_ledger_along_in_order(void **state)
{
    struct world *w = *state;
    struct ledger_row *rows;
    struct shown s = {0};

    OK(store_begin(w->store));
    int64_t into = put_lead(w, "ada@example.com"), from = put_lead(w, NULL);
    int64_t e1 = put_row(w, into, "a", T0, 1000), e2 = put_row(w, from, "b", T0 + 1, 1000);
    int64_t e3 = put_row(w, into, "c", T0 + 2, 1000), e4 = put_row(w, from, "d", T0 + 3, 1000);
    move_lead(w, from, into);
    int64_t e5 = put_row(w, into, "e", T0 + 4, 1000); /* the chain goes on */
    OK(store_commit(w->store));
    OK(read_lead_history(w->reader, into, INT64_MAX, show_event, &s));
    SHOWN(s, e1, e2, e3, e4, e5);
    assert_int_equal(ledger(w, into, INT64_MAX, &rows), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(rows[i].rule.at[0], "abcde"[i]);
    s.n = 0;
    OK(read_lead_history(w->reader, from, INT64_MAX, show_event, &s));
    assert_int_equal(s.n, 0);
    assert_int_equal(ledger(w, from, INT64_MAX, &rows), 0);
    struct event_view v;
    OK(read_event(w->reader, e2, &w->arena, &v));
    assert_int_equal(v.lead, into);
}

static void a_move_works_when_one_side_has_nothing(void **state)
{
    struct world *w = *state;
    struct shown s = {0};

    OK(store_begin(w->store));
    int64_t a = put_lead(w, NULL), b = put_lead(w, NULL), c = put_lead(w, NULL);
    int64_t e = put_event_at(w, a, T0);
    move_lead(w, b, a);
    move_lead(w, a, c);
    OK(store_commit(w->store));
    OK(read_lead_history(w->reader, c, INT64_MAX, show_event, &s));
    SHOWN(s, e);
}

static void a_move_takes_what_is_still_to_be_delivered(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t into = put_lead(w, NULL), from = put_lead(w, NULL), other = put_lead(w, NULL);
    int64_t pending = put_delivery(w, from, "slack", T0);
    int64_t held = put_delivery(w, from, "gone", T0);
    int64_t done = put_delivery(w, from, "slack", T0);
    int64_t bystander = put_delivery(w, other, "slack", T0);
    OK(store_connectors(w->store, &STR("slack"), 1));
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = done,
                                                         .verdict = ATTEMPT_DELIVERED,
                                                         .started_at = T0,
                                                         .ended_at = T0}));
    move_lead(w, from, into);
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, pending).lead, into);
    assert_int_equal(get_delivery(w, held).lead, into);
    assert_int_equal(get_delivery(w, held).state, DELIVERY_HELD);
    SAME(get_lead(w, into).waiting, arena_printf(&w->arena, "[%d,%d]", (int)pending, (int)held));
    TEXT(get_lead(w, from).waiting, "[]");
    assert_int_equal(get_delivery(w, done).lead, from);
    assert_int_equal(get_delivery(w, bystander).lead, other);
}

static void in_a_move_the_survivors_own_remote_objects_win(void **state)
{
    struct world *w = *state;
    struct str remote;

    OK(store_begin(w->store));
    int64_t into = put_lead(w, NULL), from = put_lead(w, NULL);
    OK(store_remote_set(w->store, into, STR("notion"), STR("page-of-into"), T0));
    OK(store_remote_set(w->store, from, STR("notion"), STR("page-of-from"), T0));
    OK(store_remote_set(w->store, from, STR("crm"), STR("crm-of-from"), T0));
    move_lead(w, from, into);
    OK(store_commit(w->store));
    OK(read_remote(w->reader, into, STR("notion"), &w->arena, &remote));
    TEXT(remote, "page-of-into");
    OK(read_remote(w->reader, into, STR("crm"), &w->arena, &remote));
    TEXT(remote, "crm-of-from");
    OK(read_remote(w->reader, from, STR("notion"), &w->arena, &remote)); /* still to be removed */
    TEXT(remote, "page-of-from");
}

struct erased {
    int64_t lead, other, delivered, pending, held, bystander, event;
};

static struct lead person(struct world *w, const char *email)
{
    const struct dedupe_key key = key_of(T0, 1);
    struct lead l = {.email = str_of(email), .created_at = T0};

    (void)lead_put(&l, STR("email"), str_of(email), T0, &key, &w->arena);
    (void)lead_put(&l, STR("phone"), STR("+44 20 7946 0000"), T0, &key, &w->arena);
    l.told_probability = l.told_churn = 500;
    OK(store_lead_add(w->store, &l));
    return l;
}

static struct erased fill_and_erase(struct world *w)
{
    struct erased e;
    int cancelled = 0;

    OK(store_begin(w->store));
    e.lead = person(w, "ada@example.com").id;
    e.other = person(w, "bob@example.com").id;
    (void)put_row(w, e.other, "pricing", T0, 1000);
    e.event = put_row(w, e.lead, "pricing", T0 + 1, 1000);
    e.delivered = put_delivery(w, e.lead, "slack", T0);
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = e.delivered,
                                                         .verdict = ATTEMPT_DELIVERED,
                                                         .started_at = T0,
                                                         .ended_at = T0,
                                                         .remote_id = STR("168.42")}));
    e.held = put_delivery(w, e.lead, "gone", T0);
    e.pending = put_delivery(w, e.lead, "slack", T0);
    e.bystander = put_delivery(w, e.other, "slack", T0);
    OK(store_connectors(w->store, &STR("slack"), 1));
    OK(store_remote_set(w->store, e.lead, STR("notion"), STR("page"), T0));
    struct lead l = get_lead(w, e.lead);
    OK(store_lead_erase(w->store, &l, T0 + 9, count_cancelled, &cancelled));
    OK(store_lead_save(w->store, &l));
    OK(store_commit(w->store));
    assert_int_equal(cancelled, 2);
    return e;
}

static void an_erased_lead_has_no_properties_ledger_or_bodies(void **state)
{
    struct world *w = *state;
    struct erased e = fill_and_erase(w);
    struct ledger_row *rows;
    struct event_view v;

    assert_int_equal(get_lead(w, e.lead).n_properties, 0);
    assert_int_equal(get_lead(w, e.lead).told_probability, 0);
    assert_int_equal(get_lead(w, e.lead).told_churn, 0);
    assert_int_equal(ledger(w, e.lead, INT64_MAX, &rows), 0);
    OK(read_event(w->reader, e.event, &w->arena, &v));
    assert_null(v.body.at);
    assert_int_equal(strlen(v.body_sha256), 64);
    assert_int_equal(v.lead, e.lead);
}

static void an_erased_lead_has_no_deliveries_left_and_no_facts(void **state)
{
    struct world *w = *state;
    struct erased e = fill_and_erase(w);
    const int64_t ids[] = {e.pending, e.held, e.delivered};

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct delivery d = get_delivery(w, ids[i]);

        assert_null(d.facts.reasons.at);
        assert_int_equal(d.facts.score, 0);
        assert_int_equal(d.state, i < 2 ? DELIVERY_CANCELLED : DELIVERY_DELIVERED);
        if (i < 2) {
            assert_int_equal(d.done_at, T0 + 9);
            assert_true(d.reason.len > 0);
        }
    }
    TEXT(get_delivery(w, e.delivered).remote_id, "168.42");
}

static void an_erased_leads_remote_objects_are_still_known(void **state)
{
    struct world *w = *state;
    struct erased e = fill_and_erase(w);
    struct str remote;

    OK(read_remote(w->reader, e.lead, STR("notion"), &w->arena, &remote));
    TEXT(remote, "page");
}

static void erasing_one_lead_leaves_the_others(void **state)
{
    struct world *w = *state;
    struct erased e = fill_and_erase(w);
    struct ledger_row *rows;
    struct shown s = {0};

    assert_int_equal(get_lead(w, e.other).n_properties, 2);
    assert_int_equal(ledger(w, e.other, INT64_MAX, &rows), 1);
    assert_int_equal(get_delivery(w, e.bystander).state, DELIVERY_PENDING);
    TEXT(get_delivery(w, e.bystander).facts.reasons, "demo request +35");
    OK(read_lead_history(w->reader, e.other, INT64_MAX, show_event, &s));
    assert_int_equal(s.n, 2);
    OK(read_deliveries(w->reader, &(struct list_filter){.limit = 50}, show_delivery, &s));
    assert_int_equal(s.n, 6); /* every row can be read */
}

/* What merged into a lead is the same person. */
static void erasing_a_lead_erases_those_that_merged_into_it(void **state)
{
    struct world *w = *state;
    int cancelled = 0;

    OK(store_begin(w->store));
    struct lead into = person(w, "ada@example.com"), from = person(w, "ada@example.org");
    struct lead before = person(w, "ada@example.net"), stranger = person(w, "eve@example.com");
    int64_t done = put_delivery(w, from.id, "slack", T0);
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = done,
                                                         .verdict = ATTEMPT_DELIVERED,
                                                         .started_at = T0,
                                                         .ended_at = T0}));
    before = get_lead(w, before.id);
    from = get_lead(w, from.id);
    into = get_lead(w, into.id);
    OK(store_lead_move(w->store, &before, &from, &w->arena));
    before.state = from.state = LEAD_MERGED;
    before.merged_into = from.id;
    from.merged_into = into.id;
    OK(store_lead_save(w->store, &before));
    OK(store_lead_move(w->store, &from, &into, &w->arena));
    OK(store_lead_save(w->store, &from));
    OK(store_lead_erase(w->store, &into, T0, count_cancelled, &cancelled));
    OK(store_lead_save(w->store, &into));
    OK(store_commit(w->store));
    const int64_t gone[] = {from.id, before.id};
    assert_int_equal(get_lead(w, into.id).n_properties, 0);
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        assert_int_equal(get_lead(w, gone[i]).n_properties, 0);
        assert_null(get_lead(w, gone[i]).email.at);
        assert_true(get_lead(w, gone[i]).erased);
    }
    assert_null(get_delivery(w, done).facts.reasons.at);
    assert_int_equal(get_lead(w, stranger.id).n_properties, 2);
    TEXT(get_lead(w, stranger.id).email, "eve@example.com");
}

static bool file_contains(const char *name, const char *text)
{
    FILE *f = fopen(name, "rb");
    char *bytes = mem_alloc(8 << 20);

    if (!f) {
        free(bytes);
        return false;
    }
    size_t n = fread(bytes, 1, 8 << 20, f);
    bool found = memmem(bytes, n, text, strlen(text)) != NULL;
    assert_int_equal(fclose(f), 0);
    free(bytes);
    return found;
}

static void what_was_erased_is_gone_from_the_file(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = person(w, "ada@example.com").id;
    OK(store_commit(w->store));
    store_close(w->store);
    w->store = NULL;
    assert_true(file_contains(w->path.at, "+44 20 7946 0000"));
    world_reopen(w);
    OK(store_begin(w->store));
    struct lead l = get_lead(w, lead);
    OK(store_lead_erase(w->store, &l, T0, count_cancelled, NULL));
    l.email = STR_NULL;
    OK(store_lead_save(w->store, &l));
    OK(store_commit(w->store));
    store_close(w->store);
    w->store = NULL;
    assert_false(file_contains(w->path.at, "+44 20 7946 0000"));
    assert_false(file_contains(w->path.at, "ada@example.com"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_ledger_row_comes_back_as_it_was_written),
        RUN(the_ledger_is_read_as_it_was_at_a_time),
        RUN(terms_that_were_rolled_back_are_forgotten),
        RUN(a_ledger_that_cannot_be_read_says_so),
        RUN(the_rule_set_of_a_time_is_remembered),
        RUN(a_move_takes_events_and_ledger_along_in_order),
        RUN(a_move_works_when_one_side_has_nothing),
        RUN(a_move_takes_what_is_still_to_be_delivered),
        RUN(in_a_move_the_survivors_own_remote_objects_win),
        RUN(an_erased_lead_has_no_properties_ledger_or_bodies),
        RUN(an_erased_lead_has_no_deliveries_left_and_no_facts),
        RUN(an_erased_leads_remote_objects_are_still_known),
        RUN(erasing_one_lead_leaves_the_others),
        RUN(erasing_a_lead_erases_those_that_merged_into_it),
        RUN(what_was_erased_is_gone_from_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
