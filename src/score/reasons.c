/* score/reasons.c - a score in the words of a salesperson. */
#include <stdlib.h>

#include "funneld/base/sbuf.h"
#include "funneld/score/scorecard.h"

/* All lines of a rule. */
struct reason {
    struct str rule, why;
    int64_t worth;
    size_t times, first; /* first: its place among the lines */
};

static int by_rule(const void *a, const void *b)
{
    const struct reason *x = a, *y = b;
    int order = str_cmp(x->rule, y->rule);

    return order ? order : (x->first > y->first) - (x->first < y->first);
}

static int by_worth(const void *a, const void *b)
{
    const struct reason *x = a, *y = b;
    int64_t p = llabs(x->worth), q = llabs(y->worth);

    if (p != q)
        return p > q ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* Later lines are newer: their words count. */
static size_t merge(struct reason *reasons, size_t n)
{
    size_t merged = 0;

    for (size_t i = 0; i < n; i++) {
        struct reason *last = merged ? &reasons[merged - 1] : NULL;

        if (last && str_eq(last->rule, reasons[i].rule)) {
            last->worth += reasons[i].worth;
            last->times++;
            last->why = reasons[i].why;
        } else {
            reasons[merged++] = reasons[i];
        }
    }
    return merged;
}

static void write_reason(struct sbuf *b, const struct reason *r, struct arena *a)
{
    sbuf_printf(b, "%s%.*s", b->len ? ", " : "", STR_ARG(r->why));
    if (r->times > 1)
        sbuf_printf(b, " (%zux)", r->times);
    sbuf_printf(b, " %s%s", r->worth > 0 ? "+" : "", tenths_text(r->worth, a).at);
}

struct str score_reasons(const struct verdict_score *v, size_t n, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 2); /* n sentences of the configuration */
    struct reason *reasons = arena_array(a, v->n_lines, sizeof *reasons);
    size_t count = 0;

    for (size_t i = 0; i < v->n_lines; i++) {
        const struct score_line *l = &v->lines[i];

        if (!l->cap)
            reasons[count++] = (struct reason){l->rule, l->why, l->worth, 1, i};
    }
    qsort(reasons, count, sizeof *reasons, by_rule);
    count = merge(reasons, count);
    qsort(reasons, count, sizeof *reasons, by_worth);
    for (size_t i = 0; i < count && i < n; i++)
        if (reasons[i].worth)
            write_reason(&b, &reasons[i], a);
    return arena_str(a, sbuf_str(&b));
}
