/* tests/unit/test_flatten.c - nested JSON as flat fields. */
#include "cm.h"

#include "hubspot_fixture.h"

static void nested_fields_are_joined_in_event_data(void **state)
{
    FIXTURE(f, plain);
    struct event e = decode_one(&f, "{" OF("contact.creation") ",\"objectId\":1,\"a\":{\"b\":{"
                                                               "\"c\":\"deep\"},\"n\":null},"
                                                               "\"list\":[1,\"x\",true],"
                                                               "\"rows\":[{\"k\":1},{\"k\":2}],"
                                                               "\"none\":[]}");

    (void)state;
    assert_true(str_is(field_get(e.data, e.n_data, "a__b__c"), "deep"));
    assert_null(field_get(e.data, e.n_data, "a__n").at);
    assert_true(str_is(field_get(e.data, e.n_data, "list"), "1, x, true"));
    assert_true(str_is(field_get(e.data, e.n_data, "rows__1__k"), "2"));
    assert_null(field_get(e.data, e.n_data, "none").at);
}

static void deep_names_and_many_fields_stay_bounded(void **state)
{
    enum { LEAVES = 20000 };
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    FIXTURE(f, plain);

    (void)state;
    sbuf_text(&b, "{" OF("contact.creation") ",\"objectId\":1,\"");
    for (int i = 0; i < 300; i++)
        sbuf_char(&b, 'x');
    sbuf_text(&b, "\":{");
    for (int i = 0; i < LEAVES; i++)
        sbuf_printf(&b, "%s\"%d\":1", i ? "," : "", i);
    sbuf_text(&b, "},\"y\":{");
    for (int i = 0; i < LEAVES; i++)
        sbuf_printf(&b, "%s\"%d\":1", i ? "," : "", i);
    sbuf_text(&b, "}}");
    struct event e = decode_one(&f, sbuf_str(&b).at);
    assert_int_equal(e.state, EVENT_PROCESSED);
    assert_int_equal(e.n_data, 1000);
    assert_true(str_is(e.data[4].name, "y__0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_fields_are_joined_in_event_data),
        cmocka_unit_test(deep_names_and_many_fields_stay_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
