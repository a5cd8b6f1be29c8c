/* folds.c - which rows are learnt from, and which are predicted, so that nothing is told in
 * advance.
 *
 * Where times are known a fold is a stretch of time: it is predicted from all rows whose outcome
 * was known before it began (an embargo). Rows of leads that are learnt from are not predicted;
 * they are not left out of learning, for it is the leads that have not reached the goal that go on
 * giving rows, and what is learnt from would be chosen by its outcome. Else leads are dealt out at
 * random, the positive ones evenly.
 */
#include <math.h>
#include <string.h>

#include "learn.h"

static void shuffle(uint32_t items[], size_t n, uint64_t *seed)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = learn_random(seed) % i;
        uint32_t swap = items[i - 1];

        items[i - 1] = items[k];
        items[k] = swap;
    }
}

/* Deals the leads out, those with a positive row first. */
static void deal(const struct lesson *l, uint8_t ret[])
{
    AUTO(mem_freep) bool *has = mem_array(l->n_leads, sizeof *has);
    AUTO(mem_freep) uint32_t *order = mem_array(l->n_leads, sizeof *order);
    uint64_t seed = learn_seed(l, 1);
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        has[l->lead[i]] = has[l->lead[i]] || l->positive[i];
    for (uint32_t g = 0; g < l->n_leads; g++)
        if (has[g])
            order[n++] = g;
    size_t n_positive = n;
    for (uint32_t g = 0; g < l->n_leads; g++)
        if (!has[g])
            order[n++] = g;
    shuffle(order, n_positive, &seed);
    shuffle(order + n_positive, n - n_positive, &seed);
    for (size_t k = 0; k < n; k++)
        ret[order[k]] = (uint8_t)(k % LEARN_FOLDS);
}

static void keep_rows(struct lesson *l, const bool train[], const bool test[], struct fold *ret)
{
    uint32_t *a = arena_array(l->arena, l->n, sizeof *a);
    uint32_t *b = arena_array(l->arena, l->n, sizeof *b);

    *ret = (struct fold){.train = a, .test = b};
    for (size_t i = 0; i < l->n; i++) {
        if (train[i])
            a[ret->n_train++] = (uint32_t)i;
        if (test[i])
            b[ret->n_test++] = (uint32_t)i;
    }
}

static void random_folds(struct lesson *l)
{
    AUTO(mem_freep) uint8_t *fold = mem_array(l->n_leads, sizeof *fold);
    AUTO(mem_freep) bool *train = mem_array(l->n, sizeof *train);
    AUTO(mem_freep) bool *test = mem_array(l->n, sizeof *test);

    deal(l, fold);
    l->n_folds = 0;
    for (size_t k = 0; k < LEARN_FOLDS; k++) {
        for (size_t i = 0; i < l->n; i++) {
            test[i] = fold[l->lead[i]] == k;
            train[i] = !test[i];
        }
        keep_rows(l, train, test, &l->folds[l->n_folds++]);
    }
}

double folds_known_at(const struct lesson *l, size_t i)
{
    return l->set->known_at ? l->set->known_at[l->row[i]] : learn_time(l, i);
}

/* The rows that may be learnt from when a stretch begins, and those of it that are of other leads.
 */
static void stretch(const struct lesson *l, const struct moment order[], size_t from, size_t to,
                    bool train[], bool test[])
{
    AUTO(mem_freep) bool *learnt = mem_array(l->n_leads, sizeof *learnt);

    memset(test, 0, l->n * sizeof *test);
    for (size_t i = 0; i < l->n; i++) {
        train[i] = folds_known_at(l, i) < order[from].at && learn_time(l, i) < order[from].at;
        learnt[l->lead[i]] = learnt[l->lead[i]] || train[i];
    }
    for (size_t i = from; i < to; i++)
        test[order[i].row] = !learnt[l->lead[order[i].row]];
}

static bool is_enough(const struct lesson *l, const struct fold *f)
{
    return leads_both(leads_count(l, f->train, f->n_train)) &&
           leads_count(l, f->test, f->n_test).n >= FEW_OF_A_CLASS;
}

static void time_folds(struct lesson *l)
{
    AUTO(mem_freep) struct moment *order = mem_array(l->n, sizeof *order);
    AUTO(mem_freep) bool *train = mem_array(l->n, sizeof *train);
    AUTO(mem_freep) bool *test = mem_array(l->n, sizeof *test);
    size_t stretches = LEARN_FOLDS + 1;

    for (size_t i = 0; i < l->n; i++)
        order[i] = (struct moment){learn_time(l, i), (uint32_t)i};
    moments_sort(order, l->n);
    l->n_folds = 0;
    for (size_t k = 1; k < stretches; k++) {
        struct fold f;

        stretch(l, order, k * l->n / stretches, (k + 1) * l->n / stretches, train, test);
        keep_rows(l, train, test, &f);
        if (is_enough(l, &f))
            l->folds[l->n_folds++] = f;
    }
}

static void base_rates(struct lesson *l)
{
    l->base = arena_array(l->arena, l->n, sizeof *l->base);
    for (size_t i = 0; i < l->n; i++)
        l->base[i] = NAN;
    for (size_t k = 0; k < l->n_folds; k++) {
        const struct fold *f = &l->folds[k];
        double positive = 0;

        for (size_t i = 0; i < f->n_train; i++)
            positive += l->positive[f->train[i]];
        for (size_t i = 0; i < f->n_test; i++)
            l->base[f->test[i]] = (positive + 0.5) / ((double)f->n_train + 1);
    }
}

void folds_make(struct lesson *l)
{
    l->by_time = l->set->time != NULL;
    if (l->by_time)
        time_folds(l);
    if (l->by_time && l->n_folds < 3) {
        learn_warn(l, "there is too little that was known in time for folds in its order; what is "
                      "told of the model comes from random ones");
        l->by_time = false;
    }
    if (!l->by_time)
        random_folds(l);
    base_rates(l);
    l->report->by_time = l->by_time;
    l->report->grouped = l->set->group != NULL;
    l->report->n_folds = l->n_folds;
}
