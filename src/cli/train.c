/* cli/train.c - learns a model and keeps it. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "models.h"
#include "funneld/report/model.h"
#include "progress.h"
#include "train_store.h"
#include "train_table.h"

enum { MAX_ROWS = 200000, MAX_NAMES = 1000 };

/* Set by SIGINT and SIGTERM, which then end the training, not the process. */
static atomic_bool stop;

static void on_signal(int signal)
{
    (void)signal;
    atomic_store(&stop, true);
}

static void catch_signals(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    (void)sigemptyset(&action.sa_mask); /* these fail for a bad argument only */
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* "A,B" as names, trimmed. */
static int split_names(struct cli *cli, enum arg arg, const struct str **ret, size_t *ret_n)
{
    struct str *names = arena_array(&cli->arena, MAX_NAMES, sizeof *names);
    struct str rest = cli_value(cli, arg), name;
    size_t n = 0;

    while (rest.at && str_split(&rest, ',', &name)) {
        name = str_trim(name);
        if (!name.len)
            continue;
        if (n == MAX_NAMES)
            return cli_usage(cli, "--%s: more than %d names", arg_specs[arg].name, MAX_NAMES);
        names[n++] = name;
    }
    *ret = names;
    *ret_n = n;
    return DONE;
}

/* The file's names as the model's. One that is not there is a slip of the hand, and what it meant
 * would be learnt from. */
static int find_names(struct cli *cli, const struct train_table *t, enum arg arg,
                      const struct str **names, size_t n)
{
    struct str *found = arena_array(&cli->arena, n, sizeof *found);
    size_t column;

    for (size_t i = 0; i < n; i++) {
        if (!csv_find(t->csv, (*names)[i], &column))
            return cli_usage(cli, "--%s: there is no column %.*s in %s", arg_specs[arg].name,
                             STR_ARG(str_cut((*names)[i], 80)), cli->args.values[ARG_CSV]);
        found[i] = t->names[column];
    }
    *names = found;
    return DONE;
}

static void show_progress(void *self, double share, const char *what)
{
    progress_show(self, share, what);
}

static void note_rows(const struct cli *cli, const struct train_table *t)
{
    if (t->left_out)
        cli_note(cli, "%zu rows are left out: their outcome is not known", t->left_out);
    if (t->no_time)
        cli_note(cli, "%zu rows are left out: their time cannot be read", t->no_time);
    if (t->set.table.n_rows + t->no_time < t->rows)
        cli_note(cli, "of %zu rows %zu were taken, evenly", t->rows, t->set.table.n_rows);
    if (t->leads)
        cli_note(cli, "%zu rows of %zu ids: rows of one id are of one lead", t->set.table.n_rows,
                 t->leads);
}

/* Which cores there are to use is asked of the system. */
static int n_threads(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > 8 ? 8 : (int)n;
}

static void begin(struct train_options *o, struct progress *progress)
{
    *progress = progress_begin("train");
    o->progress = show_progress;
    o->self = progress;
    o->stop = &stop;
    catch_signals(on_signal);
}

static void end(struct progress *progress)
{
    catch_signals(SIG_DFL);
    progress_end(progress);
}

static int learn(struct cli *cli, const struct training_set *set, struct train_options *o,
                 struct trained *ret)
{
    struct progress progress;
    struct why why = {0};

    begin(o, &progress);
    enum rc rc = model_train(set, o, &cli->arena, ret, &why);
    end(&progress);
    return rc == RC_OK ? DONE : cli_fail(cli, "%s", why.text[0] ? why.text : rc_text(rc));
}

static int report(struct cli *cli, const struct train_options *o, const struct trained *t)
{
    const struct scorecard *card = &cli->config->rules.scorecard;
    const struct reported_model m = {
        .name = o->name, .sidecar = t->sidecar, .warm = card->warm, .hot = card->hot};

    if (cli_has(cli, ARG_JSON))
        return DONE;
    int status = cli_print_report(cli, &m);
    sbuf_char(&cli->out, '\n');
    return status;
}

static int learn_and_keep(struct cli *cli, const struct training_set *set, struct train_options *o)
{
    struct trained trained;
    int status = learn(cli, set, o, &trained);

    if (status == DONE)
        status = report(cli, o, &trained);
    return status == DONE ? cli_keep_model(cli, &trained,
                                           cli_has(cli, ARG_ACTIVATE) ? USE_ALWAYS : USE_WHEN_FIRST)
                          : status;
}

static int from_table(struct cli *cli, struct train_options *o)
{
    struct train_table table AUTO(train_table_close) = {0};
    int status = cli_load(cli); /* before the work: a model must be kept somewhere */

    if (status == DONE)
        status = train_table_read(cli, MAX_ROWS, &table);
    if (status == DONE)
        status = find_names(cli, &table, ARG_EXCLUDE, &o->exclude, o->n_exclude);
    if (status == DONE)
        status = find_names(cli, &table, ARG_KEEP, &o->keep, o->n_keep);
    if (status != DONE)
        return status;
    note_rows(cli, &table);
    return learn_and_keep(cli, &table.set, o);
}

static int read_store(struct cli *cli, struct train_options *o, struct learning *ret)
{
    struct progress progress;

    begin(o, &progress);
    int status = train_read_store(cli, o, ret);
    end(&progress);
    return status;
}

static int from_store(struct cli *cli, struct train_options *o)
{
    struct learning l AUTO(learning_free) = {0};
    int status = read_store(cli, o, &l);

    return status == DONE ? learn_and_keep(cli, &l.set, o) : status;
}

static int check_usage(const struct cli *cli)
{
    static const enum arg of_tables[] = {ARG_TARGET, ARG_ID, ARG_TIME, ARG_MAP};

    if (cli_has(cli, ARG_CSV))
        return cli_has(cli, ARG_HORIZON)
                   ? cli_usage(cli, "--horizon goes without --csv: a table says what counts")
                   : DONE;
    for (size_t i = 0; i < ARRAY_LEN(of_tables); i++)
        if (cli_has(cli, of_tables[i]))
            return cli_usage(cli, "--%s goes with --csv", arg_specs[of_tables[i]].name);
    return DONE;
}

int cli_train(struct cli *cli)
{
    struct train_options o = {
        .trained_at = cli->now_ms, .max_rows = MAX_ROWS, .threads = n_threads(), .seed = 1};
    int status = check_usage(cli);

    if (status == DONE)
        status = models_goal(cli, &o.goal);
    if (status != DONE)
        return status;
    o.name = cli_has(cli, ARG_NAME) ? cli_value(cli, ARG_NAME) : str_of(goal_name(o.goal));
    if (!model_name_ok(o.name))
        return cli_usage(cli, "--name: a model's name has 1 to 64 bytes and no colon");
    status = split_names(cli, ARG_EXCLUDE, &o.exclude, &o.n_exclude);
    if (status == DONE)
        status = split_names(cli, ARG_KEEP, &o.keep, &o.n_keep);
    if (status != DONE)
        return status;
    return cli_has(cli, ARG_CSV) ? from_table(cli, &o) : from_store(cli, &o);
}
