/* cli/import.h - what `import` is made of: a map (import_map.c), rows of a file (import_csv.c), a
 * CRM's contacts (import_crm.c), and the way into the store (import_send.c).
 */
#ifndef FUNNELD_CLI_IMPORT_H
#define FUNNELD_CLI_IMPORT_H

#include "cli_priv.h"
#include "funneld/app/control.h"
#include "funneld/base/csv.h"
#include "funneld/base/idmap.h"

/* What a column of a file is */
enum import_use {
    USE_PROPERTY,
    USE_EMAIL,      /* the lead's address */
    USE_ID,         /* "@id": portal:id, or an id in the CRM */
    USE_CREATED_AT, /* "@created_at": since when there has been this lead */
    USE_AT,         /* "@at": when the row was as it is */
    USE_IGNORE,     /* "@ignore" */
};
struct import_column {
    struct str name; /* in the file */
    enum import_use use;
    struct str property;
    bool mapped; /* the MAP has a line for it */
};

/* What a line of a map, or we ourselves, make of a column. RC_INVALID: it is no target. */
MUST_CHECK enum rc import_target(struct str text, struct arena *a, struct import_column *c,
                                 struct why *why);
struct str import_target_text(const struct import_column *c);
void import_propose(struct import_column *c, struct arena *a);
/* Reads the lines of `text`: "Column name = target", `;` and `#` begin comments. Each must name one
 * of the columns. RC_INVALID: why says which line, and what to do. */
MUST_CHECK enum rc import_map_read(struct str text, struct import_column columns[], size_t n,
                                   struct arena *a, struct why *why);
/* RC_INVALID: two columns say the same. */
MUST_CHECK enum rc import_map_unique(const struct import_column columns[], size_t n,
                                     struct why *why);
/* The same, or no column says who a row is about. */
MUST_CHECK enum rc import_map_check(const struct import_column columns[], size_t n,
                                    struct why *why);
/* The map itself, to begin with. */
void import_map_write(const struct import_column columns[], size_t n, struct sbuf *b);

/* The file's columns, as --map says, or else as proposed. */
int import_columns(struct cli *cli, const struct csv *csv, struct import_column **ret);
/* What a model calls each of them: with --map the lead's property, missing where it is none; else
 * the column's own name. */
int import_names(struct cli *cli, const struct csv *csv, struct str **ret);

/* "2026-11-24 10:30", and all that value_time takes for a moment. */
bool import_time(struct str text, int64_t *ret);

/* One row: cells[n] as the columns say. RC_NONE: it has no time where one column is to say it;
 * RC_INVALID: why says which column, and what is wrong with it. Texts are the cells' and the
 * arena's. */
struct import_rules {
    const struct import_column *columns;
    size_t n;
    int64_t portal;  /* of ids without one; 0: not known */
    int64_t file_at; /* of rows without a time */
};
MUST_CHECK enum rc import_row(const struct import_rules *r, const struct str cells[],
                              struct arena *a, struct imported *ret, struct why *why);

/* Rows that came before, by hashes. Zeroed: none. */
struct import_seen {
    struct idmap lines, says; /* of lead and time: where it stands first, and what that says */
};
/* RC_INVALID: another line says something else of this lead at this time; why names it. */
MUST_CHECK enum rc import_seen_add(struct import_seen *s, const struct imported *i, int64_t line,
                                   struct arena *a, struct why *why);
void import_seen_free(struct import_seen *s);

/* The way into the store: by the daemon, or by ourselves where none runs. */
struct import_sender {
    struct cli *cli;
    struct str source;
    struct store *store;   /* our own; NULL: a daemon takes it */
    struct reader *reader; /* of what is there */
    struct models *models; /* our own store's; NULL: a daemon has them */
    struct arena arena;    /* of the batch */
    struct str *bodies;
    size_t n, cap, bytes;
    struct import_sums sums;
};
MUST_CHECK enum rc import_open(struct import_sender *s, struct why *why);
MUST_CHECK enum rc import_send(struct import_sender *s, const struct imported *row,
                               struct why *why);
/* Hands over what waits; place: remembered with it, NULL: nothing is. */
MUST_CHECK enum rc import_flush(struct import_sender *s, const struct import_place *place,
                                struct why *why);
void import_close(struct import_sender *s);

int import_csv(struct cli *cli);
int import_crm(struct cli *cli);
/* What came of it, for people or as JSON. */
struct import_end {
    int64_t rows;            /* that were read */
    int64_t skipped;         /* without a time, or that were not taken */
    int64_t odd;             /* with errors */
    int64_t without_history; /* of rows: contacts whose past the CRM did not give */
};
void import_print(struct cli *cli, const struct import_sender *s, const struct import_end *e);

#endif
