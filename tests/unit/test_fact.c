/* tests/unit/test_fact.c - when two notifications tell one fact. */
#include "cm.h"

#include <string.h>

#include "hubspot_fixture.h"

static bool same_fact(struct fixture *f, const char *x, const char *y)
{
    struct event a = decode_one(f, x), b = decode_one(f, y);

    return memcmp(&a.key, &b.key, DEDUPE_KEY_LEN) == 0;
}

static void one_fact_has_one_key_however_it_is_told(void **state)
{
    static const struct {
        const char *x, *y;
        bool same;
    } cases[] = {
        /* what changes from delivery to delivery */
        {"{" OF("contact.creation") ",\"objectId\":1,\"eventId\":1,\"subscriptionId\":2,"
                                    "\"appId\":3,\"attemptNumber\":0,\"sourceId\":\"a\","
                                    "\"changeSource\":\"CRM\"}",
         "{" OF("contact.creation") ",\"objectId\":1,\"eventId\":9,\"subscriptionId\":8,"
                                    "\"appId\":7,\"attemptNumber\":6,\"sourceId\":\"b\","
                                    "\"changeSource\":\"API\"}",
         true},
        /* order, blanks, escapes, forms of a number */
        {"{" OF("contact.creation") ",\"objectId\":10}",
         "{ \"objectId\" : 1e1 , \"subscriptionType\":\"contact.\\u0063reation\","
         "\"occurredAt\":1769081990000.0, \"portalId\":62515 }",
         true},
        /* generic and older subscription, old and new name of the type */
        {"{" OF("contact.creation") ",\"objectId\":1}",
         "{" OF("object.creation") ",\"objectId\":1,\"objectTypeId\":\"0-1\","
                                   "\"isSensitive\":false}",
         true},
        {"{" OF("deal.creation") ",\"objectId\":1}",
         "{" OF("object.creation") ",\"objectId\":1,\"objectTypeId\":\"0-3\"}", true},
        {"{" OF("ticket.deletion") ",\"objectId\":1}",
         "{" OF("object.deletion") ",\"objectId\":1,\"objectTypeId\":\"0-5\"}", true},
        {"{" OF("company.restore") ",\"objectId\":1}",
         "{" OF("object.restore") ",\"objectId\":1,\"objectTypeId\":\"0-2\"}", true},
        {"{" OF("contact.creation") ",\"objectId\":1}",
         "{" BASE ",\"eventType\":\"contact.creation\",\"objectId\":1}", true},
        /* different facts */
        {"{" OF("contact.creation") ",\"objectId\":1}",
         "{" OF("object.creation") ",\"objectId\":1,\"objectTypeId\":\"0-2\"}", false},
        {"{" OF("object.creation") ",\"objectId\":1,\"objectTypeId\":\"2-1\"}",
         "{" OF("object.creation") ",\"objectId\":1,\"objectTypeId\":\"2-2\"}", false},
        {"{" OF("contact.creation") ",\"objectId\":1}",
         "{" OF("contact.restore") ",\"objectId\":1}", false},
        {"{" OF("contact.creation") ",\"objectId\":1}",
         "{" OF("contact.creation") ",\"objectId\":2}", false},
        {CHANGE("a", "\"1\""), CHANGE("a", "\"2\""), false},
        {CHANGE("a", "\"1\""), CHANGE("b", "\"1\""), false},
        {CHANGE("a", "\"1\""), CHANGE("a", "1"), false},
        {CHANGE("a", "\"true\""), CHANGE("a", "true"), false},
        {CHANGE("a", "\"\""), CHANGE("a", "null"), false},
        {"{" OF("x.y") ",\"a\":\"b\",\"c\":\"d\"}", "{" OF("x.y") ",\"a\":\"bs1:cs1:d\"}", false},
        {"{" OF("x.y") ",\"a\":\"1s1:b\"}", "{" OF("x.y") ",\"a\":\"1\",\"b\":\"\"}", false},
        {"{" OF("x.y") ",\"a\":[1,[2]]}", "{" OF("x.y") ",\"a\":[[1],2]}", false},
        {"{" OF("x.y") ",\"a\":[\"1\",\"2\"]}", "{" OF("x.y") ",\"a\":[\"2\",\"1\"]}", false},
        {"{" OF("x.y") ",\"a\":[\"12\"]}", "{" OF("x.y") ",\"a\":[\"1\",\"2\"]}", false},
        {"{" OF("x.y") ",\"a\":{\"b\":1}}", "{" OF("x.y") ",\"a__b\":1}", false},
        {"{" OF("x.y") ",\"a\":{\"b\":1,\"c\":2}}", "{" OF("x.y") ",\"a\":{\"c\":2,\"b\":1}}",
         true},
        {"{" OF("x.y") ",\"a\":{}}", "{" OF("x.y") ",\"a\":[]}", false},
        {"{" OF("x.y") ",\"a\":0.1}", "{" OF("x.y") ",\"a\":0.2}", false},
        {"{" OF("contact.merge") ",\"primaryObjectId\":1,\"mergedObjectIds\":[2]}",
         "{" OF("contact.merge") ",\"primaryObjectId\":1,\"mergedObjectIds\":[3]}", false},
    };
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (same_fact(&f, cases[i].x, cases[i].y) != cases[i].same)
            fail_msg("%s and %s should be %s", cases[i].x, cases[i].y,
                     cases[i].same ? "one fact" : "two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_fact_has_one_key_however_it_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
