/* tests/fuzz/fuzz_told.c - what is stored of records of the CRM and of what leads were told of
 * them.
 */
#include "fuzz.h"

#include "funneld/ingest/source.h"
#include "funneld/lead/object.h"

/* What it says goes into a lead, and says the same when it is told again. */
static void check_told(const struct event *e, struct arena *a)
{
    const struct told t = {.of = e,
                           .type = e->type,
                           .contact_id = e->object_id,
                           .key = e->key,
                           .facts = e->facts,
                           .n_facts = e->n_facts};
    struct lead lead = {0};
    struct event again;

    assert_int_equal(e->effect, EFFECT_FACTS);
    (void)lead_fold(&lead, e, a);
    assert_true(lead_knows(&lead, e->facts, e->n_facts));
    assert_false(lead_fold(&lead, e, a));
    if (told_event(&t, a, &again, NULL) != RC_OK)
        return; /* more than there may be */
    assert_int_equal(again.n_facts, e->n_facts);
    for (size_t i = 0; i < e->n_facts; i++)
        assert_true(str_eq(again.facts[i].name, e->facts[i].name) &&
                    str_eq(again.facts[i].value, e->facts[i].value) &&
                    again.facts[i].at == e->facts[i].at);
    fuzz_same(again.type, e->type);
}

static void check_record(const struct event *e, struct arena *a)
{
    struct object o = {.kind = e->object};

    assert_true(e->object < OBJECT_KIND_COUNT);
    for (size_t i = 0; i < e->contacts.n; i++)
        assert_true(e->contacts.ids[i] > 0);
    (void)object_fold(&o, e, a);
    if (!e->object)
        return;
    const struct linked_object linked = {.object = o, .linked = true};
    const struct property *facts;
    size_t n;
    lead_facts(&linked, 1, a, &facts, &n);
    assert_true(n >= 2);
    for (size_t i = 1; i < n; i++)
        assert_true(str_cmp(facts[i - 1].name, facts[i].name) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    struct str body = fuzz_text(data, size);
    struct event e = {.reason = STR("untouched")};
    struct why why = {0};

    if (told_decode(body, FUZZ_NOW, &a, &e, &why) == RC_OK)
        check_told(&e, &a);
    else
        assert_true(why.text[0] && str_is(e.reason, "untouched"));
    if (enriched_decode(body, FUZZ_NOW, &a, &e, &why) == RC_OK)
        check_record(&e, &a);
    return 0;
}
