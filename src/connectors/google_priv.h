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
    SHEET_COLUMNS
};

struct google_sheets {
    struct connector_common common;
    struct str credentials, token_url, spreadsheet, range;
    int64_t batch;
};

struct google_session {
    char *token;                     /* NULL: none */
    int64_t token_renew_at;          /* some minutes before it expires */
    int64_t header_read_at;          /* 0: the header is not known */
    int64_t position[SHEET_COLUMNS]; /* from 0; -1: there is no such column */
};

enum sheet_step {
    SHEET_STEP_START,
    SHEET_STEP_TOKEN,
    SHEET_STEP_HEADER,
    SHEET_STEP_WRITE_HEADER,
    SHEET_STEP_LOOK,
    SHEET_STEP_APPEND
};

struct sheet_talk {        /* scratch */
    struct str tab, cells; /* of the range: Leads, A:H */
    bool token_renewed;    /* after a 401 */
    bool write_header;     /* row 1 is empty */
    bool looked;           /* the whole column of delivery ids was read */
    int64_t look_row;      /* from where to go on reading it */
};

/* A service account's key file. */
struct google_key {
    struct str client_email, key_id, pem, token_uri;
};

MUST_CHECK enum rc google_key_read(struct str credentials, struct arena *a, struct google_key *ret,
                                   struct why *why);
void google_check_key(const struct google_sheets *s, const struct conf_section *section,
                      struct conf_problems *problems);

bool google_token_good(const struct google_session *g, int64_t now_ms);
void google_token_drop(struct google_session *g);
MUST_CHECK enum rc google_token_build(struct job *job, struct http_request *ret, struct why *why);
/* CONTINUE: the session has a token. `undecided` is the verdict for trouble that passes. */
enum judged google_token_judge(struct job *job, const struct http_response *r,
                               enum verdict undecided);

/* The header and the rows of a sheet. */
bool sheet_range(struct str range, struct arena *a, struct str *ret_tab, struct str *ret_cells);
struct str sheet_quoted(struct str tab, const char *cells, struct arena *a); /* 'Leads'!A:H */
void sheet_header_write(struct sbuf *b); /* values: the header that we would have */
/* Where our columns are in row 1. RC_NONE: the row is empty. */
MUST_CHECK enum rc sheet_header_read(const json *row, int64_t ret_position[SHEET_COLUMNS],
                                     struct str tab, struct why *why);
void sheet_row_write(struct sbuf *b, const int64_t position[SHEET_COLUMNS], const struct parcel *p,
                     struct arena *a);
struct str sheet_letters(int64_t position, struct arena *a); /* 0 -> A, 26 -> AA */

enum { SHEET_LOOK_ROWS = 25000 }; /* read at a time: 50 answers of 1 MB for a full spreadsheet */

enum judged google_sheets_judge(struct job *job, const struct http_response *r);

#endif
