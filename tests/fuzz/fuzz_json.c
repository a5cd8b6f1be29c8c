/* tests/fuzz/fuzz_json.c - strict JSON: what was read and written again reads the same. */
#include "fuzz.h"

static void same_node(const json *a, const json *b)
{
    double x = 0, y = 0;

    assert_int_equal(json_type(a), json_type(b));
    fuzz_same(json_string(a), json_string(b));
    assert_int_equal(json_number(a, &x), json_number(b, &y));
    assert_true(x == y);
    assert_int_equal(json_true(a), json_true(b));
    assert_int_equal(json_count(a), json_count(b));
    const json *d = json_first(b);
    for (const json *c = json_first(a); c; c = json_next(c), d = json_next(d)) {
        fuzz_same(json_name(c), json_name(d));
        same_node(c, d);
    }
}

/* An exact integer says the same as its text. */
static void check_scalars(const json *node, struct arena *a)
{
    struct str text = json_scalar(node, a);
    int64_t number, again;

    assert_true(!text.at || str_is_utf8(text));
    if (json_int64(node, &number)) {
        assert_true(str_int64(text, &again));
        assert_int_equal(number, again);
    }
    for (const json *c = json_first(node); c; c = json_next(c)) {
        if (json_type(node) == JSON_OBJECT)
            assert_ptr_equal(json_get(node, arena_text(a, json_name(c))), c);
        check_scalars(c, a);
    }
}

/* Each element of a root array is a text of its own that reads the same. */
static void check_elements(const struct json_doc *doc, struct str text)
{
    const json *c = json_first(doc->root);

    assert_int_equal(doc->n_elements,
                     json_type(doc->root) == JSON_ARRAY ? json_count(doc->root) : 0);
    for (size_t i = 0; i < doc->n_elements; i++, c = json_next(c)) {
        struct json_doc element AUTO(json_doc_free) = {0};
        struct str raw = doc->elements[i];

        assert_true(raw.at >= text.at && raw.at + raw.len <= text.at + text.len);
        assert_int_equal(json_parse(raw, &element, NULL), RC_OK);
        same_node(element.root, c);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_doc doc AUTO(json_doc_free) = {0}, again AUTO(json_doc_free) = {0};
    struct sbuf once AUTO(sbuf_free) = SBUF(1 << 24), twice AUTO(sbuf_free) = SBUF(1 << 24);
    struct arena a AUTO(arena_free) = {0};
    struct str text = fuzz_text(data, size);
    struct why why = {0};

    if (json_parse(text, &doc, &why)) {
        assert_true(why.text[0]);
        assert_null(doc.root);
        return 0;
    }
    assert_true(str_is_utf8(text));
    check_scalars(doc.root, &a);
    check_elements(&doc, text);
    json_node(&once, doc.root);
    assert_int_equal(json_parse(sbuf_str(&once), &again, &why), RC_OK);
    same_node(doc.root, again.root);
    json_node(&twice, again.root);
    fuzz_same(sbuf_str(&once), sbuf_str(&twice));
    return 0;
}
