/* pipeline/watch.c - see watch.h. */
#include "funneld/pipeline/watch.h"

#include <stdlib.h>

#include "funneld/model/contest.h"

static void see_leads(struct drift *d, const struct model *m, const struct training_set *recent,
                      struct arena *a)
{
    struct cell *cells = arena_array(a, model_card(m)->n_inputs, sizeof *cells);
    const size_t *columns = model_columns(m, &recent->table, a);

    for (size_t i = 0; i < recent->table.n_rows; i++) {
        model_row(m, &recent->table, columns, i, cells);
        drift_see(d, cells, (int64_t)recent->time[i]);
    }
}

struct moment {
    double time;
    size_t row;
};

static int by_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;

    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Those that the model cannot have learnt from: their time was not over when it was trained. Which
 * outcomes were known by then does not matter: to go by that would leave out the early ones of a
 * time and keep those to which nothing happened. */
static void see_outcomes(struct drift *d, const struct model *m, const struct training_set *s,
                         struct arena *a)
{
    double learnt_until = (double)(model_card(m)->trained_at - model_card(m)->horizon_ms);
    struct moment *moments = arena_array(a, s->table.n_rows, sizeof *moments);
    struct cell *cells = arena_array(a, model_card(m)->n_inputs, sizeof *cells);
    const size_t *columns = model_columns(m, &s->table, a);
    size_t n = 0;

    for (size_t i = 0; i < s->table.n_rows; i++)
        if (s->time[i] > learnt_until)
            moments[n++] = (struct moment){s->time[i], i};
    if (n)
        qsort(moments, n, sizeof *moments, by_time);
    for (size_t i = 0; i < n; i++) {
        model_row(m, &s->table, columns, moments[i].row, cells);
        drift_mature(d, cells, (int64_t)moments[i].time, s->positive[moments[i].row],
                     s->group[moments[i].row]);
    }
}

void watch_model(struct model *m, const struct learning *past, struct arena *a,
                 struct drift_report *ret)
{
    struct drift *d = drift_new(m, a);

    see_leads(d, m, &past->recent, a);
    see_outcomes(d, m, &past->set, a);
    drift_judge(d, ret);
}
