/* cli/commands.c - every command: its name, its words, its options, what does it. */
#include "commands.h"

enum { ANY_WORDS = 100000 };

const struct cli_command cli_commands[] = {
    {
        .name = "serve",
        .summary = "runs the daemon in the foreground (default); logs to standard error",
        .more = "SIGTERM and SIGINT stop it, SIGHUP reads the configuration again.\n",
        .run = cli_serve,
    },
    {
        .name = "check",
        .summary = "validates the configuration and prints what it would do",
        .more =
            "Exit status 2 when anything is wrong with it, 1 when a service says no.\n"
            "--online sends no message and writes nothing; the daemon may run or not.\n"
            "    funneld check --online             each credential, scope, channel, database,\n"
            "                                       sheet and property that does not work\n"
            "    funneld check --online --create    makes HubSpot's properties, too\n"
            "    funneld check --reference > funneld.conf    every key, commented\n",
        .takes = TAKES(JSON) | TAKES(REFERENCE) | TAKES(ONLINE) | TAKES(CREATE),
        .run = cli_check,
    },
    {
        .name = "migrate",
        .summary = "brings the database to the newest schema (serve does so too)",
        .run = cli_migrate,
    },
    {
        .name = "health",
        .summary = "asks the running daemon whether it is alive; exit status 0 or 1",
        .more = "Asks /livez of [admin] listen and waits at most 2 s.\n",
        .run = cli_health,
    },
    {
        .name = "status",
        .summary = "one screen: health, queue of each connector, rates",
        .more = "Exit status 1 when it is down or not well.\n",
        .takes = TAKES(JSON),
        .run = cli_status,
    },
    {
        .name = "events",
        .summary = "lists what came in, newest first, or shows one event whole",
        .arguments = "[show ID]",
        .more = "States: processed, unprocessable, unlinked.\n"
                "    funneld events --since 2h --state unprocessable\n"
                "    funneld events show 17\n",
        .takes = TAKES(JSON) | TAKES(LIMIT) | TAKES(AFTER) | TAKES(SINCE) | TAKES(STATE) |
                 TAKES(LEAD) | TAKES(SOURCE),
        .max_words = 2,
        .run = cli_events,
    },
    {
        .name = "leads",
        .summary = "lists the leads, newest first, or shows one with its properties",
        .arguments = "[show LEAD]",
        .more =
            "LEAD is an e-mail address, portal:id, or our id. States: active, deleted, merged.\n"
            "    funneld leads --since 1d\n"
            "    funneld leads show ada@example.com\n",
        .takes =
            TAKES(JSON) | TAKES(LIMIT) | TAKES(AFTER) | TAKES(SINCE) | TAKES(STATE) | TAKES(LEAD),
        .max_words = 2,
        .run = cli_leads,
    },
    {
        .name = "deliveries",
        .summary = "lists what was or will be sent, newest first, or shows one with its attempts",
        .arguments = "[show ID]",
        .more = "States: pending, held, delivered, dead, superseded, cancelled.\n"
                "    funneld deliveries --state dead --connector sales-slack\n"
                "    funneld deliveries show 17\n",
        .takes = TAKES(JSON) | TAKES(LIMIT) | TAKES(AFTER) | TAKES(SINCE) | TAKES(STATE) |
                 TAKES(LEAD) | TAKES(CONNECTOR) | TAKES(ROUTE) | TAKES(REASON),
        .max_words = 2,
        .run = cli_deliveries,
    },
    {
        .name = "score",
        .summary = "a lead's score, line by line, and why",
        .arguments = "LEAD",
        .more = "LEAD is an e-mail address, portal:id, or our id.\n"
                "    funneld score ada@example.com --at 7d\n",
        .takes = TAKES(JSON) | TAKES(AT),
        .min_words = 1,
        .max_words = 1,
        .run = cli_score,
    },
    {
        .name = "retry",
        .summary = "puts dead deliveries back into the queue",
        .arguments = "[ID...]",
        .more =
            "Either ids, or --connector, --route, --reason, --lead and --since (dead since then),\n"
            "all of which must match, or --all. `deliveries --state dead` shows which they are.\n"
            "    funneld retry --connector sales-slack --reason channel_not_found\n",
        .takes = TAKES(JSON) | TAKES(CONNECTOR) | TAKES(ROUTE) | TAKES(REASON) | TAKES(LEAD) |
                 TAKES(SINCE) | TAKES(ALL),
        .max_words = ANY_WORDS,
        .run = cli_retry,
    },
    {
        .name = "replay",
        .summary = "processes stored events again, by the configuration of now",
        .arguments = "[ID...]",
        .more = "What had no effect (unprocessable, unlinked) is decoded again and, where it is "
                "something\n"
                "now, takes effect as if it had just come. Of what had one, rules fire that had "
                "not, and\n"
                "routes are asked what they would have heard then; nothing is told twice, but for "
                "--again.\n"
                "The running daemon does it, so reload it first. Interrupted, do it again.\n"
                "    funneld replay --state unprocessable --since 2d\n"
                "    funneld replay --since 7d --dry-run\n"
                "With --config nothing is changed: it compares what the present configuration and "
                "NEW make\n"
                "of the events of the last 30 days, or those --since and --until, which had an "
                "effect.\n"
                "    funneld replay --config new.conf --since 14d\n",
        .takes = TAKES(JSON) | TAKES(NEW_CONFIG) | TAKES(SINCE) | TAKES(UNTIL) | TAKES(STATE) |
                 TAKES(SOURCE) | TAKES(LEAD) | TAKES(ALL) | TAKES(DRY_RUN) | TAKES(AGAIN) |
                 TAKES(LIMIT),
        .max_words = ANY_WORDS,
        .run = cli_replay,
    },
    {
        .name = "import",
        .summary = "takes over a past to learn from: a file, or all contacts of the CRM",
        .arguments = "[CONNECTOR]",
        .more =
            "Imported leads are scored, but no route hears of them and nothing is sent. What is "
            "newer in\n"
            "the store stays. Done again it changes nothing; interrupted, it goes on. Start the "
            "daemon first:\n"
            "without one the store is locked until the import is through, and none can start.\n"
            "Times without a zone are UTC. Rows without one count as of the file's time, or --at.\n"
            "    funneld import --csv leads.csv > my.map      a map to begin with\n"
            "    funneld import --csv leads.csv --map my.map --dry-run\n"
            "    funneld import --csv leads.csv --map my.map\n"
            "    funneld import --crm                         page by page, within HubSpot's "
            "limits\n"
            "    funneld import --crm crm --again             from the front, whatever is there\n",
        .takes = TAKES(JSON) | TAKES(CSV) | TAKES(MAP) | TAKES(CRM) | TAKES(DRY_RUN) |
                 TAKES(AGAIN) | TAKES(AT),
        .max_words = 1,
        .run = cli_import,
    },
    {
        .name = "pause",
        .summary = "holds connectors: what is for them waits, also through a restart",
        .arguments = "CONNECTOR...",
        .more =
            "What is under way still ends. Nothing is lost: resume lets it go, at the usual rate.\n"
            "    funneld pause sales-slack\n",
        .takes = TAKES(JSON),
        .min_words = 1,
        .max_words = ANY_WORDS,
        .run = cli_pause,
    },
    {
        .name = "resume",
        .summary = "lets paused connectors go on",
        .arguments = "CONNECTOR...",
        .more = "    funneld resume sales-slack\n",
        .takes = TAKES(JSON),
        .min_words = 1,
        .max_words = ANY_WORDS,
        .run = cli_resume,
    },
    {
        .name = "backup",
        .summary = "an online copy of the database, verified",
        .arguments = "FILE",
        .more = "The running daemon makes it, while it goes on. FILE is replaced once the copy is "
                "whole.\n"
                "    funneld backup /var/backups/funneld.db\n",
        .takes = TAKES(JSON),
        .min_words = 1,
        .max_words = 1,
        .run = cli_backup,
    },
    {
        .name = "restore",
        .summary = "puts a backup in the place of the database, which is kept",
        .arguments = "FILE",
        .more = "The daemon must not run. What had not been delivered when the backup was made is\n"
                "delivered again; the database gets a new id.\n"
                "    funneld restore /var/backups/funneld.db\n",
        .takes = TAKES(JSON),
        .min_words = 1,
        .max_words = 1,
        .run = cli_restore,
    },
    {
        .name = "model",
        .summary = "lists trained models, shows one, puts it in use, takes it back, measures it",
        .arguments =
            "[list | show [MODEL] | activate MODEL | rollback | export MODEL FILE | import "
            "FILE | evaluate [MODEL]]",
        .more = "MODEL is NAME, the newest of it, or NAME:VERSION.\n"
                "    funneld model show main --html main.html\n"
                "    funneld model activate main:3\n"
                "    funneld model rollback --goal churn\n"
                "    funneld model export main main.json      XGBoost's own JSON, and beside it\n"
                "                                             main.json.sidecar.json\n"
                "    funneld model evaluate main --csv newest.csv --target Converted=1\n",
        .takes = TAKES(JSON) | TAKES(HTML) | TAKES(GOAL) | TAKES(NAME) | TAKES(CSV) | TAKES(TIME) |
                 TAKES(TARGET) | TAKES(MAP) | TAKES(FORCE) | TAKES(ACTIVATE),
        .max_words = 3,
        .run = cli_model,
    },
    {
        .name = "train",
        .summary = "learns from leads whose outcome is known how likely it is for others",
        .more = "From the store: leads as they were at past moments, and whether they reached the "
                "[goal NAME]\n"
                "within its horizon. Or from the rows of a table; --map (see import) says what its "
                "columns are\n"
                "called in the CRM, so that the model finds them in leads. Columns that know too "
                "much,\n"
                "identifiers, dates and constants are left out, and the report says why. A model "
                "that is no\n"
                "better than the base rate is kept, not used.\n"
                "    funneld train --goal conversion --horizon 90d\n"
                "    funneld train --csv leads.csv --map my.map --time \"Create Date\" \\\n"
                "        --target \"Lifecycle Stage=customer\"\n",
        .takes = TAKES(JSON) | TAKES(CSV) | TAKES(TARGET) | TAKES(ID) | TAKES(TIME) |
                 TAKES(EXCLUDE) | TAKES(KEEP) | TAKES(NAME) | TAKES(GOAL) | TAKES(HORIZON) |
                 TAKES(MAP) | TAKES(ACTIVATE) | TAKES(FORCE),
        .run = cli_train,
    },
    {
        .name = "predict",
        .summary = "writes id,probability for each row of a table",
        .more =
            "By the model named, whether it is active or not. A column that the model knows and "
            "the\n"
            "table has not is missing in every row, which is said once.\n"
            "    funneld predict --csv leads.csv --id \"Record ID\" > chances.csv\n",
        .takes = TAKES(CSV) | TAKES(MAP) | TAKES(ID) | TAKES(TIME) | TAKES(MODEL) | TAKES(GOAL),
        .run = cli_predict,
    },
    {
        .name = "sign",
        .summary = "prints a curl command for a correctly signed test webhook",
        .arguments = "SOURCE",
        .more = "It holds the source's secret or what was signed with it.\n"
                "    funneld sign hubspot --url http://127.0.0.1:8443 | sh\n",
        .takes = TAKES(JSON) | TAKES(BODY) | TAKES(VERSION) | TAKES(URL),
        .min_words = 1,
        .max_words = 1,
        .run = cli_sign,
    },
    {
        .name = "version",
        .summary = "version, build, library versions",
        .takes = TAKES(JSON),
        .run = cli_version,
    },
};
const size_t n_cli_commands = ARRAY_LEN(cli_commands);

const struct cli_command *cli_command_find(struct str name)
{
    for (size_t i = 0; i < n_cli_commands; i++)
        if (str_is(name, cli_commands[i].name))
            return &cli_commands[i];
    return NULL;
}

static void help_option(const struct arg_spec *o, struct sbuf *out)
{
    struct sbuf left AUTO(sbuf_free) = SBUF(100);

    if (o->letter)
        sbuf_printf(&left, "-%c, ", o->letter);
    sbuf_printf(&left, "--%s", o->name);
    if (o->value)
        sbuf_printf(&left, " %s", o->value);
    sbuf_printf(out, "  %-24.*s  %s\n", STR_ARG(sbuf_str(&left)), o->help);
}

void cli_help_command(const struct cli_command *c, struct sbuf *out)
{
    sbuf_printf(out, "funneld %s - %s\n\nusage: funneld [-c FILE] %s%s%s [OPTIONS]\n\n", c->name,
                c->summary, c->name, c->arguments ? " " : "", c->arguments ? c->arguments : "");
    for (size_t i = 0; i < ARG_COUNT; i++)
        if ((c->takes | CLI_EVERYWHERE) & UINT64_C(1) << i)
            help_option(&arg_specs[i], out);
    if (c->more)
        sbuf_printf(out, "\n%s", c->more);
}

void cli_help(struct sbuf *out)
{
    sbuf_text(out, "funneld " FUNNELD_VERSION " - turns CRM webhooks into scored leads and "
                   "messages\n\nusage: funneld [-c FILE] [COMMAND] [ARGUMENTS]\n\n");
    for (size_t i = 0; i < n_cli_commands; i++)
        sbuf_printf(out, "  %-11s %s\n", cli_commands[i].name, cli_commands[i].summary);
    sbuf_text(out, "\nThe configuration is FILE, else $FUNNELD_CONFIG, else " CONFIG_FALLBACK ".\n"
                   "Exit status: 0 done, 1 it failed, 2 wrong usage or configuration.\n"
                   "More about one: funneld COMMAND --help\n");
}
