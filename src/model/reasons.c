/* model/reasons.c - the strongest inputs in words.
 *
 * "pricing_view 4 times in 30 days: +11 points, country is DE: -3 points". Texts come from outside:
 * they are cut, and what is no character for people becomes a blank.
 */
#include <math.h>
#include <stdlib.h>

#include "funneld/base/sbuf.h"
#include "funneld/model/inputs.h"
#include "model_priv.h"

enum { SHOWN_BYTES = 60, MAX_SHOWN = 32, MAX_REASONS = 16 << 10 };

static void put_text(struct sbuf *b, struct str s)
{
    struct str cut = str_cut(str_trim(s), SHOWN_BYTES);

    for (size_t i = 0; i < cut.len; i++)
        sbuf_char(b, (unsigned char)cut.at[i] < 0x20 || cut.at[i] == 0x7f ? ' ' : cut.at[i]);
    if (cut.len < str_trim(s).len)
        sbuf_text(b, "...");
}

static void put_days(struct sbuf *b, double days)
{
    if (days < 1)
        sbuf_text(b, "less than a day");
    else
        sbuf_printf(b, "%.0f day%s", floor(days), days < 2 ? "" : "s");
}

static void put_behaviour(struct sbuf *b, struct str name, int days, double value)
{
    if (isnan(value) || (days && value == 0)) {
        sbuf_text(b, "no ");
        put_text(b, name);
        sbuf_printf(b, " in %d days", days ? days : 90);
        return;
    }
    put_text(b, name);
    if (!days && value < 1)
        sbuf_text(b, " within a day");
    else if (!days)
        sbuf_printf(b, " %.0f day%s ago", floor(value), value < 2 ? "" : "s");
    else if (value == 1)
        sbuf_printf(b, " once in %d days", days);
    else
        sbuf_printf(b, " %.0f times in %d days", value, days);
}

static bool put_derived(struct sbuf *b, const struct input *in, const struct cell *cell)
{
    struct str name;
    int days;

    if (lead_input_counted(in->name, &name, &days))
        put_behaviour(b, name, days, cell->number);
    else if (str_is(in->name, "@age.days") && !isnan(cell->number)) {
        sbuf_text(b, "known for ");
        put_days(b, cell->number);
    } else if (str_is(in->name, "@source") && cell->text.at) {
        sbuf_text(b, "first heard of by ");
        put_text(b, cell->text);
    } else if ((str_is(in->name, "@fit") || str_is(in->name, "@engagement")) &&
               !isnan(cell->number)) {
        put_text(b, str_from(in->name, 1));
        sbuf_printf(b, " %.3g", cell->number);
    } else
        return false;
    return true;
}

static void put_age(struct sbuf *b, double days)
{
    if (days >= 0) {
        sbuf_text(b, " was ");
        put_days(b, days);
        sbuf_text(b, " ago");
    } else {
        sbuf_text(b, " is in ");
        put_days(b, -days);
    }
}

static void put_property(struct sbuf *b, const struct input *in, const struct cell *cell,
                         int64_t at)
{
    struct input alone = *in;
    float x[MODEL_MAX_LEVELS + 2];
    bool missing;

    alone.feature = 0;
    model_encode(&alone, 1, cell, at, x);
    missing = in->kind == INPUT_TEXT ? x[in->n_features - 1] == 1 : isnan(x[0]);
    put_text(b, in->name.at[0] == '@' ? str_from(in->name, 1) : in->name);
    if (missing) {
        sbuf_text(b, " is not known");
    } else if (in->kind == INPUT_AGE) {
        put_age(b, (double)x[0]);
    } else if (in->kind == INPUT_TRUTH) {
        sbuf_text(b, x[0] != 0 ? " is yes" : " is no");
    } else if (cell->text.at) {
        sbuf_text(b, " is ");
        put_text(b, cell->text);
    } else {
        sbuf_printf(b, " is %.6g", cell->number);
    }
}

static void put_points(struct sbuf *b, double points)
{
    double size = fabs(points);

    sbuf_printf(b, ": %c%.*f point%s", points < 0 ? '-' : '+', size < 0.95 ? 1 : 0, size,
                size >= 0.95 && size < 1.5 ? "" : "s");
}

double model_points(double bias, double way)
{
    double from = sigmoid(bias);

    if (fabs(way) < 1e-9)
        return 100 * from * (1 - from);
    return 100 * (sigmoid(bias + way) - from) / way;
}

/* The strongest of one sign that was not shown yet; n_inputs: none. */
static size_t strongest(const struct model *m, const double parts[], double sign,
                        const bool shown[])
{
    size_t best = m->n_inputs;

    for (size_t i = 0; i < m->n_inputs; i++)
        if (!shown[i] && parts[i] * sign > 0 &&
            (best == m->n_inputs || fabs(parts[i]) > fabs(parts[best])))
            best = i;
    return best;
}

/* What a part of the log-odds is worth is said from a twentieth of a point on. */
static bool worth_saying(double points)
{
    return fabs(points) >= 0.05;
}

struct str model_reasons(const struct model *m, const struct cell cells[], int64_t at, size_t n,
                         struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(MAX_REASONS);
    double *parts = arena_array(a, m->n_inputs, sizeof *parts), bias = 0, way = 0;
    bool *shown = arena_array(a, m->n_inputs, sizeof *shown);
    struct str ret = STR("");

    model_explain(m, cells, at, a, parts, &bias);
    for (size_t i = 0; i < m->n_inputs; i++)
        way += parts[i];
    double points = model_points(bias, way);
    for (int sign = 1; sign >= -1; sign -= 2)
        for (size_t k = 0; k < n && k < MAX_SHOWN; k++) {
            size_t i = strongest(m, parts, sign, shown);

            if (i == m->n_inputs || !worth_saying(points * parts[i]))
                break;
            shown[i] = true;
            sbuf_text(&b, b.len ? ", " : "");
            if (!put_derived(&b, &m->inputs[i], &cells[i]))
                put_property(&b, &m->inputs[i], &cells[i], at);
            put_points(&b, points * parts[i]);
        }
    rc_ignored(sbuf_seal(&b, a, &ret)); /* 64 reasons of at most 200 bytes fit */
    return ret;
}
