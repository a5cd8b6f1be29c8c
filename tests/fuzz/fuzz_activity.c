/* tests/fuzz/fuzz_activity.c - what a lead did, as it stands in its row of the database. */
#include "fuzz.h"

#include "funneld/lead/activity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    const struct str bytes = fuzz_text(data, size);
    const struct str empty = activity_write(activity_read(STR_NULL, &a), &a);
    struct activity *t = activity_read(bytes, &a), *twice = activity_read(STR_NULL, &a);
    const struct str again = activity_write(t, &a);

    assert_true(str_eq(again, bytes) || str_eq(again, empty)); /* as a whole, or not at all */
    activity_merge(twice, t, &a);
    fuzz_same(activity_write(twice, &a), again);
    activity_add(twice, STR("visit"), INT64_C(1767225600000), &a);
    fuzz_same(activity_write(activity_read(activity_write(twice, &a), &a), &a),
              activity_write(twice, &a));
    return 0;
}
