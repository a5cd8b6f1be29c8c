/* leads.c - which rows of a lesson are of one lead. What is asked of a set is asked of its leads:
 * many rows of few leads teach no more than few rows. */
#include <stdlib.h>

#include "learn.h"

struct member {
    uint32_t group;
    uint32_t row;
};

static int by_group(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static void keep_first(struct lesson *l)
{
    AUTO(mem_freep) bool *seen = mem_array(l->n_leads + 1, sizeof *seen);
    uint32_t *first = arena_array(l->arena, l->n_leads, sizeof *first);
    size_t n = 0;

    for (uint32_t i = 0; i < l->n; i++)
        if (!seen[l->lead[i]]) {
            seen[l->lead[i]] = true;
            first[n++] = i;
        }
    l->first = first;
}

void leads_number(struct lesson *l)
{
    AUTO(mem_freep) struct member *m = mem_array(l->n + 1, sizeof *m);
    uint32_t *lead = arena_array(l->arena, l->n, sizeof *lead);
    uint32_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        m[i] = (struct member){l->set->group ? l->set->group[l->row[i]] : (uint32_t)i, (uint32_t)i};
    qsort(m, l->n, sizeof *m, by_group);
    for (size_t i = 0; i < l->n; i++) {
        n += i && m[i].group != m[i - 1].group;
        lead[m[i].row] = n;
    }
    l->lead = lead;
    l->n_leads = l->n ? n + 1 : 0;
    keep_first(l);
}

struct leads leads_count(const struct lesson *l, const uint32_t rows[], size_t n)
{
    enum { SEEN = 1, POSITIVE = 2 };
    AUTO(mem_freep) uint8_t *is = mem_array(l->n_leads + 1, sizeof *is);
    struct leads ret = {0};

    for (size_t i = 0; i < n; i++) {
        size_t row = rows ? rows[i] : i;

        is[l->lead[row]] |= l->positive[row] ? SEEN | POSITIVE : SEEN;
    }
    for (size_t k = 0; k < l->n_leads; k++) {
        ret.n += (is[k] & SEEN) != 0;
        ret.positive += (is[k] & POSITIVE) != 0;
    }
    return ret;
}

bool leads_both(struct leads c)
{
    return c.positive >= FEW_OF_A_CLASS && c.n - c.positive >= FEW_OF_A_CLASS;
}

bool leads_suffice(const struct lesson *l)
{
    struct leads all = leads_count(l, NULL, l->n);

    return all.n >= FEW_LEADS && leads_both(all);
}
