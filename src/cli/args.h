/* cli/args.h - one small parser for the options of every command. Pure.
 *
 *     --limit 50   --limit=50   -c FILE   -cFILE   --json   --  (what follows are words)
 *
 * Options and words may stand in any order. An option that the command does not have, one given
 * twice and one without its value are errors that name it.
 */
#ifndef FUNNELD_CLI_ARGS_H
#define FUNNELD_CLI_ARGS_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"

/* id, name, letter, value (NULL: a flag), help */
#define ARG_LIST(X)                                                                                \
    X(NEW_CONFIG, "config", 0, "NEW", /* before the one that every command has */                  \
      "what this configuration would have done; -c names the present one")                         \
    X(CONFIG, "config", 'c', "FILE",                                                               \
      "the configuration; else $FUNNELD_CONFIG, else " CONFIG_FALLBACK)                            \
    X(HELP, "help", 'h', NULL, "prints this")                                                      \
    X(JSON, "json", 0, NULL, "prints JSON for programs")                                           \
    X(LIMIT, "limit", 0, "N", "at most so many (50)")                                              \
    X(AFTER, "after", 0, "ID", "go on after this one, towards older ones")                         \
    X(SINCE, "since", 0, "TIME", "not older: 2h, 3d, 2026-11-24T13:57:39Z, Unix milliseconds")     \
    X(UNTIL, "until", 0, "TIME", "not newer")                                                      \
    X(STATE, "state", 0, "STATE", "only in this state")                                            \
    X(LEAD, "lead", 0, "LEAD", "only of this lead: e-mail address, portal:id, or id")              \
    X(CONNECTOR, "connector", 0, "NAME", "only for this connector")                                \
    X(ROUTE, "route", 0, "NAME", "only of this route")                                             \
    X(SOURCE, "source", 0, "NAME", "only from this source")                                        \
    X(AT, "at", 0, "TIME", "as it was then: 2h, 3d, 2026-11-24T13:57:39Z, Unix milliseconds")      \
    X(REASON, "reason", 0, "TEXT", "whose reason contains this")                                   \
    X(ALL, "all", 0, NULL, "all that there are")                                                   \
    X(DRY_RUN, "dry-run", 0, NULL, "says what would happen, and changes nothing")                  \
    X(AGAIN, "again", 0, NULL,                                                                     \
      "replay: also tells what was told before; import --crm: from the front")                     \
    X(BODY, "body", 0, "FILE", "what to send; - is standard input; else a sample")                 \
    X(VERSION, "version", 0, "v1|v2|v3", "of HubSpot's signature (v3)")                            \
    X(URL, "url", 0, "BASE", "where to send it; else [server] public_url")                         \
    X(ONLINE, "online", 0, NULL, "also asks each service whether credential and target work")      \
    X(CREATE, "create", 0, NULL, "with --online: makes the properties that are missing")           \
    X(REFERENCE, "reference", 0, NULL, "prints every section and key with its default")            \
    X(CSV, "csv", 0, "FILE", "a table, its first line the names of the columns")                   \
    X(GOAL, "goal", 0, "GOAL", "conversion or churn (conversion)")                                 \
    X(HORIZON, "horizon", 0, "TIME", "within which the goal counts, as in 90d; else the goal's")   \
    X(MAP, "map", 0, "MAP", "lines `Column name = property`; import without it proposes one")      \
    X(CRM, "crm", 0, NULL, "all contacts of the CRM, with their history")                          \
    X(ID, "id", 0, "COLUMN", "which column tells rows apart; else their number, from 1")           \
    X(TIME, "time", 0, "COLUMN", "when a row was as it is")                                        \
    X(TARGET, "target", 0, "COLUMN=POSITIVE[:NEGATIVE]",                                           \
      "the outcome: rows that have neither are left out")                                          \
    X(MODEL, "model", 0, "NAME[:VERSION]", "which model; else the active one, else the newest")    \
    X(NAME, "name", 0, "NAME", "what the model is to be called")                                   \
    X(HTML, "html", 0, "FILE", "writes the report as a page of its own")                           \
    X(ACTIVATE, "activate", 0, NULL, "uses the model from now on, whichever is in use")            \
    X(FORCE, "force", 0, NULL, "although it did no better than the base rate")                     \
    X(EXCLUDE, "exclude", 0, "A,B", "columns that are not to be learnt from")                      \
    X(KEEP, "keep", 0, "A,B", "columns that are learnt from, whatever speaks against them")

#define CONFIG_FALLBACK "/etc/funneld/funneld.conf"

enum arg {
#define X(id, name, letter, value, help) ARG_##id,
    ARG_LIST(X)
#undef X
        ARG_COUNT
};

#define TAKES(id) (UINT64_C(1) << ARG_##id) /* for a command's set of options */

struct arg_spec {
    const char *name;
    char letter;       /* 0: none */
    const char *value; /* NULL: a flag */
    const char *help;
};
extern const struct arg_spec arg_specs[ARG_COUNT];

struct args {
    const char *values[ARG_COUNT]; /* NULL: not given; a flag is "" */
    const char **words;
    size_t n_words;
};

/* Takes the options up to the first word; *ret_n of argv were used. argv ends in NULL. */
MUST_CHECK enum rc args_leading(struct args *args, uint64_t allowed, char *const argv[],
                                size_t *ret_n, struct why *why);
/* Takes all of argv, words too. */
MUST_CHECK enum rc args_parse(struct args *args, uint64_t allowed, char *const argv[],
                              struct arena *a, struct why *why);

#endif
