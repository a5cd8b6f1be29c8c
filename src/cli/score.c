/* cli/score.c - a lead's score, line by line, so that the sum is seen. */
#include "chances.h"
#include "funneld/pipeline/past.h"
#include "past.h"
#include "shape.h"

/* Whose score, when, by what, and how it came about. */
struct account {
    struct str name; /* as it is called today */
    struct lead lead;
    int64_t at;
    const struct scorecard *card;
    struct ledger_row *rows;
    size_t n_rows;
    struct verdict_score v;
    struct told_chance chances[GOAL_COUNT];
    size_t n_chances;
};

static int look_up(struct cli *cli, struct account *c)
{
    bool past = cli_has(cli, ARG_AT);
    struct lead now;
    int status = cli_find_lead(cli, str_of(cli->args.words[0]), &now);

    if (status == DONE)
        status = cli_follow_merged(cli, &now);
    if (status != DONE)
        return status;
    c->name = lead_name(&now, &cli->arena);
    c->lead = now;
    c->card = &cli->config->scorecard;
    if (past)
        status = past_lead(cli, &now, c->at, &c->lead);
    if (past && status == DONE)
        status = past_scorecard(cli, c->at, &c->card);
    if (status != DONE)
        return status;
    enum rc rc =
        read_ledger(cli->reader, &now, past ? c->at : INT64_MAX, &cli->arena, &c->rows, &c->n_rows);
    return rc == RC_OK ? DONE : cli_fail_read(cli, rc);
}

/* The half-life that the line was booked with; 0: it does not decay. */
static int64_t half_life(const struct account *c, const struct score_line *l)
{
    for (size_t i = 0; i < c->n_rows; i++)
        if (c->rows[i].event == l->event && str_eq(c->rows[i].rule, l->rule))
            return c->rows[i].half_life_ms;
    return 0;
}

static void print_line(struct cli *cli, const struct account *c, const struct score_line *l,
                       struct text_table *t)
{
    struct arena *a = &cli->arena;
    bool firing = l->event && !l->cap;
    int64_t half = firing ? half_life(c, l) : 0;

    table_cell(t, show_tenths(l->worth, a));
    table_cell(t, l->part == PART_FIT ? STR("fit") : STR("engagement"));
    table_cell(t, l->rule.at ? l->rule : STR(""));
    table_cell(t, l->group.at ? l->group : STR(""));
    table_cell(t, l->cap ? STR("") : show_tenths(l->points, a));
    table_cell(t, half ? show_duration(half, a) : STR(""));
    table_cell(t, firing ? show_duration(c->at - l->occurred_at, a) : STR(""));
    table_cell(t, firing ? show_time(l->occurred_at, a) : STR(""));
    table_cell(t, firing ? arena_printf(a, "%lld", (long long)l->event) : STR(""));
    table_cell(t, l->why);
}

static void print_sum(struct cli *cli, const struct account *c, struct text_table *t)
{
    struct arena *a = &cli->arena;
    struct str sum = show_tenths(c->v.score, a);
    struct str rule =
        arena_printf(a, "%.*s", (int)(sum.len < 24 ? sum.len : 24), "========================");

    table_cell(t, rule);
    for (size_t i = 1; i < t->n_columns; i++)
        table_cell(t, STR(""));
    table_cell(t, sum);
    for (size_t i = 1; i < t->n_columns; i++)
        table_cell(t, STR(""));
}

static void print_account(struct cli *cli, const struct account *c)
{
    static const struct text_column columns[] = {
        {"WORTH", 0, true},   {"PART", 0, false},           {"RULE", 32, false},
        {"GROUP", 24, false}, {"POINTS", 0, true},          {"HALF-LIFE", 0, true},
        {"AGE", 0, true},     {"OCCURRED (UTC)", 0, false}, {"EVENT", 0, true},
        {"WHY", 60, false},
    };
    struct arena *a = &cli->arena;
    struct text_table t = TABLE(a, columns);

    sbuf_printf(&cli->out, "lead %lld  %.*s\n", (long long)c->lead.id,
                STR_ARG(printable(c->name, a)));
    sbuf_printf(&cli->out,
                "%s UTC  score %s (%s) = fit %s + engagement %s;  warm from %s, hot "
                "from %s\n\n",
                show_time(c->at, a).at, show_tenths(c->v.score, a).at, band_name(c->v.band),
                show_tenths(c->v.fit, a).at, show_tenths(c->v.engagement, a).at,
                show_tenths(c->card->warm, a).at, show_tenths(c->card->hot, a).at);
    for (size_t i = 0; i < c->v.n_lines; i++)
        print_line(cli, c, &c->v.lines[i], &t);
    if (c->v.n_lines)
        print_sum(cli, c, &t);
    else
        sbuf_text(&cli->out, "no rule holds for it\n");
    table_print(&t, &cli->out);
    chances_print(cli, c->chances, c->n_chances);
}

/* By what its firings are worth at that time. */
static int ask_models(struct cli *cli, struct account *c)
{
    struct arena *a = &cli->arena;
    enum rc rc = c->lead.activity.at ? RC_OK
                                     : count_history(cli->reader, &cli->config->rules, &c->lead,
                                                     c->at, a, &c->lead.activity);

    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    c->lead.fit = c->v.fit;
    c->lead.engagement = c->v.engagement;
    const struct lead_view view = {.lead = &c->lead,
                                   .rows = c->rows,
                                   .n_rows = c->n_rows,
                                   .activity = activity_read(c->lead.activity, a),
                                   .at = c->at};
    int status = chances_of(cli, &view, c->chances, &c->n_chances);
    if (status == DONE)
        c->v.band = chances_band(c->chances, c->n_chances, c->card, c->v.score);
    return status;
}

static void print_json(struct cli *cli, const struct account *c)
{
    struct sbuf models AUTO(sbuf_free) = SBUF(SIZE_MAX / 2); /* as long as its model is */

    chances_shape(c->chances, c->n_chances, &models);
    shape_score(c->lead.id, c->at, &c->v, sbuf_str(&models), &cli->out);
}

int cli_score(struct cli *cli)
{
    struct account c = {.at = cli->now_ms};
    int status = DONE;

    if (cli_has(cli, ARG_AT))
        status = cli_time(cli, ARG_AT, &c.at);
    if (status == DONE)
        status = cli_read(cli);
    if (status == DONE)
        status = look_up(cli, &c);
    if (status != DONE)
        return status;
    scorecard_evaluate(c.card, &c.lead, c.rows, c.n_rows, c.at, &cli->arena, &c.v);
    status = ask_models(cli, &c);
    if (status != DONE)
        return status;
    if (cli_has(cli, ARG_JSON)) {
        print_json(cli, &c);
        sbuf_char(&cli->out, '\n');
    } else {
        print_account(cli, &c);
    }
    return DONE;
}
