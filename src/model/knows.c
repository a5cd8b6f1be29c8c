/* knows.c - columns that know too much: written after the outcome, or because of it.
 *
 * Strong evidence leaves a column out: alone it tells the outcome nearly for sure; it is filled in
 * almost only for one class; or all together tell much, which without it they do not, and something
 * else speaks against it: its name, or for whom it is filled in. What is merely much is told as a
 * suspicion, for a good column in a small table looks like that too. Left out one by one, the
 * strongest first, for what gives the answer away hides the others that do.
 */
#include "knows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ASKED = 6, MOST_COLUMNS = 40, FEW_FILLED = 20 };

/* Best honest columns of the sets this was tried on: 0.18 alone, 0.12 added. */
static const double sure_auc = .95, sure_gain = .4, sure_added = .15, sure_together = .3;
static const double one_class = 20; /* times as often filled in */

static bool alone(struct lesson *l, struct known *k)
{
    if (k->k.auc > sure_auc)
        screen_out(l, k->column, "leakage", "tells the outcome by itself: AUC %.3f", k->k.auc);
    else if (k->k.gain > sure_gain)
        screen_out(l, k->column, "leakage",
                   "tells %.0f %% of the outcome by itself (AUC %.3f): was it known before?",
                   100 * k->k.gain, k->k.auc);
    else if (k->k.gain > suspect_gain && k->k.filled_gain > filled_tells)
        screen_out(l, k->column, "leakage",
                   "tells %.0f %% of the outcome by itself, and is filled in for %.0f %% of the "
                   "positive rows and %.0f %% of the others: it was written because of the outcome",
                   100 * k->k.gain, 100 * k->k.filled_positive, 100 * k->k.filled_negative);
    return k->column->out;
}

/* Enough rows of one class have a value, and hardly any of the other. */
static bool one_sided(double often, double seldom, double rows)
{
    return often >= .25 && often * rows >= FEW_FILLED && often > one_class * seldom;
}

static bool filled(struct lesson *l, struct known *k)
{
    double yes = k->k.filled_positive, no = k->k.filled_negative;

    if (one_sided(yes, no, (double)l->n_positive))
        screen_out(l, k->column, "leakage",
                   "is filled in almost only where the outcome is positive: %.1f %% of those, "
                   "%.1f %% of the others",
                   100 * yes, 100 * no);
    else if (one_sided(no, yes, (double)(l->n - l->n_positive)))
        screen_out(l, k->column, "leakage",
                   "is filled in almost only where the outcome is negative: %.1f %% of those, "
                   "%.1f %% of the others",
                   100 * no, 100 * yes);
    return k->column->out;
}

static int by_gain(const void *a, const void *b)
{
    const struct known *x = a, *y = b;

    if (x->k.gain != y->k.gain)
        return x->k.gain < y->k.gain ? 1 : -1;
    return (x->column > y->column) - (x->column < y->column);
}

static bool is_suspicious(const struct known *k)
{
    return word_in(k->column->name) || k->k.filled_gain > filled_tells;
}

/* Leaves out the one that adds most, if it is too much and there is more against it; false: none
 * does, or it was stopped. */
static bool strip(struct lesson *l, struct known known[], size_t n)
{
    struct learn_column *columns[MOST_COLUMNS];
    size_t at[MOST_COLUMNS], m = 0;
    struct known *best = NULL;
    double added[ASKED], all = 0;

    for (size_t i = 0; i < n && m < MOST_COLUMNS; i++)
        if (!known[i].column->out) {
            at[m] = i;
            columns[m++] = known[i].column;
        }
    size_t asked = m < ASKED ? m : ASKED;
    if (m < 2 || !knowledge_added(l, columns, m, asked, added, &all))
        return false;
    for (size_t k = 0; k < asked; k++) {
        struct known *of = &known[at[k]];

        of->added = added[k];
        if (!columns[k]->keep && is_suspicious(of) && (!best || of->added > best->added))
            best = of;
    }
    if (!best || best->added <= sure_added || all <= sure_together)
        return false;
    screen_out(l, best->column, "leakage",
               "adds %.0f %% of the outcome to what all others tell: too much to have been known "
               "before",
               100 * best->added);
    return true;
}

void knows_too_much(struct lesson *l)
{
    AUTO(mem_freep) struct known *known = mem_array(l->n_columns + 1, sizeof *known);
    size_t n = 0;

    if (!leads_suffice(l))
        return;
    for (size_t i = 0; i < l->n_columns && !learn_stopped(l); i++) {
        struct known *k = &known[n];

        if (l->columns[i].out)
            continue;
        *k = (struct known){.column = &l->columns[i]};
        knowledge_alone(l, k->column, &k->k);
        k->column->tells = k->k.gain;
        if (!alone(l, k) && !filled(l, k))
            n++;
    }
    qsort(known, n, sizeof *known, by_gain);
    while (strip(l, known, n))
        continue;
    suspects(l, known, n);
}
