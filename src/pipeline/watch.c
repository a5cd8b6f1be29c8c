/* pipeline/watch.c - see watch.h. */
#include "funneld/pipeline/watch.h"

#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/model/contest.h"
#include "funneld/model/inputs.h"

enum { IDS_ROOM = 1000, IDS_SPAN = 100000 };

struct ids {
    int64_t *items;
    size_t n, cap;
};

static enum rc recent_leads(struct reader *r, int64_t since, struct arena *a, struct ids *ret)
{
    int64_t page[IDS_ROOM], after = 0;
    bool end = false;
    enum rc rc = RC_OK;

    while (rc == RC_OK && !end) {
        size_t n = 0;

        rc = read_leads_heard_of(r, since, IDS_SPAN, IDS_ROOM, &after, page, &n, &end);
        for (size_t i = 0; i < n && rc == RC_OK; i++) {
            ret->items = arena_more(a, ret->items, ret->n, &ret->cap, sizeof *ret->items);
            ret->items[ret->n++] = page[i];
        }
    }
    return rc;
}

/* As it is now; its score is that of its last event. */
static enum rc see_lead(struct drift *d, const struct lead_inputs *inputs, struct reader *r,
                        int64_t id, int64_t now_ms, struct arena *a, struct cell cells[])
{
    struct lead lead;
    struct lead_view v = {.lead = &lead, .at = now_ms};
    struct ledger_row *rows = NULL;
    enum rc rc = read_lead(r, id, a, &lead);

    if (rc != RC_OK || lead.state != LEAD_ACTIVE)
        return rc == RC_NONE ? RC_OK : rc;
    rc = read_ledger(r, &lead, INT64_MAX, a, &rows, &v.n_rows);
    if (rc != RC_OK)
        return rc;
    v.rows = rows;
    v.activity = activity_read(lead.activity, a);
    lead_cells(inputs, &v, cells);
    drift_see(d, cells, now_ms);
    return RC_OK;
}

static enum rc see_leads(struct drift *d, const struct model *m, struct reader *r, int64_t now_ms,
                         struct arena *a)
{
    struct arena scratch AUTO(arena_free) = {0};
    struct ids ids = {0};
    struct cell *cells = arena_array(a, model_card(m)->n_inputs, sizeof *cells);
    const struct lead_inputs *inputs = lead_inputs_new(m, a);
    enum rc rc = recent_leads(r, now_ms - WATCH_RECENT_DAYS * DAYS_MS, a, &ids);
    size_t step = ids.n / WATCH_LEADS + 1;

    for (size_t i = 0; i < ids.n && rc == RC_OK; i += step) {
        arena_reset(&scratch);
        rc = see_lead(d, inputs, r, ids.items[i], now_ms, &scratch, cells);
    }
    return rc;
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
        drift_mature(d, cells, (int64_t)moments[i].time, s->positive[moments[i].row]);
    }
}

enum rc watch_model(struct model *m, const struct learning *past, struct reader *r, struct arena *a,
                    struct drift_report *ret)
{
    struct drift *d = drift_new(m, a);
    enum rc rc = see_leads(d, m, r, past->now_ms, a);

    if (rc != RC_OK)
        return rc;
    see_outcomes(d, m, &past->set, a);
    drift_judge(d, ret);
    return RC_OK;
}
