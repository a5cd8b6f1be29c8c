/* tests/fuzz/fuzz_facts.c - what a message says, as it is kept with its delivery. */
#include "fuzz.h"

#include "funneld/route/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    struct sbuf once AUTO(sbuf_free) = SBUF(1 << 24), twice AUTO(sbuf_free) = SBUF(1 << 24);
    struct delivery_facts facts = {.score = 77}, again;
    struct why why = {0};

    if (facts_from_json(fuzz_text(data, size), &a, &facts, &why)) {
        assert_true(why.text[0] && facts.score == 77);
        return 0;
    }
    assert_true(facts.band < BAND_COUNT);
    facts_to_json(&facts, &once);
    assert_int_equal(facts_from_json(sbuf_str(&once), &a, &again, &why), RC_OK);
    facts_to_json(&again, &twice);
    fuzz_same(sbuf_str(&once), sbuf_str(&twice));
    assert_true(again.score == facts.score && again.previous == facts.previous);
    assert_true(again.previous_probability == facts.previous_probability);
    assert_true(again.event_time == facts.event_time);
    return 0;
}
