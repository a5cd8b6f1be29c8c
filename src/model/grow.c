/* grow.c - trees grown in each fold until they win nothing more.
 *
 * The number of rounds is one for all folds: where the mean of their losses is least, so that what
 * is predicted out of fold is what a model of that many rounds predicts. A fold's matrices hold
 * what XGBoost worked out about them and are used by one thread at a time.
 */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

/* A look at the fold costs as much as half a round. */
enum { MOST_ROUNDS = 1200, PATIENCE = 40, EACH = 4, LOOKS = MOST_ROUNDS / EACH, MOST_SETTINGS = 8 };

struct plot { /* of one fold */
    struct matrix *train, *test;
    double base_rate;
    pthread_mutex_t mutex;
};

struct stand { /* one setting in one fold */
    struct booster *booster;
    double *loss; /* [n]: sum over the fold's rows after each EACH rounds */
    size_t n;
};

struct grove {
    struct lesson *l;
    struct fold folds[LEARN_FOLDS]; /* the lesson's, or some of their rows */
    struct plot plots[LEARN_FOLDS];
    const struct booster_settings *settings;
    size_t n_settings, n_folds; /* of this stage */
    struct stand stands[MOST_SETTINGS][LEARN_FOLDS];
    double from, to;
    pthread_mutex_t mutex;             /* of what is below */
    size_t done, grown[MOST_SETTINGS]; /* jobs in all, folds of a setting */
    size_t leads;                      /* the best setting so far; n_settings: none */
    double least;                      /* its loss */
    struct why why;
    enum rc rc;
};

static enum rc matrix_of(const struct lesson *l, const uint32_t rows[], size_t n,
                         struct matrix **ret, struct why *why)
{
    AUTO(mem_freep) float *x = mem_array(n * l->n_features, sizeof *x);
    AUTO(mem_freep) bool *positive = mem_array(n, sizeof *positive);

    for (size_t i = 0; i < n; i++) {
        memcpy(x + i * l->n_features, l->x + rows[i] * l->n_features, l->n_features * sizeof *x);
        positive[i] = l->positive[rows[i]];
    }
    return matrix_new(x, n, l->n_features, positive, ret, why);
}

static void grove_freep(struct grove **g)
{
    grove_free(*g);
}

/* Every so many of them. */
static const uint32_t *some_rows(const struct lesson *l, const uint32_t rows[], size_t most,
                                 size_t *n)
{
    if (*n <= most)
        return rows;
    uint32_t *some = arena_array(l->arena, most, sizeof *some);
    for (size_t i = 0; i < most; i++)
        some[i] = rows[i * *n / most];
    *n = most;
    return some;
}

enum rc grove_new(struct lesson *l, size_t most, struct grove **ret, struct why *why)
{
    AUTO(grove_freep) struct grove *g = mem_alloc(sizeof *g);
    enum rc rc = booster_library(why);

    g->l = l;
    (void)pthread_mutex_init(&g->mutex, NULL); /* cannot fail without attributes */
    for (size_t k = 0; k < LEARN_FOLDS; k++)
        (void)pthread_mutex_init(&g->plots[k].mutex, NULL);
    for (size_t k = 0; k < l->n_folds && rc == RC_OK; k++) {
        struct fold *f = &g->folds[k];

        *f = l->folds[k];
        f->train = some_rows(l, f->train, most, &f->n_train);
        f->test = some_rows(l, f->test, most, &f->n_test);
        g->plots[k].base_rate = l->base[f->test[0]];
        rc = matrix_of(l, f->train, f->n_train, &g->plots[k].train, why);
        if (rc == RC_OK)
            rc = matrix_of(l, f->test, f->n_test, &g->plots[k].test, why);
    }
    if (rc)
        return rc;
    *ret = g;
    g = NULL;
    return RC_OK;
}

static void fell(struct grove *g)
{
    for (size_t s = 0; s < MOST_SETTINGS; s++)
        for (size_t k = 0; k < LEARN_FOLDS; k++) {
            booster_free(g->stands[s][k].booster);
            free(g->stands[s][k].loss);
            g->stands[s][k] = (struct stand){0};
        }
}

void grove_free(struct grove *g)
{
    if (!g)
        return;
    fell(g);
    for (size_t k = 0; k < LEARN_FOLDS; k++) {
        matrix_free(g->plots[k].train);
        matrix_free(g->plots[k].test);
        (void)pthread_mutex_destroy(&g->plots[k].mutex); /* nobody holds it */
    }
    (void)pthread_mutex_destroy(&g->mutex);
    free(g);
}

static double loss_of(const struct lesson *l, const struct fold *f, const float margins[])
{
    double sum = 0;

    for (size_t i = 0; i < f->n_test; i++)
        sum += margin_loss((double)margins[i], l->positive[f->test[i]]);
    return sum;
}

static enum rc grow(struct grove *g, size_t setting, size_t k, struct why *why)
{
    const struct fold *f = &g->folds[k];
    struct plot *p = &g->plots[k];
    struct stand *s = &g->stands[setting][k];
    struct booster_settings settings = g->settings[setting];
    AUTO(mem_freep) float *margins = mem_array(f->n_test, sizeof *margins);
    size_t best = 0;

    settings.base_rate = p->base_rate;
    s->loss = mem_array(LOOKS, sizeof *s->loss);
    enum rc rc = booster_new(&settings, p->train, p->test, &s->booster, why);
    while (rc == RC_OK && s->n < LOOKS && s->n < best + PATIENCE / EACH) {
        if (learn_stopped(g->l))
            return RC_CLOSED;
        for (int i = 0; i < EACH && rc == RC_OK; i++)
            rc = booster_round(s->booster, why);
        if (rc == RC_OK)
            rc = booster_margins(s->booster, p->test, 0, margins, why);
        if (rc)
            break;
        s->loss[s->n] = loss_of(g->l, f, margins);
        if (s->loss[s->n] < s->loss[best])
            best = s->n;
        s->n++;
    }
    return rc;
}

/* Where the folds together lose least; a fold that ended before stays as it was. */
static size_t best_rounds(const struct grove *g, const struct stand stands[], double *ret_loss)
{
    size_t longest = 0, best = 0, rows = 0;

    for (size_t k = 0; k < g->n_folds; k++) {
        longest = stands[k].n > longest ? stands[k].n : longest;
        rows += g->folds[k].n_test;
    }
    for (size_t r = 0; r < longest; r++) {
        double sum = 0;

        for (size_t k = 0; k < g->n_folds; k++)
            sum += stands[k].loss[r < stands[k].n ? r : stands[k].n - 1];
        if (r == 0 || sum < *ret_loss) {
            *ret_loss = sum;
            best = r;
        }
    }
    *ret_loss /= (double)rows;
    return (best + 1) * EACH;
}

static double best_rounds_loss(const struct grove *g, size_t setting)
{
    double loss = 0;

    (void)best_rounds(g, g->stands[setting], &loss);
    return loss;
}

/* A setting is grown in each fold. Only the best one's trees are kept, for they take much memory;
 * whose are to go now is returned, n_settings: nobody's. */
static size_t rank(struct grove *g, size_t setting)
{
    double loss = best_rounds_loss(g, setting);
    size_t behind = g->leads;
    bool ahead = behind == g->n_settings || loss < g->least ||
                 (loss == g->least && setting < behind); /* as compare() takes them */

    if (!ahead)
        return setting;
    g->leads = setting;
    g->least = loss;
    return behind;
}

static void fell_setting(struct grove *g, size_t setting)
{
    for (size_t k = 0; k < LEARN_FOLDS && setting < g->n_settings; k++) {
        booster_free(g->stands[setting][k].booster);
        g->stands[setting][k].booster = NULL;
    }
}

static bool grow_job(void *arg, size_t job)
{
    struct grove *g = arg;
    size_t setting = job / g->n_folds, fold = job % g->n_folds;
    struct why why = {0};

    (void)pthread_mutex_lock(&g->plots[fold].mutex); /* a plain mutex, ours alone */
    enum rc rc = grow(g, setting, fold, &why);
    (void)pthread_mutex_unlock(&g->plots[fold].mutex);
    (void)pthread_mutex_lock(&g->mutex);
    g->done++;
    if (rc == RC_OK && ++g->grown[setting] == g->n_folds)
        fell_setting(g, rank(g, setting));
    if (rc && !g->rc) {
        g->rc = rc;
        g->why = why;
    }
    double share = (double)g->done / (double)(g->n_settings * g->n_folds);
    learn_progress(g->l, g->from + (g->to - g->from) * share, "growing trees");
    (void)pthread_mutex_unlock(&g->mutex);
    return rc == RC_OK;
}

static enum rc predict_folds(struct grove *g, struct stand stands[], size_t rounds,
                             struct tree_lesson *ret, struct why *why)
{
    enum rc rc = RC_OK;

    if (!ret->margins)
        ret->margins = arena_array(g->l->arena, g->l->n, sizeof *ret->margins);
    for (size_t i = 0; i < g->l->n; i++)
        ret->margins[i] = NAN;
    for (size_t k = 0; k < g->n_folds && rc == RC_OK; k++) {
        const struct fold *f = &g->folds[k];
        AUTO(mem_freep) float *margins = mem_array(f->n_test, sizeof *margins);

        rc = booster_margins(stands[k].booster, g->plots[k].test,
                             rounds < stands[k].n * EACH ? rounds : stands[k].n * EACH, margins,
                             why);
        for (size_t i = 0; i < f->n_test && rc == RC_OK; i++)
            ret->margins[f->test[i]] = (double)margins[i];
    }
    return rc;
}

static enum rc compare(struct grove *g, struct tree_lesson *best, double losses[], struct why *why)
{
    size_t won = g->n_settings, rounds = 0;

    for (size_t s = 0; s < g->n_settings; s++) {
        double loss = 0;
        size_t r = best_rounds(g, g->stands[s], &loss);

        if (losses)
            losses[s] = loss;
        if ((won == g->n_settings && !best->margins) || loss < best->log_loss) {
            best->log_loss = loss;
            won = s;
            rounds = r;
        }
    }
    best->tried += g->n_settings;
    if (won == g->n_settings)
        return RC_OK;
    best->settings = g->settings[won];
    best->rounds = rounds;
    return predict_folds(g, g->stands[won], rounds, best, why);
}

enum rc grove_try(struct grove *g, const struct booster_settings settings[], size_t n,
                  size_t n_folds, double from, double to, struct tree_lesson *best, double losses[],
                  struct why *why)
{
    g->settings = settings;
    g->n_settings = n;
    g->n_folds = n_folds;
    g->from = from;
    g->to = to;
    g->done = 0;
    memset(g->grown, 0, sizeof g->grown);
    g->leads = n;
    if (!learn_parallel(g->l, n * n_folds, grow_job, g)) {
        *why = g->why;
        return g->rc ? g->rc : RC_CLOSED;
    }
    enum rc rc = compare(g, best, losses, why);
    fell(g);
    return rc;
}
