/* tests/fuzz/fuzz.h - what the fuzzers share: an input as lines and parts, checks that abort.
 *
 * Inputs are texts that a person can read and write: lines in front, a body behind an empty line,
 * parts with a line `---` between them.
 */
#ifndef FUNNELD_TESTS_FUZZ_H
#define FUNNELD_TESTS_FUZZ_H

#include "cm.h"

#include <stdlib.h>
#include <string.h>

#include "funneld/base/json.h"

#define MAYBE    __attribute__((unused))
#define FUZZ_NOW INT64_C(1769081994066)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A check of cmocka that fails outside of its tests then aborts, and libFuzzer keeps the input. */
__attribute__((constructor)) static void fuzz_abort_on_failure(void)
{
    if (setenv("CMOCKA_TEST_ABORT", "1", 1))
        abort();
}

static inline struct str fuzz_text(const uint8_t *data, size_t size)
{
    return (struct str){size ? (const char *)data : "", size};
}

/* The next line, without its end; false when none is left. */
static inline bool fuzz_line(struct str *rest, struct str *ret)
{
    return rest->len && str_split(rest, '\n', ret);
}

/* What stands in front of the next line `---`; false when nothing is left. */
static inline bool fuzz_part(struct str *rest, struct str *ret)
{
    static const struct str border = {"\n---\n", 5};

    if (!rest->at)
        return false;
    const char *end = str_find(*rest, border);
    *ret = end ? (struct str){rest->at, (size_t)(end - rest->at)} : *rest;
    *rest = end ? str_from(*rest, ret->len + border.len) : STR_NULL;
    return true;
}

/* "name: value" taken apart; without a colon all of it is the name. */
static inline struct str fuzz_split(struct str line, char sign, struct str *ret_value)
{
    struct str name = STR("");

    (void)str_split(&line, sign, &name);
    *ret_value = line.at ? str_trim(line) : STR("");
    return name;
}

static MAYBE bool fuzz_holds(struct str text, const char *part)
{
    return str_find(text, str_of(part)) != NULL;
}

static MAYBE void fuzz_same(struct str a, struct str b)
{
    if (!str_eq(a, b))
        fail_msg("once \"%.*s\", once \"%.*s\"", STR_ARG(a), STR_ARG(b));
}

static MAYBE void fuzz_is_json(struct str text)
{
    struct json_doc doc = {0};
    struct why why = {0};

    if (json_parse(text, &doc, &why))
        fail_msg("not JSON, %s: %.*s", why.text, STR_ARG(text));
    json_doc_free(&doc);
}

#endif
