/* tests/fuzz/fuzz_template.c - templates, for every target: what a lead typed stays a text there.
 */
#include "facts.h"

#include "funneld/route/route.h"

enum { WRITTEN_MAX = 1 << 20 };

static struct str written(const struct template *t, struct str value, enum escaping how,
                          struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(WRITTEN_MAX);
    struct field data[ARRAY_LEN(fuzz_data)];
    struct property properties[ARRAY_LEN(fuzz_properties)];
    struct event event = fuzz_event;
    struct lead lead = fuzz_lead;

    for (size_t i = 0; i < ARRAY_LEN(data); i++)
        data[i] = (struct field){fuzz_data[i].name, value};
    for (size_t i = 0; i < ARRAY_LEN(properties); i++)
        properties[i] = (struct property){.name = fuzz_properties[i].name, .value = value};
    event.data = data;
    event.type = event.source = event.property = event.value = value;
    lead.properties = properties;
    const struct template_values values = {
        .facts = {.event = &event, .lead = &lead, .score = 825, .band = BAND_HOT},
        .reasons = value,
        .name = value,
        .url = value,
    };
    template_write(t, &values, how, a, &b);
    return arena_str(a, sbuf_str(&b));
}

static size_t count(struct str text, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == c;
    return n;
}

/* The characters that open something: those that the template's author wrote, and no others. */
static void check_escaped(const struct template *t, enum escaping how, const char *chars,
                          struct arena *a)
{
    struct str tame = written(t, STR("x"), how, a);
    struct str wild = written(t, STR("<!here>&lt;|>\"'\xc3\xa9"), how, a);

    for (const char *c = chars; *c; c++)
        assert_int_equal(count(tame, *c), count(wild, *c));
    fuzz_same(tame, written(t, STR("x"), ESCAPE_NONE, a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    struct str text = fuzz_text(data, size);
    const struct template *t = NULL;
    struct expr_error error = {0};

    if (template_compile(text, &a, &t, &error)) {
        assert_null(t);
        assert_true(error.column <= text.len && error.text[0]);
        assert_true(!str_is_utf8(text) || str_is_utf8(str_of(error.text)));
        return 0;
    }
    check_escaped(t, ESCAPE_SLACK, "<>", &a);
    check_escaped(t, ESCAPE_HTML, "<>\"'", &a);
    check_escaped(t, ESCAPE_CHAT, "<>", &a);
    if (str_is_utf8(text))
        assert_true(str_is_utf8(written(t, STR("\xCE\xB1"), ESCAPE_SLACK, &a)));
    if (!fuzz_holds(text, "{{"))
        assert_true(str_cmp(text, written(t, STR("x"), ESCAPE_NONE, &a)) == 0);
    return 0;
}
