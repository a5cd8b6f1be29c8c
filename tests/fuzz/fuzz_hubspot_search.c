/* tests/fuzz/fuzz_hubspot_search.c - what changed while we were away: pages, and where they end. */
#include "contact_event.h"
#include "talk.h"

#include "funneld/ingest/source.h"

#define TOKEN "pat-not-to-be-shown"

static void ask(struct fixture *f)
{
    fixture_route(f, "catch-up");
    f->parcels[0].d.facts.event_value = STR("62515");
}

/* Each record is an event that can be read again, and a page that is not the last goes on elsewhere
 * than where it was. */
static void as_events(struct fixture *f)
{
    const struct outcome *o = &f->outcomes[0];

    for (size_t i = 0; i < o->n_recovered; i++) {
        const struct record *r = &o->recovered[i];
        struct event e, again;

        enriched_event(STR("crm"), r->portal_id, r->crm_id, r->updated_at, r->properties,
                       r->n_properties, FIXTURE_NOW, &f->arena, &e);
        if (e.state == EVENT_PROCESSED)
            assert_int_equal(enriched_decode(e.body, FIXTURE_NOW, &f->arena, &again, NULL), RC_OK);
    }
    if (o->verdict == VERDICT_MORE)
        assert_false(str_eq(o->remote_id, f->parcels[0].d.remote_id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture kept;

    talk_load(&kept, "type = hubspot\ntoken = " TOKEN "\nproperties = email, company\n");
    fuzz_talk(&kept, TOKEN, fuzz_text(data, size), ask, as_events);
    return 0;
}
