/* platt.c - two numbers that make log-odds honest. Fitted on the log-odds: on the probability a
 * sigmoid does more harm than good. A slope of 1 is what is believed before there are many rows. */
#include <math.h>

#include "choose.h"

static const double belief = 4; /* how much the slope of 1 weighs */

struct sums {
    double ga, gb, haa, hab, hbb;
};

static void add(struct sums *s, double a, double b, double margin, bool positive)
{
    double q = sigmoid(a * margin + b), slope = q - (positive ? 1 : 0), curve = q * (1 - q);

    s->ga += slope * margin;
    s->gb += slope;
    s->haa += curve * margin * margin;
    s->hab += curve * margin;
    s->hbb += curve;
}

static void sum_up(const struct lesson *l, const double margins[], const bool by[], double a,
                   double b, struct sums *s)
{
    *s = (struct sums){.ga = belief * (a - 1), .haa = belief, .gb = b, .hbb = 1};
    for (size_t k = 0; k < l->n_folds; k++)
        for (size_t i = 0; by[k] && i < l->folds[k].n_test; i++) {
            uint32_t row = l->folds[k].test[i];

            add(s, a, b, margins[row], l->positive[row]);
        }
}

void platt_fit(const struct lesson *l, const double margins[], const bool by[], double *ret_a,
               double *ret_b)
{
    double a = 1, b = 0;

    for (int i = 0; i < 50; i++) {
        struct sums s;

        sum_up(l, margins, by, a, b, &s);
        double det = s.haa * s.hbb - s.hab * s.hab;
        if (det < 1e-12)
            break;
        double da = (s.ga * s.hbb - s.gb * s.hab) / det, db = (s.gb * s.haa - s.ga * s.hab) / det;
        a -= fmax(-1, fmin(1, da));
        b -= fmax(-1, fmin(1, db));
        if (fabs(da) + fabs(db) < 1e-10)
            break;
    }
    *ret_a = fmax(a, 0.05); /* never turned round */
    *ret_b = b;
}
