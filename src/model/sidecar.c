/* sidecar.c - writes what sidecar.h describes. */
#include "sidecar.h"

#include <math.h>

#include "funneld/base/json.h"

static const char *const kinds[] = {
    [INPUT_NUMBER] = "number", [INPUT_TEXT] = "text", [INPUT_TRUTH] = "truth", [INPUT_AGE] = "age"};

static void kv_num(struct sbuf *b, const char *key, double value)
{
    json_key(b, key);
    json_num(b, value);
}

static void kv_bool(struct sbuf *b, const char *key, bool value)
{
    json_key(b, key);
    json_bool(b, value);
}

static void kv_count(struct sbuf *b, const char *key, size_t value)
{
    json_kv_int(b, key, (int64_t)value);
}

static void kv_numbers(struct sbuf *b, const char *key, const double values[], size_t n)
{
    json_key(b, key);
    json_open(b, '[');
    for (size_t i = 0; i < n; i++)
        json_num(b, values[i]);
    json_close(b, ']');
}

static void kv_texts(struct sbuf *b, const char *key, const struct str values[], size_t n)
{
    json_key(b, key);
    json_open(b, '[');
    for (size_t i = 0; i < n; i++)
        json_str(b, values[i]);
    json_close(b, ']');
}

static void write_input(struct sbuf *b, const struct input *in)
{
    json_open(b, '{');
    json_kv(b, "name", in->name);
    json_kv_text(b, "kind", kinds[in->kind]);
    if (in->kind == INPUT_TEXT)
        kv_texts(b, "levels", in->levels, in->n_levels);
    kv_texts(b, "sentinels", in->sentinels, in->n_sentinels);
    if (in->kind != INPUT_TEXT)
        kv_numbers(b, "edges", in->edges, in->n_bins - 2);
    kv_numbers(b, "shares", in->shares, in->n_bins);
    kv_num(b, "weight", in->weight);
    json_close(b, '}');
}

static void write_logistic(struct sbuf *b, const struct logistic *l, size_t n)
{
    json_key(b, "logistic");
    if (!l->weight) {
        json_null(b);
        return;
    }
    json_open(b, '{');
    kv_num(b, "bias", l->bias);
    kv_numbers(b, "weight", l->weight, n);
    kv_numbers(b, "mean", l->mean, n);
    kv_numbers(b, "scale", l->scale, n);
    kv_numbers(b, "missing", l->missing, n);
    kv_numbers(b, "low", l->low, n);
    kv_numbers(b, "high", l->high, n);
    json_close(b, '}');
}

static void write_cell(struct sbuf *b, const struct cell *c)
{
    if (c->text.at)
        json_str(b, c->text);
    else
        json_num(b, c->number);
}

static void write_samples(struct sbuf *b, const struct model *m, const struct training_report *r)
{
    json_key(b, "samples");
    json_open(b, '[');
    for (size_t i = 0; i < r->n_samples; i++) {
        json_open(b, '{');
        json_kv_int(b, "at_ms", r->samples[i].at_ms);
        json_key(b, "cells");
        json_open(b, '[');
        for (size_t k = 0; k < m->n_inputs; k++)
            write_cell(b, &r->samples[i].cells[k]);
        json_close(b, ']');
        kv_num(b, "probability", r->samples[i].probability);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_gain(struct sbuf *b, const char *key, struct gain g)
{
    json_key(b, key);
    json_open(b, '{');
    kv_num(b, "mean", g.mean);
    kv_num(b, "se", g.se);
    json_close(b, '}');
}

static void write_candidate(struct sbuf *b, const struct candidate *c)
{
    json_open(b, '{');
    json_kv_text(b, "kind", c->kind);
    kv_num(b, "log_loss", c->log_loss);
    kv_num(b, "auc", c->auc);
    kv_num(b, "brier", c->brier);
    write_gain(b, "gain_base", c->over_base);
    write_gain(b, "gain_logistic", c->over_logistic);
    kv_bool(b, "chosen", c->chosen);
    if (c->penalty > 0)
        kv_num(b, "penalty", c->penalty);
    if (c->depth) {
        kv_count(b, "depth", c->depth);
        kv_num(b, "eta", c->eta);
        kv_num(b, "min_child_weight", c->min_child_weight);
        kv_num(b, "subsample", c->subsample);
        kv_num(b, "colsample", c->colsample);
        kv_num(b, "lambda", c->lambda);
        kv_count(b, "rounds", c->rounds);
        kv_count(b, "tried", c->tried);
    }
    if (c->share > 0)
        kv_num(b, "share", c->share);
    json_close(b, '}');
}

static void write_measures(struct sbuf *b, const struct measures *s)
{
    json_key(b, "measures");
    json_open(b, '{');
    kv_count(b, "n", s->n);
    kv_count(b, "positive", s->n_positive);
    kv_num(b, "auc", s->auc);
    kv_num(b, "pr_auc", s->pr_auc);
    kv_num(b, "log_loss", s->log_loss);
    kv_num(b, "brier", s->brier);
    kv_num(b, "ece", s->ece);
    kv_num(b, "ece_floor", s->ece_floor);
    kv_num(b, "ece_floor_95", s->ece_floor_95);
    kv_num(b, "lift", s->lift);
    json_close(b, '}');
}

static void write_curve(struct sbuf *b, const char *key, const struct curve *c)
{
    json_key(b, key);
    json_open(b, '[');
    for (size_t i = 0; i < c->n; i++) {
        json_open(b, '[');
        json_num(b, c->at[i].x);
        json_num(b, c->at[i].y);
        json_close(b, ']');
    }
    json_close(b, ']');
}

static void write_calibration(struct sbuf *b, const struct training_report *r)
{
    json_key(b, "calibration");
    json_open(b, '[');
    for (size_t i = 0; i < REPORT_TENTHS; i++) {
        json_open(b, '{');
        kv_num(b, "predicted", r->calibration[i].predicted);
        kv_num(b, "observed", r->calibration[i].observed);
        kv_count(b, "n", r->calibration[i].n);
        json_close(b, '}');
    }
    json_close(b, ']');
    json_key(b, "histogram");
    json_open(b, '[');
    for (size_t i = 0; i < REPORT_BARS; i++)
        json_int(b, (int64_t)r->histogram[i]);
    json_close(b, ']');
}

static void write_blocks(struct sbuf *b, const struct training_report *r)
{
    json_key(b, "blocks");
    json_open(b, '[');
    for (size_t i = 0; i < REPORT_TENTHS; i++) {
        json_open(b, '{');
        kv_count(b, "rows", r->blocks[i].n);
        kv_num(b, "observed", r->blocks[i].observed);
        kv_num(b, "predicted", r->blocks[i].predicted);
        kv_num(b, "auc", r->blocks[i].auc);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_findings(struct sbuf *b, const char *key, const struct findings *f)
{
    json_key(b, key);
    json_open(b, '[');
    for (size_t i = 0; i < f->n; i++) {
        json_open(b, '{');
        json_kv(b, "column", f->at[i].column);
        json_kv_text(b, "kind", f->at[i].kind);
        json_kv(b, "reason", f->at[i].reason);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_report(struct sbuf *b, const struct training_report *r)
{
    json_key(b, "report");
    json_open(b, '{');
    json_kv_text(b, "folds", r->by_time ? "time" : "random");
    kv_bool(b, "grouped", r->grouped);
    kv_count(b, "n_folds", r->n_folds);
    kv_count(b, "scored", r->n_scored);
    json_key(b, "candidates");
    json_open(b, '[');
    for (size_t i = 0; i < r->n_candidates; i++)
        write_candidate(b, &r->candidates[i]);
    json_close(b, ']');
    write_measures(b, &r->measures);
    kv_numbers(b, "lift", r->lift, REPORT_TENTHS);
    write_curve(b, "roc", &r->roc);
    write_curve(b, "precision_recall", &r->precision_recall);
    write_calibration(b, r);
    write_blocks(b, r);
    write_findings(b, "excluded", &r->excluded);
    write_findings(b, "suspects", &r->suspects);
    kv_texts(b, "warnings", r->warnings, r->n_warnings);
    json_close(b, '}');
}

static void write_card(struct sbuf *b, const struct model_card *c, uint64_t seed)
{
    json_kv(b, "name", c->name);
    json_kv_text(b, "goal", goal_name(c->goal));
    json_kv_int(b, "horizon_ms", c->horizon_ms);
    json_kv_int(b, "trained_at_ms", c->trained_at);
    json_key(b, "seed");
    sbuf_printf(b, "\"%llu\"", (unsigned long long)seed);
    kv_bool(b, "usable", c->usable);
    json_kv(b, "kind", c->kind);
    json_kv(b, "verdict", c->verdict);
    kv_count(b, "rows", c->n_rows);
    kv_count(b, "positive", c->n_positive);
    kv_num(b, "base_rate", c->base_rate);
}

void sidecar_write(const struct model *m, const struct training_report *r, struct sbuf *b)
{
    json_open(b, '{');
    json_kv_text(b, "format", SIDECAR_FORMAT);
    json_kv_int(b, "version", SIDECAR_VERSION);
    write_card(b, &m->card, r->seed);
    json_key(b, "inputs");
    json_open(b, '[');
    for (size_t i = 0; i < m->n_inputs; i++)
        write_input(b, &m->inputs[i]);
    json_close(b, ']');
    kv_count(b, "features", m->n_features);
    kv_num(b, "base_log_odds", m->base_log_odds);
    write_logistic(b, &m->logistic, m->n_features);
    kv_num(b, "share", m->share);
    json_key(b, "platt");
    json_open(b, '{');
    kv_num(b, "a", m->platt_a);
    kv_num(b, "b", m->platt_b);
    json_close(b, '}');
    kv_numbers(b, "quartiles", m->quartiles, 3);
    write_samples(b, m, r);
    write_report(b, r);
    json_close(b, '}');
}
