/* tests/unit/vectors.h - a file of test vectors, read whole. */
#ifndef FUNNELD_TESTS_VECTORS_H
#define FUNNELD_TESTS_VECTORS_H

#include <stdio.h>

#include "cm.h"
#include "funneld/base/mem.h"

static inline struct str read_file(const char *path, struct arena *a)
{
    enum { MAX = 1 << 20 };
    char *text = arena_alloc(a, MAX);
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    size_t n = fread(text, 1, MAX, f);
    assert_int_equal(fclose(f), 0);
    assert_in_range(n, 1, MAX - 1);
    return (struct str){text, n};
}

#endif
