/* ridge.c - see ridge.h. */
#include "ridge.h"

#include <math.h>
#include <string.h>

#include "model_priv.h"

enum { MAX_STEPS = 30, MAX_HALVINGS = 20 };

struct problem {
    const struct sparse *s;
    const uint32_t *rows;
    size_t n_rows;
    const bool *positive;
    double penalty;
    const atomic_bool *stop;
    size_t n; /* unknowns, with the bias */
    double *gradient, *step, *tried;
    double *hessian; /* lower triangle, n by n; then its Cholesky factor */
};

double ridge_margin(const struct sparse *s, size_t row, const double w[])
{
    double margin = w[s->n_features];

    for (size_t k = s->start[row]; k < s->start[row + 1]; k++)
        margin += w[s->feature[k]] * s->value[k];
    return margin;
}

/* log(1 + exp(x)) */
static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double objective(const struct problem *p, const double w[])
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < p->n_rows; i++) {
        double margin = ridge_margin(p->s, p->rows[i], w);

        sum += softplus(p->positive[p->rows[i]] ? -margin : margin);
    }
    for (size_t k = 0; k + 1 < p->n; k++)
        squares += w[k] * w[k];
    return sum + p->penalty / 2 * squares;
}

static void add_row(struct problem *p, size_t row, double slope, double curve)
{
    const struct sparse *s = p->s;
    double *last = p->hessian + (p->n - 1) * p->n;

    for (size_t k = s->start[row]; k < s->start[row + 1]; k++) {
        double *line = p->hessian + s->feature[k] * p->n;
        double scaled = curve * s->value[k];

        p->gradient[s->feature[k]] += slope * s->value[k];
        for (size_t j = s->start[row]; j <= k; j++)
            line[s->feature[j]] += scaled * s->value[j];
        last[s->feature[k]] += scaled;
    }
    p->gradient[p->n - 1] += slope;
    last[p->n - 1] += curve;
}

static bool stopped(const struct problem *p)
{
    return p->stop && atomic_load_explicit(p->stop, memory_order_relaxed);
}

/* false: it was stopped. */
static bool derive(struct problem *p, const double w[])
{
    memset(p->gradient, 0, p->n * sizeof *p->gradient);
    memset(p->hessian, 0, p->n * p->n * sizeof *p->hessian);
    for (size_t i = 0; i < p->n_rows; i++) {
        if (i % 256 == 0 && stopped(p))
            return false;
        size_t row = p->rows[i];
        double q = sigmoid(ridge_margin(p->s, row, w));

        add_row(p, row, q - (p->positive[row] ? 1 : 0), q * (1 - q));
    }
    for (size_t k = 0; k < p->n; k++) {
        double penalty = k + 1 < p->n ? p->penalty : 1e-9; /* never singular */

        p->gradient[k] += k + 1 < p->n ? penalty * w[k] : 0;
        p->hessian[k * p->n + k] += penalty;
    }
    return true;
}

static void factor(struct problem *p)
{
    size_t n = p->n;

    for (size_t i = 0; i < n; i++) {
        double *a = p->hessian + i * n;

        for (size_t j = 0; j <= i; j++) {
            const double *b = p->hessian + j * n;
            double sum = a[j];

            for (size_t k = 0; k < j; k++)
                sum -= a[k] * b[k];
            a[j] = j < i ? sum / b[j] : sqrt(fmax(sum, 1e-12));
        }
    }
}

static void solve(struct problem *p)
{
    size_t n = p->n;

    for (size_t i = 0; i < n; i++) {
        double sum = p->gradient[i];

        for (size_t k = 0; k < i; k++)
            sum -= p->hessian[i * n + k] * p->step[k];
        p->step[i] = sum / p->hessian[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        double sum = p->step[i];

        for (size_t k = i + 1; k < n; k++)
            sum -= p->hessian[k * n + i] * p->step[k];
        p->step[i] = sum / p->hessian[i * n + i];
    }
}

/* Goes along the step, less far while that makes it worse; what it won, 0 at the end. */
static double walk(struct problem *p, double before, double w[])
{
    double share = 1;

    for (int i = 0; i < MAX_HALVINGS; i++, share /= 2) {
        for (size_t k = 0; k < p->n; k++)
            p->tried[k] = w[k] - share * p->step[k];
        double now = objective(p, p->tried);
        if (now < before) {
            memcpy(w, p->tried, p->n * sizeof *w);
            return before - now;
        }
    }
    return 0;
}

bool ridge_fit(const struct sparse *s, const uint32_t rows[], size_t n_rows, const bool positive[],
               double penalty, const atomic_bool *stop, double w[])
{
    size_t n = s->n_features + 1;
    AUTO(mem_freep) double *room = mem_array(3 * n, sizeof *room);
    AUTO(mem_freep) double *hessian = mem_array(n * n, sizeof *hessian);
    struct problem p = {.s = s,
                        .rows = rows,
                        .n_rows = n_rows,
                        .positive = positive,
                        .penalty = penalty,
                        .stop = stop,
                        .n = n,
                        .gradient = room,
                        .step = room + n,
                        .tried = room + 2 * n,
                        .hessian = hessian};
    double at = objective(&p, w);

    for (int i = 0; i < MAX_STEPS; i++) {
        if (!derive(&p, w))
            return false;
        factor(&p);
        solve(&p);
        double won = walk(&p, at, w);
        at -= won;
        if (won <= 1e-9 * (1 + fabs(at)))
            break;
    }
    return true;
}
