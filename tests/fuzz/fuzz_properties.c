/* tests/fuzz/fuzz_properties.c - a lead's properties as they stand in its row of the database. */
#include "fuzz.h"

#include "../../src/store/sqlite/db.h"

static void check_sorted(const struct lead *l)
{
    for (size_t i = 0; i < l->n_properties; i++) {
        assert_true(l->properties[i].name.at && l->properties[i].value.at);
        assert_true(!i || str_cmp(l->properties[i - 1].name, l->properties[i].name) < 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    struct sbuf once AUTO(sbuf_free) = SBUF(1 << 24), twice AUTO(sbuf_free) = SBUF(1 << 24);
    struct lead lead = {.id = 1, .email = STR("kept@example.com")}, again = {.id = 1};

    if (properties_read(fuzz_text(data, size), &a, &lead))
        return 0;
    fuzz_same(lead.email, STR("kept@example.com"));
    check_sorted(&lead);
    assert_int_equal(properties_write(&lead, &once), RC_OK);
    assert_int_equal(properties_read(sbuf_str(&once), &a, &again), RC_OK);
    assert_int_equal(again.n_properties, lead.n_properties);
    for (size_t i = 0; i < again.n_properties; i++)
        assert_false(again.properties[i].changed);
    assert_int_equal(properties_write(&again, &twice), RC_OK);
    fuzz_same(sbuf_str(&once), sbuf_str(&twice));
    return 0;
}
