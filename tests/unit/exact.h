/* tests/unit/exact.h - a copy of a text without a byte behind it. */
#ifndef FUNNELD_TESTS_EXACT_H
#define FUNNELD_TESTS_EXACT_H

#include "cm.h"

#include <stdlib.h>
#include <string.h>

#include "funneld/base/str.h"

/* Whoever reads too far is seen by AddressSanitizer. The caller frees bytes. */
struct exact {
    struct str text;
    char *bytes;
};

static inline struct exact exact(const char *text)
{
    size_t len = strlen(text);
    char *bytes = malloc(len ? len : 1);

    assert_non_null(bytes);
    memcpy(bytes, text, len);
    return (struct exact){{bytes, len}, bytes};
}

#endif
