/* model/measure.c - how good predictions were. */
#include "funneld/model/measure.h"

#include <math.h>
#include <stdlib.h>

enum { BINS = 10, SIMULATIONS = 200, MAX_SIMULATED = 20000 };

struct row {
    double score;
    bool positive;
};

/* The best first; equal ones in any order, for what counts goes over them together. */
static int best_first(const void *a, const void *b)
{
    double x = ((const struct row *)a)->score, y = ((const struct row *)b)->score;

    return x < y ? 1 : x > y ? -1 : 0;
}

static struct row *sorted(const double score[], const bool positive[], size_t n)
{
    struct row *rows = mem_array(n + 1, sizeof *rows);

    for (size_t i = 0; i < n; i++)
        rows[i] = (struct row){score[i], positive[i]};
    qsort(rows, n, sizeof *rows, best_first);
    return rows;
}

static size_t count_positive(const bool positive[], size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += positive[i];
    return count;
}

/* Behind the rows of the same score as row i. */
static size_t end_of_tie(const struct row rows[], size_t n, size_t i, size_t *ret_positive)
{
    double score = rows[i].score;

    *ret_positive = 0;
    for (; i < n && rows[i].score == score; i++)
        *ret_positive += rows[i].positive;
    return i;
}

/* A pair of equal scores counts half. */
static double auc_of(const struct row rows[], size_t n, size_t n_positive)
{
    double won = 0;
    size_t above = 0, positive = 0;

    if (n_positive == 0 || n_positive == n)
        return 0.5;
    for (size_t i = 0, end; i < n; i = end) {
        end = end_of_tie(rows, n, i, &positive);
        won += (double)(end - i - positive) * ((double)above + (double)positive / 2);
        above += positive;
    }
    return won / ((double)n_positive * (double)(n - n_positive));
}

/* Average precision: the area under its steps. */
static double pr_auc_of(const struct row rows[], size_t n, size_t n_positive)
{
    double area = 0;
    size_t above = 0, positive = 0;

    if (n_positive == 0 || n_positive == n)
        return n_positive ? 1 : 0;
    for (size_t i = 0, end; i < n; i = end) {
        end = end_of_tie(rows, n, i, &positive);
        above += positive;
        area += (double)positive / (double)n_positive * (double)above / (double)end;
    }
    return area;
}

double measure_auc(const double score[], const bool positive[], size_t n)
{
    struct row *rows = sorted(score, positive, n);
    double auc = auc_of(rows, n, count_positive(positive, n));

    free(rows);
    return auc;
}

double measure_log_loss(const double probability[], const bool positive[], size_t n)
{
    static const double least = 1e-15;
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double p = fmin(fmax(probability[i], least), 1 - least);

        sum -= log(positive[i] ? p : 1 - p);
    }
    return n ? sum / (double)n : 0;
}

static double brier_of(const double probability[], const bool positive[], size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double off = probability[i] - (double)positive[i];

        sum += off * off;
    }
    return n ? sum / (double)n : 0;
}

/* Ten bins of as many rows, in the order of their probabilities. Where a bin ends among equal ones,
 * each of those counts as their mean, so that the order of the rows does not matter. */
static double ece_of(const struct row rows[], size_t n)
{
    double off[BINS] = {0}, sum = 0;
    size_t bin = 0, positive = 0;

    for (size_t i = 0, end; i < n; i = end) {
        end = end_of_tie(rows, n, i, &positive);
        double each = rows[i].score - (double)positive / (double)(end - i);
        for (size_t from = i; from < end; bin += from < end) {
            size_t ends = n * (bin + 1) / BINS, to = ends < end ? ends : end;

            off[bin] += each * (double)(to - from);
            from = to;
        }
    }
    for (size_t b = 0; b < BINS; b++)
        sum += fabs(off[b]);
    return n ? sum / (double)n : 0;
}

/* splitmix64: the same numbers on every machine. */
static double next_uniform(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static int smallest_first(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y ? 1 : 0;
}

/* Of more rows than that, fewer that are spread evenly are simulated, and what they show is scaled:
 * the noise falls with the root of the number of rows. */
static void simulate_floor(struct row rows[], size_t n, struct measures *ret)
{
    size_t used = n < MAX_SIMULATED ? n : MAX_SIMULATED;
    double seen[SIMULATIONS], sum = 0, scale = n ? sqrt((double)used / (double)n) : 0;
    uint64_t seed = 1;

    for (size_t i = 0; i < used; i++)
        rows[i] = rows[i * n / used];
    for (size_t s = 0; s < SIMULATIONS; s++) {
        for (size_t i = 0; i < used; i++)
            rows[i].positive = next_uniform(&seed) < rows[i].score;
        seen[s] = ece_of(rows, used) * scale;
        sum += seen[s];
    }
    qsort(seen, SIMULATIONS, sizeof *seen, smallest_first);
    ret->ece_floor = sum / SIMULATIONS;
    ret->ece_floor_95 = seen[SIMULATIONS * 95 / 100];
}

/* How much more often a row of the best tenth is positive than any. Ties across its end count in
 * proportion. */
static double lift_of(const struct row rows[], size_t n, size_t n_positive)
{
    double room = (double)n / 10, found = 0, top = room;
    size_t positive = 0;

    if (n_positive == 0)
        return 1;
    for (size_t i = 0, end; i < n && room > 0; i = end) {
        end = end_of_tie(rows, n, i, &positive);
        double taken = fmin(room, (double)(end - i));

        found += (double)positive * taken / (double)(end - i);
        room -= taken;
    }
    return found / top / ((double)n_positive / (double)n);
}

void measure(const double probability[], const bool positive[], size_t n, struct measures *ret)
{
    struct row *rows = sorted(probability, positive, n);
    struct measures m = {.n = n, .n_positive = count_positive(positive, n)};

    m.auc = auc_of(rows, n, m.n_positive);
    m.pr_auc = pr_auc_of(rows, n, m.n_positive);
    m.log_loss = measure_log_loss(probability, positive, n);
    m.brier = brier_of(probability, positive, n);
    m.ece = ece_of(rows, n);
    m.lift = lift_of(rows, n, m.n_positive);
    simulate_floor(rows, n, &m);
    free(rows);
    *ret = m;
}
