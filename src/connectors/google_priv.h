/* connectors/google_priv.h - the parts of the Google Sheets connector: settings, access token. */
#ifndef FUNNELD_CONNECTORS_GOOGLE_PRIV_H
#define FUNNELD_CONNECTORS_GOOGLE_PRIV_H

#include "connectors_priv.h"

enum sheet_column {
    SHEET_DELIVERY_ID,
    SHEET_TIME,
    SHEET_LEAD,
    SHEET_EMAIL,
    SHEET_SCORE,
    SHEET_BAND,
    SHEET_REASONS,
    SHEET_CRM,
    SHEET_LEAD_ID, /* written into a new header only where rows are found by it */
    SHEET_COLUMNS
};

enum sheet_mode {
    SHEET_APPENDS, /* a row for each delivery */
    SHEET_UPSERTS, /* a row for each lead, kept current */
};

struct google_sheets {
    struct connector_common common;
    struct str credentials, token_url, spreadsheet, range;
    struct str_pairs ranges; /* route -> another range for it */
    int64_t batch, mode;
};

/* What is known of a tab. */
struct sheet_tab {
    struct sheet_tab *next;
    struct str range, name, cells;   /* as set; of it: Leads, A:H */
    int64_t header_read_at;          /* 0: the header is not known */
    int64_t position[SHEET_COLUMNS]; /* from 0; -1: there is no such column */
};

struct google_session {
    char *token;            /* NULL: none */
    int64_t token_renew_at; /* some minutes before it expires */
    struct arena arena;     /* of the tabs: as many as the settings name */
    struct sheet_tab *tabs;
    uint64_t reads, writes; /* the account's quotas; 0: not named yet */
};

enum sheet_step {
    SHEET_STEP_START,
    SHEET_STEP_TOKEN,
    SHEET_STEP_HEADER,
    SHEET_STEP_WRITE_HEADER,
    SHEET_STEP_LOOK,
    SHEET_STEP_UPDATE,
    SHEET_STEP_APPEND
};

struct sheet_talk { /* scratch */
    struct sheet_tab *tab;
    bool token_renewed;  /* after a 401 */
    bool write_header;   /* row 1 is empty */
    bool looked;         /* the whole column of ids was read */
    bool looked_again;   /* rows had moved before they were written */
    bool shortened;      /* a cell was too long for Google by its own count */
    int64_t look_row;    /* from where to go on reading the column */
    struct sheet_place { /* of each parcel */
        int64_t row;     /* where its lead's row is; 0: nowhere, or not known */
        bool sent;       /* with the last request */
    } * places;
};

/* A service account's key file. */
struct google_key {
    struct str client_email, key_id, pem, token_uri;
};

MUST_CHECK enum rc google_key_read(struct str credentials, struct arena *a, struct google_key *ret,
                                   struct why *why);
/* The e-mail address of the service account; the configuration's check has read the key. */
struct str google_account(const struct google_sheets *s, struct arena *a);
void google_check_key(const struct google_sheets *s, const struct conf_section *section,
                      struct conf_problems *problems);

bool google_token_good(const struct google_session *g, int64_t now_ms);
void google_token_drop(struct google_session *g);
MUST_CHECK enum rc google_token_build(struct job *job, struct http_request *ret, struct why *why);
/* CONTINUE: the session has a token. */
enum judged google_token_judge(struct job *job, const struct http_response *r);

/* Whatever is no success. */
enum judged sheet_failure(struct job *job, const struct http_response *r);

/* Requests; google_sheets.c knows which is next. */
MUST_CHECK enum rc sheet_build_header(struct job *job, struct http_request *ret, struct why *why);
MUST_CHECK enum rc sheet_build_write_header(struct job *job, struct http_request *ret,
                                            struct why *why);
MUST_CHECK enum rc sheet_build_look(struct job *job, struct http_request *ret, struct why *why);
MUST_CHECK enum rc sheet_build_update(struct job *job, struct http_request *ret, struct why *why);
MUST_CHECK enum rc sheet_build_append(struct job *job, struct http_request *ret, struct why *why);

bool sheet_upserts(const struct job *job);
enum sheet_column sheet_key(const struct job *job); /* by which rows are looked for */

/* Tab and cells that the deliveries of this route go to. */
struct str sheet_range_of(const struct google_sheets *s, struct str route);
/* The header and the rows of a sheet. */
bool sheet_range(struct str range, struct arena *a, struct str *ret_tab, struct str *ret_cells);
struct str sheet_quoted(struct str tab, const char *cells, struct arena *a); /* 'Leads'!A:H */
const char *sheet_heading(enum sheet_column c);
/* values: the first so many of our columns */
void sheet_header_write(struct sbuf *b, int n_columns);
/* Where our columns are in row 1; `key` must be there. RC_NONE: the row is empty. */
MUST_CHECK enum rc sheet_header_read(const json *row, int64_t ret_position[SHEET_COLUMNS],
                                     enum sheet_column key, struct str tab, struct why *why);
/* `left` stays as it is, as do columns that are not ours; SHEET_COLUMNS: all ours are written. */
void sheet_row_write(struct sbuf *b, const int64_t position[SHEET_COLUMNS], const struct parcel *p,
                     enum sheet_column left, size_t cell_units, struct arena *a);
int64_t sheet_width(const int64_t position[SHEET_COLUMNS]);  /* up to our last column */
struct str sheet_letters(int64_t position, struct arena *a); /* 0 -> A, 26 -> AA */

enum {
    SHEET_LOOK_ROWS = 25000, /* read at a time: 50 answers of 1 MB for a full spreadsheet */
    SHEET_BODY_MAX = 8 * 1024 * 1024,
    SHEET_CELL_UNITS = 50000,
    SHEET_SHORT_UNITS = 10000, /* whatever Google counts */
};

enum judged google_sheets_judge(struct job *job, const struct http_response *r);

/* The next request of a job; the probe's questions are those that a job begins with. */
MUST_CHECK enum rc google_sheets_build(struct job *job, struct http_request *ret, struct why *why);
/* google_probe.c */
enum rc google_probe_next(struct probe *p, struct http_request *ret, struct why *why);
void google_probe_take(struct probe *p, const struct http_response *r);

#endif
