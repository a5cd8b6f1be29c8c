/* knows.h - how much a column tells of the outcome, alone and beside all others. */
#ifndef FUNNELD_MODEL_KNOWS_H
#define FUNNELD_MODEL_KNOWS_H

#include "learn.h"

struct knowledge { /* of one column */
    double auc;    /* alone, out of fold */
    double gain;   /* share of the outcome's entropy that it takes away, alone, out of fold */
    double filled_positive, filled_negative; /* share of the rows of each class that have a value */
    double filled_gain;                      /* the gain of that alone */
};

struct known {
    struct learn_column *column;
    struct knowledge k;
    double added; /* to all others, where that was asked */
};

/* suspects.c: tells what is much, though not too much. */
/* The word in a name that tells of a state as it was when the table was written, of how something
 * went, or of somebody's judgement; NULL: there is none. */
const char *word_in(struct str name);
void suspects(struct lesson *l, const struct known known[], size_t n);

/* Shares of the outcome's entropy from which on a column is suspected: alone, added to all others,
 * and by whether it is filled in. */
static const double suspect_gain = .25, suspect_added = .1, filled_tells = .04;

void knowledge_alone(const struct lesson *l, const struct learn_column *c, struct knowledge *ret);

/* together.c: what each of some columns adds to all others, as a share of the outcome's entropy, by
 * a quick model out of fold, and what all tell. columns[n]; only the first n_asked are left out in
 * turn. false: it was stopped. */
bool knowledge_added(const struct lesson *l, struct learn_column *const columns[], size_t n,
                     size_t n_asked, double ret[], double *ret_all);

#endif
