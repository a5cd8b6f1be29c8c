/* tests/fuzz/fuzz_form.c - a form as JSON, as a form, as the same JSON; and into a Zap's event. */
#include "source.h"

#include "../../src/ingest/mapping_priv.h"

static const char form[] = "application/x-www-form-urlencoded";

static void put(struct sbuf *b, struct str name, struct str value)
{
    const struct str parts[] = {name, value};

    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; i < parts[p].len; i++)
            sbuf_printf(b, "%%%02x", (unsigned char)parts[p].at[i]);
        sbuf_char(b, p ? '&' : '=');
    }
}

static void write_form(struct sbuf *b, const json *root)
{
    for (const json *m = json_first(root); m; m = json_next(m)) {
        if (json_type(m) == JSON_STRING)
            put(b, json_name(m), json_string(m));
        for (const json *c = json_first(m); c; c = json_next(c))
            put(b, json_name(m), json_string(c));
    }
}

static void check_there_and_back(struct str text, struct arena *a)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 24);
    struct str again;

    assert_int_equal(json_parse(text, &doc, NULL), RC_OK);
    assert_int_equal(json_type(doc.root), JSON_OBJECT);
    write_form(&b, doc.root);
    assert_int_equal(form_to_json(sbuf_str(&b), str_of(form), a, &again, NULL), REFUSED_NOT);
    fuzz_same(text, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source *s = fuzz_source(&zapier_source, "secret = one\n");
    bool latin1 = size && data[0] == '\n'; /* no form begins with it */
    struct request r = fuzz_request(fuzz_text(data + latin1, size - latin1));
    struct str type =
        latin1 ? STR("application/x-www-form-urlencoded; charset=latin1") : str_of(form);
    struct arena a AUTO(arena_free) = {0};
    struct event *events = NULL;
    struct why why = {0};
    struct str text;
    size_t n = 0;

    request_set(&r, "Content-Type", type);
    enum refusal refused = form_to_json(r.raw.body, type, &a, &text, &why);
    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    assert_int_equal(s->type->decode(s, request_raw(&r), &a, &events, &n, NULL), refused);
    if (refused)
        return 0;
    check_there_and_back(text, &a);
    assert_int_equal(n, 1);
    check_event(s, events, &a);
    return 0;
}
