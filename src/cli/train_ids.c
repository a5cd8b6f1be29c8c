/* cli/train_ids.c - see train_ids.h. */
#include "train_ids.h"

#include <assert.h>

static size_t hash(struct str s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.at[i]) * UINT64_C(0x100000001b3);
    return (size_t)(h ^ h >> 29);
}

static uint32_t *slot_of(const struct train_ids *t, struct str id)
{
    size_t i = hash(id) & (t->n_slots - 1);

    while (t->slots[i] && !str_eq(t->ids[t->slots[i] - 1], id))
        i = (i + 1) & (t->n_slots - 1);
    return &t->slots[i];
}

static void more_slots(struct train_ids *t)
{
    t->n_slots = t->n_slots ? t->n_slots * 4 : 1024;
    t->slots = arena_array(t->arena, t->n_slots, sizeof *t->slots);
    for (uint32_t i = 0; i < t->n_groups; i++)
        if (t->ids[i].len)
            *slot_of(t, t->ids[i]) = i + 1;
}

static uint32_t new_group(struct train_ids *t, struct str id)
{
    t->ids = arena_more(t->arena, t->ids, t->n_groups, &t->cap, sizeof *t->ids);
    assert(t->ids);
    t->ids[t->n_groups] = id;
    t->n_ids += id.len > 0;
    return t->n_groups++;
}

uint32_t train_ids_group(struct train_ids *t, struct str id)
{
    id = str_trim(id);
    if (!id.len)
        return new_group(t, id);
    if (t->n_ids * 2 >= t->n_slots)
        more_slots(t);
    uint32_t *slot = slot_of(t, id);
    if (!*slot)
        *slot = new_group(t, id) + 1;
    return *slot - 1;
}
