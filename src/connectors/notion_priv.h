/* connectors/notion_priv.h - the parts of the Notion connector: settings, schema, page. */
#ifndef FUNNELD_CONNECTORS_NOTION_PRIV_H
#define FUNNELD_CONNECTORS_NOTION_PRIV_H

#include "connectors_priv.h"

enum notion_step {
    NOTION_STEP_START,
    NOTION_STEP_DATABASE,
    NOTION_STEP_SCHEMA,
    NOTION_STEP_QUERY,
    NOTION_STEP_CREATE, /* from here on with the lead's own words, or about its page */
    NOTION_STEP_PATCH,
    NOTION_STEP_READ_LOG,
    NOTION_STEP_APPEND_LOG
};

struct notion_talk {        /* scratch */
    struct str data_source; /* whose schema is to be read next */
    struct str page;        /* to be patched */
    int goal;               /* the step that waits for a schema */
    bool refreshed, asked_twice, lost;
    struct str cursor;   /* of the next blocks of the page; missing: from its top */
    int pages_read;      /* of blocks */
    int64_t log_entries; /* of ours that were seen */
};

enum notion_column {
    NOTION_NAME,
    NOTION_LEAD_ID,
    NOTION_SCORE,
    NOTION_EMAIL,
    NOTION_BAND,
    NOTION_REASONS,
    NOTION_CRM,
    NOTION_UPDATED,
    NOTION_STATUS,
    NOTION_PROBABILITY,
    NOTION_CHURN,
    NOTION_COLUMNS
};

enum notion_type {
    NOTION_TITLE,
    NOTION_RICH_TEXT,
    NOTION_NUMBER,
    NOTION_SELECT,
    NOTION_STATUS_TYPE,
    NOTION_EMAIL_TYPE,
    NOTION_URL,
    NOTION_DATE,
    NOTION_TYPES
};

enum { NOTION_STATES = LEAD_MERGED + 1 };

struct notion {
    struct connector_common common;
    struct str token, database, data_source, version;
    struct str_pairs renamed; /* "score" -> "My name" */
    bool log;
    int64_t log_max;
};

/* What we know of the data source; the ids hold through renames. */
struct notion_schema {
    struct str data_source;
    struct notion_found {
        struct str id; /* missing: there is no such column */
        enum notion_type type;
    } columns[NOTION_COLUMNS];
    struct str bands[BAND_COUNT];     /* the option of Band for each */
    struct str states[NOTION_STATES]; /* the option of Status for each lead state; or missing */
};

struct notion_session {
    struct arena arena; /* of the schema */
    bool ready;
    struct notion_schema schema;
};

const char *notion_type_name(enum notion_type t);

/* Which of the database's data sources: the only one, or the one that the option names. */
MUST_CHECK enum rc notion_choose(const struct notion *s, const json *database, struct arena *a,
                                 struct str *ret, struct why *why);
/* Reads `properties` of a data source; RC_INVALID says which column is missing or of another
 * type, and what to do. */
MUST_CHECK enum rc notion_schema_read(const struct notion *s, const json *properties,
                                      struct arena *a, struct notion_schema *ret, struct why *why);
/* A finding for each column that is wanted or there. */
void notion_schema_probe(struct probe *p, const json *properties);
void notion_check_renamed(const struct notion *s, const struct conf_section *section,
                          struct conf_problems *problems);

/* "properties": {...} of a page, by property id. */
void notion_page_write(struct sbuf *b, const struct notion_schema *schema, const struct parcel *p,
                       int64_t now_ms, struct arena *a);
/* A rich text, cut where Notion takes no more. */
void notion_text_write(struct sbuf *b, struct str text);
/* All text of the elements of a rich text. */
struct str notion_plain_text(const json *texts, struct arena *a);

/* 32 hex digits with or without dashes -> with; false: it is no id. */
bool notion_id(struct str raw, struct arena *a, struct str *ret);

/* The activity log (notion_log.c): paragraphs at the end of the lead's page, one per delivery. */
void notion_log_write(struct sbuf *b, const struct parcel *p, struct arena *a); /* "children" */
/* Of the blocks that were read: whether this delivery's entry is to be appended. */
enum notion_log {
    NOTION_LOG_MORE, /* there are more blocks to read first */
    NOTION_LOG_APPEND,
    NOTION_LOG_DONE, /* it is there, or there is no room for more */
};
enum notion_log notion_log_read(const struct job *job, const json *answer);

/* Whatever is no success. */
enum judged notion_failure(struct job *job, const struct http_response *r);
enum judged notion_judge(struct job *job, const struct http_response *r);

/* The next request of a job; the probe's questions are those that a job begins with. */
enum rc notion_build(struct job *job, struct http_request *ret, struct why *why);
/* notion_probe.c */
enum rc notion_probe_next(struct probe *p, struct http_request *ret, struct why *why);
void notion_probe_take(struct probe *p, const struct http_response *r);

#endif
