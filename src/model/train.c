/* train.c - from a training set to the two texts of a model. See model/train.h and learn.h. */
#include "funneld/model/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"

enum { MOST_ROWS = 200000, MOST_CELLS = 40000000, LEAST_ROWS = 1000, SIDECAR_BYTES = 32 << 20 };

size_t model_most_rows(size_t max_rows, size_t n_columns)
{
    size_t most = max_rows ? max_rows : MOST_ROWS;
    size_t fit = n_columns ? MOST_CELLS / n_columns : most;

    if (most <= fit)
        return most;
    return fit > LEAST_ROWS ? fit : LEAST_ROWS;
}

/* Every so many rows where there are too many. */
static void sample_rows(struct lesson *l)
{
    size_t all = l->set->table.n_rows;
    size_t most = model_most_rows(l->o->max_rows, l->set->table.n_columns);

    l->n = all < most ? all : most;
    uint32_t *row = arena_array(l->arena, l->n, sizeof *row);
    bool *positive = arena_array(l->arena, l->n, sizeof *positive);
    for (size_t i = 0; i < l->n; i++) {
        row[i] = (uint32_t)(i * all / l->n);
        positive[i] = l->set->positive[row[i]];
        l->n_positive += positive[i];
    }
    l->row = row;
    l->positive = positive;
    leads_number(l);
    if (l->n < all)
        learn_warn(l, "%zu of the %zu rows were learnt from, taken evenly", l->n, all);
}

static enum rc check(const struct training_set *set, struct why *why)
{
    size_t positive = 0;

    if (set->table.n_rows == 0)
        return why_fail(RC_INVALID, why, "there are no rows whose outcome is known");
    if (set->table.n_columns == 0)
        return why_fail(RC_INVALID, why, "there are no columns to learn from");
    if (set->table.n_rows >= UINT32_MAX)
        return why_fail(RC_TOOBIG, why, "there are too many rows");
    for (size_t i = 0; i < set->table.n_rows; i++)
        positive += set->positive[i];
    if (positive == 0 || positive == set->table.n_rows)
        return why_fail(RC_INVALID, why,
                        "all %zu rows have the same outcome: there is nothing to tell apart",
                        set->table.n_rows);
    return RC_OK;
}

/* Only rules while there is little to learn from. */
static bool too_few(const struct lesson *l)
{
    return l->n_inputs == 0 || !leads_suffice(l);
}

static struct str few_verdict(const struct lesson *l)
{
    if (l->n_inputs == 0)
        return STR("no column is left to learn from; stay with rules");
    struct leads all = leads_count(l, NULL, l->n);
    return arena_printf(l->arena,
                        "too little to learn from: %zu %s, %zu of them positive; it takes %d "
                        "and %d of each kind. Stay with rules until then",
                        all.n, l->set->group ? "leads" : "rows", all.positive, FEW_LEADS,
                        FEW_OF_A_CLASS);
}

static enum rc compete(struct lesson *l, struct pupils *p, struct why *why)
{
    enum rc rc = RC_OK;

    folds_make(l);
    learn_progress(l, .08, "fitting logistic regression");
    if (!logistic_learn(l, &p->logistic))
        return RC_CLOSED;
    learn_progress(l, .15, "growing trees");
    p->has_trees = l->n_leads >= TREES_FROM_LEADS;
    if (p->has_trees)
        rc = search_trees(l, &p->trees, why);
    if (rc == RC_NONE) {
        learn_warn(l, "trees were not tried: %s", why->text);
        p->has_trees = false;
    } else if (rc) {
        return rc;
    }
    choose(l, &p->logistic, p->has_trees ? &p->trees : NULL, &p->chosen);
    p->chosen.drift_rows = &p->logistic;
    outcome_report(l, &p->chosen);
    drift_report(l, &p->chosen);
    return RC_OK;
}

static enum rc learn(struct lesson *l, struct pupils *p, struct why *why)
{
    learn_progress(l, 0, "looking at the columns");
    columns_read(l);
    if (learn_stopped(l))
        return RC_CLOSED;
    screen(l);
    learn_progress(l, .02, "looking for what knows too much");
    knows_too_much(l);
    if (learn_stopped(l))
        return RC_CLOSED;
    encoding_learn(l);
    if (learn_stopped(l))
        return RC_CLOSED;
    if (!too_few(l))
        return compete(l, p, why);
    p->chosen = (struct chosen){.which = CHOSE_BASE, .platt_a = 1, .verdict = few_verdict(l)};
    return RC_OK;
}

static enum rc write_sidecar(const struct lesson *l, const struct model *m, struct str *ret,
                             struct why *why)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(SIDECAR_BYTES);

    l->report->warnings = l->warnings;
    l->report->n_warnings = l->n_warnings;
    sidecar_write(m, l->report, &b);
    if (sbuf_seal(&b, l->arena, ret))
        return why_fail(RC_TOOBIG, why, "the model is too big to be written");
    return RC_OK;
}

/* What was written is read as anybody will read it, its sample rows and all. */
static enum rc read_again(const struct trained *t, struct why *why)
{
    struct model *m = NULL;
    enum rc rc = model_read(t->trees, t->sidecar, &m, why);

    model_drop(m);
    return rc ? why_wrap(rc, why, "the new model does not read") : RC_OK;
}

enum rc model_train(const struct training_set *set, const struct train_options *o, struct arena *a,
                    struct trained *ret, struct why *why)
{
    struct arena scratch AUTO(arena_free) = {0};
    struct why unheard = {0};
    struct lesson l = {.set = set, .o = o, .arena = &scratch};
    struct pupils p = {0};
    struct model m = {.platt_a = 1};
    struct trained t = {0};
    why = why ? why : &unheard;
    enum rc rc = check(set, why);

    if (rc)
        return rc;
    l.report = ARENA_NEW(&scratch, struct training_report);
    l.report->seed = o->seed;
    sample_rows(&l);
    rc = l.n_positive == 0 || l.n_positive == l.n
             ? why_fail(RC_INVALID, why, "the rows that were taken all have the same outcome")
             : learn(&l, &p, why);
    if (rc == RC_OK)
        rc = assemble(&l, &p, &m, &t.trees, why);
    if (rc == RC_OK)
        rc = write_sidecar(&l, &m, &t.sidecar, why);
    if (rc == RC_OK)
        rc = read_again(&t, why);
    if (rc)
        return rc == RC_CLOSED ? why_fail(rc, why, "training was stopped") : rc;
    *ret = (struct trained){arena_str(a, t.trees), arena_str(a, t.sidecar)};
    learn_progress(&l, 1, "done");
    return RC_OK;
}
