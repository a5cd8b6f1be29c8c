/* cli/train_table.h - `train --csv`: rows of a table whose outcome is known, to learn from. */
#ifndef FUNNELD_CLI_TRAIN_TABLE_H
#define FUNNELD_CLI_TRAIN_TABLE_H

#include "cli_priv.h"
#include "funneld/base/csv.h"
#include "funneld/model/train.h"

struct train_table {
    struct csv *csv;   /* the texts of the set lie in it */
    struct str *names; /* what a model calls its columns; missing: they are not learnt from */
    struct training_set set;
    size_t left_out; /* rows whose outcome is not known */
    size_t no_time;  /* rows whose time cannot be read; they are left out, too */
    size_t leads;    /* where ids come more than once: how many leads the rows are of; else 0 */
    size_t rows;     /* whose outcome is known; more than in the set where there are too many */
};

/* Reads --csv, --map, --target, --id and --time; says on standard error what is wrong. The caller
 * owes train_table_close in any case. */
int train_table_read(struct cli *cli, size_t max_rows, struct train_table *ret);
void train_table_close(struct train_table *t);

#endif
