/* tests/unit/test_told.c - what leads learn from objects: names, events of their own, bodies. */
#include "cm.h"

#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/ingest/source.h"
#include "funneld/lead/object.h"
#include "request.h"

#define NOW INT64_C(1769081994066)

static struct property fact(const char *name, const char *value, int64_t at)
{
    struct property p = {.name = str_of(name), .value = str_of(value), .at = at};

    p.key = fact_key(&p);
    return p;
}

static struct event sent(const char *body)
{
    return (struct event){.source = STR("hubspot"),
                          .type = STR("deal.propertyChange"),
                          .request_id = STR("req-1"),
                          .occurred_at = NOW - 1000,
                          .received_at = NOW,
                          .portal_id = 62515,
                          .object_id = 90,
                          .object = OBJECT_DEAL,
                          .property = STR("dealstage"),
                          .value = STR("won \"now\""),
                          .body = str_of(body)};
}

static struct event tell(const struct event *of, const struct property *facts, size_t n,
                         struct arena *a)
{
    const struct told t = {.of = of,
                           .type = of->type,
                           .contact_id = INT64_C(9007199254740993),
                           .key = {{1, 2, 3}},
                           .facts = facts,
                           .n_facts = n};
    struct event e;
    struct why why = {0};

    if (told_event(&t, a, &e, &why))
        fail_msg("%s", why.text);
    return e;
}

static void facts_are_named_after_kind_and_property(void **state)
{
    static const struct {
        enum object_kind kind;
        const char *property, *name;
    } cases[] = {
        {OBJECT_DEAL, "dealstage", "deal_stage"},
        {OBJECT_DEAL, "dealname", "deal_name"},
        {OBJECT_DEAL, "amount", "deal_amount"},
        {OBJECT_DEAL, "hs_is_closed", "deal_is_closed"},
        {OBJECT_DEAL, "deal", "deal_deal"},
        {OBJECT_DEAL, "hs_", "deal_hs_"},
        {OBJECT_DEAL, "deal__x", "deal_x"},
        {OBJECT_COMPANY, "domain", "company_domain"},
        {OBJECT_COMPANY, "numberofemployees", "company_numberofemployees"},
        {OBJECT_COMPANY, "dealstage", "company_dealstage"},
        {OBJECT_TICKET, "hs_pipeline_stage", "ticket_stage"},
        {OBJECT_TICKET, "hs_ticket_priority", "ticket_priority"},
        {OBJECT_TICKET, "subject", "ticket_subject"},
        {OBJECT_TICKET, "", "ticket_"},
    };
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str name = fact_name(cases[i].kind, str_of(cases[i].property), &a);

        assert_true(str_is(name, cases[i].name));
    }
}

static void kinds_have_names_and_types(void **state)
{
    (void)state;
    for (int k = OBJECT_COMPANY; k < OBJECT_KIND_COUNT; k++)
        assert_int_equal(object_kind_of(str_of(object_kind_name((enum object_kind)k))), k);
    assert_int_equal(object_kind_of_type(STR("ticket.merge")), OBJECT_TICKET);
    assert_int_equal(object_kind_of_type(STR("ticket.")), OBJECT_TICKET);
    assert_int_equal(object_kind_of_type(STR("ticket")), OBJECT_NONE);
    assert_int_equal(object_kind_of_type(STR("contact.merge")), OBJECT_NONE);
    assert_int_equal(object_kind_of_type(STR("")), OBJECT_NONE);
    assert_int_equal(object_kind_of_type(STR_NULL), OBJECT_NONE);
}

static void an_event_of_the_leads_own_says_what_was_sent_and_what_is_known(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct property facts[] = {fact("deal_stage", "won", NOW - 1000),
                                     fact("deals", "1", NOW - 5000)};
    struct event of = sent("{\"changeSource\":\"CRM_UI\",\"objectId\":90}");
    struct event e = tell(&of, facts, 2, &a);

    (void)state;
    assert_int_equal(e.effect, EFFECT_FACTS);
    assert_int_equal(e.object, OBJECT_NONE);
    assert_int_equal(e.object_id, INT64_C(9007199254740993));
    assert_int_equal(e.portal_id, 62515);
    assert_int_equal(e.occurred_at, NOW - 1000);
    assert_true(str_is(e.type, "deal.propertyChange") && str_is(e.source, "hubspot"));
    assert_true(str_is(e.property, "dealstage") && str_is(e.value, "won \"now\""));
    assert_true(str_is(e.request_id, "req-1"));
    assert_true(str_is(field_get(e.data, e.n_data, "changeSource"), "CRM_UI"));
    assert_int_equal(e.n_facts, 2);
    assert_true(str_is(e.facts[0].value, "won"));
    assert_memory_equal(&e.facts[1].key, &facts[1].key, sizeof facts[1].key);
    assert_int_equal(e.key.bytes[0], 1);
}

static void stored_body_is_decoded_to_the_same(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct property facts[] = {fact("deal_stage", "", NOW),
                                     fact("a\"b\n\xe2\x80\xae", "<!x>", 5)};
    struct event of = sent("{}"), again;
    of.property = of.value = STR_NULL;
    struct event e = tell(&of, facts, 2, &a);

    (void)state;
    assert_int_equal(told_decode(e.body, NOW, &a, &again, NULL), RC_OK);
    assert_true(str_eq(again.type, e.type));
    assert_null(again.property.at);
    assert_int_equal(again.n_facts, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(str_eq(again.facts[i].name, facts[i].name));
        assert_true(str_eq(again.facts[i].value, facts[i].value));
        assert_int_equal(again.facts[i].at, facts[i].at);
        assert_memory_equal(&again.facts[i].key, &e.facts[i].key, sizeof e.facts[i].key);
    }
}

static void what_is_nested_too_deep_to_pass_on_is_left_out(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    char deep[200] = "{\"x\":";
    size_t n = 5;

    (void)state;
    for (int i = 0; i < 63; i++)
        deep[n++] = '[';
    for (int i = 0; i < 63; i++)
        deep[n++] = ']';
    deep[n++] = '}';
    struct event of = sent(deep);
    struct event e = tell(&of, NULL, 0, &a);
    assert_null(str_find(e.body, STR("\"event\"")));
    assert_int_equal(e.n_data, 0);
}

static void too_much_to_tell_is_refused(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    enum { BIG = 5 << 20 };
    char *text = arena_alloc(&a, BIG + 1);
    struct event of = sent("{}"), e;

    (void)state;
    memset(text, 'x', BIG);
    const struct property facts[] = {fact("deal_x", text, NOW)};
    const struct told t = {
        .of = &of, .type = of.type, .contact_id = 7, .facts = facts, .n_facts = 1};
    assert_int_equal(told_event(&t, &a, &e, NULL), RC_TOOBIG);
}

static void other_bodies_are_refused(void **state)
{
#define BASE "\"type\":\"t\",\"contactId\":1,\"portalId\":2,\"occurredAt\":3"
    static const char *const bodies[] = {
        "",
        "7",
        "[]",
        "{}",
        "{" BASE "}",
        "{" BASE ",\"facts\":[]}",
        "{" BASE ",\"facts\":{\"a\":1}}",
        "{" BASE ",\"facts\":{\"a\":[]}}",
        "{" BASE ",\"facts\":{\"a\":[\"x\"]}}",
        "{" BASE ",\"facts\":{\"a\":[1,2]}}",
        "{" BASE ",\"facts\":{\"a\":{\"v\":\"x\",\"at\":1}}}",
        "{\"type\":\"\",\"contactId\":1,\"portalId\":2,\"occurredAt\":3,\"facts\":{}}",
        "{\"type\":\"t\",\"portalId\":2,\"occurredAt\":3,\"facts\":{}}",
        "{\"type\":\"t\",\"contactId\":1,\"occurredAt\":3,\"facts\":{}}",
        "{\"type\":\"t\",\"contactId\":1,\"portalId\":2,\"facts\":{}}",
    };
    struct arena a AUTO(arena_free) = {0};
    struct event e = {.value = STR("untouched")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        assert_int_equal(told_decode(str_of(bodies[i]), NOW, &a, &e, NULL), RC_INVALID);
    assert_true(str_is(e.value, "untouched"));
    assert_int_equal(told_decode(STR("{" BASE ",\"facts\":{}}"), NOW, &a, &e, NULL), RC_OK);
}

static void a_record_of_an_object_has_contacts(void **state)
{
    static const int64_t ids[] = {7, INT64_C(9007199254740993)};
    struct arena a AUTO(arena_free) = {0};
    const struct field stage = {STR("dealstage"), STR("won")};
    const struct crm_record r = {.kind = OBJECT_DEAL,
                                 .portal_id = 62515,
                                 .id = 90,
                                 .updated_at = NOW - 1000,
                                 .properties = &stage,
                                 .n_properties = 1,
                                 .contacts = {.ids = ids, .n = 2, .all = true, .read_at = NOW - 1}};
    struct event e, again;

    (void)state;
    record_event(STR("crm"), &r, NOW, &a, &e);
    assert_true(str_is(e.type, "deal.enriched"));
    assert_int_equal(enriched_decode(e.body, NOW, &a, &again, NULL), RC_OK);
    assert_memory_equal(&e.key, &again.key, sizeof e.key);
    assert_int_equal(again.object, OBJECT_DEAL);
    assert_int_equal(again.contacts.n, 2);
    assert_int_equal(again.contacts.ids[1], INT64_C(9007199254740993));
    assert_true(again.contacts.all);
    assert_int_equal(again.contacts.read_at, NOW - 1);
    assert_int_equal(again.properties[0].value.len, 3);
}

static void a_record_with_odd_contacts_is_refused(void **state)
{
#define OBJECT "\"portalId\":1,\"objectId\":2,\"updatedAt\":3,\"properties\":{}"
    static const char *const bodies[] = {
        "{" OBJECT ",\"kind\":\"starship\",\"contacts\":[],\"contactsReadAt\":1}",
        "{" OBJECT ",\"kind\":7,\"contacts\":[],\"contactsReadAt\":1}",
        "{" OBJECT ",\"kind\":\"deal\"}",
        "{" OBJECT ",\"kind\":\"deal\",\"contacts\":{},\"contactsReadAt\":1}",
        "{" OBJECT ",\"kind\":\"deal\",\"contacts\":[0],\"contactsReadAt\":1}",
        "{" OBJECT ",\"kind\":\"deal\",\"contacts\":[\"x\"],\"contactsReadAt\":1}",
        "{" OBJECT ",\"kind\":\"deal\",\"contacts\":[]}",
    };
    struct arena a AUTO(arena_free) = {0};
    struct event e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        assert_int_equal(enriched_decode(str_of(bodies[i]), NOW, &a, &e, NULL), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_named_after_kind_and_property),
        cmocka_unit_test(kinds_have_names_and_types),
        cmocka_unit_test(an_event_of_the_leads_own_says_what_was_sent_and_what_is_known),
        cmocka_unit_test(stored_body_is_decoded_to_the_same),
        cmocka_unit_test(what_is_nested_too_deep_to_pass_on_is_left_out),
        cmocka_unit_test(too_much_to_tell_is_refused),
        cmocka_unit_test(other_bodies_are_refused),
        cmocka_unit_test(a_record_of_an_object_has_contacts),
        cmocka_unit_test(a_record_with_odd_contacts_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
