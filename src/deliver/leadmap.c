/* deliver/leadmap.c - open addressing with linear probing; removal closes the gap. */
#include "dueq_priv.h"

#include <stdlib.h>
#include <string.h>

struct leadmap_slot {
    int64_t lead;
    uint32_t value;
    bool used;
};

/* cap is a power of two; ids are small and dense, so they are spread first. */
static size_t home(const struct leadmap *m, int64_t lead)
{
    return (size_t)(((uint64_t)lead * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (m->cap - 1);
}

static struct leadmap_slot *slot_of(const struct leadmap *m, int64_t lead)
{
    size_t i = home(m, lead);

    while (m->slots[i].used && m->slots[i].lead != lead)
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

uint32_t *leadmap_find(const struct leadmap *m, int64_t lead)
{
    struct leadmap_slot *s = m->n ? slot_of(m, lead) : NULL;

    return s && s->used ? &s->value : NULL;
}

static void grow(struct leadmap *m)
{
    struct leadmap bigger = {.cap = m->cap ? m->cap * 2 : 16, .n = m->n};

    bigger.slots = mem_array(bigger.cap, sizeof *bigger.slots);
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].used)
            *slot_of(&bigger, m->slots[i].lead) = m->slots[i];
    free(m->slots);
    *m = bigger;
}

void leadmap_set(struct leadmap *m, int64_t lead, uint32_t value)
{
    if (m->n * 2 >= m->cap)
        grow(m);

    struct leadmap_slot *s = slot_of(m, lead);
    if (!s->used)
        m->n++;
    *s = (struct leadmap_slot){lead, value, true};
}

bool leadmap_remove(struct leadmap *m, int64_t lead)
{
    struct leadmap_slot *s = m->n ? slot_of(m, lead) : NULL;

    if (!s || !s->used)
        return false;

    size_t gap = (size_t)(s - m->slots), mask = m->cap - 1;
    for (size_t i = (gap + 1) & mask; m->slots[i].used; i = (i + 1) & mask) {
        size_t h = home(m, m->slots[i].lead);

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

void leadmap_clear(struct leadmap *m)
{
    if (m->n)
        memset(m->slots, 0, m->cap * sizeof *m->slots);
    m->n = 0;
}

void leadmap_free(struct leadmap *m)
{
    free(m->slots);
    *m = (struct leadmap){0};
}
