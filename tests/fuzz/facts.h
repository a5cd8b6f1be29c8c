/* tests/fuzz/facts.h - something for expressions and templates to look at. */
#ifndef FUNNELD_TESTS_FUZZ_FACTS_H
#define FUNNELD_TESTS_FUZZ_FACTS_H

#include "fuzz.h"

#include "funneld/score/expr.h"

#define FACT(name_, value_)                                                                        \
    {                                                                                              \
        .name = {name_, sizeof(name_) - 1}, .value = { value_, sizeof(value_) - 1 }                \
    }

static const struct field fuzz_data[] = {
    FACT("plan", "Pro & <More>"), FACT("empty", ""), FACT("big", "9007199254740993"),
    FACT("date", "2026-01-02"), FACT("\xCE\xB1", "\xCE\xB1\xCE\xB2\xCE\xB3")};
static struct property fuzz_properties[] = {FACT("amount", "12.50"), FACT("company", "A&B <Ltd>"),
                                            FACT("email", "ada@example.com"),
                                            FACT("firstname", "Ada"), FACT("zip", "007")};
static const struct event fuzz_event = {.source = {"hubspot", 7},
                                        .type = {"contact.propertyChange", 22},
                                        .property = {"demo_requested", 14},
                                        .value = {"true", 4},
                                        .occurred_at = INT64_C(1767225600000),
                                        .data = fuzz_data,
                                        .n_data = ARRAY_LEN(fuzz_data)};
static const struct lead fuzz_lead = {
    .id = 7, .properties = fuzz_properties, .n_properties = ARRAY_LEN(fuzz_properties)};

/* Everything there, and nothing. */
static const struct facts fuzz_facts[] = {
    {.event = &fuzz_event,
     .lead = &fuzz_lead,
     .score = 825,
     .previous = 799,
     .band = BAND_HOT,
     .previous_probability = 1},
    {.score = -5},
};

#endif
