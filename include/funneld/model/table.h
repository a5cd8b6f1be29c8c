/* model/table.h - what a model learns from: rows of a table whose outcome is known.
 *
 * Immutable once built; slices belong to whoever built it. Columns are texts (as in a CSV file or a
 * lead's properties) or numbers (what was counted). Missing is at == NULL or empty, and NaN.
 *
 * A column's name is what a lead calls it when it is served: a property's name, or one of the
 * derived ones of model/inputs.h, which begin with '@'.
 */
#ifndef FUNNELD_MODEL_TABLE_H
#define FUNNELD_MODEL_TABLE_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"

struct column {
    struct str name;
    const struct str *texts; /* [n_rows], or NULL */
    const double *numbers;   /* the same; exactly one of the two is there */
};

struct table {
    const struct column *columns;
    size_t n_columns, n_rows;
};

struct training_set {
    struct table table;
    const bool *positive;   /* [n_rows]: the outcome */
    const double *time;     /* when the row was as it is, in any unit that grows: folds are in this
                               order. NULL: not known; the order of the rows is looked at for drift */
    bool time_is_ms;        /* Unix milliseconds: dates become ages at that time */
    const double *known_at; /* when its outcome was known, in the same unit: nothing learns from an
                               outcome before that. NULL: at once */
    const uint32_t *group;  /* rows of one lead have the same and stay on one side of a fold;
                               NULL: each row is a lead of its own */
};

/* One value, when a single row is predicted. */
struct cell {
    struct str text; /* missing where `number` says it */
    double number;   /* NaN where `text` says it, or both are missing */
};

static inline struct cell column_cell(const struct column *c, size_t row)
{
    return (struct cell){.text = c->texts ? c->texts[row] : STR_NULL,
                         .number = c->numbers ? c->numbers[row] : __builtin_nan("")};
}

#endif
