/* base/mem.h - allocation by lifetime.
 *
 * mem_* and arenas never return NULL: when the machine has no memory they say so on standard
 * error and abort, because our promises are on disk and a restart keeps them. Whatever a
 * client can make large is bounded before it gets here (request body, sbuf ceilings).
 */
#ifndef FUNNELD_BASE_MEM_H
#define FUNNELD_BASE_MEM_H

#include <stddef.h>

#include "funneld/base/str.h"

void *mem_alloc(size_t size);                         /* zeroed; free() it */
void *mem_array(size_t count, size_t size);           /* zeroed, overflow checked */
void *mem_grow(void *old, size_t count, size_t size); /* realloc, overflow checked, NOT zeroed */
char *mem_text(struct str s);                         /* copy with a NUL at the end */
void mem_freep(void *pointer_to_pointer);             /* for AUTO(mem_freep) */

/* An arena frees everything it gave at once. One owner, one thread at a time. */
struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes given out, for limits and tests */
};

void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for anything */
void *arena_array(struct arena *a, size_t count, size_t size);
/* Room for one more in an array of n items, *cap of them allocated: the array itself, or a larger
 * copy of it. */
void *arena_more(struct arena *a, void *items, size_t n, size_t *cap, size_t size);
struct str arena_str(struct arena *a, struct str s); /* copy, NUL after it; missing stays missing */
const char *arena_text(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void arena_reset(struct arena *a); /* empties it, keeps the first block */
void arena_free(struct arena *a);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
