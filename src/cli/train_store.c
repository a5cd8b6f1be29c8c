/* cli/train_store.c - `train` without a file: leads at past moments, and what was left out. */
#include "train_store.h"

#include "funneld/base/clock.h"

/* "90d" back from now is a time, and the same long. */
static int read_horizon(const struct cli *cli, const struct goal *goal, int64_t *ret)
{
    struct str text = cli_value(cli, ARG_HORIZON);
    int64_t back = 0, number;

    *ret = goal->horizon_ms;
    if (!text.at)
        return DONE;
    if (!value_time(text, cli->now_ms, &back) || str_chr(text, '-') || str_int64(text, &number) ||
        cli->now_ms - back < DAYS_MS || cli->now_ms - back > 3650 * DAYS_MS)
        return cli_usage(cli, "--horizon %.*s is no time from 1d to 3650d",
                         STR_ARG(str_cut(text, 80)));
    *ret = cli->now_ms - back;
    return DONE;
}

static void note_left_out(struct cli *cli, const struct learning *l)
{
    for (size_t i = 0; i < l->n_left_out; i++)
        cli_note(cli, "left out %.*s: %.*s", STR_ARG(str_cut(l->left_out[i].name, 80)),
                 STR_ARG(l->left_out[i].reason));
}

/* A past that is shorter than what is to be foreseen has no outcome in it. */
static void note_cut(struct cli *cli, const struct learning *l)
{
    long long keeps = cli->config->store.retention_ms / DAYS_MS;

    if (!l->cut)
        return;
    cli_note(cli,
             "%lld leads are left out: their first events were purged. The store keeps %lld days, "
             "the horizon is %lld: raise [store] retention, lower --horizon, or take over the "
             "past with funneld import",
             (long long)l->cut, keeps, (long long)(l->horizon_ms / DAYS_MS));
}

static void note_counts(struct cli *cli, const struct learning *l)
{
    size_t positive = 0;

    for (size_t i = 0; i < l->set.table.n_rows; i++)
        positive += l->set.positive[i];
    cli_note(cli, "%zu rows of %lld leads, %zu of them with the outcome", l->set.table.n_rows,
             (long long)l->sampled, positive);
    if (l->sampled < l->leads)
        cli_note(
            cli,
            "there are %lld leads, of which these were taken evenly: there is room for %zu rows",
            (long long)l->leads, l->max_rows);
    if (l->censored)
        cli_note(cli,
                 "%lld rows are left out: whether the goal is reached within %.*s is not "
                 "known yet",
                 (long long)l->censored, STR_ARG(show_duration(l->horizon_ms, &cli->arena)));
    if (l->others)
        cli_note(cli, "%lld rows are left out: `among` of the goal was not true of the lead then",
                 (long long)l->others);
    if (l->reached)
        cli_note(cli, "%lld leads had reached the goal before there was anything to foresee",
                 (long long)l->reached);
    if (l->unread)
        cli_note(cli, "%lld events cannot be read any more: erased, or of a source that is gone",
                 (long long)l->unread);
    if (l->too_long)
        cli_note(cli, "%lld leads are left out: they have more events than any customer's",
                 (long long)l->too_long);
    if (l->sampled && !l->set.table.n_rows && !l->others)
        cli_note(cli, "no lead has a past to foresee anything from. Where all events of a file are "
                      "of one time, map the column that says when each row was so to @at");
    note_cut(cli, l);
}

static int read_set(struct cli *cli, struct learning *l)
{
    enum rc rc = learning_read(l, cli->reader);

    if (rc == RC_CLOSED)
        return cli_fail(cli, "stopped");
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    note_left_out(cli, l);
    note_counts(cli, l);
    return DONE;
}

/* Reading the store is the first part of it all. */
static void pass_on(void *self, double share)
{
    const struct train_options *o = self;

    if (o->progress)
        o->progress(o->self, share, "reading the store");
}

int train_read_store(struct cli *cli, struct train_options *o, struct learning *ret)
{
    int status = cli_read(cli);

    *ret = (struct learning){0};
    if (status != DONE)
        return status;
    const struct goal *goal = &cli->config->goals.of[o->goal];
    if (!goal->when)
        return cli_usage(cli,
                         "there is no [goal %s] in the configuration: say there when it has "
                         "happened",
                         goal_name(o->goal));
    status = read_horizon(cli, goal, &o->horizon_ms);
    if (status != DONE)
        return status;
    *ret = (struct learning){.rules = &cli->config->rules,
                             .goal = goal,
                             .horizon_ms = o->horizon_ms,
                             .now_ms = cli->now_ms,
                             .max_rows = o->max_rows,
                             .stop = o->stop,
                             .progress = pass_on,
                             .self = o};
    return read_set(cli, ret);
}
