/* tests/unit/test_hubspot_types.c - what each kind of notification is about. */
#include "cm.h"

#include <stdlib.h>
#include <string.h>

#include "funneld/lead/object.h"
#include "hubspot_fixture.h"

static void what_is_about_nothing_that_we_keep_is_unlinked(void **state)
{
    static const char *const cases[] = {
        "{" OF("line_item.creation") ",\"objectId\":267448862446}",
        "{" OF("product.propertyChange") ",\"objectId\":1,\"propertyName\":\"name\"}",
        "{" OF("line_item.merge") "}",
        "{" OF("object.creation") ",\"objectId\":1,\"objectTypeId\":\"2-99\"}",
        "{" OF("object.creation") ",\"objectId\":1}",
        "{" OF("object.associationChange") ",\"fromObjectId\":1,\"toObjectId\":2}",
        "{" OF("conversation.newMessage") ",\"messageId\":\"m\"}",
        "{" OF("something.new") "}",
        "{" OF("deal.privacyDeletion") ",\"objectId\":1}",
        "{" OF("deal") ",\"objectId\":1}",
        "{" OF("contact.somethingNew") ",\"objectId\":1}",
        "{" OF("contact.associationChange") ",\"associationType\":\"COMPANY_TO_CONTACT\","
                                            "\"fromObjectId\":1}",
        "{" OF("deal.associationChange") ",\"associationType\":\"DEAL_TO_COMPANY\","
                                         "\"fromObjectId\":1,\"toObjectId\":2}",
    };
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct event e = decode_one(&f, cases[i]);

        assert_int_equal(e.state, EVENT_UNLINKED);
        assert_true(e.reason.len > 0);
        assert_int_equal(e.effect, EFFECT_NONE);
        assert_int_equal(e.object, OBJECT_NONE);
        assert_int_equal(e.association.kind, OBJECT_NONE);
    }
    assert_int_equal(decode_one(&f, cases[0]).object_id, INT64_C(267448862446));
}

static void events_of_objects_are_read_as_those_of_contacts(void **state)
{
    FIXTURE(f, plain);
    struct event e = decode_one(
        &f,
        "{" OF("deal.propertyChange") ",\"objectId\":9,"
                                      "\"propertyName\":\"dealstage\",\"propertyValue\":\"won\"}");

    (void)state;
    assert_int_equal(e.state, EVENT_PROCESSED);
    assert_int_equal(e.object, OBJECT_DEAL);
    assert_int_equal(e.effect, EFFECT_PROPERTIES);
    assert_int_equal(e.object_id, 9);
    assert_true(str_is(e.property, "dealstage") && str_is(e.properties[0].value, "won"));
    e = decode_one(&f, "{" OF("object.deletion") ",\"objectId\":9,\"objectTypeId\":\"0-5\"}");
    assert_true(str_is(e.type, "ticket.deletion"));
    assert_int_equal(e.object, OBJECT_TICKET);
    assert_int_equal(e.effect, EFFECT_DELETE);
    e = decode_one(&f, "{" OF("company.merge") ",\"primaryObjectId\":1,\"mergedObjectIds\":[2]}");
    assert_int_equal(e.object, OBJECT_COMPANY);
    assert_int_equal(e.merge_into, 1);
    e = decode_one(&f, "{" OF("ticket.merge") "}");
    assert_int_equal(e.state, EVENT_UNPROCESSABLE);
    assert_int_equal(e.object, OBJECT_NONE);
}

static void an_association_is_the_same_from_either_side(void **state)
{
    static const struct {
        const char *element;
        enum object_kind kind, about;
        bool removed;
    } cases[] = {
        {"{" OF("deal.associationChange") ",\"associationType\":\"DEAL_TO_CONTACT\","
                                          "\"fromObjectId\":9,\"toObjectId\":7,"
                                          "\"associationRemoved\":true}",
         OBJECT_DEAL, OBJECT_DEAL, true},
        {"{" OF("contact.associationChange") ",\"associationType\":\"CONTACT_TO_DEAL\","
                                             "\"fromObjectId\":7,\"toObjectId\":9,"
                                             "\"associationRemoved\":false}",
         OBJECT_DEAL, OBJECT_NONE, false},
        {"{" OF("contact.associationChange") ",\"associationType\":\"CONTACT_TO_COMPANY\","
                                             "\"fromObjectId\":7,\"toObjectId\":9,"
                                             "\"isPrimaryAssociation\":true}",
         OBJECT_COMPANY, OBJECT_NONE, false},
        {"{" OF("object.associationChange") ",\"fromObjectTypeId\":\"0-5\",\"toObjectTypeId\":"
                                            "\"0-1\",\"fromObjectId\":9,\"toObjectId\":7}",
         OBJECT_TICKET, OBJECT_TICKET, false},
        {"{" OF("object.associationChange") ",\"objectTypeId\":\"0-1\",\"fromObjectTypeId\":"
                                            "\"0-1\",\"toObjectTypeId\":\"0-3\",\"fromObjectId\":7,"
                                            "\"toObjectId\":9,\"associationRemoved\":true}",
         OBJECT_DEAL, OBJECT_NONE, true},
        {"{" OF("object.associationChange") ",\"associationType\":\"COMPANY_TO_CONTACT\","
                                            "\"fromObjectId\":9,\"toObjectId\":7}",
         OBJECT_COMPANY, OBJECT_COMPANY, false},
    };
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct event e = decode_one(&f, cases[i].element);

        assert_int_equal(e.state, EVENT_PROCESSED);
        assert_int_equal(e.object, cases[i].about);
        assert_int_equal(e.object_id, cases[i].about ? 9 : 7);
        assert_int_equal(e.association.kind, cases[i].kind);
        assert_int_equal(e.association.object_id, 9);
        assert_int_equal(e.association.contact_id, 7);
        assert_int_equal(e.association.removed, cases[i].removed);
    }
}

static void all_known_types_are_taken(void **state)
{
    FIXTURE(f, plain);
    size_t processed = 0;

    (void)state;
    assert_int_equal(n_known_event_types, 48);
    for (size_t i = 0; i < n_known_event_types; i++) {
        struct str text = arena_printf(
            &f.a,
            "{" BASE ",\"subscriptionType\":\"%s\",\"objectId\":1,\"propertyName\":\"p\","
            "\"primaryObjectId\":1,\"mergedObjectIds\":[2],\"fromObjectId\":1,"
            "\"associationType\":\"%s\",\"toObjectId\":3}",
            known_event_types[i],
            str_starts(str_of(known_event_types[i]), STR("contact"))   ? "CONTACT_TO_DEAL"
            : str_starts(str_of(known_event_types[i]), STR("deal"))    ? "DEAL_TO_CONTACT"
            : str_starts(str_of(known_event_types[i]), STR("ticket"))  ? "TICKET_TO_CONTACT"
            : str_starts(str_of(known_event_types[i]), STR("company")) ? "COMPANY_TO_CONTACT"
                                                                       : "THIS_TO_THAT");
        struct event e = decode_one(&f, text.at);

        assert_true(str_is(e.type, known_event_types[i]));
        assert_int_equal(event_type_index(e.type), i);
        assert_int_not_equal(e.state, EVENT_UNPROCESSABLE);
        processed += e.state == EVENT_PROCESSED;
        assert_int_equal(e.state == EVENT_PROCESSED,
                         str_starts(e.type, STR("contact.")) || object_kind_of_type(e.type));
    }
    assert_int_equal(processed, 7 + 3 * 6);
    assert_int_equal(event_type_index(STR("contact.enriched")), n_known_event_types);
    assert_int_equal(event_type_index(STR("")), n_known_event_types);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_about_nothing_that_we_keep_is_unlinked),
        cmocka_unit_test(events_of_objects_are_read_as_those_of_contacts),
        cmocka_unit_test(an_association_is_the_same_from_either_side),
        cmocka_unit_test(all_known_types_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
