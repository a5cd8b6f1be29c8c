/* report/model_charts.c - the pictures of a model's page. */
#include "model_charts.h"

#include <math.h>

#include "svg.h"

static void curve(struct sbuf *b, const struct report_curve *c)
{
    svg_path_begin(b, "polyline", "line");
    for (size_t i = 0; i < c->n; i++)
        svg_path_point(b, c->at[i].x, c->at[i].y);
    svg_path_end(b);
}

void chart_roc(const struct model_report *r, struct sbuf *b)
{
    if (!r->roc.n)
        return;
    svg_open(b, &(struct svg_axes){"Who is found, and who is bothered for it (ROC)",
                                   "of those who do not, taken along", "of those who do, found", 1,
                                   1, SVG_PERCENT, SVG_PERCENT});
    svg_line(b, "guide", 0, 0, 1, 1);
    curve(b, &r->roc);
    svg_close(b);
}

void chart_precision(const struct model_report *r, struct sbuf *b)
{
    if (!r->precision_recall.n)
        return;
    svg_open(b, &(struct svg_axes){"How many of those picked do (precision and recall)",
                                   "of those who do, found (recall)", "of those picked, who do", 1,
                                   1, SVG_PERCENT, SVG_PERCENT});
    svg_line(b, "guide", 0, r->base_rate, 1, r->base_rate);
    curve(b, &r->precision_recall);
    svg_close(b);
}

/* Where an axis of shares ends, so that quarters of it are round. */
static double room_for(double most)
{
    static const double ends[] = {0.02, 0.04, 0.1, 0.2, 0.4, 0.6, 0.8};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (most <= ends[i])
            return ends[i];
    return 1;
}

/* How far chance alone takes what is observed, nineteen times out of twenty. */
static double noise(const struct report_tenth *t)
{
    return t->n > 0 ? 1.96 * sqrt(t->predicted * (1 - t->predicted) / (double)t->n) : 0;
}

void chart_calibration(const struct model_report *r, struct sbuf *b)
{
    double most = 0;

    for (size_t i = 0; i < r->n_calibration; i++)
        most = fmax(most, fmax(r->calibration[i].observed,
                               r->calibration[i].predicted + noise(&r->calibration[i])));
    most = room_for(most);
    if (!r->n_calibration)
        return;
    svg_open(b, &(struct svg_axes){"Whether what is said happens (calibration)", "said", "happened",
                                   most, most, SVG_PERCENT, SVG_PERCENT});
    svg_path_begin(b, "polygon", "band");
    for (size_t i = 0; i < r->n_calibration; i++)
        svg_path_point(b, r->calibration[i].predicted / most,
                       (r->calibration[i].predicted + noise(&r->calibration[i])) / most);
    for (size_t i = r->n_calibration; i > 0; i--)
        svg_path_point(b, r->calibration[i - 1].predicted / most,
                       (r->calibration[i - 1].predicted - noise(&r->calibration[i - 1])) / most);
    svg_path_end(b);
    svg_line(b, "guide", 0, 0, 1, 1);
    for (size_t i = 0; i < r->n_calibration; i++)
        svg_dot(b, r->calibration[i].predicted / most, r->calibration[i].observed / most);
    svg_close(b);
}

void chart_lift(const struct model_report *r, struct sbuf *b)
{
    double most = 1;

    for (size_t i = 0; i < r->n_lift; i++)
        most = fmax(most, r->lift[i]);
    if (!r->n_lift)
        return;
    most = ceil(most);
    svg_open(b, &(struct svg_axes){"How much oftener than on average (lift by tenth)",
                                   "tenths, the likeliest first", "times the average", 1, most,
                                   SVG_NOTHING, SVG_TIMES});
    for (size_t i = 0; i < r->n_lift; i++)
        svg_bar(b, (double)i / (double)r->n_lift, 1 / (double)r->n_lift, r->lift[i] / most);
    svg_line(b, "guide", 0, 1 / most, 1, 1 / most);
    svg_close(b);
}

void chart_scores(const struct model_report *r, struct sbuf *b)
{
    int64_t most = 0;

    for (size_t i = 0; i < r->n_histogram; i++)
        most = r->histogram[i] > most ? r->histogram[i] : most;
    if (!most)
        return;
    svg_open(b, &(struct svg_axes){"How probabilities are spread", "probability", "rows", 1,
                                   (double)most, SVG_PERCENT, SVG_COUNT});
    for (size_t i = 0; i < r->n_histogram; i++)
        svg_bar(b, (double)i / N_BARS, 1.0 / N_BARS, (double)r->histogram[i] / (double)most);
    svg_line(b, "guide", r->base_rate, 0, r->base_rate, 1);
    svg_close(b);
}

void chart_blocks(const struct model_report *r, struct sbuf *b)
{
    double most = 0, n = (double)r->n_blocks;

    for (size_t i = 0; i < r->n_blocks; i++)
        most = fmax(most, fmax(r->blocks[i].observed, r->blocks[i].predicted));
    if (r->n_blocks < 2)
        return;
    most = room_for(most);
    svg_open(b, &(struct svg_axes){"Whether it holds over time: said (line), happened (bars)",
                                   r->by_time ? "tenths, the oldest first"
                                              : "tenths, in the order of the rows",
                                   "rate", 1, most, SVG_NOTHING, SVG_PERCENT});
    for (size_t i = 0; i < r->n_blocks; i++)
        svg_bar(b, (double)i / n, 1 / n, r->blocks[i].observed / most);
    svg_path_begin(b, "polyline", "over");
    for (size_t i = 0; i < r->n_blocks; i++)
        svg_path_point(b, ((double)i + 0.5) / n, r->blocks[i].predicted / most);
    svg_path_end(b);
    svg_close(b);
}

/* From the smallest gain to the greatest, with room for errors; 0 is always in it. */
static void range(const struct model_report *r, double *ret_low, double *ret_high)
{
    double low = 0, high = 0;

    for (size_t i = 0; i < r->n_candidates; i++) {
        const struct report_gain *g = &r->candidates[i].over_base;

        low = fmin(low, g->mean - g->se);
        high = fmax(high, g->mean + g->se);
    }
    double room = high > low ? (high - low) * 0.05 : 1;
    *ret_low = low - room;
    *ret_high = high + room;
}

void chart_gains(const struct model_report *r, struct sbuf *b)
{
    double low, high, n = (double)r->n_candidates;

    if (!r->n_candidates)
        return;
    range(r, &low, &high);
    double zero = -low / (high - low);
    svg_open(b, &(struct svg_axes){"Better than the base rate, and how sure that is",
                                   "gain in log loss, with one standard error; the line is none",
                                   "", 1, 1, SVG_NOTHING, SVG_NOTHING});
    svg_line(b, "guide", zero, 0, zero, 1);
    for (size_t i = 0; i < r->n_candidates; i++) {
        const struct report_gain *g = &r->candidates[i].over_base;
        double y = 1 - ((double)i + 0.5) / n, at = (g->mean - low) / (high - low),
               error = g->se / (high - low);

        svg_line(b, "error", at - error, y, at + error, y);
        svg_label(b, at > 0.5 ? at + 0.03 : at + 0.02, y + 0.06, r->candidates[i].kind);
        svg_dot(b, at, y);
    }
    svg_close(b);
}
