/* model/contest.c - see contest.h. */
#include "funneld/model/contest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/model/drift.h"

static const double newest_share = 0.2;

size_t *model_columns(const struct model *m, const struct table *t, struct arena *a)
{
    size_t n = model_card(m)->n_inputs, *columns = arena_array(a, n, sizeof *columns);

    for (size_t i = 0; i < n; i++)
        columns[i] = SIZE_MAX;
    for (size_t c = 0, i; c < t->n_columns; c++)
        if (model_input_find(m, t->columns[c].name, &i))
            columns[i] = c;
    return columns;
}

void model_row(const struct model *m, const struct table *t, const size_t columns[], size_t row,
               struct cell ret[])
{
    for (size_t i = 0; i < model_card(m)->n_inputs; i++)
        ret[i] = columns[i] == SIZE_MAX ? (struct cell){.number = NAN}
                                        : column_cell(&t->columns[columns[i]], row);
}

static int64_t row_at(const struct training_set *s, size_t row)
{
    return s->time_is_ms ? (int64_t)s->time[row] : 0;
}

static void foresee(const struct model *m, const struct training_set *s, const size_t rows[],
                    size_t n, double ret[])
{
    struct arena a AUTO(arena_free) = {0};
    const size_t *columns = model_columns(m, &s->table, &a);
    struct cell *cells = arena_array(&a, model_card(m)->n_inputs, sizeof *cells);

    for (size_t i = 0; i < n; i++) {
        model_row(m, &s->table, columns, rows[i], cells);
        ret[i] = model_probability(m, cells, row_at(s, rows[i]));
    }
}

/* Which rows, rising. */
struct choice {
    size_t *rows, n;
};

static double known_at(const struct training_set *s, size_t row)
{
    return s->known_at ? s->known_at[row] : s->time[row];
}

static int by_number(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* What is newer than the rest, and than the champion: so by then the challenger knows no less. */
static double newest_from(const struct training_set *s, double champion_since)
{
    struct arena a AUTO(arena_free) = {0};
    size_t n = s->table.n_rows;
    double *times = arena_array(&a, n, sizeof *times);

    memcpy(times, s->time, n * sizeof *times);
    qsort(times, n, sizeof *times, by_number);
    double from = n ? times[(size_t)((double)n * (1 - newest_share))] : 0;
    return fmax(from, champion_since);
}

/* Rows of a lead stay on one side. Those that were learnt from decide which, for whether a lead
 * goes on to have newer rows depends on what came of it. */
static void divide(const struct training_set *s, double from, struct arena *a, struct choice *older,
                   struct choice *newest)
{
    size_t n = s->table.n_rows;
    uint32_t groups = 0;

    for (size_t i = 0; i < n && s->group; i++)
        groups = s->group[i] > groups ? s->group[i] : groups;
    bool *is_older = arena_array(a, (size_t)groups + 1, sizeof *is_older);
    older->rows = arena_array(a, n, sizeof *older->rows);
    newest->rows = arena_array(a, n, sizeof *newest->rows);
    for (size_t i = 0; i < n; i++)
        if (s->time[i] <= from && known_at(s, i) <= from) {
            older->rows[older->n++] = i;
            if (s->group)
                is_older[s->group[i]] = true;
        }
    for (size_t i = 0; i < n; i++)
        if (s->time[i] > from && !(s->group && is_older[s->group[i]]))
            newest->rows[newest->n++] = i;
}

static void copy_columns(const struct table *t, const struct choice *c, struct arena *a,
                         struct table *ret)
{
    struct column *columns = arena_array(a, t->n_columns, sizeof *columns);

    for (size_t k = 0; k < t->n_columns; k++) {
        const struct column *from = &t->columns[k];
        struct str *texts = from->texts ? arena_array(a, c->n, sizeof *texts) : NULL;
        double *numbers = from->numbers ? arena_array(a, c->n, sizeof *numbers) : NULL;

        for (size_t i = 0; i < c->n; i++) {
            if (texts)
                texts[i] = from->texts[c->rows[i]];
            if (numbers)
                numbers[i] = from->numbers[c->rows[i]];
        }
        columns[k] = (struct column){.name = from->name, .texts = texts, .numbers = numbers};
    }
    *ret = (struct table){.columns = columns, .n_columns = t->n_columns, .n_rows = c->n};
}

static void copy_rows(const struct training_set *s, const struct choice *c, struct arena *a,
                      struct training_set *ret)
{
    bool *positive = arena_array(a, c->n, sizeof *positive);
    double *time = arena_array(a, c->n, sizeof *time);
    double *known = s->known_at ? arena_array(a, c->n, sizeof *known) : NULL;
    uint32_t *group = s->group ? arena_array(a, c->n, sizeof *group) : NULL;

    for (size_t i = 0; i < c->n; i++) {
        positive[i] = s->positive[c->rows[i]];
        time[i] = s->time[c->rows[i]];
        if (known)
            known[i] = s->known_at[c->rows[i]];
        if (group)
            group[i] = s->group[c->rows[i]];
    }
    *ret = (struct training_set){.positive = positive,
                                 .time = time,
                                 .time_is_ms = s->time_is_ms,
                                 .known_at = known,
                                 .group = group};
    copy_columns(&s->table, c, a, &ret->table);
}

/* Outcomes of the newest, and what each side makes of them. */
struct round {
    bool *positive;
    uint32_t *lead;
    struct outcomes outcomes;
    double *before, *after;
};

static void see_newest(const struct training_set *s, const struct choice *newest, struct arena *a,
                       struct round *r, struct contest *ret)
{
    r->positive = arena_array(a, newest->n, sizeof *r->positive);
    r->lead = arena_array(a, newest->n, sizeof *r->lead);
    r->before = arena_array(a, newest->n, sizeof *r->before);
    r->after = arena_array(a, newest->n, sizeof *r->after);
    for (size_t i = 0; i < newest->n; i++) {
        r->positive[i] = s->positive[newest->rows[i]];
        r->lead[i] = s->group ? s->group[newest->rows[i]] : (uint32_t)i;
    }
    r->outcomes = (struct outcomes){r->positive, r->lead, newest->n};
    count_leads(&r->outcomes, &ret->n_newest, &ret->n_positive);
}

static bool decides(const struct contest *c)
{
    size_t other = c->n_newest - c->n_positive;

    return c->n_newest >= CONTEST_MIN_NEWEST && c->n_positive >= CONTEST_MIN_POSITIVE &&
           other >= CONTEST_MIN_POSITIVE;
}

/* Without a champion: who knows but the rate of the past. */
static void foresee_rate(const struct training_set *older, size_t n, double ret[])
{
    size_t positive = 0;

    for (size_t i = 0; i < older->table.n_rows; i++)
        positive += older->positive[i];
    for (size_t i = 0; i < n; i++)
        ret[i] = ((double)positive + 0.5) / ((double)older->table.n_rows + 1);
}

static enum rc fight(const struct training_set *set, const struct model *champion,
                     const struct choice *older, const struct choice *newest, const struct round *r,
                     const struct train_options *o, struct arena *a, struct contest *ret,
                     struct why *why)
{
    struct training_set past;
    struct trained trained;
    struct model *challenger = NULL;

    copy_rows(set, older, a, &past);
    enum rc rc = model_train(&past, o, a, &trained, why);
    if (rc == RC_OK)
        rc = model_read(trained.trees, trained.sidecar, &challenger, why);
    if (rc != RC_OK)
        return rc;
    foresee(challenger, set, newest->rows, newest->n, r->after);
    if (champion)
        foresee(champion, set, newest->rows, newest->n, r->before);
    else
        foresee_rate(&past, newest->n, r->before);
    log_loss_gain(r->before, r->after, &r->outcomes, &ret->gain, &ret->error);
    ret->won = model_card(challenger)->usable && ret->gain > ret->error;
    model_drop(challenger);
    return RC_OK;
}

static void tell(const struct model *champion, struct contest *c, struct arena *a)
{
    const char *other = champion ? "the model in use" : "the rate alone";

    c->reason =
        arena_printf(a,
                     "on the %zu newest leads whose time is over (%zu positive) the log "
                     "loss of the new model is %.4f %s than that of %s, standard error "
                     "%.4f: %s",
                     c->n_newest, c->n_positive, fabs(c->gain), c->gain > 0 ? "lower" : "higher",
                     other, c->error, c->won ? "it takes over" : "nothing changes");
}

/* By the same recipe, which may yet find that all rows together tell nothing. */
static enum rc learn_from_all(const struct training_set *set, const struct train_options *o,
                              struct arena *a, struct contest *c, struct why *why)
{
    struct model *m = NULL;
    enum rc rc = model_train(set, o, a, &c->challenger, why);

    if (rc == RC_OK)
        rc = model_read(c->challenger.trees, c->challenger.sidecar, &m, why);
    if (rc != RC_OK)
        return rc;
    c->won = model_card(m)->usable;
    if (!c->won)
        c->reason = arena_printf(a, "learnt from all rows the new model is %.*s: nothing changes",
                                 STR_ARG(model_card(m)->verdict));
    model_drop(m);
    return RC_OK;
}

enum rc model_contest(const struct training_set *set, const struct model *champion,
                      double champion_since, const struct train_options *o, struct arena *a,
                      struct contest *ret, struct why *why)
{
    struct choice older = {0}, newest = {0};
    struct contest c = {0};
    struct round r;

    divide(set, newest_from(set, champion ? champion_since : -INFINITY), a, &older, &newest);
    see_newest(set, &newest, a, &r, &c);
    if (!decides(&c))
        return why_fail(RC_NONE, why,
                        "only %zu leads whose time is over are newer than the model in use and "
                        "most others, %zu of them positive: too few to judge by",
                        c.n_newest, c.n_positive);
    enum rc rc = fight(set, champion, &older, &newest, &r, o, a, &c, why);
    if (rc != RC_OK)
        return rc;
    tell(champion, &c, a);
    if (c.won)
        rc = learn_from_all(set, o, a, &c, why);
    if (rc != RC_OK)
        return rc;
    *ret = c;
    return RC_OK;
}
