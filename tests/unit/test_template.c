/* tests/unit/test_template.c - texts with {{name}}: what they say, how values are escaped. */
#include "cm.h"
#include <string.h>

#include "funneld/route/route.h"

static const struct field data[] = {{{"plan", 4}, {"Pro & <More>", 12}}};
static struct property properties[] = {
    {.name = {"company", 7}, .value = {"A&B <Ltd>", 9}},
    {.name = {"firstname", 9}, .value = {"Ada", 3}},
    {.name = {"name_full", 9}, .value = {"a property", 10}},
};
static const struct event event = {
    .type = {"zapier.event", 12}, .occurred_at = INT64_C(1767225600000), .data = data, .n_data = 1};
static const struct lead lead = {.properties = properties, .n_properties = 3};
static const struct template_values values = {
    .facts = {.event = &event, .lead = &lead, .score = 825, .previous = 0, .band = BAND_HOT},
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
        cmocka_unit_test(a_mistake_names_its_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
