/* cli/models.c - a trained model as a command names it, and a table as the model sees it. */
#include "models.h"

#include <math.h>

#include "funneld/base/clock.h"
#include "import.h"

int models_goal(const struct cli *cli, enum model_goal *ret)
{
    const char *names[GOAL_COUNT];

    *ret = GOAL_CONVERSION;
    if (!cli_has(cli, ARG_GOAL))
        return DONE;
    for (int g = 0; g < GOAL_COUNT; g++) {
        names[g] = goal_name((enum model_goal)g);
        if (str_is(cli_value(cli, ARG_GOAL), names[g]))
            *ret = (enum model_goal)g;
    }
    return cli_choice(cli, ARG_GOAL, names, GOAL_COUNT);
}

/* NAME:VERSION, or NAME alone. */
static struct str split_version(struct str text, int64_t *ret_version)
{
    for (size_t i = text.len; i > 0; i--)
        if (text.at[i - 1] == ':' && str_int64(str_from(text, i), ret_version) && *ret_version > 0)
            return (struct str){text.at, i - 1};
    *ret_version = 0;
    return text;
}

/* Which is meant where none is named. */
struct usual {
    int goal;                   /* GOAL_COUNT: whichever */
    int64_t newest;             /* 0: none */
    int64_t active[GOAL_COUNT]; /* the same */
};

static void see_usual(void *self, const struct model_record *m)
{
    struct usual *u = self;

    if (m->goal < 0 || m->goal >= GOAL_COUNT || (u->goal != GOAL_COUNT && m->goal != u->goal))
        return;
    if (!u->newest)
        u->newest = m->id;
    if (m->active)
        u->active[m->goal] = m->id;
}

static int64_t usual_id(const struct usual *u)
{
    for (int g = 0; g < GOAL_COUNT; g++)
        if (u->active[g])
            return u->active[g];
    return u->newest;
}

static int find_usual(struct cli *cli, struct model_record *ret)
{
    enum model_goal goal;
    int status = models_goal(cli, &goal);
    struct usual u = {.goal = cli_has(cli, ARG_GOAL) ? (int)goal : GOAL_COUNT};

    if (status != DONE)
        return status;
    enum rc rc = read_models(cli->reader, see_usual, &u);
    if (rc == RC_OK && !u.newest)
        return cli_fail(cli, "there is no model%s%s yet: funneld train makes one",
                        cli_has(cli, ARG_GOAL) ? " for " : "",
                        cli_has(cli, ARG_GOAL) ? goal_name(goal) : "");
    if (rc == RC_OK)
        rc = read_model(cli->reader, usual_id(&u), &cli->arena, ret);
    return rc == RC_OK ? DONE : cli_fail_read(cli, rc);
}

int models_find(struct cli *cli, struct str text, struct model_record *ret)
{
    int64_t version;

    if (!text.at)
        return find_usual(cli, ret);
    struct str name = split_version(text, &version);
    enum rc rc = read_model_named(cli->reader, name, version, &cli->arena, ret);
    if (rc == RC_NONE)
        return cli_fail(cli, "there is no model %.*s; `funneld model list` names them",
                        STR_ARG(str_cut(text, 80)));
    return rc == RC_OK ? DONE : cli_fail_read(cli, rc);
}

int models_open(struct cli *cli, struct str text, struct model_record *ret, struct model **ret_m)
{
    struct why why = {0};
    int status = models_find(cli, text, ret);

    if (status != DONE)
        return status;
    return model_read(ret->trees, ret->sidecar, ret_m, &why) == RC_OK
               ? DONE
               : cli_fail(cli, "model %.*s: %s", STR_ARG(ret->name), why.text);
}

int scored_column(const struct cli *cli, const struct scored_table *t, enum arg arg, size_t *ret)
{
    *ret = NO_COLUMN;
    if (!cli_has(cli, arg) || csv_find(t->csv, cli_value(cli, arg), ret))
        return DONE;
    return cli_usage(cli, "--%s: there is no column %.*s in %s", arg_specs[arg].name,
                     STR_ARG(str_cut(cli_value(cli, arg), 80)), cli->args.values[ARG_CSV]);
}

/* Said once, for all rows. */
static void tell_missing(const struct cli *cli, const struct scored_table *t)
{
    struct sbuf names AUTO(sbuf_free) = SBUF(4096);
    size_t n = model_card(t->model)->n_inputs, missing = 0;

    for (size_t i = 0; i < n; i++) {
        if (t->columns[i] != NO_COLUMN)
            continue;
        sbuf_text(&names, missing ? ", " : "");
        sbuf_add(&names, model_input_name(t->model, i));
        missing++;
    }
    if (missing)
        cli_note(cli,
                 "the table lacks %zu of the model's %zu columns, which count as missing: %.*s",
                 missing, n, STR_ARG(sbuf_str(&names)));
}

/* Exact, else case folded. */
static size_t find_name(const struct str names[], size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return i;
    for (size_t i = 0; i < n; i++)
        if (names[i].at && str_ieq(names[i], name))
            return i;
    return NO_COLUMN;
}

int scored_open(struct cli *cli, const struct model *m, struct scored_table *ret)
{
    struct scored_table t = {.model = m};
    size_t n = model_card(m)->n_inputs;
    struct str *names = NULL;
    struct why why = {0};

    if (!cli_has(cli, ARG_CSV))
        return cli_usage(cli, "--csv FILE says which table");
    if (csv_open(cli->args.values[ARG_CSV], &cli->arena, &t.csv, &why) != RC_OK)
        return cli_fail(cli, "%s: %s", cli->args.values[ARG_CSV],
                        why.text[0] ? why.text : "there is no such file");
    *ret = t;
    int status = scored_column(cli, ret, ARG_TIME, &ret->time);
    if (status == DONE)
        status = import_names(cli, t.csv, &names);
    if (status != DONE) {
        scored_close(ret);
        return status;
    }
    ret->cells = arena_array(&cli->arena, n, sizeof *ret->cells);
    ret->columns = arena_array(&cli->arena, n, sizeof *ret->columns);
    ret->row = arena_array(&cli->arena, csv_columns(t.csv), sizeof *ret->row);
    for (size_t i = 0; i < n; i++)
        ret->columns[i] = find_name(names, csv_columns(t.csv), model_input_name(m, i));
    tell_missing(cli, ret);
    return DONE;
}

/* 0: it is none. A small number only grows, as train has it: nothing is so and so old then. */
static int64_t time_of(struct str text)
{
    int64_t ms, number;

    if (!time_parse(text, &ms) || (str_int64(text, &number) && number < INT64_C(100000000000)))
        return 0;
    return ms;
}

enum rc scored_next(const struct cli *cli, struct scored_table *t, struct why *why)
{
    arena_reset(&t->arena);
    enum rc rc = csv_row(t->csv, &t->arena, t->row, why);

    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < model_card(t->model)->n_inputs; i++)
        t->cells[i] = (struct cell){
            .text = t->columns[i] == NO_COLUMN ? STR_NULL : t->row[t->columns[i]],
            .number = NAN,
        };
    t->at = t->time == NO_COLUMN ? cli->now_ms : time_of(str_trim(t->row[t->time]));
    return RC_OK;
}

double scored_probability(const struct scored_table *t)
{
    return model_probability(t->model, t->cells, t->at);
}

void scored_close(struct scored_table *t)
{
    csv_close(t->csv);
    arena_free(&t->arena);
}
