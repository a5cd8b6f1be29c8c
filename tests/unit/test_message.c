/* tests/unit/test_message.c - [messages] and [message NAME]: who says what, in which language. */
#include "cm.h"

#include <stdio.h>
#include <string.h>

#include "funneld/route/route.h"

#define ROUTES                                                                                     \
    "[route hot]\nwhen = score > 5\nto = slack, mail, log\n"                                       \
    "[route warm]\nwhen = score > 3\nto = slack, mail\n"

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
    assert_int_equal(
        conf_read_text(STR("test.conf"), str_of(text), &w->arena, &w->conf, &w->problems), RC_OK);
    routes_build(&w->conf, &w->arena, &w->routes, &w->problems);
}

static void assert_says(struct world *w, const char *route, const char *connector,
                        const char *expected)
{
    const struct message *m = routes_message(&w->routes, str_of(route), str_of(connector));
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);

    if (!m || !expected) {
        assert_ptr_equal(m, expected);
        return;
    }
    template_write(m->text, &(struct template_values){0}, ESCAPE_NONE, &w->arena, &b);
    assert_string_equal(b.at, expected);
}

static void a_connector_says_its_own_message_before_that_of_the_route(void **state)
{
    struct world w AUTO(world_free);

    (void)state;
    build(&w, ROUTES "[message hot]\ntext = all\n"
                     "[message by-mail]\nroute = hot, warm\nconnector = mail\ntext = mail\n"
                     "subject = s\nhtml = <p>h</p>\n"
                     "[message warm]\nconnector = slack\ntext = slack\n");
    assert_int_equal(w.problems.n, 0);
    assert_says(&w, "hot", "slack", "all");
    assert_says(&w, "hot", "log", "all");
    assert_says(&w, "hot", "mail", "mail");
    assert_says(&w, "warm", "mail", "mail");
    assert_says(&w, "warm", "slack", "slack");
    assert_says(&w, "warm", "log", NULL);
    assert_says(&w, "gone", "mail", NULL);
    const struct message *m = routes_message(&w.routes, STR("hot"), STR("mail"));
    assert_non_null(m->subject);
    assert_non_null(m->html);
    assert_null(routes_message(&w.routes, STR("hot"), STR("log"))->subject);
    assert_int_equal(w.routes.language, LANGUAGE_EN);
}

static void the_order_of_the_sections_does_not_matter(void **state)
{
    struct world w AUTO(world_free);

    (void)state;
    build(&w, "[message m]\nroute = hot\nconnector = mail\ntext = mail\n"
              "[message hot]\ntext = all\n" ROUTES);
    assert_int_equal(w.problems.n, 0);
    assert_says(&w, "hot", "mail", "mail");
    assert_says(&w, "hot", "slack", "all");
}

static void what_cannot_be_said_is_told_with_its_line(void **state)
{
    static const struct {
        const char *text, *says, *hint;
        int line;
    } wrong[] = {
        {"[message hot]\ntext = a\nconnector = male\n", "does not go to male", "did you mean mail?",
         9},
        {"[message warm]\ntext = a\nconnector = log\n", "does not go to log", "route's to", 9},
        {"[message m]\nroute = hott\ntext = a\n", "no route hott", "did you mean hot?", 8},
        {"[message m]\ntext = a\n", "no route m ", "route = NAME", 7},
        {"[message hot]\ntext = a\n[message m]\nroute = hot\ntext = b\n",
         "message for all connectors already, in line 7", "leave one", 9},
        {"[message hot]\ntext = a\nconnector = mail, slack\n[message m]\nroute = hot\n"
         "connector = slack\ntext = b\n",
         "message for slack already, in line 7", "leave one", 10},
        {"[message hot]\ntext = a\nsubject = {{scor}}\n", "did you mean score?", NULL, 9},
        {"[message hot]\ntext = a\nhtml = {{scor}}\n", "did you mean score?", NULL, 9},
        {"[messages]\nlanguage = fr\n", "language", "en", 8},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct world w AUTO(world_free);
        char text[1024];

        assert_in_range(snprintf(text, sizeof text, "%s%s", ROUTES, wrong[i].text), 1, 1000);
        build(&w, text);
        const struct conf_problem *p = w.problems.first;
        if (w.problems.n != 1)
            fail_msg("%zu problems: %s", w.problems.n, text);
        if (!strstr(arena_text(&w.arena, p->message), wrong[i].says) || p->line != wrong[i].line)
            fail_msg("%d: %.*s", p->line, STR_ARG(p->message));
        if (wrong[i].hint && !strstr(arena_text(&w.arena, p->hint), wrong[i].hint))
            fail_msg("%s: hint %.*s", wrong[i].text, STR_ARG(p->hint));
    }
}

static void the_language_is_that_of_the_file(void **state)
{
    struct world w AUTO(world_free);

    (void)state;
    build(&w, "[messages]\nlanguage = es\n" ROUTES);
    assert_int_equal(w.problems.n, 0);
    assert_int_equal(w.routes.language, LANGUAGE_ES);
}

/* {1} .. {n} of a sentence, as bits. */
static unsigned values_of(const char *text)
{
    unsigned seen = 0;

    for (const char *at = text; (at = strchr(at, '{')); at++) {
        assert_true(at[1] >= '1' && at[1] <= '9' && at[2] == '}');
        seen |= 1U << (at[1] - '1');
    }
    return seen;
}

static void every_sentence_says_the_same_values_in_every_language(void **state)
{
    (void)state;
    for (int p = 0; p < PHRASE_COUNT; p++)
        for (int l = 0; l < LANGUAGE_COUNT; l++) {
            const char *text = phrase_text((enum language)l, (enum phrase)p);

            assert_true(text && *text && str_is_utf8(str_of(text)));
            assert_int_equal(values_of(text), values_of(phrase_text(LANGUAGE_EN, (enum phrase)p)));
        }
}

static void a_sentence_takes_values_as_they_are(void **state)
{
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    assert_true(str_is(PHRASE_WITH(LANGUAGE_EN, PHRASE_SUMMARY, &a, STR("{2}%s{"), STR("80")),
                       "{2}%s{: score 80"));
    assert_true(str_is(PHRASE_WITH(LANGUAGE_ES, PHRASE_SUMMARY, &a, STR("Ada"), STR("80")),
                       "Ada, puntuación 80"));
    assert_true(
        str_is(PHRASE_WITH(LANGUAGE_EN, PHRASE_SUMMARY, &a, STR_NULL, STR("80")), ": score 80"));
    assert_true(str_is(phrase_with(LANGUAGE_EN, PHRASE_TITLE_HOT, NULL, 0, &a), " is hot"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connector_says_its_own_message_before_that_of_the_route),
        cmocka_unit_test(the_order_of_the_sections_does_not_matter),
        cmocka_unit_test(what_cannot_be_said_is_told_with_its_line),
        cmocka_unit_test(the_language_is_that_of_the_file),
        cmocka_unit_test(every_sentence_says_the_same_values_in_every_language),
        cmocka_unit_test(a_sentence_takes_values_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
