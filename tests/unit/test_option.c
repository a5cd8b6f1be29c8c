/* tests/unit/test_option.c - sections against option tables: unknown, missing, changed, shown. */
#include "option_table.h"

#include <stdlib.h>

static const struct option bare_options[] = {
    {.key = "count", .type = OPTION_INT, FIELD(count)},
};

static const struct section_spec notion = SPEC("connector", "notion", true, bare_options);
static const struct section_spec server = SPEC("server", NULL, false, bare_options);
static const struct section_spec *const specs[] = {&slack, &notion, &server};

static void defaults_are_what_would_be_written(void **state)
{
    (void)state;
    bind("[connector x]\ntype = slack\nsecret = s\n");
    assert_int_equal(problems.n, 0);
    assert_null(bound.text.at);
    assert_true(str_is(bound.url, "https://api.example.com"));
    assert_int_equal(bound.count, 4);
    assert_int_equal(bound.points, 0);
    assert_int_equal(bound.wait, 30000);
    assert_int_equal(bound.size, 1048576);
    assert_true(bound.rate == 2.5);
    assert_int_equal(bound.level, 1);
    assert_true(bound.on);
    assert_int_equal(bound.list.n, 2);
    assert_int_equal(bound.map.n, 0);

    struct everything alone = {0};
    conf_defaults(&slack, &alone, &arena);
    assert_int_equal(alone.wait, 30000);
    assert_null(alone.secret.at);
    assert_null(conf_restart_needed(&slack, &alone, &bound));
}

static void unknown_keys_have_the_nearest_as_a_hint(void **state)
{
    (void)state;
    is_bad("adress = x:1", "unknown key \"adress\" in [connector x]", "did you mean \"address\"?");
    is_bad("tyep = slack", "unknown key \"tyep\"", "did you mean \"type\"?");
    is_bad("something_else = 1", "unknown key", "known: type, text, secret, url");
    assert_int_equal(read_conf("[server]\ntype = x\n"), RC_OK);
    conf_bind(first(), &server, &bound, &arena, &problems);
    assert_int_equal(problems.n, 1);
    assert_true(str_is(problems.first->message, "unknown key \"type\" in [server]"));
}

static void missing_keys_are_told_with_the_section(void **state)
{
    (void)state;
    bind("[connector y]\n\n[connector x]\ntype = slack\n");
    assert_int_equal(problems.n, 1);
    assert_int_equal(problems.first->line, 1);
    assert_true(str_is(problems.first->message, "\"secret\" is missing in [connector y]"));
    assert_true(str_is(problems.first->hint, "as in secret = ${FUNNELD_TEST_SECRET}"));
    assert_true(str_is(problems.first->key, "secret"));
}

static void all_problems_are_collected(void **state)
{
    (void)state;
    bind("[connector x]\ntype = slack\nlevel = x\ncount = x\nrate = x\nnonsense = x\nwait = 1\n");
    assert_int_equal(problems.n, 6);
}

static void a_key_that_was_refused_is_not_missing(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("FUNNELD_TEST_UNSET"), 0);
    assert_int_equal(
        read_conf("[connector x]\ntype = slack\nsecret = ${FUNNELD_TEST_UNSET}\n"
                  "property.a = x${FUNNELD_TEST_UNSET}\ncount = ${FUNNELD_TEST_UNSET}\n"),
        RC_INVALID);
    bound = (struct everything){0};
    conf_bind(first(), &slack, &bound, &arena, &problems);
    assert_int_equal(problems.n, 3);
    assert_int_equal(bound.map.n, 0);
    assert_int_equal(bound.count, 4);
}

static const struct section_spec *spec_of(const char *text)
{
    (void)read_conf(text); /* some of these texts have a problem that spec must not repeat */
    return conf_spec(first(), specs, ARRAY_LEN(specs), &problems);
}

static void no_spec(const char *text, const char *message, const char *hint)
{
    assert_null(spec_of(text));
    assert_int_equal(problems.n, 1);
    if (!holds(problems.first->message, message) || !holds(problems.first->hint, hint))
        fail_msg("%.*s (%.*s)", STR_ARG(problems.first->message), STR_ARG(problems.first->hint));
}

static void kind_and_type_decide_the_table(void **state)
{
    (void)state;
    assert_ptr_equal(spec_of("[connector x]\ntype = slack\n"), &slack);
    assert_ptr_equal(spec_of("[connector x]\ntype = notion\n"), &notion);
    assert_ptr_equal(spec_of("[server]\n"), &server);
    assert_int_equal(problems.n, 0);
    no_spec("[conector x]\n", "unknown section [conector x]", "did you mean \"connector\"?");
    no_spec("[nothing]\n", "unknown section [nothing]", "known: connector, server");
    no_spec("[connector x]\ntype = slak\n", "unknown type \"slak\" in [connector x]",
            "did you mean \"slack\"?");
    no_spec("[connector x]\n", "[connector x] has no type", "known: slack, notion");
    no_spec("[connector x]\ntype = ${FUNNELD_TEST_UNSET}\n", "is not set", "");
}

static void names_are_given_where_they_belong(void **state)
{
    (void)state;
    assert_ptr_equal(spec_of("[connector]\ntype = slack\n"), &slack);
    assert_true(str_is(problems.first->message, "[connector] needs a name"));
    assert_true(str_is(problems.first->hint, "write [connector NAME]"));
    assert_ptr_equal(spec_of("[server x]\n"), &server);
    assert_true(str_is(problems.first->message, "[server x] takes no name"));
}

static void a_change_that_needs_a_restart_is_found(void **state)
{
    static const struct {
        const char *line, *key;
    } rows[] = {{"address = [::]:9000", "address"},
                {"size = 2MiB", "size"},
                {"on = no", "on"},
                {"list = email", "list"},
                {"list = email, fax", "list"},
                {"property.a = b", "property."}};
    struct everything before;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        is_good("");
        before = bound;
        struct everything same = bound;
        conf_defaults(&slack, &same, &arena); /* equal, in other memory */
        assert_null(conf_restart_needed(&slack, &before, &same));
        struct arena kept = arena;
        arena = (struct arena){0}; /* `before` lives in the first one */
        is_good(rows[i].line);
        const char *key = conf_restart_needed(&slack, &before, &bound);
        assert_non_null(key);
        assert_string_equal(key, rows[i].key);
        arena_free(&kept);
    }
    is_good("");
    before = bound;
    struct arena kept = arena;
    arena = (struct arena){0};
    is_good("count = 5\nrate = 1/s\nlevel = warn\nurl = https://x.example\ntext = t");
    assert_null(conf_restart_needed(&slack, &before, &bound));
    arena_free(&kept);
}

static void the_nearest_name_is_near(void **state)
{
    static const char *const names[] = {"channel", "token", "type", "to", "max"};

    (void)state;
    assert_string_equal(conf_nearest(STR("chanel"), names, 5), "channel");
    assert_string_equal(conf_nearest(STR("tokne"), names, 5), "token");
    assert_string_equal(conf_nearest(STR("tpye"), names, 5), "type");
    assert_string_equal(conf_nearest(STR("too"), names, 5), "to");
    assert_null(conf_nearest(STR("database"), names, 5));
    assert_null(conf_nearest(STR(""), names, 5));
    assert_null(conf_nearest(STR_NULL, names, 5));
    assert_null(conf_nearest(STR("channel"), names, 0));
    char longest[300];
    memset(longest, 'c', sizeof longest);
    assert_null(conf_nearest((struct str){longest, sizeof longest}, names, 5));
}

static void the_reference_is_aligned_and_reads_back(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(8192);

    (void)state;
    conf_reference(&b, &slack, "sales");
    static const char wanted[] = "; For tests.\n"
                                 "[connector sales]\n"
                                 "type           = slack\n"
                                 ";text          = some text                ; a text\n"
                                 "secret         = ${FUNNELD_TEST_SECRET}   ; not told\n"
                                 "url            = https://api.example.com\n"
                                 "address        = [::]:8443                ; where to listen\n"
                                 "count          = 4\n"
                                 ";points        =\n";
    if (!str_starts(sbuf_str(&b), STR(wanted)))
        fail_msg("%s", b.at);
    assert_non_null(strstr(b.at, "; how much to tell: debug | info | warn | error\n"));
    assert_non_null(strstr(b.at, "\n;property.NAME = My name\n"));

    assert_int_equal(setenv("FUNNELD_TEST_SECRET", "s", 1), 0);
    bind(b.at);
    if (problems.n)
        fail_msg("%.*s", STR_ARG(problems.first->message));
    assert_ptr_equal(conf_spec(first(), specs, ARRAY_LEN(specs), &problems), &slack);
    assert_int_equal(bound.wait, 30000);
    sbuf_reset(&b);
    conf_reference(&b, &server, NULL);
    assert_string_equal(b.at, "; For tests.\n[server]\n;count =\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_what_would_be_written),
        cmocka_unit_test(unknown_keys_have_the_nearest_as_a_hint),
        cmocka_unit_test(missing_keys_are_told_with_the_section),
        cmocka_unit_test(all_problems_are_collected),
        cmocka_unit_test(a_key_that_was_refused_is_not_missing),
        cmocka_unit_test(kind_and_type_decide_the_table),
        cmocka_unit_test(names_are_given_where_they_belong),
        cmocka_unit_test(a_change_that_needs_a_restart_is_found),
        cmocka_unit_test(the_nearest_name_is_near),
        cmocka_unit_test(the_reference_is_aligned_and_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
