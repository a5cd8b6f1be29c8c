/* report/model_text.c - a trained model on a page of aligned lines: the verdict first. */
#include "funneld/base/clock.h"
#include "model_report.h"

enum { NAME_WIDTH = 36, BAR_WIDTH = 30, SHOWN_INPUTS = 20, SHOWN_FINDINGS = 40 };

/* On one line; who prints it sees to the rest of what a terminal may not get. */
static void put(struct sbuf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        sbuf_char(b, (unsigned char)s.at[i] < 0x20 ? ' ' : s.at[i]);
}

/* In so many characters, as they are counted on a terminal. */
static void put_padded(struct sbuf *b, struct str s, size_t to)
{
    size_t width = 0, end = 0;

    for (; end < s.len; end++) {
        bool begins = ((unsigned char)s.at[end] & 0xC0) != 0x80;

        if (begins && width == to)
            break;
        width += begins;
    }
    put(b, (struct str){s.at, end});
    sbuf_printf(b, "%*s", (int)(to - width), "");
}

static void title(struct sbuf *b, const char *text)
{
    sbuf_printf(b, "\n%s\n", text);
}

static void put_bar(struct sbuf *b, double share)
{
    int n = (int)(share * BAR_WIDTH + 0.5);

    for (int i = 0; i < n && i < BAR_WIDTH; i++)
        sbuf_char(b, '#');
}

static void put_head(struct sbuf *b, const struct model_report *r)
{
    char when[TIME_TEXT];

    put(b, r->name);
    if (r->version)
        sbuf_printf(b, ":%lld", (long long)r->version);
    sbuf_text(b, " - ");
    put(b, r->goal);
    if (r->horizon_ms)
        sbuf_printf(b, " within %lld days", (long long)(r->horizon_ms / DAYS_MS));
    sbuf_text(b, r->active ? ", in use\n\n" : r->usable ? ", not in use\n\n" : ", not usable\n\n");
    put(b, r->verdict);
    time_text(r->trained_at, when);
    sbuf_printf(b,
                "\n\nTrained %.16sZ on %lld rows, %lld of them positive (%.1f %%), %zu columns.\n",
                when, (long long)r->rows, (long long)r->positive, 100 * r->base_rate, r->n_inputs);
}

static void put_how(struct sbuf *b, const struct report_candidate *c)
{
    if (c->depth)
        sbuf_printf(b, "  depth %lld, eta %g, %lld trees", (long long)c->depth, c->eta,
                    (long long)c->rounds);
    if (c->share > 0)
        sbuf_printf(b, "  %.0f %% trees", 100 * c->share);
}

/* None where it would be compared with itself. */
static void put_gain(struct sbuf *b, struct report_gain g)
{
    if (g.se > 0)
        sbuf_printf(b, "   %+.4f +- %.4f", g.mean, g.se);
    else
        sbuf_printf(b, "   %-17s", "-");
}

static void put_candidates(struct sbuf *b, const struct model_report *r)
{
    if (!r->n_candidates)
        return;
    sbuf_printf(b, "\nCompared out of fold (%lld folds %s%s); lower log loss is better\n",
                (long long)r->n_folds, r->by_time ? "in order of time" : "at random",
                r->grouped ? ", each lead on one side" : "");
    sbuf_printf(b, "    %-22s %8s   %-18s  %-18s %6s\n", "", "log loss", "better than base",
                "than logistic", "AUC");
    for (size_t i = 0; i < r->n_candidates; i++) {
        const struct report_candidate *c = &r->candidates[i];

        sbuf_text(b, c->chosen ? "  > " : "    ");
        put_padded(b, c->kind, 22);
        sbuf_printf(b, " %8.4f", c->log_loss);
        put_gain(b, c->over_base);
        put_gain(b, c->over_logistic);
        sbuf_printf(b, "  %6.3f", c->auc);
        put_how(b, c);
        sbuf_char(b, '\n');
    }
}

static void put_measures(struct sbuf *b, const struct model_report *r)
{
    title(b, "How good it is, out of fold");
    sbuf_printf(b, "    AUC %.3f   PR AUC %.3f   log loss %.4f   Brier %.4f\n", r->auc, r->pr_auc,
                r->log_loss, r->brier);
    sbuf_printf(b,
                "    calibration error %.4f; a perfect model shows %.4f, and over %.4f once in "
                "twenty%s\n",
                r->ece, r->ece_floor, r->ece_floor_95,
                r->ece <= r->ece_floor_95 ? "" : ": it is off by more than chance");
}

static void put_tenths(struct sbuf *b, const struct model_report *r)
{
    if (!r->n_calibration)
        return;
    title(b, "A tenth of the rows in each line, the least likely first");
    sbuf_printf(b, "    %9s %9s %8s %6s\n", "said", "happened", "rows", "lift");
    for (size_t i = 0; i < r->n_calibration; i++) {
        const struct report_tenth *t = &r->calibration[i];

        sbuf_printf(b, "    %7.1f %% %7.1f %% %8lld", 100 * t->predicted, 100 * t->observed,
                    (long long)t->n);
        if (r->n_lift == r->n_calibration)
            sbuf_printf(b, " %6.2f", r->lift[r->n_lift - 1 - i]);
        sbuf_text(b, "  ");
        put_bar(b, t->observed);
        sbuf_char(b, '\n');
    }
}

static void put_inputs(struct sbuf *b, const struct model_report *r)
{
    double most = r->n_inputs ? r->inputs[0].weight : 0;

    if (!(most > 0))
        return;
    title(b, "What it goes by (mean share in the log-odds)");
    for (size_t i = 0; i < r->n_inputs && i < SHOWN_INPUTS; i++) {
        sbuf_text(b, "    ");
        put_padded(b, r->inputs[i].name, NAME_WIDTH);
        sbuf_printf(b, " %6.3f  ", r->inputs[i].weight);
        put_bar(b, r->inputs[i].weight / most);
        sbuf_char(b, '\n');
    }
    if (r->n_inputs > SHOWN_INPUTS)
        sbuf_printf(b, "    and %zu more\n", r->n_inputs - SHOWN_INPUTS);
}

static void put_findings(struct sbuf *b, const char *head, const struct report_findings *f)
{
    if (!f->n)
        return;
    title(b, head);
    for (size_t i = 0; i < f->n && i < SHOWN_FINDINGS; i++) {
        sbuf_text(b, "    ");
        put_padded(b, f->at[i].column, NAME_WIDTH);
        sbuf_char(b, ' ');
        put_padded(b, f->at[i].kind, 12);
        put(b, f->at[i].reason);
        sbuf_char(b, '\n');
    }
    if (f->n > SHOWN_FINDINGS)
        sbuf_printf(b, "    and %zu more\n", f->n - SHOWN_FINDINGS);
}

static void put_warnings(struct sbuf *b, const struct model_report *r)
{
    if (!r->n_warnings)
        return;
    title(b, "Mind");
    for (size_t i = 0; i < r->n_warnings; i++) {
        sbuf_text(b, "    - ");
        put(b, r->warnings[i]);
        sbuf_char(b, '\n');
    }
}

static void put_bands(struct sbuf *b, const struct model_report *r)
{
    static const char *const quarters[] = {"low", "medium", "high", "very high"};

    if (!r->n_histogram)
        return;
    title(b, "How many leads a band would have");
    for (size_t i = 0; i < N_BANDS; i++)
        sbuf_printf(b, "    %-15s %8lld\n", report_bands[i].name,
                    (long long)report_rows_between(r, report_bands[i].low, report_bands[i].high));
    if (r->warm > 0 && r->hot > r->warm) {
        double warm = (double)r->warm / 1000, hot = (double)r->hot / 1000;

        sbuf_printf(
            b,
            "    bands = probability: about %lld cold, %lld warm from %.1f %%, %lld hot from "
            "%.1f %%\n",
            (long long)report_rows_between(r, 0, warm),
            (long long)report_rows_between(r, warm, hot), 100 * warm,
            (long long)report_rows_between(r, hot, 1.01), 100 * hot);
    }
    int64_t all = report_rows_between(r, 0, 1.01);
    sbuf_printf(b, "    bands = quartile: about %lld cold, %lld warm, %lld hot\n",
                (long long)(all - all / 4 - all / 4), (long long)(all / 4), (long long)(all / 4));
    sbuf_text(b, "    or a quarter each:");
    for (size_t i = 0; i < 4; i++)
        sbuf_printf(b, "%s %s from %.1f %%", i ? "," : "", quarters[i],
                    i ? 100 * r->quartiles[i - 1] : 0);
    sbuf_char(b, '\n');
}

enum rc model_report_text(const struct reported_model *m, struct sbuf *b, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct model_report r;
    enum rc rc = report_read(m, &a, &r, why);

    if (rc != RC_OK)
        return rc;
    put_head(b, &r);
    put_warnings(b, &r);
    if (r.any) {
        put_candidates(b, &r);
        put_measures(b, &r);
        put_tenths(b, &r);
    }
    put_inputs(b, &r);
    put_bands(b, &r);
    put_findings(b, "Left out", &r.excluded);
    put_findings(b, "Kept, but to be looked at", &r.suspects);
    return b->failed ? why_fail(RC_TOOBIG, why, "the report is too long") : RC_OK;
}
