/* tests/unit/test_route.c - routes and messages from the file; the facts of a delivery. */
#include "cm.h"
#include <string.h>

#include "funneld/route/route.h"

struct world {
    struct arena arena;
    struct conf conf;
    struct conf_problems problems;
    struct routes routes;
};

static void world_free(struct world *w)
{
    arena_free(&w->arena);
}

static void build(struct world *w, const char *text)
{
    *w = (struct world){0};
    conf_problems_init(&w->problems, &w->arena);
    if (conf_read_text(STR("test.conf"), str_of(text), &w->arena, &w->conf, &w->problems))
        assert_true(w->problems.n > 0);
    routes_build(&w->conf, &w->arena, &w->routes, &w->problems);
}

static void a_section_becomes_a_route_with_its_message(void **state)
{
    struct world w AUTO(world_free);
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);
    const struct facts risen = {.score = 800, .previous = 799},
                       same = {.score = 800, .previous = 800};

    (void)state;
    build(&w, "[message hot-lead]\n"
              "text = {{lead.firstname | \"Somebody\"}} is hot:\n"
              "    {{score}} points\n"
              "[route hot-lead]\n"
              "when = score >= 80 and score.previous < 80\n"
              "to   = sales-slack, lead-book\n"
              "wait_for = enrichment\n"
              "[route any]\n"
              "when = event.type == \"x\"\n"
              "to   = lead-log\n");
    assert_int_equal(w.problems.n, 0);
    assert_int_equal(w.routes.n, 2);
    const struct route *hot = routes_find(&w.routes, STR("hot-lead"));
    const struct route *any = routes_find(&w.routes, STR("any"));
    assert_null(routes_find(&w.routes, STR("gone")));
    assert_int_equal(hot->to.n, 2);
    assert_true(str_is(hot->to.items[1], "lead-book"));
    assert_true(hot->wait_for_enrichment);
    assert_int_equal(hot->line, 4);
    assert_true(expr_true(hot->when, &risen));
    assert_false(expr_true(hot->when, &same));
    assert_false(any->wait_for_enrichment);
    assert_int_equal(any->n_messages, 0);
    template_write(hot->messages->text, &(struct template_values){.facts = risen}, ESCAPE_NONE,
                   &w.arena, &b);
    assert_string_equal(b.at, "Somebody is hot:\n80 points");
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
    static const struct {
        const char *text, *says, *hint;
        int line;
    } wrong[] = {
        {"[route a]\nto = x\nwhen = score > 5 and\n", "missing at the end", NULL, 3},
        {"[route a]\nto = x\n", "\"when\" is missing", NULL, 1},
        {"[route a]\nwhen = score > 5\n", "\"to\" is missing", NULL, 1},
        {"[route a]\nwhen = score > 5\nto = x, y, x\n", "x stands there twice", NULL, 3},
        {"[route a]\nwhen = score > 5\nto = x\nwait_for = ever\n", "wait_for", NULL, 4},
        {"[route hot]\nwhen = score > 5\nto = x\n[message hott]\ntext = x\n", "no route hott",
         "did you mean hot?", 4},
        {"[message alone]\ntext = x\n", "no route alone", "name of the route", 1},
        {"[route a]\nwhen = score > 5\nto = x\n[message a]\ntext = {{scor}}\n",
         "did you mean score?\n    {{scor}}\n      ^", NULL, 5},
        {"[route a]\nwhen = score > 5\nto = x\n[message a]\n", "\"text\" is missing", NULL, 4},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct world w AUTO(world_free);

        build(&w, wrong[i].text);
        const struct conf_problem *p = w.problems.first;
        if (w.problems.n != 1)
            fail_msg("%zu problems: %s", w.problems.n, wrong[i].text);
        if (!strstr(arena_text(&w.arena, p->message), wrong[i].says) || p->line != wrong[i].line)
            fail_msg("%d: %.*s", p->line, STR_ARG(p->message));
        if (wrong[i].hint && !strstr(arena_text(&w.arena, p->hint), wrong[i].hint))
            fail_msg("hint %.*s", STR_ARG(p->hint));
    }
}

static bool same_chance(const struct chance *x, const struct chance *y)
{
    return x->known == y->known && x->tenths == y->tenths;
}

static bool same_facts(const struct delivery_facts *x, const struct delivery_facts *y)
{
    return x->score == y->score && x->previous == y->previous && x->fit == y->fit &&
           x->engagement == y->engagement && x->band == y->band && str_eq(x->reasons, y->reasons) &&
           str_eq(x->event_source, y->event_source) && str_eq(x->event_type, y->event_type) &&
           str_eq(x->event_property, y->event_property) && str_eq(x->event_value, y->event_value) &&
           x->event_time == y->event_time && same_chance(&x->probability, &y->probability) &&
           same_chance(&x->churn, &y->churn) && str_eq(x->chance_reasons, y->chance_reasons) &&
           str_eq(x->churn_reasons, y->churn_reasons) &&
           x->previous_probability == y->previous_probability &&
           x->previous_churn == y->previous_churn;
}

static void facts_come_back_as_they_were_kept(void **state)
{
    const struct delivery_facts all[] = {
        {0},
        {.score = 825,
         .previous = -3,
         .fit = -105,
         .engagement = 930,
         .band = BAND_WARM,
         .reasons = {"demo \"request\" +35, \xC3\xA4\n", 23},
         .event_source = {"hubspot", 7},
         .event_type = {"contact.propertyChange", 22},
         .event_property = {"x", 1},
         .event_value = {"", 0},
         .event_time = INT64_C(1767225600123)},
        {.probability = {true, 0}, .chance_reasons = {"", 0}, .previous_churn = 1000},
        {.probability = {true, 725},
         .churn = {true, 1000},
         .previous_probability = 699,
         .chance_reasons = {"visited pricing 4 times: +11 points", 35},
         .churn_reasons = {"\"", 1}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct arena a AUTO(arena_free) = {0};
        struct sbuf b AUTO(sbuf_free) = SBUF(4096);
        struct delivery_facts back;
        struct why why = {0};

        facts_to_json(&all[i], &b);
        if (facts_from_json(sbuf_str(&b), &a, &back, &why))
            fail_msg("%s: %s", b.at, why.text);
        sbuf_reset(&b); /* nothing may point into the text */
        assert_true(same_facts(&all[i], &back));
    }
}

static void every_tenth_comes_back(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    for (int64_t score = -1000000; score < 1000000; score += 333) {
        const struct delivery_facts f = {.score = score};
        struct delivery_facts back;

        arena_reset(&a);
        sbuf_reset(&b);
        facts_to_json(&f, &b);
        assert_int_equal(facts_from_json(sbuf_str(&b), &a, &back, NULL), RC_OK);
        assert_int_equal(back.score, score);
    }
}

#define WHOLE                                                                                      \
    "{\"score\":1,\"previous\":1,\"fit\":1,\"engagement\":1,\"band\":\"hot\",\"event_time\":1,"

static void damaged_facts_are_refused(void **state)
{
    static const char *const damaged[][2] = {
        {"{", "the facts of a delivery"},
        {"[]", "\"score\""},
        {"{\"score\":\"1\"}", "\"score\""},
        {"{\"score\":1,\"previous\":1,\"fit\":1,\"engagement\":1,\"reasons\":5}", "\"reasons\""},
        {"{\"score\":1,\"previous\":1,\"fit\":1,\"engagement\":1,\"band\":\"tepid\"}", "\"band\""},
        {"{\"score\":1,\"previous\":1,\"fit\":1,\"engagement\":1,\"band\":\"hot\"}", "event_time"},
        {WHOLE "\"probability\":100.1}", "\"probability\""},
        {WHOLE "\"churn\":null}", "\"churn\""},
        {WHOLE "\"previous_churn\":-1}", "\"previous_churn\""},
        {WHOLE "\"churn_reasons\":1}", "\"churn_reasons\""},
    };
    struct arena a AUTO(arena_free) = {0};
    struct delivery_facts untouched = {.score = 7};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        struct why why = {0};

        assert_int_equal(facts_from_json(str_of(damaged[i][0]), &a, &untouched, &why), RC_INVALID);
        if (!strstr(why.text, damaged[i][1]))
            fail_msg("%s: %s", damaged[i][0], why.text);
        assert_int_equal(untouched.score, 7);
    }
}

static void a_state_has_its_word(void **state)
{
    (void)state;
    assert_string_equal(delivery_state_name(DELIVERY_PENDING), "pending");
    assert_string_equal(delivery_state_name(DELIVERY_HELD), "held");
    assert_string_equal(delivery_state_name(DELIVERY_DELIVERED), "delivered");
    assert_string_equal(delivery_state_name(DELIVERY_DEAD), "dead");
    assert_string_equal(delivery_state_name(DELIVERY_SUPERSEDED), "superseded");
    assert_string_equal(delivery_state_name(DELIVERY_CANCELLED), "cancelled");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section_becomes_a_route_with_its_message),
        cmocka_unit_test(what_is_wrong_is_said_with_its_line),
        cmocka_unit_test(facts_come_back_as_they_were_kept),
        cmocka_unit_test(every_tenth_comes_back),
        cmocka_unit_test(damaged_facts_are_refused),
        cmocka_unit_test(a_state_has_its_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
