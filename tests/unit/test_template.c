/* tests/unit/test_template.c - texts with {{name}}: what they say, how values are escaped. */
#include "cm.h"
#include <string.h>

#include "funneld/route/route.h"

static const struct field data[] = {{{"plan", 4}, {"Pro & <More>", 12}}};
static struct property properties[] = {
    {.name = {"amount", 6}, .value = {"-1234567.891", 12}},
    {.name = {"chat", 4}, .value = {"@here a@b.c (@x) [a](b) (c)", 27}},
    {.name = {"chat_all", 8}, .value = {"-@all _@here +@all Acme.@channel", 32}},
    {.name = {"company", 7}, .value = {"A&B <Ltd>", 9}},
    {.name = {"firstname", 9}, .value = {"Ada", 3}},
    {.name = {"huge", 4}, .value = {"12345678901234567890", 20}},
    {.name = {"name_full", 9}, .value = {"a property", 10}},
    {.name = {"nick", 4}, .value = {"\"'&", 3}},
    {.name = {"padded", 6}, .value = {" \tx y\n ", 7}},
    {.name = {"shout", 5},
     .value = {"ÑANDÚ ΣΟΦίΑ "
               "ЖАН-ЛЮК 😀",
               38}},
    {.name = {"small", 5}, .value = {"1234", 4}},
};
static const struct event event = {
    .type = {"zapier.event", 12}, .occurred_at = INT64_C(1767225600000), .data = data, .n_data = 1};
static const struct lead lead = {.properties = properties, .n_properties = ARRAY_LEN(properties)};
static const struct template_values values = {
    .facts = {.event = &event,
              .lead = &lead,
              .score = 825,
              .band = BAND_HOT,
              .previous_probability = 395},
    .reasons = {"demo request +35", 16},
    .name = {"Ada Lovelace", 12},
    .url = {"https://crm.example.com/?a=1&b=2", 32},
};

static void assert_says(const char *text, enum escaping how, const char *expected)
{
    struct arena a AUTO(arena_free) = {0};
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);
    const struct template *t = NULL;
    struct expr_error error = {0};

    if (template_compile(str_of(text), &a, &t, &error))
        fail_msg("%s\ncolumn %zu: %s", text, error.column, error.text);
    template_write(t, &values, how, &a, &b);
    assert_string_equal(sbuf_str(&b).at, expected);
}

static void a_name_becomes_its_value(void **state)
{
    (void)state;
    assert_says("", ESCAPE_NONE, "");
    assert_says("no names", ESCAPE_NONE, "no names");
    assert_says("{{lead.firstname}}", ESCAPE_NONE, "Ada");
    assert_says("Hi {{ lead.firstname }}!", ESCAPE_NONE, "Hi Ada!");
    assert_says("{{score}}{{score.previous}} {{score.band}}", ESCAPE_NONE, "82.50 hot");
    assert_says("{{probability | \"?\"}} {{probability.previous}} {{churn.previous}}", ESCAPE_NONE,
                "? 39.5 0");
    assert_says("{{event.type}}: {{event.data.plan}}", ESCAPE_NONE, "zapier.event: Pro & <More>");
    assert_says("{{event.time}}", ESCAPE_NONE, "2026-01-01T00:00:00.000Z");
    assert_says("{{reasons}}; {{lead.name_full}}; {{lead.url}}", ESCAPE_NONE,
                "demo request +35; Ada Lovelace; https://crm.example.com/?a=1&b=2");
    assert_says("a } b }} c { d", ESCAPE_NONE, "a } b }} c { d");
    assert_says("one\ntwo {{lead.firstname\n}}", ESCAPE_NONE, "one\ntwo Ada");
}

static void a_missing_value_gives_way_to_the_default(void **state)
{
    (void)state;
    assert_says("{{lead.lastname}}.", ESCAPE_NONE, ".");
    assert_says("{{lead.lastname | \"someone\"}}.", ESCAPE_NONE, "someone.");
    assert_says("{{lead.lastname|'some \"one\"'}}.", ESCAPE_NONE, "some \"one\".");
    assert_says("{{lead.lastname | \"a \\\"b\\\" \\\\ }} |\"}}.", ESCAPE_NONE, "a \"b\" \\ }} |.");
    assert_says("{{event.property | \"\"}}.", ESCAPE_NONE, ".");
    assert_says("{{lead.firstname | \"someone\"}}.", ESCAPE_NONE, "Ada.");
}

static void values_are_escaped_and_the_text_is_not(void **state)
{
    (void)state;
    assert_says("<!here> & {{lead.company}}", ESCAPE_SLACK, "<!here> & A&amp;B &lt;Ltd&gt;");
    assert_says("{{lead.lastname | \"<none>\"}}", ESCAPE_SLACK, "<none>");
    assert_says("{{event.data.plan}}", ESCAPE_SLACK, "Pro &amp; &lt;More&gt;");
    assert_says("<{{lead.url}}|{{lead.name_full}}>", ESCAPE_SLACK,
                "<https://crm.example.com/?a=1&amp;b=2|Ada Lovelace>");
}

static void quotes_are_escaped_in_html_too(void **state)
{
    (void)state;
    assert_says("<b title=\"{{event.data.plan}}\">{{lead.company}}</b>", ESCAPE_HTML,
                "<b title=\"Pro &amp; &lt;More&gt;\">A&amp;B &lt;Ltd&gt;</b>");
    assert_says("{{lead.nick}}", ESCAPE_HTML, "&quot;&#39;&amp;");
    assert_says("{{lead.nick}}", ESCAPE_SLACK, "\"'&amp;");
    assert_says("{{lead.lastname | \"<i>none</i>\"}}", ESCAPE_HTML, "<i>none</i>");
}

/* In a chat of any kind a value opens nothing, and reads as it did. */
static void in_a_chat_nobody_is_called(void **state)
{
    (void)state;
    assert_says("<!here> & {{lead.company}}", ESCAPE_CHAT,
                "<!here> & A&B \xe2\x80\xb9Ltd\xe2\x80\xba");
    assert_says(
        "[{{lead.chat}}](https://x) @all", ESCAPE_CHAT,
        "[@\xe2\x81\xa0here a@b.c (@\xe2\x81\xa0x) [a]\xe2\x81\xa0(b) (c)](https://x) @all");
    assert_says("{{lead.chat_all}}", ESCAPE_CHAT, /* each of which Mattermost takes for a mention */
                "-@\xe2\x81\xa0"
                "all _@\xe2\x81\xa0here +@\xe2\x81\xa0"
                "all Acme.@\xe2\x81\xa0"
                "channel");
    assert_says("{{lead.chat}}", ESCAPE_NONE, "@here a@b.c (@x) [a](b) (c)");
}

static void a_section_is_there_when_its_name_has_a_value(void **state)
{
    (void)state;
    assert_says("a{{#lead.company}} of {{lead.company}}{{/lead.company}}.", ESCAPE_NONE,
                "a of A&B <Ltd>.");
    assert_says("a{{#lead.lastname}} x {{/lead.lastname}}.", ESCAPE_NONE, "a.");
    assert_says("a{{^lead.lastname}} x {{/lead.lastname}}.", ESCAPE_NONE, "a x .");
    assert_says("a{{^lead.company}} x {{/lead.company}}.", ESCAPE_NONE, "a.");
    assert_says("{{#reasons}}{{#lead.url}}both{{/lead.url}}{{/reasons}}", ESCAPE_NONE, "both");
    assert_says("{{#lead.lastname}}{{#lead.url}}x{{/lead.url}}y{{/lead.lastname}}z", ESCAPE_NONE,
                "z");
    assert_says("{{#lead.url}}{{#lead.lastname}}x{{/lead.lastname}}y{{/lead.url}}z", ESCAPE_NONE,
                "yz");
    assert_says("{{ # reasons }}x{{ / reasons }}", ESCAPE_NONE, "x");
    assert_says("{{#reasons}}{{/reasons}}", ESCAPE_NONE, "");
}

static void a_section_alone_on_its_line_takes_it_along(void **state)
{
    (void)state;
    assert_says("one\n{{#reasons}}\ntwo\n{{/reasons}}\nthree", ESCAPE_NONE, "one\ntwo\nthree");
    assert_says("one\n{{#lead.lastname}}\ntwo\n{{/lead.lastname}}\nthree", ESCAPE_NONE,
                "one\nthree");
    assert_says("one\n  {{#reasons}}  \n two\n\t{{/reasons}}\nthree", ESCAPE_NONE,
                "one\n two\nthree");
    assert_says("{{#reasons}}\ntwo\n{{/reasons}}", ESCAPE_NONE, "two\n");
    assert_says("one {{#reasons}}\ntwo {{/reasons}}\nthree", ESCAPE_NONE, "one \ntwo \nthree");
    assert_says("one\n{{score}}\ntwo", ESCAPE_NONE, "one\n82.5\ntwo");
}

static void filters_change_a_value_one_after_another(void **state)
{
    (void)state;
    assert_says("{{lead.firstname | upper}} {{lead.firstname|lower}}", ESCAPE_NONE, "ADA ada");
    assert_says("{{lead.shout | lower | title}}", ESCAPE_NONE,
                "Ñandú Σοφία "
                "Жан-Люк 😀");
    assert_says("[{{lead.padded | trim}}]", ESCAPE_NONE, "[x y]");
    assert_says("{{lead.company | truncate:4}}", ESCAPE_NONE, "A&B…");
    assert_says("{{lead.company | truncate:9}}", ESCAPE_NONE, "A&B <Ltd>");
    assert_says("{{lead.shout | truncate : 3}}", ESCAPE_NONE, "ÑA…");
    assert_says("{{lead.firstname | truncate:1}}", ESCAPE_NONE, "…");
    assert_says("{{lead.company | upper}}", ESCAPE_SLACK, "A&amp;B &lt;LTD&gt;");
    assert_says("{{lead.lastname | \"someone\" | upper}}", ESCAPE_NONE, "SOMEONE");
    assert_says("{{lead.lastname | upper | '<b>'}}", ESCAPE_SLACK, "<b>");
}

static void numbers_and_dates_are_written_for_people(void **state)
{
    (void)state;
    assert_says("{{score | round}} {{lead.amount | round:1}} {{lead.firstname | round}}",
                ESCAPE_NONE, "83 -1234567.9 Ada");
    assert_says("{{lead.amount | number}} {{lead.amount | number:0}}", ESCAPE_NONE,
                "-1,234,567.891 -1,234,568");
    assert_says("{{lead.small | number}} {{lead.small | number:2}}", ESCAPE_NONE, "1,234 1,234.00");
    assert_says("{{lead.firstname | number}}", ESCAPE_NONE, "Ada");
    assert_says("{{event.time | date}}; {{lead.firstname | date}}", ESCAPE_NONE,
                "1 January 2026; Ada");
    assert_says("{{lead.huge | round:6}} {{lead.huge | number}}", ESCAPE_NONE,
                "12345678901234567890 12,345,678,901,234,567,890");
}

static void they_follow_the_language(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{{lead.amount | number}}", "-1.234.567,891"},
        {"{{lead.small | number}}", "1234"},
        {"{{event.time | date}}", "1 de enero de 2026"},
    };
    struct template_values spanish = values;

    (void)state;
    spanish.language = LANGUAGE_ES;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a AUTO(arena_free) = {0};
        struct sbuf b AUTO(sbuf_free) = SBUF(4096);
        const struct template *t;

        assert_int_equal(template_compile(str_of(cases[i].text), &a, &t, NULL), RC_OK);
        template_write(t, &spanish, ESCAPE_NONE, &a, &b);
        assert_string_equal(b.at, cases[i].expected);
    }
}

static void what_is_written_has_an_end(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct sbuf b AUTO(sbuf_free) = SBUF(10);
    const struct template *t;

    (void)state;
    assert_int_equal(template_compile(STR("12345678{{reasons}}90{{score}}"), &a, &t, NULL), RC_OK);
    template_write(t, &values, ESCAPE_NONE, &a, &b);
    assert_true(b.failed);
    assert_true(b.len <= 10);
}

static void a_text_may_hold_so_many_names_and_no_more(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    struct expr_error error;
    const struct template *t;

    (void)state;
    for (int i = 0; i < 500; i++)
        sbuf_text(&b, "{{score}}");
    assert_int_equal(template_compile(sbuf_str(&b), &a, &t, &error), RC_OK);
    sbuf_text(&b, "{{score}}");
    assert_int_equal(template_compile(sbuf_str(&b), &a, &t, &error), RC_INVALID);
    assert_non_null(strstr(error.text, "more than 500 names"));
    sbuf_reset(&b);
    for (int i = 0; i < 17; i++)
        sbuf_text(&b, "{{#score}}");
    assert_int_equal(template_compile(sbuf_str(&b), &a, &t, &error), RC_INVALID);
    assert_non_null(strstr(error.text, "nested more than 16"));
    assert_int_equal(error.column, 160);
}

static void a_mistake_names_its_column(void **state)
{
    static const struct {
        const char *text;
        size_t column;
        const char *says;
    } errors[] = {
        {"Hi {{lead.firstname", 3, "closing }}"},
        {"Hi {{lead.firstname}", 3, "closing }}"},
        {"Hi {{lead.firstname | \"x\"", 3, "closing }}"},
        {"Hi {{lead.firstname | \"x\" y}}", 3, "closing }}"},
        {"Hi {{lead.firstname | x}}", 22, "text in quotes"},
        {"Hi {{lead.firstname | \"x}}", 22, "closing \""},
        {"Hi {{lead.firstname |", 21, "text in quotes"},
        {"Hi {{}}", 5, "name is missing"},
        {"Hi {{ | \"x\"}}", 6, "name is missing"},
        {"Hi {{scor}}", 5, "did you mean score?"},
        {"Hi {{ reason }}", 6, "did you mean reasons?"},
        {"Hi {{event.proprty}}", 5, "did you mean event.property?"},
        {"Hi {{firstname}}", 5, "{{lead.firstname}}"},
        {"Hi {{contact.firstname}}", 5, "known are"},
        {"Hi {{lead.firstname \"x\"}}", 19, "| is missing"},
        {"Hi {{lead.firstname | uper}}", 22, "did you mean upper?"},
        {"Hi {{lead.firstname | upper:3}}", 28, "takes no number"},
        {"Hi {{lead.firstname | truncate}}", 22, "truncate:40"},
        {"Hi {{lead.firstname | truncate:0}}", 31, "from 1 to 10000"},
        {"Hi {{lead.firstname | truncate:x}}", 31, "from 1 to 10000"},
        {"Hi {{score | round:7}}", 19, "from 0 to 6"},
        {"Hi {{score | upper lower}}", 13, "after | comes"},
        {"Hi {{score | upper \"x\"}}", 3, "closing }}"},
        {"{{score|trim|trim|trim|trim|trim|trim|trim|trim|trim}}", 47, "more than 8 filters"},
        {"Hi {{#reasons}} x", 3, "{{/reasons}} of this is missing"},
        {"Hi {{#reasons}} {{#score}} {{/score}}", 3, "{{/reasons}} of this is missing"},
        {"Hi {{/reasons}} x", 3, "no {{#reasons}}"},
        {"Hi {{#reasons}} {{/score}}", 16, "{{/reasons}} must come first"},
        {"Hi {{#reasons}}{{^score}}{{/reasons}}{{/score}}", 25, "{{/score}} must come first"},
        {"Hi {{#reasons | upper}}{{/reasons}}", 3, "a name alone"},
        {"Hi {{#}}", 6, "name is missing"},
        {"Hi {{#reason}}{{/reason}}", 6, "did you mean reasons?"},
    };
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        const struct template *t = NULL;
        struct expr_error error = {0};

        if (!template_compile(str_of(errors[i].text), &a, &t, &error))
            fail_msg("%s is accepted", errors[i].text);
        assert_null(t);
        if (error.column != errors[i].column || !strstr(error.text, errors[i].says))
            fail_msg("%s\ncolumn %zu: %s", errors[i].text, error.column, error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_becomes_its_value),
        cmocka_unit_test(a_missing_value_gives_way_to_the_default),
        cmocka_unit_test(values_are_escaped_and_the_text_is_not),
        cmocka_unit_test(quotes_are_escaped_in_html_too),
        cmocka_unit_test(in_a_chat_nobody_is_called),
        cmocka_unit_test(a_section_is_there_when_its_name_has_a_value),
        cmocka_unit_test(a_section_alone_on_its_line_takes_it_along),
        cmocka_unit_test(filters_change_a_value_one_after_another),
        cmocka_unit_test(numbers_and_dates_are_written_for_people),
        cmocka_unit_test(they_follow_the_language),
        cmocka_unit_test(what_is_written_has_an_end),
        cmocka_unit_test(a_text_may_hold_so_many_names_and_no_more),
        cmocka_unit_test(a_mistake_names_its_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
