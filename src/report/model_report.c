/* report/model_report.c - a sidecar's report, read. */
#include "model_report.h"

#include <stdlib.h>

#include "funneld/base/json.h"

const struct report_band report_bands[N_BANDS] = {{"under 5 %", 0, 0.05},
                                                  {"5 to 20 %", 0.05, 0.2},
                                                  {"20 to 50 %", 0.2, 0.5},
                                                  {"50 % and more", 0.5, 1.01}};

static double number(const json *at, const char *key)
{
    double n = 0;

    return json_real(json_get(at, key), &n) ? n : 0;
}

static int64_t whole(const json *at, const char *key)
{
    int64_t n = 0;

    return json_int64(json_get(at, key), &n) && n >= 0 ? n : 0;
}

static struct str text(const json *at, const char *key, struct arena *a)
{
    struct str s = json_string(json_get(at, key));

    return s.at ? arena_str(a, s) : STR("");
}

static size_t count(const json *list, size_t most)
{
    size_t n = json_type(list) == JSON_ARRAY ? json_count(list) : 0;

    return n < most ? n : most;
}

static int heavier_first(const void *a, const void *b)
{
    double x = ((const struct report_input *)a)->weight,
           y = ((const struct report_input *)b)->weight;

    return x < y   ? 1
           : x > y ? -1
                   : str_cmp(((const struct report_input *)a)->name,
                             ((const struct report_input *)b)->name);
}

static void read_inputs(const json *root, struct arena *a, struct model_report *r)
{
    const json *list = json_get(root, "inputs"), *item = json_first(list);
    size_t n = count(list, MOST_INPUTS);

    r->inputs = arena_array(a, n + 1, sizeof *r->inputs);
    for (; r->n_inputs < n; item = json_next(item))
        r->inputs[r->n_inputs++] =
            (struct report_input){text(item, "name", a), number(item, "weight")};
    qsort(r->inputs, n, sizeof *r->inputs, heavier_first);
}

static struct report_gain gain(const json *at, const char *key)
{
    const json *g = json_get(at, key);

    return (struct report_gain){number(g, "mean"), number(g, "se")};
}

static void read_candidates(const json *report, struct arena *a, struct model_report *r)
{
    const json *list = json_get(report, "candidates"), *item = json_first(list);
    size_t n = count(list, MOST_CANDIDATES);

    r->candidates = arena_array(a, n + 1, sizeof *r->candidates);
    for (; r->n_candidates < n; item = json_next(item))
        r->candidates[r->n_candidates++] = (struct report_candidate){
            .kind = text(item, "kind", a),
            .log_loss = number(item, "log_loss"),
            .auc = number(item, "auc"),
            .brier = number(item, "brier"),
            .over_base = gain(item, "gain_base"),
            .over_logistic = gain(item, "gain_logistic"),
            .chosen = json_true(json_get(item, "chosen")),
            .depth = whole(item, "depth"),
            .rounds = whole(item, "rounds"),
            .eta = number(item, "eta"),
            .share = number(item, "share"),
        };
}

static double bounded(double n)
{
    return n > 0 ? n < 1 ? n : 1 : 0;
}

static void read_curve(const json *report, const char *key, struct arena *a, struct report_curve *c)
{
    const json *list = json_get(report, key), *item = json_first(list);
    size_t n = count(list, MOST_POINTS);

    c->at = arena_array(a, n + 1, sizeof *c->at);
    for (; c->n < n; item = json_next(item)) {
        double x = 0, y = 0;

        if (json_real(json_first(item), &x))
            (void)json_real(json_next(json_first(item)), &y); /* else 0 */
        c->at[c->n++] = (struct report_point){bounded(x), bounded(y)};
    }
}

static size_t read_tenths(const json *report, const char *key, const char *rows,
                          struct report_tenth ret[])
{
    const json *list = json_get(report, key), *item = json_first(list);
    size_t n = count(list, N_TENTHS);

    for (size_t i = 0; i < n; i++, item = json_next(item))
        ret[i] = (struct report_tenth){bounded(number(item, "predicted")),
                                       bounded(number(item, "observed")), whole(item, rows)};
    return n;
}

static size_t read_numbers(const json *list, size_t most, double ret[])
{
    const json *item = json_first(list);
    size_t n = count(list, most);

    for (size_t i = 0; i < n; i++, item = json_next(item))
        if (!json_real(item, &ret[i]) || !(ret[i] >= 0 && ret[i] < 1e15))
            ret[i] = 0;
    return n;
}

static void read_histogram(const json *report, struct model_report *r)
{
    double bars[N_BARS] = {0};

    r->n_histogram = read_numbers(json_get(report, "histogram"), N_BARS, bars);
    for (size_t i = 0; i < r->n_histogram; i++)
        r->histogram[i] = (int64_t)bars[i];
}

static void read_findings(const json *report, const char *key, struct arena *a,
                          struct report_findings *f)
{
    const json *list = json_get(report, key), *item = json_first(list);
    size_t n = count(list, MOST_FINDINGS);

    f->at = arena_array(a, n + 1, sizeof *f->at);
    for (; f->n < n; item = json_next(item))
        f->at[f->n++] = (struct report_finding){text(item, "column", a), text(item, "kind", a),
                                                text(item, "reason", a)};
}

static void read_warnings(const json *report, struct arena *a, struct model_report *r)
{
    const json *list = json_get(report, "warnings"), *item = json_first(list);
    size_t n = count(list, MOST_FINDINGS);

    r->warnings = arena_array(a, n + 1, sizeof *r->warnings);
    for (size_t i = 0; i < n; i++, item = json_next(item))
        if (json_string(item).at)
            r->warnings[r->n_warnings++] = arena_str(a, json_string(item));
}

static void read_measures(const json *m, struct model_report *r)
{
    r->auc = number(m, "auc");
    r->pr_auc = number(m, "pr_auc");
    r->log_loss = number(m, "log_loss");
    r->brier = number(m, "brier");
    r->ece = number(m, "ece");
    r->ece_floor = number(m, "ece_floor");
    r->ece_floor_95 = number(m, "ece_floor_95");
    r->top_lift = number(m, "lift");
}

static void read_report(const json *report, struct arena *a, struct model_report *r)
{
    r->any = json_type(report) == JSON_OBJECT;
    r->by_time = str_is(json_string(json_get(report, "folds")), "time");
    r->grouped = json_true(json_get(report, "grouped"));
    r->n_folds = whole(report, "n_folds");
    r->scored = whole(report, "scored");
    read_candidates(report, a, r);
    read_measures(json_get(report, "measures"), r);
    r->n_lift = read_numbers(json_get(report, "lift"), N_TENTHS, r->lift);
    read_curve(report, "roc", a, &r->roc);
    read_curve(report, "precision_recall", a, &r->precision_recall);
    r->n_calibration = read_tenths(report, "calibration", "n", r->calibration);
    r->n_blocks = read_tenths(report, "blocks", "rows", r->blocks);
    read_histogram(report, r);
    read_findings(report, "excluded", a, &r->excluded);
    read_findings(report, "suspects", a, &r->suspects);
    read_warnings(report, a, r);
}

enum rc report_read(const struct reported_model *m, struct arena *a, struct model_report *ret,
                    struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    enum rc rc = json_parse(m->sidecar, &doc, why);

    if (rc == RC_OK && json_type(doc.root) != JSON_OBJECT)
        rc = why_fail(RC_INVALID, why, "it is no object");
    if (rc != RC_OK)
        return why_wrap(rc, why, "the sidecar");
    *ret = (struct model_report){
        .name = m->name.at ? m->name : text(doc.root, "name", a),
        .version = m->version,
        .active = m->active,
        .warm = m->warm,
        .hot = m->hot,
        .goal = text(doc.root, "goal", a),
        .kind = text(doc.root, "kind", a),
        .verdict = text(doc.root, "verdict", a),
        .horizon_ms = whole(doc.root, "horizon_ms"),
        .trained_at = whole(doc.root, "trained_at_ms"),
        .rows = whole(doc.root, "rows"),
        .positive = whole(doc.root, "positive"),
        .usable = json_true(json_get(doc.root, "usable")),
        .base_rate = bounded(number(doc.root, "base_rate")),
    };
    (void)read_numbers(json_get(doc.root, "quartiles"), 3, ret->quartiles); /* else 0 */
    read_inputs(doc.root, a, ret);
    read_report(json_get(doc.root, "report"), a, ret);
    return RC_OK;
}

int64_t report_rows_between(const struct model_report *r, double low, double high)
{
    int64_t rows = 0;

    for (size_t i = 0; i < r->n_histogram; i++) {
        double middle = ((double)i + 0.5) / N_BARS;

        if (middle >= low && middle < high)
            rows += r->histogram[i];
    }
    return rows;
}
