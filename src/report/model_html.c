/* report/model_html.c - a trained model as a page of its own. */
#include "funneld/base/clock.h"
#include "model_charts.h"
#include "svg.h"

enum { SHOWN_INPUTS = 25 };

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n";

static const char style[] =
    "<style>\n:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#d9dee5;"
    "--paper:#fff;--card:#f6f8fa;--main:#1f6feb;--fill:#7fb0f5;--good:#1a7f37;--bad:#b35900}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#98a3b3;--line:#313a46;"
    "--paper:#12161c;--card:#1a2028;--main:#6cb0ff;--fill:#3a70b8;--good:#5bc873;--bad:#e8a04c}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:64rem;padding:1.5rem 1rem 4rem;background:var(--paper);"
    "color:var(--ink);font:1rem/1.55 system-ui,sans-serif;font-variant-numeric:tabular-nums}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 .2rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1.15rem;margin:2.4rem 0 .6rem}\np{margin:.4rem 0;max-width:44rem}\n"
    ".soft{color:var(--soft)}\n"
    ".verdict{border-left:.3rem solid var(--bad);background:var(--card);padding:.8rem 1rem;"
    "margin:1.2rem 0;font-size:1.1rem;border-radius:0 .4rem .4rem 0}\n"
    ".verdict.won{border-color:var(--good)}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;"
    "margin:1rem 0;padding:0;list-style:none}\n"
    ".figures li{background:var(--card);border-radius:.4rem;padding:.6rem .8rem}\n"
    ".figures b{display:block;font-size:1.35rem;font-weight:600}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));"
    "gap:1.4rem}\n"
    "figure{margin:0}\nfigcaption{font-weight:600;font-size:.95rem;margin-bottom:.3rem}\n"
    "svg{width:100%;height:auto;display:block}\nsvg text{fill:var(--soft);font-size:11px}\n"
    ".grid{stroke:var(--line);stroke-width:1}\n"
    ".guide{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:4 4}\n"
    ".line,.over{fill:none;stroke:var(--main);stroke-width:2.2}\n.over{stroke:var(--ink)}\n"
    ".error{stroke:var(--main);stroke-width:2}\n.bar{fill:var(--fill)}\n"
    ".band{fill:var(--fill);opacity:.3}\n.dot{fill:var(--main)}\n"
    ".wide{overflow-x:auto}\ntable{border-collapse:collapse;width:100%;font-size:.92rem}\n"
    "th,td{text-align:left;padding:.35rem .7rem .35rem 0;border-bottom:1px solid var(--line);"
    "vertical-align:top;overflow-wrap:anywhere}\n"
    "th{font-weight:600;color:var(--soft)}\n.n{text-align:right;white-space:nowrap;"
    "overflow-wrap:normal}\n"
    ".chosen td{font-weight:600}\n.share{width:40%;min-width:6rem}\n"
    ".share svg{height:.8rem}\n</style></head><body>\n";

static void put_head(struct sbuf *b, const struct model_report *r)
{
    char when[TIME_TEXT];

    sbuf_text(b, head);
    sbuf_text(b, "<title>");
    html_text(b, r->name);
    sbuf_text(b, "</title>\n");
    sbuf_text(b, style);
    sbuf_text(b, "<h1>");
    html_text(b, r->name);
    if (r->version)
        sbuf_printf(b, ":%lld", (long long)r->version);
    sbuf_text(b, "</h1><p class=\"soft\">");
    html_text(b, r->goal);
    if (r->horizon_ms)
        sbuf_printf(b, " within %lld days", (long long)(r->horizon_ms / DAYS_MS));
    time_text(r->trained_at, when);
    sbuf_printf(b, " &middot; trained %.16s UTC &middot; %s</p>\n<p class=\"verdict%s\">", when,
                r->active ? "in use" : "not in use", r->usable ? " won" : "");
    html_text(b, r->verdict);
    sbuf_text(b, "</p>\n");
}

static void figure(struct sbuf *b, const char *name, double value, int digits, const char *unit)
{
    sbuf_printf(b, "<li><b>%.*f%s</b>%s</li>", digits, value, unit, name);
}

static void put_figures(struct sbuf *b, const struct model_report *r)
{
    sbuf_text(b, "<ul class=\"figures\">");
    figure(b, "rows", (double)r->rows, 0, "");
    figure(b, "of them positive", 100 * r->base_rate, 1, " %");
    if (r->any) {
        figure(b, "AUC", r->auc, 3, "");
        figure(b, "PR AUC", r->pr_auc, 3, "");
        figure(b, "log loss", r->log_loss, 4, "");
        figure(b, "Brier score", r->brier, 4, "");
        figure(b, "calibration error", r->ece, 4, "");
        figure(b, "lift of the best tenth", r->top_lift, 2, "");
    }
    sbuf_text(b, "</ul>\n");
    if (r->any)
        sbuf_printf(b,
                    "<p class=\"soft\">All of it out of fold: each row was predicted by a model "
                    "that had not seen it. A perfect model of so many rows shows a calibration "
                    "error of %.4f, and over %.4f once in twenty.</p>\n",
                    r->ece_floor, r->ece_floor_95);
}

static void put_warnings(struct sbuf *b, const struct model_report *r)
{
    if (!r->n_warnings)
        return;
    sbuf_text(b, "<h2>Mind</h2><ul>");
    for (size_t i = 0; i < r->n_warnings; i++) {
        sbuf_text(b, "<li>");
        html_text(b, r->warnings[i]);
        sbuf_text(b, "</li>");
    }
    sbuf_text(b, "</ul>\n");
}

/* None where it would be compared with itself. */
static void put_gain(struct sbuf *b, struct report_gain g)
{
    if (g.se > 0)
        sbuf_printf(b, "<td class=\"n\">%+.4f &plusmn; %.4f</td>", g.mean, g.se);
    else
        sbuf_text(b, "<td class=\"n\">&ndash;</td>");
}

static void put_candidate(struct sbuf *b, const struct report_candidate *c)
{
    sbuf_printf(b, "<tr%s><td>", c->chosen ? " class=\"chosen\"" : "");
    html_text(b, c->kind);
    if (c->depth)
        sbuf_printf(b, " <span class=\"soft\">depth %lld, %lld trees</span>", (long long)c->depth,
                    (long long)c->rounds);
    if (c->share > 0)
        sbuf_printf(b, " <span class=\"soft\">%.0f&nbsp;%% trees</span>", 100 * c->share);
    sbuf_printf(b, "</td><td class=\"n\">%.4f</td>", c->log_loss);
    put_gain(b, c->over_base);
    put_gain(b, c->over_logistic);
    sbuf_printf(b, "<td class=\"n\">%.3f</td></tr>\n", c->auc);
}

static void put_candidates(struct sbuf *b, const struct model_report *r)
{
    if (!r->n_candidates)
        return;
    sbuf_printf(b,
                "<h2>What was tried</h2><p class=\"soft\">%lld folds %s%s. Lower log loss is "
                "better; gains are with one standard error.</p>\n<div class=\"wide\"><table><tr>"
                "<th></th><th class=\"n\">log loss</th><th class=\"n\">gain on the base rate</th>"
                "<th class=\"n\">gain on logistic regression</th><th class=\"n\">AUC</th></tr>\n",
                (long long)r->n_folds, r->by_time ? "in order of time" : "at random",
                r->grouped ? ", each lead on one side" : "");
    for (size_t i = 0; i < r->n_candidates; i++)
        put_candidate(b, &r->candidates[i]);
    sbuf_text(b, "</table></div>\n");
}

static void put_charts(struct sbuf *b, const struct model_report *r)
{
    sbuf_text(b, "<h2>How good it is</h2><div class=\"charts\">\n");
    chart_calibration(r, b);
    chart_lift(r, b);
    chart_roc(r, b);
    chart_precision(r, b);
    chart_scores(r, b);
    chart_gains(r, b);
    chart_blocks(r, b);
    sbuf_text(b, "</div>\n<p class=\"soft\">The band around the calibration is what chance alone "
                 "does in nineteen of twenty cases. Dashed lines are no knowledge at all.</p>\n");
}

static void put_inputs(struct sbuf *b, const struct model_report *r)
{
    double most = r->n_inputs ? r->inputs[0].weight : 0;

    if (!(most > 0))
        return;
    sbuf_text(b, "<h2>What it goes by</h2><p class=\"soft\">Mean share in the log-odds.</p>\n"
                 "<table>");
    for (size_t i = 0; i < r->n_inputs && i < SHOWN_INPUTS; i++) {
        double weight = r->inputs[i].weight;

        sbuf_text(b, "<tr><td>");
        html_text(b, r->inputs[i].name);
        sbuf_printf(b,
                    "</td><td class=\"n\">%.3f</td><td class=\"share\"><svg viewBox=\"0 0 100 8\" "
                    "preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"bar\" "
                    "width=\"%.1f\" height=\"8\"/></svg></td></tr>\n",
                    weight, weight > 0 ? 100 * weight / most : 0);
    }
    sbuf_text(b, "</table>\n");
    if (r->n_inputs > SHOWN_INPUTS)
        sbuf_printf(b, "<p class=\"soft\">and %zu more</p>\n", r->n_inputs - SHOWN_INPUTS);
}

static void put_bands(struct sbuf *b, const struct model_report *r)
{
    static const char *const quarters[] = {"low", "medium", "high", "very high"};

    if (!r->n_histogram)
        return;
    sbuf_text(b, "<h2>How many leads a band would have</h2><div class=\"charts\"><table><tr>"
                 "<th>by probability</th><th class=\"n\">rows</th></tr>");
    for (size_t i = 0; i < N_BANDS; i++)
        sbuf_printf(b, "<tr><td>%s</td><td class=\"n\">%lld</td></tr>", report_bands[i].name,
                    (long long)report_rows_between(r, report_bands[i].low, report_bands[i].high));
    sbuf_text(b, "</table>\n<table><tr><th>a quarter each</th><th class=\"n\">from</th></tr>");
    for (size_t i = 0; i < 4; i++)
        sbuf_printf(b, "<tr><td>%s</td><td class=\"n\">%.1f&nbsp;%%</td></tr>", quarters[i],
                    i ? 100 * r->quartiles[i - 1] : 0);
    sbuf_text(b, "</table></div>\n");
    if (r->warm > 0 && r->hot > r->warm)
        sbuf_printf(
            b, "<p>By the limits of [score]: about %lld cold, %lld warm, %lld hot</p>\n",
            (long long)report_rows_between(r, 0, (double)r->warm / 1000),
            (long long)report_rows_between(r, (double)r->warm / 1000, (double)r->hot / 1000),
            (long long)report_rows_between(r, (double)r->hot / 1000, 1.01));
}

static void put_findings(struct sbuf *b, const char *title, const struct report_findings *f)
{
    if (!f->n)
        return;
    sbuf_printf(b,
                "<h2>%s</h2><div class=\"wide\"><table><tr><th>column</th><th>what</th>"
                "<th>why</th></tr>\n",
                title);
    for (size_t i = 0; i < f->n; i++) {
        sbuf_text(b, "<tr><td>");
        html_text(b, f->at[i].column);
        sbuf_text(b, "</td><td>");
        html_text(b, f->at[i].kind);
        sbuf_text(b, "</td><td>");
        html_text(b, f->at[i].reason);
        sbuf_text(b, "</td></tr>\n");
    }
    sbuf_text(b, "</table></div>\n");
}

enum rc model_report_html(const struct reported_model *m, struct sbuf *b, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct model_report r;
    enum rc rc = report_read(m, &a, &r, why);

    if (rc != RC_OK)
        return rc;
    put_head(b, &r);
    put_figures(b, &r);
    put_warnings(b, &r);
    if (r.any) {
        put_charts(b, &r);
        put_candidates(b, &r);
    }
    put_inputs(b, &r);
    put_bands(b, &r);
    put_findings(b, "Left out", &r.excluded);
    put_findings(b, "Kept, but to be looked at", &r.suspects);
    sbuf_text(b, "</body></html>\n");
    return b->failed ? why_fail(RC_TOOBIG, why, "the report is too long") : RC_OK;
}
