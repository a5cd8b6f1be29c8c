/* deliver/eta.c - when a queue will be empty, at the pace of late. */
#include "eta_priv.h"

#include <math.h>

/* Over about so many attempts. */
#define MEMORY 32.0

static void blend(double *average, double value, double weight)
{
    *average += (value - *average) / weight;
}

void pace_note(struct pace *p, size_t ended, int requests, int64_t ms)
{
    p->attempts = fmin(p->attempts + 1, MEMORY);
    blend(&p->ended, (double)ended, p->attempts);
    blend(&p->requests, (double)requests, p->attempts);
    blend(&p->seconds, (double)ms / 1000.0, p->attempts);
}

double pace_eta(const struct pace *p, int64_t depth, double per_second, size_t concurrency)
{
    if (depth <= 0)
        return 0;

    double ended = p->attempts > 0 ? p->ended : 1;
    double requests = fmax(p->requests, 1);
    double by_rate = per_second > 0 ? requests / per_second : 0;
    double by_time = p->seconds / (double)concurrency;
    return (double)depth / ended * fmax(by_rate, by_time);
}
