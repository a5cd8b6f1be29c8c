/* base/mem.c - allocation that cannot fail, and arenas. */
#include "funneld/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *or_abort(void *p)
{
    static const char text[] = "funneld: out of memory; what was answered is on disk\n";

    if (!p) {
        (void)!write(STDERR_FILENO, text, sizeof text - 1); /* nothing better to do if this fails */
        abort();
    }
    return p;
}

void *mem_alloc(size_t size)
{
    return or_abort(calloc(1, size ? size : 1));
}

void *mem_array(size_t count, size_t size)
{
    return or_abort(calloc(count ? count : 1, size ? size : 1));
}

void *mem_grow(void *old, size_t count, size_t size)
{
    return or_abort(reallocarray(old, count ? count : 1, size));
}

char *mem_text(struct str s)
{
    char *copy = mem_alloc(s.len + 1);

    if (s.len)
        memcpy(copy, s.at, s.len);
    return copy;
}

void mem_freep(void *pointer_to_pointer)
{
    void *p;

    memcpy(&p, pointer_to_pointer, sizeof p); /* any pointer type, without aliasing tricks */
    free(p);
}

enum { FIRST_BLOCK = 8 * 1024 - 64, LARGEST_BLOCK = 256 * 1024, FIRST_ITEMS = 8 };

/* AddressSanitizer sees who goes past the end of a block: there each allocation has its own. */
#ifdef __SANITIZE_ADDRESS__
enum { OWN_BLOCKS = true };
#else
enum { OWN_BLOCKS = false };
#endif

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(max_align_t) unsigned char bytes[];
};

static struct arena_block *add_block(struct arena *a, size_t need)
{
    size_t size = a->blocks ? a->blocks->size * 2 : FIRST_BLOCK;

    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    if (size < need || OWN_BLOCKS)
        size = need;
    struct arena_block *b = or_abort(malloc(sizeof *b + size));
    *b = (struct arena_block){.next = a->blocks, .size = size};
    a->blocks = b;
    return b;
}

static void *take(struct arena *a, size_t size)
{
    size_t unit = OWN_BLOCKS ? 1 : _Alignof(max_align_t), aligned = (size + unit - 1) & ~(unit - 1);
    struct arena_block *b = a->blocks;

    if (aligned < size)
        or_abort(NULL);
    if (!b || OWN_BLOCKS || b->size - b->used < aligned)
        b = add_block(a, aligned);
    void *p = b->bytes + b->used;
    b->used += aligned;
    a->used += aligned;
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    void *p = take(a, size ? size : 1);

    memset(p, 0, size);
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        or_abort(NULL);
    return arena_alloc(a, total);
}

void *arena_more(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return items;
    *cap = *cap ? *cap * 2 : FIRST_ITEMS;
    void *grown = arena_array(a, *cap, size);
    if (n)
        memcpy(grown, items, n * size);
    return grown;
}

struct str arena_str(struct arena *a, struct str s)
{
    if (!s.at)
        return s;
    char *copy = take(a, s.len + 1);
    memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    return (struct str){copy, s.len};
}

const char *arena_text(struct arena *a, struct str s)
{
    return s.at ? arena_str(a, s).at : arena_str(a, STR("")).at;
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    char few[128] = ""; /* most texts: formatted once */
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(few, sizeof few, fmt, args);
    va_end(args);
    if (n < 0)
        n = 0; /* only an invalid multibyte conversion, which we do not use */
    char *text = take(a, (size_t)n + 1);
    if ((size_t)n < sizeof few)
        memcpy(text, few, (size_t)n + 1);
    else
        (void)!vsnprintf(text, (size_t)n + 1, fmt, again); /* measured above */
    va_end(again);
    return (struct str){text, (size_t)n};
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->blocks;

    while (keep && (keep->next || OWN_BLOCKS)) {
        struct arena_block *next = keep->next;

        free(keep);
        keep = next;
    }
    if (keep)
        keep->used = 0;
    *a = (struct arena){.blocks = keep};
}

void arena_free(struct arena *a)
{
    for (struct arena_block *b = a->blocks; b;) {
        struct arena_block *next = b->next;

        free(b);
        b = next;
    }
    *a = (struct arena){0};
}
