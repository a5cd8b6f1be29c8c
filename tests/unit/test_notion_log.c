/* tests/unit/test_notion_log.c - the activity log on a lead's page: a line per delivery, once. */
#include "notion_fixture.h"

#define LOGGED SECTION "log = yes\n"
#define MINE   "[0a1b2c3d-41]"
#define BLOCKS "/v1/blocks/page-1/children"
#define ADDED  "{\"object\":\"list\",\"results\":[{\"object\":\"block\",\"id\":\"b\"}]}"
#define LINE(t)                                                                                    \
    "{\"type\":\"paragraph\",\"paragraph\":{\"rich_text\":[{\"plain_text\":\"" t "\"}]}}"
#define LIST(lines)                                                                                \
    "{\"object\":\"list\",\"results\":[" lines "],\"has_more\":false,\"next_cursor\":null}"
#define MORE(lines)                                                                                \
    "{\"object\":\"list\",\"results\":[" lines "],\"has_more\":true,\"next_cursor\":\"c/1\"}"

static void start_logging(const char *section)
{
    fixture_start(&f, section);
    fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
    fixture_step(&f, "GET", "/v1/data_sources/ds-1", 200, FULL);
    next_job("page-1");
}

static void patched(const char *section)
{
    start_logging(section);
    fixture_step(&f, "PATCH", "/v1/pages/page-1", 200, PAGE);
}

static void a_new_page_is_made_with_its_first_line(void **state)
{
    (void)state;
    start_logging(LOGGED);
    f.parcels[0].remote_lead = STR_NULL;
    fixture_step(&f, "POST", "/query", 200, HITS(""));
    fixture_build(&f);
    golden(&f, "notion/create_logged.http");
    assert_int_equal(fixture_judge(&f, 200, PAGE), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static void a_hostile_lead_is_one_line_of_its_log(void **state)
{
    (void)state;
    patched(LOGGED);
    fixture_hostile_reasons(&f);
    fixture_step(&f, "GET", BLOCKS, 200, LIST(""));
    fixture_build(&f);
    golden(&f, "notion/append_log_hostile.http");
}

static void a_known_page_gets_a_line_that_it_does_not_have(void **state)
{
    (void)state;
    patched(LOGGED);
    fixture_build(&f);
    golden(&f, "notion/read_log.http");
    assert_true(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, 200, LIST(LINE("a person's note") ",{\"type\":\"image\"}")),
                     JUDGED_CONTINUE);
    fixture_verdict(&f, 0, VERDICT_NONE, NULL);
    fixture_build(&f);
    golden(&f, "notion/append_log.http");
    assert_false(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, 200, ADDED), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "page-1"));
}

/* After an append of unknown fate the page is updated again, which does no harm. */
static void a_line_that_is_there_is_not_appended_again(void **state)
{
    (void)state;
    patched(LOGGED);
    fixture_last(&f, "GET", BLOCKS, 200, LIST(LINE("x") "," LINE("2026 score 80 " MINE)));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    fixture_end(&f);

    start_logging(LOGGED);
    f.job.look = true;
    fixture_step(&f, "POST", "/query", 200,
                 HITS(HIT("page-1", "2025-01-01T00:00:00.000Z", LEAD, "false")));
    fixture_step(&f, "PATCH", "/v1/pages/page-1", 200, PAGE);
    fixture_step(&f, "GET", BLOCKS "?page_size=100", 200, MORE(LINE("x")));
    fixture_last(&f, "GET", BLOCKS "?page_size=100&start_cursor=c%2F1", 200,
                 LIST(LINE("moved by a person " MINE)));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static void the_log_ends_where_it_is_full(void **state)
{
    (void)state;
    patched(LOGGED "log_max = 2\n");
    fixture_step(
        &f, "GET", BLOCKS, 200,
        LIST(LINE("[0a1b2c3d-1]") "," LINE("[x]") "," LINE("[0a1b2c3d-]") "," LINE(
            "[0a1b2c3-11]") "," LINE("[0A1B2C3D-9]") "," LINE("0a1b2c3d-9]") "," LINE("[0a1b2c3d-9]"
                                                                                      " seen, "
                                                                                      "Jon")));
    fixture_last(&f, "PATCH", BLOCKS, 200, ADDED);
    fixture_end(&f);

    patched(LOGGED "log_max = 2\n");
    fixture_last(&f, "GET", BLOCKS, 200, LIST(LINE("[0a1b2c3d-1]") "," LINE("a [ffffffff-22]")));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    fixture_end(&f);

    patched(LOGGED); /* a page of thousands of blocks */
    for (int i = 1; i < 20; i++)
        fixture_step(&f, "GET", BLOCKS, 200, MORE(LINE("x")));
    fixture_last(&f, "GET", BLOCKS, 200, MORE(LINE("x")));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

/* The lines of the page that is gone count for nothing. */
static void a_log_is_counted_anew_on_another_page(void **state)
{
    (void)state;
    patched(LOGGED "log_max = 2\n");
    fixture_step(&f, "GET", BLOCKS, 200, MORE(LINE("[0a1b2c3d-1]")));
    fixture_step(&f, "GET", BLOCKS, 404, ABSENT);
    fixture_step(&f, "POST", "/query", 200,
                 HITS(HIT("page-2", "2025-01-01T00:00:00.000Z", LEAD, "false")));
    fixture_step(&f, "PATCH", "/v1/pages/page-2", 200, PAGE);
    fixture_step(&f, "GET", "/v1/blocks/page-2/children", 200, LIST(LINE("[0a1b2c3d-1]")));
    fixture_last(&f, "PATCH", "/v1/blocks/page-2/children", 200, ADDED);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static void a_page_deleted_meanwhile_is_made_again_with_its_line(void **state)
{
    (void)state;
    for (int appending = 0; appending < 2; appending++) {
        patched(LOGGED);
        if (appending)
            fixture_step(&f, "GET", BLOCKS, 200, LIST(""));
        fixture_step(&f, appending ? "PATCH" : "GET", BLOCKS, 404, ABSENT);
        fixture_step(&f, "POST", "/query", 200, HITS(""));
        fixture_last(&f, "POST", "/v1/pages", 200, "{\"object\":\"page\",\"id\":\"page-2\"}");
        fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
        assert_true(str_is(f.outcomes[0].remote_lead, "page-2"));
        fixture_end(&f);
    }
}

static const struct error_case {
    int status;
    const char *body;
    enum verdict of_read, of_append;
    bool broken;
} error_cases[] = {
    {400, ERROR("400", "validation_error", "m"), VERDICT_DEAD, VERDICT_DEAD, false},
    {400, ERROR("400", "validation_error", "workspace block limit reached"), VERDICT_RETRY,
     VERDICT_RETRY, true},
    {401, ERROR("401", "unauthorized", "m"), VERDICT_RETRY, VERDICT_RETRY, true},
    {403, ERROR("403", "restricted_resource", "m"), VERDICT_RETRY, VERDICT_RETRY, true},
    {409, ERROR("409", "conflict_error", "m"), VERDICT_RETRY, VERDICT_RETRY, false},
    {429, ERROR("429", "rate_limited", "m"), VERDICT_RETRY, VERDICT_RETRY, false},
    {500, ERROR("500", "internal_server_error", "m"), VERDICT_RETRY, VERDICT_AMBIGUOUS, false},
    {503, ERROR("503", "service_unavailable", "m"), VERDICT_RETRY, VERDICT_AMBIGUOUS, false},
    {504, "<html>", VERDICT_RETRY, VERDICT_AMBIGUOUS, false},
    {500, LIST(""), VERDICT_RETRY, VERDICT_AMBIGUOUS, false}, /* whatever it says beside it */
    {200, "<html>", VERDICT_RETRY, VERDICT_AMBIGUOUS, false},
};

static void every_error_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(error_cases); i++) {
        const struct error_case *c = &error_cases[i];

        patched(LOGGED);
        fixture_last(&f, "GET", BLOCKS, c->status, c->body);
        fixture_verdict(&f, 0, c->of_read, NULL);
        assert_int_equal(f.job.broken, c->broken);

        next_job("page-1");
        fixture_step(&f, "PATCH", "/v1/pages/page-1", 200, PAGE);
        fixture_step(&f, "GET", BLOCKS, 200, LIST(""));
        fixture_last(&f, "PATCH", BLOCKS, c->status, c->body);
        fixture_verdict(&f, 0, c->of_append, NULL);
        assert_int_equal(f.job.broken, c->broken);
        fixture_end(&f);
    }
}

/* An id that is cut off or that somebody else can write would make lines appear twice, or never. */
static void the_id_ends_the_line_whatever_the_message_says(void **state)
{
    static const char *const texts[] = {"{{reasons}}", "<!channel> =HYPERLINK(1) \xd8\xb9 \n\r"};
    static char long_text[10001];
    struct json_doc doc;

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        patched(LOGGED);
        assert_int_equal(
            template_compile(str_of(texts[i]), &f.arena, fixture_template(&f, 0), NULL), RC_OK);
        f.parcels[0].d.facts.reasons = str_of(long_text);
        fixture_step(&f, "GET", BLOCKS, 200, LIST(""));
        fixture_build(&f);
        assert_int_equal(json_parse(f.request.body, &doc, NULL), RC_OK);
        const json *line = json_path(doc.root, "children.0.paragraph.rich_text");
        struct str text = json_string(json_path(line, "0.text.content"));
        assert_int_equal(json_count(line), 1);
        assert_true(str_ends(text, STR(" " MINE)) && text.len <= 1900);
        json_doc_free(&doc);
        fixture_end(&f);
    }
}

static void a_line_speaks_the_language_of_messages(void **state)
{
    (void)state;
    patched(LOGGED);
    f.parcels[0].language = LANGUAGE_ES;
    fixture_step(&f, "GET", BLOCKS, 200, LIST(""));
    fixture_build(&f);
    assert_non_null(str_find(f.request.body, STR("Puntuaci\xc3\xb3n 87.5 (hot)")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(a_new_page_is_made_with_its_first_line),
        T(a_hostile_lead_is_one_line_of_its_log),
        T(a_known_page_gets_a_line_that_it_does_not_have),
        T(a_line_that_is_there_is_not_appended_again),
        T(the_log_ends_where_it_is_full),
        T(a_log_is_counted_anew_on_another_page),
        T(a_page_deleted_meanwhile_is_made_again_with_its_line),
        T(every_error_has_its_verdict),
        T(the_id_ends_the_line_whatever_the_message_says),
        T(a_line_speaks_the_language_of_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
