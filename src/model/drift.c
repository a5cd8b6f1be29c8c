/* model/drift.c - see drift.h. */
#include "funneld/model/drift.h"

#include <math.h>
#include <stdlib.h>

#include "funneld/base/sbuf.h"

/* Bounds of PSI in use since credit scoring began with it. */
static const double psi_watch = 0.1, psi_act = 0.25;

/* In standard errors. It is looked at every day, and to give up a model that is right does more
 * harm than to watch one that is wrong for some days. */
static const double give_up = 3, rate_off = 4;

struct drift {
    struct model *model;
    struct arena *arena;
    size_t n_inputs, n_seen;
    uint32_t **counts; /* of each input, by bin */
    /* Rows that matured */
    double *probability;
    bool *positive;
    uint32_t *lead;
    size_t n_matured, cap_probability, cap_positive, cap_lead;
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
        d->lead[i] = d->lead[i + d->n_matured];
    }
}

void drift_mature(struct drift *d, const struct cell cells[], int64_t at, bool positive,
                  uint32_t lead)
{
    make_room(d);
    d->probability = arena_more(d->arena, d->probability, d->n_matured, &d->cap_probability,
                                sizeof *d->probability);
    d->positive =
        arena_more(d->arena, d->positive, d->n_matured, &d->cap_positive, sizeof *d->positive);
    d->lead = arena_more(d->arena, d->lead, d->n_matured, &d->cap_lead, sizeof *d->lead);
    d->lead[d->n_matured] = lead;
    d->probability[d->n_matured] = model_probability(d->model, cells, at);
    d->positive[d->n_matured++] = positive;
}

static double loss(double p, bool positive)
{
    double q = positive ? p : 1 - p;

    return -log(q > 1e-15 ? q : 1e-15);
}

/* A row's share in something, and whose it is. */
struct share {
    uint32_t lead;
    bool positive;
    double value;
};

static int by_lead(const void *a, const void *b)
{
    const struct share *x = a, *y = b;

    return (x->lead > y->lead) - (x->lead < y->lead);
}

static struct share *shares_of(const struct outcomes *o, const double value[], struct arena *a)
{
    struct share *shares = arena_array(a, o->n, sizeof *shares);

    for (size_t i = 0; i < o->n; i++)
        shares[i] = (struct share){.lead = o->lead ? o->lead[i] : (uint32_t)i,
                                   .positive = o->positive[i],
                                   .value = value ? value[i] : 0};
    if (o->n)
        qsort(shares, o->n, sizeof *shares, by_lead);
    return shares;
}

/* Of the mean of values that hang together within each lead. */
static void mean_between_leads(const struct outcomes *o, const double value[], double *ret_mean,
                               double *ret_error)
{
    struct arena a AUTO(arena_free) = {0};
    const struct share *shares = shares_of(o, value, &a);
    double sum = 0, squares = 0;
    size_t leads = 0;

    for (size_t i = 0; i < o->n; i++)
        sum += value[i];
    double middle = o->n ? sum / (double)o->n : 0;
    for (size_t i = 0; i < o->n; leads++) {
        double of_lead = 0;

        for (uint32_t lead = shares[i].lead; i < o->n && shares[i].lead == lead; i++)
            of_lead += shares[i].value - middle;
        squares += of_lead * of_lead;
    }
    double few = leads > 1 ? (double)leads / (double)(leads - 1) : 0;
    *ret_mean = middle;
    *ret_error = o->n ? sqrt(few * squares) / (double)o->n : 0;
}

void count_leads(const struct outcomes *o, size_t *ret_leads, size_t *ret_positive)
{
    struct arena a AUTO(arena_free) = {0};
    const struct share *shares = shares_of(o, NULL, &a);

    *ret_leads = *ret_positive = 0;
    for (size_t i = 0; i < o->n; ++*ret_leads) {
        bool any = false;

        for (uint32_t lead = shares[i].lead; i < o->n && shares[i].lead == lead; i++)
            any |= shares[i].positive;
        *ret_positive += any;
    }
}

void log_loss_gain(const double a[], const double b[], const struct outcomes *o, double *ret_gain,
                   double *ret_error)
{
    struct arena arena AUTO(arena_free) = {0};
    double *gain = arena_array(&arena, o->n, sizeof *gain);

    for (size_t i = 0; i < o->n; i++)
        gain[i] = loss(a[i], o->positive[i]) - loss(b[i], o->positive[i]);
    mean_between_leads(o, gain, ret_gain, ret_error);
}

static struct outcomes outcomes_of(const struct drift *d)
{
    return (struct outcomes){d->positive, d->lead, d->n_matured};
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
    const struct outcomes o = outcomes_of(d);
    double *rate = arena_array(&a, d->n_matured, sizeof *rate);

    count_leads(&o, &r->n_leads, &r->n_reached);
    measure(d->probability, d->positive, d->n_matured, &r->matured);
    if (!d->n_matured)
        return;
    r->predicted = mean(d->probability, d->n_matured, 0);
    r->observed = (double)r->matured.n_positive / (double)d->n_matured;
    for (size_t i = 0; i < d->n_matured; i++)
        rate[i] = r->observed;
    log_loss_gain(rate, comparable(d, r->observed, &a), &o, &r->gain, &r->gain_error);
}

static bool enough(const struct drift_report *r)
{
    size_t others = r->n_leads - r->n_reached;
    size_t rarer = r->n_reached < others ? r->n_reached : others;

    return r->n_leads >= DRIFT_MIN_MATURED && rarer >= DRIFT_MIN_POSITIVE;
}

/* Standard errors that the observed rate lies away from the predicted one. */
static double rate_error(const struct drift *d)
{
    struct arena a AUTO(arena_free) = {0};
    const struct outcomes o = outcomes_of(d);
    double *missed = arena_array(&a, o.n, sizeof *missed), middle, error;

    for (size_t i = 0; i < o.n; i++)
        missed[i] = d->positive[i] - d->probability[i];
    mean_between_leads(&o, missed, &middle, &error);
    return error > 0 ? fabs(middle) / error : 0;
}

static struct str tell(const struct drift *d, const char *what, const struct drift_report *r)
{
    return arena_printf(d->arena,
                        "%s: of %zu leads whose time is over %.1f %% were predicted and %.1f %% "
                        "came, log loss %.4f better than the rate alone (standard error %.4f)",
                        what, r->n_leads, 100 * r->predicted, 100 * r->observed, r->gain,
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
                                 psi, r->n_leads);
    } else {
        r->reason =
            arena_printf(d->arena, "only %zu leads and %zu outcomes so far", d->n_seen, r->n_leads);
    }
}

void drift_judge(const struct drift *d, struct drift_report *ret)
{
    struct drift_report r = {.verdict = DRIFT_UNKNOWN};

    look_at_inputs(d, &r);
    look_at_outcomes(d, &r);
    if (!enough(&r)) {
        judge_inputs(d, &r);
    } else if (r.gain < -give_up * r.gain_error) {
        r.verdict = DRIFT_ACT;
        r.reason = tell(d, "the model is worse than none", &r);
    } else if (r.gain < r.gain_error || rate_error(d) > rate_off || r.worst_psi >= psi_act) {
        r.verdict = DRIFT_WATCH;
        r.reason = tell(d, "the model drifts", &r);
    } else {
        r.verdict = DRIFT_NONE;
        r.reason = tell(d, "the model holds", &r);
    }
    *ret = r;
}
