/* cli/chances.c - a lead's probability and churn risk, input by input, so that the sum is seen. */
#include "chances.h"

#include <math.h>
#include <stdlib.h>

#include "funneld/base/json.h"
#include "funneld/model/served.h"

enum { POINTS_SHOWN = 20, POINTS_LEAST_MILLI = 50 }; /* below, a part is not shown to people */

static double odds_to_probability(double log_odds)
{
    return 1 / (1 + exp(-log_odds));
}

static struct str value_text(const struct cell *c, struct arena *a)
{
    if (c->text.at)
        return arena_str(a, c->text);
    return isnan(c->number) ? STR_NULL : arena_printf(a, "%.6g", c->number);
}

static int by_strength(const void *x, const void *y)
{
    double a = fabs(((const struct chance_part *)x)->log_odds);
    double b = fabs(((const struct chance_part *)y)->log_odds);

    return (a < b) - (a > b);
}

/* Points are shared out in proportion to the log-odds. */
static void share_out(struct told_chance *t, double bias)
{
    double sum = 0;

    for (size_t i = 0; i < t->n; i++)
        sum += t->parts[i].log_odds;
    for (size_t i = 0; i < t->n; i++)
        t->parts[i].points = model_points(bias, sum) * t->parts[i].log_odds;
    qsort(t->parts, t->n, sizeof *t->parts, by_strength);
}

static void explain(const struct model *m, const struct lead_view *v, struct arena *a,
                    struct told_chance *t)
{
    size_t n = t->n = model_card(m)->n_inputs;
    struct cell *cells = arena_array(a, n, sizeof *cells);
    double *parts = arena_array(a, n, sizeof *parts), bias = 0;

    lead_cells(lead_inputs_new(m, a), v, cells);
    t->probability = model_probability(m, cells, v->at);
    model_explain(m, cells, v->at, a, parts, &bias);
    model_quartiles(m, t->quartiles);
    t->base = odds_to_probability(bias);
    t->parts = arena_array(a, n, sizeof *t->parts);
    for (size_t i = 0; i < n; i++)
        t->parts[i] = (struct chance_part){.input = arena_str(a, model_input_name(m, i)),
                                           .value = value_text(&cells[i], a),
                                           .log_odds = parts[i]};
    share_out(t, bias);
}

static int ask(struct cli *cli, int64_t id, const struct lead_view *v, struct told_chance *ret)
{
    struct model_record record;
    struct model *m = NULL;
    struct why why = {0};
    enum rc rc = read_model(cli->reader, id, &cli->arena, &record);

    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    if (model_read(record.trees, record.sidecar, &m, &why))
        return cli_fail(cli, "model %.*s:%lld: %s", STR_ARG(record.name), (long long)record.version,
                        why.text);
    ret->name = record.name;
    ret->version = record.version;
    explain(m, v, &cli->arena, ret);
    model_drop(m);
    return DONE;
}

int chances_of(struct cli *cli, const struct lead_view *v, struct told_chance ret[GOAL_COUNT],
               size_t *ret_n)
{
    unsigned goals = goals_among(&cli->config->goals, v->lead);
    int status = DONE;

    *ret_n = 0;
    for (int g = 0; g < GOAL_COUNT && status == DONE; g++) {
        int64_t id = 0;
        enum rc rc = goals & goal_bit((enum model_goal)g)
                         ? read_model_at(cli->reader, g, v->at, &id)
                         : RC_NONE;

        if (rc == RC_NONE)
            continue;
        if (rc != RC_OK)
            return cli_fail_read(cli, rc);
        ret[*ret_n] = (struct told_chance){.goal = (enum model_goal)g};
        status = ask(cli, id, v, &ret[(*ret_n)++]);
    }
    return status;
}

enum band chances_band(const struct told_chance told[], size_t n, const struct scorecard *card,
                       int64_t score)
{
    for (size_t i = 0; i < n; i++)
        if (told[i].goal == GOAL_CONVERSION)
            return chance_band(card, told[i].quartiles, told[i].probability, score);
    return scorecard_band(card, score);
}

static void shape_part(const struct chance_part *p, struct sbuf *b)
{
    json_open(b, '{');
    json_kv(b, "input", p->input);
    json_kv(b, "value", p->value);
    json_key(b, "points");
    json_num(b, p->points);
    json_key(b, "log_odds");
    json_num(b, p->log_odds);
    json_close(b, '}');
}

void chances_shape(const struct told_chance told[], size_t n, struct sbuf *b)
{
    json_open(b, '[');
    for (size_t i = 0; i < n; i++) {
        const struct told_chance *t = &told[i];

        json_open(b, '{');
        json_kv_text(b, "goal", goal_name(t->goal));
        json_kv(b, "name", t->name);
        json_kv_int(b, "version", t->version);
        json_kv_tenths(b, "probability", chance_tenths(t->probability));
        json_kv_tenths(b, "base", chance_tenths(t->base));
        json_key(b, "parts");
        json_open(b, '[');
        for (size_t k = 0; k < t->n; k++)
            shape_part(&t->parts[k], b);
        json_close(b, ']');
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void print_parts(struct cli *cli, const struct told_chance *t)
{
    static const struct text_column columns[] = {
        {"POINTS", 0, true}, {"LOG-ODDS", 0, true}, {"INPUT", 40, false}, {"VALUE", 40, false}};
    struct arena *a = &cli->arena;
    struct text_table table = TABLE(a, columns);
    size_t n = 0;

    for (; n < t->n && n < POINTS_SHOWN; n++) {
        const struct chance_part *p = &t->parts[n];

        if (fabs(p->points) * 1000 < POINTS_LEAST_MILLI)
            break;
        table_cell(&table, arena_printf(a, "%+.1f", p->points));
        table_cell(&table, arena_printf(a, "%+.3f", p->log_odds));
        table_cell(&table, p->input);
        table_cell(&table, p->value);
    }
    table_print(&table, &cli->out);
    if (n < t->n)
        sbuf_printf(&cli->out, "and %zu inputs that add less\n", t->n - n);
}

void chances_print(struct cli *cli, const struct told_chance told[], size_t n)
{
    struct arena *a = &cli->arena;

    for (size_t i = 0; i < n; i++) {
        const struct told_chance *t = &told[i];

        sbuf_printf(&cli->out,
                    "\n%s %s %%  by model %.*s:%lld; from %s %%, where the average lead of the "
                    "training stands\n",
                    goal_name(t->goal), show_tenths(chance_tenths(t->probability), a).at,
                    STR_ARG(printable(t->name, a)), (long long)t->version,
                    show_tenths(chance_tenths(t->base), a).at);
        print_parts(cli, t);
    }
}
