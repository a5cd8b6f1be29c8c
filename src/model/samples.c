/* samples.c - see samples.h. */
#include "samples.h"

#include <math.h>

#include "funneld/base/clock.h"

static struct cell text_cell(struct str text)
{
    return (struct cell){text, NAN};
}

static struct cell number_cell(double number)
{
    return (struct cell){STR_NULL, number};
}

static struct cell some_level(const struct input *in, size_t turn)
{
    size_t i = turn % (in->n_levels + 2);

    if (i == in->n_levels)
        return text_cell(STR("some other text"));
    return text_cell(i < in->n_levels ? in->levels[i] : STR_NULL);
}

static struct cell some_truth(size_t turn)
{
    static const struct cell truths[] = {
        {{"yes", 3}, NAN}, {{"0", 1}, NAN}, {{NULL, 0}, 1}, {{NULL, 0}, NAN}, {{"FALSE", 5}, NAN}};

    return truths[turn % ARRAY_LEN(truths)];
}

/* Within, below and above the edges; NaN once a turn. */
static double some_number(const struct input *in, size_t turn)
{
    size_t n = in->n_bins - 2, i = turn % (n + 2);

    if (i == n + 1)
        return NAN;
    if (n == 0)
        return 1;
    if (i == 0)
        return floor(in->edges[0]) - 1;
    return i == n ? ceil(in->edges[n - 1]) + 1 : (in->edges[i - 1] + in->edges[i]) / 2;
}

/* As the milliseconds that the date has; a number where they would not be read as a date. */
static struct cell some_age(double days, int64_t at, struct arena *a)
{
    static const double oldest = 1e11; /* 1973: less may be read as a plain number */
    double date = (double)at - days * (double)DAYS_MS;

    if (!(date > oldest && date < (double)at + 1e13))
        return number_cell(days);
    return text_cell(arena_printf(a, "%.0f", date));
}

static struct cell some_cell(const struct lesson *l, const struct input *in, size_t turn)
{
    if (in->kind == INPUT_TEXT)
        return some_level(in, turn);
    if (in->kind == INPUT_TRUTH)
        return some_truth(turn);
    double number = some_number(in, turn);
    if (isnan(number) || turn % 2)
        return number_cell(number);
    return in->kind == INPUT_AGE ? some_age(number, l->o->trained_at, l->arena)
                                 : text_cell(arena_printf(l->arena, "%.9g", number));
}

void samples_make(struct lesson *l)
{
    struct training_report *r = l->report;

    r->n_samples = MODEL_MAX_SAMPLES;
    for (size_t k = 0; k < r->n_samples; k++) {
        struct cell *cells = arena_array(l->arena, l->n_inputs + 1, sizeof *cells);
        uint64_t chance = learn_seed(l, 1000 + k);

        for (size_t i = 0; i < l->n_inputs; i++)
            cells[i] = some_cell(l, &l->inputs[i], k + (size_t)(learn_random(&chance) >> 60));
        r->samples[k] = (struct sample){.at_ms = l->o->trained_at, .cells = cells};
    }
}

void samples_encode(const struct lesson *l, float ret[])
{
    for (size_t k = 0; k < l->report->n_samples; k++)
        model_encode(l->inputs, l->n_inputs, l->report->samples[k].cells,
                     l->report->samples[k].at_ms, ret + k * l->n_features);
}
