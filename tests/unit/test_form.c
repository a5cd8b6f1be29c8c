/* tests/unit/test_form.c - forms as JSON. */
#include "cm.h"

#include "source_fixture.h"

#include "../../src/ingest/mapping_priv.h"

#define FORM "application/x-www-form-urlencoded"

static enum refusal convert(struct arena *a, const char *type, struct str body, struct str *ret)
{
    struct why why = {0};
    enum refusal refused = form_to_json(body, str_of(type), a, ret, &why);

    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    return refused;
}

static void fields_become_texts_of_one_object(void **state)
{
    static const struct {
        const char *form, *json;
    } cases[] = {
        {"email=a%40b&name=Ada+Lovelace", "{\"email\":\"a@b\",\"name\":\"Ada Lovelace\"}"},
        {"a=1&b=2&a=3&a=", "{\"a\":[\"1\",\"3\",\"\"],\"b\":\"2\"}"},
        {"a[]=1&a[]=2", "{\"a\":[\"1\",\"2\"]}"},
        {"a[]=1", "{\"a\":\"1\"}"},
        {"a%5Bb%5D=1&a[b][c]=2", "{\"a__b\":\"1\",\"a__b__c\":\"2\"}"},
        {"a[b=1&[c]=2&d]e[f]=3&g[h]i=4&j[k[l]]=5",
         "{\"a[b\":\"1\",\"[c]\":\"2\",\"d]e[f]\":\"3\",\"g[h]i\":\"4\",\"j[k[l]]\":\"5\"}"},
        {"a__b=1", "{\"a__b\":\"1\"}"},
        {"a", "{\"a\":\"\"}"},
        {"a=b=c", "{\"a\":\"b=c\"}"},
        {"&&a=1&&=x&", "{\"a\":\"1\"}"},
        {"a=%e2%82%ac%F0%9F%98%80", "{\"a\":\"\xE2\x82\xAC\xF0\x9F\x98\x80\"}"},
        {"a=%0D%0A%22%5c", "{\"a\":\"\\r\\n\\\"\\\\\"}"},
        {"a=%2B%26%3D%25", "{\"a\":\"+&=%\"}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a AUTO(arena_free) = {0};
        struct str text;

        assert_int_equal(convert(&a, FORM, str_of(cases[i].form), &text), REFUSED_NOT);
        is(text, cases[i].json);
    }
}

static void what_is_no_form_is_refused(void **state)
{
    static const char *const cases[] = {"",      "&",        "=",           "a=%",   "a=%4",
                                        "a=%zz", "a=%00",    "%00=a",       "a=%ff", "a=\xff",
                                        "a=%c3", "%C3%28=1", "a=%ed%a0%80", "a=%-1", "a=% 1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a AUTO(arena_free) = {0};
        struct str text;

        if (convert(&a, FORM, str_of(cases[i]), &text) != REFUSED_JSON)
            fail_msg("%s", cases[i]);
    }
}

static void the_field_that_is_no_text_is_counted(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct why why = {0};
    struct str text;

    (void)state;
    assert_int_equal(form_to_json(STR("a=1&b=2&c=%"), STR(FORM), &a, &text, &why), REFUSED_JSON);
    assert_non_null(strstr(why.text, "field 3 "));
}

static void charsets_are_utf8_and_latin1(void **state)
{
    static const struct {
        const char *type, *form, *json; /* NULL: another charset */
    } cases[] = {
        {FORM "; charset=UTF-8", "a=%C3%A9", "{\"a\":\"\xC3\xA9\"}"},
        {FORM ";charset=\"utf-8\"", "a=%C3%A9", "{\"a\":\"\xC3\xA9\"}"},
        {FORM "; charset=us-ascii", "a=b", "{\"a\":\"b\"}"},
        {FORM "; Charset=ISO-8859-1", "a=%E9\xFF%80%7f",
         "{\"a\":\"\xC3\xA9\xC3\xBF\xC2\x80\\u007f\"}"},
        {FORM "; boundary=x; charset=latin1", "a=%E9", "{\"a\":\"\xC3\xA9\"}"},
        {FORM "; charset=windows-1252", "a=b", NULL},
        {FORM "; charset=utf-16", "a=b", NULL},
        {FORM "; charset=", "a=b", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a AUTO(arena_free) = {0};
        struct str text;
        enum refusal refused = convert(&a, cases[i].type, str_of(cases[i].form), &text);

        assert_int_equal(refused, cases[i].json ? REFUSED_NOT : REFUSED_MEDIA_TYPE);
        if (cases[i].json)
            is(text, cases[i].json);
    }
}

static void a_thousand_fields_are_enough(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    struct arena a AUTO(arena_free) = {0};
    struct str text;

    (void)state;
    for (int i = 0; i < 1000; i++)
        sbuf_text(&b, "a&");
    assert_int_equal(convert(&a, FORM, sbuf_str(&b), &text), REFUSED_NOT);
    sbuf_text(&b, "a");
    assert_int_equal(convert(&a, FORM, sbuf_str(&b), &text), REFUSED_TOO_LARGE);
}

static void zaps_may_send_forms(void **state)
{
    struct event *events;
    size_t n;
    FIXTURE(f, "zapier", "secret = one\n");

    (void)state;
    assert_int_equal(decode_as(&f, FORM "; charset=utf-8",
                               STR("email=Ada%40Example.com&seats=12&tag=x&tag=y&utm[source]=ads&"
                                   "empty=&event_type=form.sent&occurred_at=1769081990000"),
                               &events, &n),
                     REFUSED_NOT);
    assert_int_equal(n, 1);
    struct event e = events[0];
    assert_int_equal(e.state, EVENT_PROCESSED);
    is(e.email, "ada@example.com");
    is(e.type, "form.sent");
    assert_int_equal(e.occurred_at, INT64_C(1769081990000));
    is(property(&e, "seats"), "12");
    is(property(&e, "tag"), "x, y");
    is(property(&e, "utm__source"), "ads");
    is(property(&e, "empty"), NULL);
    struct event again = decode_again(&f, &e); /* it is kept as JSON */
    assert_true(same_key(&e, &again));
    assert_int_equal(again.n_properties, e.n_properties);
}

static void json_that_is_called_a_form_is_told_so(void **state)
{
    struct event *events;
    size_t n;
    FIXTURE(f, "zapier", "secret = one\n");

    (void)state;
    assert_int_equal(decode_as(&f, FORM, STR(" {\"email\":\"a@b\"}"), &events, &n),
                     REFUSED_MEDIA_TYPE);
    assert_int_equal(decode_as(&f, FORM, STR("[]"), &events, &n), REFUSED_MEDIA_TYPE);
    assert_int_equal(decode_as(&f, "multipart/form-data", STR("a=b"), &events, &n),
                     REFUSED_MEDIA_TYPE);
    assert_true(source_takes(&f.source, STR(FORM "; charset=utf-8")));
    assert_false(source_takes(&f.source, STR("multipart/form-data")));
    FIXTURE(hubspot, "hubspot", "secret = one\n");
    assert_false(source_takes(&hubspot.source, STR(FORM)));
    assert_true(source_takes(&hubspot.source, STR("application/json; charset=utf-8")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_become_texts_of_one_object),
        cmocka_unit_test(what_is_no_form_is_refused),
        cmocka_unit_test(the_field_that_is_no_text_is_counted),
        cmocka_unit_test(charsets_are_utf8_and_latin1),
        cmocka_unit_test(a_thousand_fields_are_enough),
        cmocka_unit_test(zaps_may_send_forms),
        cmocka_unit_test(json_that_is_called_a_form_is_told_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
