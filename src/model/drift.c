/* model/drift.c - see drift.h. */
#include "funneld/model/drift.h"

#include <math.h>

#include "funneld/base/sbuf.h"

/* Bounds of PSI in use since credit scoring began with it. */
static const double psi_watch = 0.1, psi_act = 0.25;

struct drift {
    struct model *model;
    struct arena *arena;
    size_t n_inputs, n_seen;
    uint32_t **counts; /* of each input, by bin */
    double *probability;
    bool *positive;
    size_t n_matured, cap_probability, cap_positive;
};

const char *drift_verdict_name(enum drift_verdict v)
{
    static const char *const names[] = {
        [DRIFT_UNKNOWN] = "unknown",
        [DRIFT_NONE] = "none",
        [DRIFT_WATCH] = "watch",
        [DRIFT_ACT] = "act",
    };

    return names[v];
}

struct drift *drift_new(struct model *m, struct arena *a)
{
    struct drift *d = ARENA_NEW(a, struct drift);

    *d = (struct drift){.model = m, .arena = a, .n_inputs = model_card(m)->n_inputs};
    d->counts = arena_array(a, d->n_inputs, sizeof *d->counts);
    for (size_t i = 0; i < d->n_inputs; i++)
        d->counts[i] = arena_array(a, model_bins(m, i), sizeof *d->counts[i]);
    return d;
}

void drift_see(struct drift *d, const struct cell cells[], int64_t at)
{
    for (size_t i = 0; i < d->n_inputs; i++)
        d->counts[i][model_bin(d->model, i, &cells[i], at)]++;
    d->n_seen++;
}

/* The newest are kept: the older half goes when there is no more room. */
static void make_room(struct drift *d)
{
    if (d->n_matured < DRIFT_MAX_MATURED)
        return;
    d->n_matured = DRIFT_MAX_MATURED / 2;
    for (size_t i = 0; i < d->n_matured; i++) {
        d->probability[i] = d->probability[i + d->n_matured];
        d->positive[i] = d->positive[i + d->n_matured];
    }
}

void drift_mature(struct drift *d, const struct cell cells[], int64_t at, bool positive)
{
    make_room(d);
    d->probability = arena_more(d->arena, d->probability, d->n_matured, &d->cap_probability,
                                sizeof *d->probability);
    d->positive =
        arena_more(d->arena, d->positive, d->n_matured, &d->cap_positive, sizeof *d->positive);
    d->probability[d->n_matured] = model_probability(d->model, cells, at);
    d->positive[d->n_matured++] = positive;
}

static double loss(double p, bool positive)
{
    double q = positive ? p : 1 - p;

    return -log(q > 1e-15 ? q : 1e-15);
}

void log_loss_gain(const double a[], const double b[], const bool positive[], size_t n,
                   double *ret_gain, double *ret_error)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < n; i++) {
        double gain = loss(a[i], positive[i]) - loss(b[i], positive[i]);

        sum += gain;
        squares += gain * gain;
    }
    double mean = n ? sum / (double)n : 0;
    double spread = n > 1 ? (squares - sum * mean) / (double)(n - 1) : 0;

    *ret_gain = mean;
    *ret_error = n ? sqrt(fmax(0, spread) / (double)n) : 0;
}

static void look_at_inputs(const struct drift *d, struct drift_report *r)
{
    r->n_seen = d->n_seen;
    r->psi = arena_array(d->arena, d->n_inputs, sizeof *r->psi);
    for (size_t i = 0; i < d->n_inputs; i++) {
        r->psi[i] = d->n_seen ? model_psi(d->model, i, d->counts[i]) : 0;
        if (d->n_seen < DRIFT_MIN_SEEN || r->psi[i] <= r->worst_psi ||
            str_is(model_input_name(d->model, i), "@age.days"))
            continue;
        r->worst = i;
        r->worst_psi = r->psi[i];
    }
}

static double shifted(double p, double shift)
{
    double q = fmin(fmax(p, 1e-9), 1 - 1e-9);

    return 1 / (1 + exp(-log(q / (1 - q)) - shift));
}

static double mean(const double p[], size_t n, double shift)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += shift != 0 ? shifted(p[i], shift) : p[i];
    return n ? sum / (double)n : 0;
}

/* What must be added to all log-odds so that on the whole as much is predicted as came. */
static double shift_to(const double p[], size_t n, double observed)
{
    double low = -20, high = 20;

    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;

        if (mean(p, n, middle) < observed)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* A model that learnt from a table foresees what the table called the outcome, in whatever time;
 * the store asks for the goal within its horizon. So the one's rate is not the other's, and what it
 * is judged by is whom it puts before whom. */
static const double *comparable(const struct drift *d, double observed, struct arena *a)
{
    if (model_card(d->model)->horizon_ms)
        return d->probability;
    double *p = arena_array(a, d->n_matured, sizeof *p);
    double shift = shift_to(d->probability, d->n_matured, observed);

    for (size_t i = 0; i < d->n_matured; i++)
        p[i] = shifted(d->probability[i], shift);
    return p;
}

static void look_at_outcomes(const struct drift *d, struct drift_report *r)
{
    struct arena a AUTO(arena_free) = {0};
    double *rate = arena_array(&a, d->n_matured, sizeof *rate);

    measure(d->probability, d->positive, d->n_matured, &r->matured);
    if (!d->n_matured)
        return;
    r->predicted = mean(d->probability, d->n_matured, 0);
    r->observed = (double)r->matured.n_positive / (double)d->n_matured;
    for (size_t i = 0; i < d->n_matured; i++)
        rate[i] = r->observed;
    log_loss_gain(rate, comparable(d, r->observed, &a), d->positive, d->n_matured, &r->gain,
                  &r->gain_error);
}

static bool enough(const struct measures *m)
{
    size_t rarer = m->n_positive < m->n - m->n_positive ? m->n_positive : m->n - m->n_positive;

    return m->n >= DRIFT_MIN_MATURED && rarer >= DRIFT_MIN_POSITIVE;
}

/* Standard errors that the observed rate lies away from the predicted one. */
static double rate_error(const struct drift_report *r)
{
    double variance = r->predicted * (1 - r->predicted) / (double)r->matured.n;

    return variance > 0 ? fabs(r->observed - r->predicted) / sqrt(variance) : 0;
}

static struct str tell(const struct drift *d, const char *what, const struct drift_report *r)
{
    return arena_printf(d->arena,
                        "%s: of %zu leads whose time is over %.1f %% were predicted and %.1f %% "
                        "came, log loss %.4f better than the rate alone (standard error %.4f)",
                        what, r->matured.n, 100 * r->predicted, 100 * r->observed, r->gain,
                        r->gain_error);
}

/* Too few outcomes: the inputs are all there is. */
static void judge_inputs(const struct drift *d, struct drift_report *r)
{
    struct str name = d->n_inputs ? model_input_name(d->model, r->worst) : STR("");
    double psi = r->worst_psi;

    if (psi >= psi_act) {
        r->verdict = DRIFT_WATCH;
        r->reason = arena_printf(d->arena,
                                 "%.*s is not what the model learnt from (PSI %.2f over %zu "
                                 "leads); what became of them is not known yet",
                                 STR_ARG(str_cut(name, 60)), psi, d->n_seen);
    } else if (psi >= psi_watch || d->n_seen >= DRIFT_MIN_SEEN) {
        r->verdict = DRIFT_NONE;
        r->reason = arena_printf(d->arena,
                                 "the inputs are as they were (greatest PSI %.2f); too few "
                                 "outcomes (%zu) to say more",
                                 psi, r->matured.n);
    } else {
        r->reason = arena_printf(d->arena, "only %zu leads and %zu outcomes so far", d->n_seen,
                                 r->matured.n);
    }
}

void drift_judge(const struct drift *d, struct drift_report *ret)
{
    struct drift_report r = {.verdict = DRIFT_UNKNOWN};

    look_at_inputs(d, &r);
    look_at_outcomes(d, &r);
    if (!enough(&r.matured)) {
        judge_inputs(d, &r);
    } else if (r.gain < -r.gain_error) {
        r.verdict = DRIFT_ACT;
        r.reason = tell(d, "the model is worse than none", &r);
    } else if (r.gain < r.gain_error || rate_error(&r) > 4 || r.worst_psi >= psi_act) {
        r.verdict = DRIFT_WATCH;
        r.reason = tell(d, "the model drifts", &r);
    } else {
        r.verdict = DRIFT_NONE;
        r.reason = tell(d, "the model holds", &r);
    }
    *ret = r;
}
