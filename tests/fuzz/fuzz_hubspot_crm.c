/* tests/fuzz/fuzz_hubspot_crm.c - what the CRM is asked; what it answers, as an event. */
#include "talk.h"

#include "funneld/ingest/source.h"

#define TOKEN "pat-not-to-be-shown"

static void same_fields(const struct field *a, const struct field *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fuzz_same(a[i].name, b[i].name);
        fuzz_same(a[i].value, b[i].value);
    }
}

/* What is folded in now and what the stored body says later are one event. */
static void as_event(struct fixture *f)
{
    for (size_t i = 0; i < f->job.n; i++) {
        const struct outcome *o = &f->outcomes[i];
        struct event e, again;

        if (!o->properties)
            continue;
        record_event(STR("crm"),
                     &(struct crm_record){.kind = f->parcels[i].object ? f->parcels[i].object->kind
                                                                       : OBJECT_NONE,
                                          .portal_id = o->portal_id,
                                          .id = o->crm_id,
                                          .updated_at = o->updated_at,
                                          .properties = o->properties,
                                          .n_properties = o->n_properties,
                                          .contacts = o->contacts},
                     FIXTURE_NOW, &f->arena, &e);
        assert_true(e.state == EVENT_PROCESSED || e.reason.len);
        if (e.state != EVENT_PROCESSED)
            continue;
        assert_int_equal(enriched_decode(e.body, FIXTURE_NOW, &f->arena, &again, NULL), RC_OK);
        assert_memory_equal(&e.key, &again.key, sizeof e.key);
        assert_int_equal(e.contacts.n, o->contacts.n);
        assert_int_equal(e.contacts.n, again.contacts.n);
        assert_int_equal(e.n_properties, o->n_properties);
        assert_int_equal(e.n_properties, again.n_properties);
        same_fields(e.properties, again.properties, e.n_properties);
    }
}

static void ask(struct fixture *f)
{
    fixture_route(f, "enrichment");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture kept;

    talk_load(&kept, "type = hubspot\ntoken = " TOKEN "\n");
    fuzz_talk(&kept, TOKEN, fuzz_text(data, size), ask, as_event);
    return 0;
}
