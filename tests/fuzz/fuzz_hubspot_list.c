/* tests/fuzz/fuzz_hubspot_list.c - all contacts with their history: pages, and where they end. */
#include "talk.h"

#include "funneld/ingest/source.h"
#include "imported_fixture.h"

#define TOKEN "pat-not-to-be-shown"

static void ask(struct fixture *f)
{
    fixture_route(f, "import");
}

/* Each version is an event that can be read again, and a page that is not the last goes on
 * elsewhere than where it was. */
static void as_events(struct fixture *f)
{
    const struct outcome *o = &f->outcomes[0];

    for (size_t i = 0; i < o->n_recovered; i++) {
        const struct record *r = &o->recovered[i];

        assert_true(r->crm_id > 0);
        for (size_t k = 0; k < r->n_versions; k++) {
            const struct imported what = {.portal_id = 62515,
                                          .crm_id = r->crm_id,
                                          .at = r->versions[k].at,
                                          .property = r->versions[k].name,
                                          .value = r->versions[k].value};
            struct event e;

            if (imported_made(STR("crm"), &what, FIXTURE_NOW, &f->arena, &e, NULL) == RC_OK)
                assert_true(e.occurred_at <= r->versions[k].at && e.object_id == r->crm_id);
        }
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
