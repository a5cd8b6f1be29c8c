/* base/idmap.c - open addressing with linear probing; removal closes the gap. */
#include "funneld/base/idmap.h"

#include <stdlib.h>
#include <string.h>

#include "funneld/base/mem.h"

struct idmap_slot {
    int64_t id, value;
    bool used;
};

/* cap is a power of two; ids are small and dense, so they are spread first. */
static size_t home(const struct idmap *m, int64_t id)
{
    return (size_t)(((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (m->cap - 1);
}

static struct idmap_slot *slot_of(const struct idmap *m, int64_t id)
{
    size_t i = home(m, id);

    while (m->slots[i].used && m->slots[i].id != id)
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

int64_t *idmap_find(const struct idmap *m, int64_t id)
{
    struct idmap_slot *s = m->n ? slot_of(m, id) : NULL;

    return s && s->used ? &s->value : NULL;
}

static void grow(struct idmap *m)
{
    struct idmap bigger = {.cap = m->cap ? m->cap * 2 : 16, .n = m->n};

    bigger.slots = mem_array(bigger.cap, sizeof *bigger.slots);
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].used)
            *slot_of(&bigger, m->slots[i].id) = m->slots[i];
    free(m->slots);
    *m = bigger;
}

void idmap_set(struct idmap *m, int64_t id, int64_t value)
{
    if (m->n * 2 >= m->cap)
        grow(m);

    struct idmap_slot *s = slot_of(m, id);
    if (!s->used)
        m->n++;
    *s = (struct idmap_slot){id, value, true};
}

bool idmap_remove(struct idmap *m, int64_t id)
{
    struct idmap_slot *s = m->n ? slot_of(m, id) : NULL;

    if (!s || !s->used)
        return false;

    size_t gap = (size_t)(s - m->slots), mask = m->cap - 1;
    for (size_t i = (gap + 1) & mask; m->slots[i].used; i = (i + 1) & mask) {
        size_t h = home(m, m->slots[i].id);

        /* It may move into the gap unless its home lies behind the gap. */
        if (((i - h) & mask) >= ((i - gap) & mask)) {
            m->slots[gap] = m->slots[i];
            gap = i;
        }
    }
    m->slots[gap].used = false;
    m->n--;
    return true;
}

void idmap_clear(struct idmap *m)
{
    if (m->n)
        memset(m->slots, 0, m->cap * sizeof *m->slots);
    m->n = 0;
}

void idmap_free(struct idmap *m)
{
    free(m->slots);
    *m = (struct idmap){0};
}
