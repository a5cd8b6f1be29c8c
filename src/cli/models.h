/* cli/models.h - a trained model as a command names it, and a table as the model sees it. */
#ifndef FUNNELD_CLI_MODELS_H
#define FUNNELD_CLI_MODELS_H

#include "cli_priv.h"
#include "funneld/app/model.h"
#include "funneld/base/csv.h"

/* The one named NAME or NAME:VERSION; text missing: the active one, else the newest, of --goal
 * where that was given. DONE with its texts, or FAILED where there is none. After cli_read. */
int models_find(struct cli *cli, struct str text, struct model_record *ret);
/* The same, read. The caller drops it. */
int models_open(struct cli *cli, struct str text, struct model_record *ret, struct model **ret_m);
/* --goal; USAGE: it is none. */
int models_goal(const struct cli *cli, enum model_goal *ret);

/* Rows of --csv as a model's cells. */
struct scored_table {
    const struct model *model;
    struct csv *csv;
    struct cell *cells; /* of the last row */
    struct str *row;    /* the same, as the file has it */
    size_t *columns;    /* of each input; NO_COLUMN: there is none */
    size_t time;        /* of --time; NO_COLUMN: rows are as of now */
    int64_t at;         /* of the last row */
    struct arena arena; /* of the last row */
};
#define NO_COLUMN SIZE_MAX

int scored_open(struct cli *cli, const struct model *m, struct scored_table *ret);
/* RC_NONE: the end. */
MUST_CHECK enum rc scored_next(const struct cli *cli, struct scored_table *t, struct why *why);
double scored_probability(const struct scored_table *t);
void scored_close(struct scored_table *t);
/* The column of an option, or USAGE. NO_COLUMN where it was not given. */
int scored_column(const struct cli *cli, const struct scored_table *t, enum arg arg, size_t *ret);

/* Parts of cli_model */
int model_show(struct cli *cli);
int model_activate(struct cli *cli);
int model_rollback(struct cli *cli);
int model_export(struct cli *cli);
int model_import(struct cli *cli);
int model_evaluate(struct cli *cli);

/* The report on the terminal. */
struct reported_model;
int cli_print_report(struct cli *cli, const struct reported_model *m);
/* Into the store, by the daemon or without one; says what became of it and, where it is not in use,
 * how to change that. */
struct trained;
int cli_keep_model(struct cli *cli, const struct trained *t, enum model_use use);

#endif
