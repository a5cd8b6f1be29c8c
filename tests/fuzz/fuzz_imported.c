/* tests/fuzz/fuzz_imported.c - what is stored of an imported past, and maps of columns. */
#include "fuzz.h"

#include "../../src/cli/import.h"
#include "funneld/lead/lead.h"
#include "imported_fixture.h"

/* It says the same when it is written again. */
static void check_event(const struct event *e, struct arena *a)
{
    const struct imported i = {.email = e->email,
                               .portal_id = e->portal_id,
                               .crm_id = e->object_id,
                               .at = e->occurred_at,
                               .first_at = e->first_at,
                               .property = e->property,
                               .value = e->value,
                               .properties = e->properties,
                               .n_properties = e->n_properties};
    struct lead lead = {0};
    struct event again;

    assert_true(e->imported && (e->object_id > 0 || e->email.at));
    assert_true(e->first_at <= e->occurred_at);
    (void)lead_fold(&lead, e, a);
    if (imported_made(STR("import"), &i, FUZZ_NOW, a, &again, NULL) != RC_OK)
        return; /* a name that is there twice, or more than there may be */
    assert_true(again.occurred_at == e->occurred_at && again.first_at == e->first_at);
    fuzz_same(again.email.at ? again.email : STR(""), e->email.at ? e->email : STR(""));
}

/* What is written of a map reads back as the same. */
static void check_map(struct str text, struct arena *a)
{
    struct import_column columns[] = {
        {.name = STR("Email")}, {.name = STR("Record ID")}, {.name = STR("a = b")}};
    struct import_column again[] = {columns[0], columns[1], columns[2]};
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);
    struct why why = {0};

    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        import_propose(&columns[i], a);
    if (import_map_read(text, columns, ARRAY_LEN(columns), a, &why) != RC_OK) {
        assert_true(why.text[0]);
        return;
    }
    import_map_write(columns, ARRAY_LEN(columns), &b);
    assert_int_equal(import_map_read(sbuf_str(&b), again, ARRAY_LEN(again), a, &why), RC_OK);
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        fuzz_same(import_target_text(&columns[i]), import_target_text(&again[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    struct str text = fuzz_text(data, size);
    struct event e = {.reason = STR("untouched")};
    struct why why = {0};

    if (imported_decode(text, FUZZ_NOW, &a, &e, &why) == RC_OK)
        check_event(&e, &a);
    else
        assert_true(why.text[0] && str_is(e.reason, "untouched"));
    check_map(text, &a);
    return 0;
}
