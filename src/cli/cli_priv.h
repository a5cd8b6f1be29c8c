/* cli/cli_priv.h - what every command gets, and what it may call.
 *
 * Answers go to standard output through `out`, all else to standard error. A command returns its
 * exit status.
 */
#ifndef FUNNELD_CLI_PRIV_H
#define FUNNELD_CLI_PRIV_H

#include "args.h"
#include "funneld/app/config.h"
#include "table.h"
#include "values.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

struct models;

struct cli {
    const struct cli_command *command;
    struct args args;
    struct arena arena; /* until the command ends */
    int64_t now_ms;
    struct sbuf out;
    struct config *config; /* after cli_load */
    struct reader *reader; /* after cli_read */
};

struct cli_command {
    const char *name;
    const char *summary;   /* one line */
    const char *arguments; /* its words, for the usage line; NULL: none */
    const char *more;      /* examples and explanations behind the options; may be NULL */
    uint64_t takes;        /* TAKES(LIMIT) | ...; --help and --config are in every one */
    size_t min_words, max_words;
    int (*run)(struct cli *cli);
};

int cli_serve(struct cli *cli);
int cli_check(struct cli *cli);
int cli_migrate(struct cli *cli);
int cli_health(struct cli *cli);
int cli_status(struct cli *cli);
int cli_events(struct cli *cli);
int cli_leads(struct cli *cli);
int cli_deliveries(struct cli *cli);
int cli_score(struct cli *cli);
int cli_retry(struct cli *cli);
int cli_replay(struct cli *cli);
int cli_import(struct cli *cli);
int cli_pause(struct cli *cli);
int cli_resume(struct cli *cli);
int cli_backup(struct cli *cli);
int cli_restore(struct cli *cli);
int cli_model(struct cli *cli);
int cli_predict(struct cli *cli);
int cli_sign(struct cli *cli);
int cli_train(struct cli *cli);
int cli_version(struct cli *cli);

static inline bool cli_has(const struct cli *cli, enum arg arg)
{
    return cli->args.values[arg] != NULL;
}

static inline struct str cli_value(const struct cli *cli, enum arg arg)
{
    return str_of(cli->args.values[arg]); /* missing when it was not given */
}

const char *cli_config_path(const struct cli *cli);
/* Wrong usage: says why on standard error, and returns USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* It failed: says why on standard error, and returns FAILED. */
int cli_fail(const struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
void cli_note(const struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A read went wrong. */
int cli_fail_read(const struct cli *cli, enum rc rc);

/* DONE with a configuration without problems, or USAGE after they were printed. */
int cli_load(struct cli *cli);
/* The same, and a reader of its database. */
int cli_read(struct cli *cli);
/* Runs fn in a transaction of our own. RC_BUSY: a daemon runs. */
enum rc cli_change(const struct cli *cli, command_fn *fn, void *arg, struct why *why);
/* The models that a daemon would ask; ref_drop lets them go. */
MUST_CHECK enum rc cli_models(const struct cli *cli, struct reader *r, struct models **ret,
                              struct why *why);
/* Hands over to standard output what is there, once it is worth it. */
void cli_flush(struct cli *cli);

/* The value of an option that names one of these, or USAGE with the list. */
int cli_choice(const struct cli *cli, enum arg arg, const char *const names[], size_t n);
/* An id of ours, or USAGE. */
int cli_id(const struct cli *cli, struct str text, int64_t *ret);
/* A time, or USAGE. */
int cli_time(const struct cli *cli, enum arg arg, int64_t *ret);
/* LEAD: an e-mail address, portal:id or our id. DONE, USAGE, or FAILED where there is none. */
int cli_find_lead(struct cli *cli, struct str text, struct lead *ret);
/* From a merged lead to the one it is part of, with a note. */
int cli_follow_merged(struct cli *cli, struct lead *lead);
/* --lead: whom it means today; 0 where it was not given. */
int cli_lead_filter(struct cli *cli, int64_t *ret);

#endif
