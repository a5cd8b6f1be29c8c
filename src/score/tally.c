/* score/tally.c - see tally.h.
 *
 * A heap of firings, the one that is next to be worth less on top. When that is follows from the
 * half-life, a little early for what doubles leave out: until then the worth is looked at anew
 * each time, and found to be the same. What does not decay, or has decayed to nothing, is not in
 * the heap. A rule that is gone has a sum of its own, as any other.
 */
#include "funneld/score/tally.h"

#include <math.h>

#include "scorecard_priv.h"

struct counted {
    struct ledger_row row;
    bool gone;
    size_t rule;  /* of the scorecard's, or of those that are gone */
    size_t group; /* NOT_FOUND: in no group */
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
    size_t cap_gone;
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

/* Among those that are gone; there are few. */
static size_t gone_rule(struct tally *t, const struct ledger_row *row)
{
    struct score_base *b = &t->base;
    size_t i = 0;

    while (i < b->n_gone && !str_eq(b->gone[i].name, row->rule))
        i++;
    if (i == b->n_gone) {
        b->gone = arena_more(t->arena, b->gone, b->n_gone, &t->cap_gone, sizeof *b->gone);
        b->gone[b->n_gone++] = gone_rule_of(row->rule);
    }
    gone_rule_take(&b->gone[i], row);
    return i;
}

void tally_add(struct tally *t, const struct ledger_row *row)
{
    size_t rule = scorecard_rule(t->card, row->rule);
    struct counted c = {.row = *row, .rule = rule, .until = INT64_MIN};

    if (rule == NOT_FOUND) {
        c.gone = true;
        c.rule = gone_rule(t, row);
        c.group = scorecard_group(t->card, row->group);
    } else {
        c.group = t->card->rules[rule].group_at;
    }
    t->rows = arena_more(t->arena, t->rows, t->n_rows, &t->cap_rows, sizeof *t->rows);
    t->rows[t->n_rows] = c;
    push(t, t->n_rows++);
}

static void set_worth(struct tally *t, struct counted *c, int64_t worth)
{
    *(c->gone ? &t->base.gone[c->rule].sum : &t->base.rules[c->rule]) += worth - c->worth;
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
 * a tenth below. Doubles leave out the more, the longer the half-life is and the farther the times.
 */
static int64_t lasts_until(const struct counted *c, int64_t at)
{
    double points = fabs((double)c->row.points), worth = fabs((double)c->worth);
    double age = (double)c->row.half_life_ms * log2(points / (worth - 0.5));
    double left_out =
        (fabs((double)c->row.occurred_at) + age + (double)c->row.half_life_ms) * 0x1p-48;
    double until = (double)c->row.occurred_at + age - left_out - 1;

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
    scorecard_evaluate_from(t->card, &t->base, lead, ret);
}
