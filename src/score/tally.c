/* score/tally.c - see tally.h.
 *
 * A heap of firings, the one that is next to be worth less on top. When that is follows from the
 * half-life, a millisecond early for what doubles leave out: until then the worth is looked at anew
 * each time, and found to be the same. What does not decay, or has decayed to nothing, is not in
 * the heap. Of rules that are gone each row is looked at each time: their caps depend on all of
 * them.
 */
#include "funneld/score/tally.h"

#include <math.h>

#include "scorecard_priv.h"

struct counted {
    struct ledger_row row;
    size_t rule, group; /* NOT_FOUND: in no group */
    int64_t worth, until;
};

struct tally {
    const struct scorecard *card;
    struct arena *arena;
    struct score_base base;
    size_t lines[SCORE_MAX_GROUPS]; /* worth something */
    struct counted *rows;
    size_t n_rows, cap_rows;
    size_t *heap; /* of rows */
    size_t n_heap, cap_heap;
    struct ledger_row *gone;
    size_t n_gone, cap_gone;
    int64_t at;
};

struct tally *tally_new(const struct scorecard *c, struct arena *a)
{
    struct tally *t = ARENA_NEW(a, struct tally);

    t->card = c;
    t->arena = a;
    t->at = INT64_MIN;
    return t;
}

static bool is_later(const struct tally *t, size_t i, size_t k)
{
    return t->rows[t->heap[i]].until > t->rows[t->heap[k]].until;
}

static void swap(struct tally *t, size_t i, size_t k)
{
    size_t kept = t->heap[i];

    t->heap[i] = t->heap[k];
    t->heap[k] = kept;
}

static void push(struct tally *t, size_t row)
{
    size_t i = t->n_heap;

    t->heap = arena_more(t->arena, t->heap, t->n_heap, &t->cap_heap, sizeof *t->heap);
    t->heap[t->n_heap++] = row;
    for (; i && is_later(t, (i - 1) / 2, i); i = (i - 1) / 2)
        swap(t, i, (i - 1) / 2);
}

static size_t pop(struct tally *t)
{
    size_t top = t->heap[0];

    t->heap[0] = t->heap[--t->n_heap];
    for (size_t i = 0, next; (next = 2 * i + 1) < t->n_heap; i = next) {
        next += next + 1 < t->n_heap && is_later(t, next, next + 1);
        if (!is_later(t, i, next))
            break;
        swap(t, i, next);
    }
    return top;
}

void tally_add(struct tally *t, const struct ledger_row *row)
{
    size_t rule = scorecard_rule(t->card, row->rule);

    if (rule == NOT_FOUND) {
        t->gone = arena_more(t->arena, t->gone, t->n_gone, &t->cap_gone, sizeof *t->gone);
        t->gone[t->n_gone++] = *row;
        return;
    }
    t->rows = arena_more(t->arena, t->rows, t->n_rows, &t->cap_rows, sizeof *t->rows);
    t->rows[t->n_rows] = (struct counted){
        .row = *row, .rule = rule, .group = t->card->rules[rule].group_at, .until = INT64_MIN};
    push(t, t->n_rows++);
}

static void set_worth(struct tally *t, struct counted *c, int64_t worth)
{
    t->base.rules[c->rule] += worth - c->worth;
    t->base.engagement += worth - c->worth;
    if (c->group != NOT_FOUND) {
        t->base.groups[c->group] += worth - c->worth;
        t->lines[c->group] += (worth != 0);
        t->lines[c->group] -= (c->worth != 0);
        t->base.engaged[c->group] = t->lines[c->group] > 0;
    }
    c->worth = worth;
}

/* Until then it is worth this: it rounds to a tenth less when points * 2^(-age / half-life) is half
 * a tenth below. */
static int64_t lasts_until(const struct counted *c, int64_t at)
{
    double points = fabs((double)c->row.points), worth = fabs((double)c->worth);
    double age = (double)c->row.half_life_ms * log2(points / (worth - 0.5));
    double until = (double)c->row.occurred_at + age - 1;

    if (until >= 0x1p62)
        return INT64_MAX;
    return until >= (double)at + 1 ? (int64_t)until : at + 1; /* after `at`, or it never ends */
}

static void look_again(struct tally *t, size_t i, int64_t at)
{
    struct counted *c = &t->rows[i];

    set_worth(t, c, ledger_worth(&c->row, at));
    if (c->row.half_life_ms <= 0 || !c->worth)
        return; /* it stays as it is */
    c->until = lasts_until(c, at);
    push(t, i);
}

static void begin_anew(struct tally *t)
{
    t->n_heap = 0;
    for (size_t i = 0; i < t->n_rows; i++) {
        t->rows[i].until = INT64_MIN;
        push(t, i);
    }
}

void tally_evaluate(struct tally *t, const struct lead *lead, int64_t at, struct verdict_score *ret)
{
    if (at < t->at)
        begin_anew(t);
    t->at = at;
    while (t->n_heap && t->rows[t->heap[0]].until <= at)
        look_again(t, pop(t), at);
    scorecard_evaluate_from(t->card, &t->base, lead, t->gone, t->n_gone, at, ret);
}
