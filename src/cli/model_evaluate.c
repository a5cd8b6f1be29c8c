/* cli/model_evaluate.c - how good a model is on a table whose outcome is known. */
#include "funneld/base/json.h"
#include "funneld/model/measure.h"
#include "models.h"
#include "target.h"

/* Rows whose outcome is known. */
struct outcomes {
    struct arena arena;
    double *probability;
    bool *positive;
    size_t n, cap_p, cap_y;
    size_t left_out;
};

static void add(struct outcomes *o, double probability, bool positive)
{
    o->probability = arena_more(&o->arena, o->probability, o->n, &o->cap_p, sizeof *o->probability);
    o->positive = arena_more(&o->arena, o->positive, o->n, &o->cap_y, sizeof *o->positive);
    o->probability[o->n] = probability;
    o->positive[o->n++] = positive;
}

static int read_all(struct cli *cli, struct scored_table *t, const struct target *target,
                    struct outcomes *o)
{
    struct why why = {0};
    size_t column;
    enum rc rc = RC_OK;

    if (!csv_find(t->csv, target->column, &column))
        return cli_usage(cli, "--target: there is no column %.*s in %s",
                         STR_ARG(str_cut(target->column, 80)), cli->args.values[ARG_CSV]);
    while ((rc = scored_next(cli, t, &why)) == RC_OK) {
        enum target_class outcome = target_class(target, t->row[column]);

        if (outcome == TARGET_UNKNOWN)
            o->left_out++;
        else
            add(o, scored_probability(t), outcome == TARGET_POSITIVE);
    }
    if (rc != RC_NONE)
        return cli_fail(cli, "%s: %s", cli->args.values[ARG_CSV], why.text);
    return o->n ? DONE
                : cli_fail(cli, "no row's %.*s is known", STR_ARG(str_cut(target->column, 80)));
}

static void kv_num(struct sbuf *b, const char *key, double value)
{
    json_key(b, key);
    json_num(b, value);
}

static void print_json(struct cli *cli, const struct model_record *record, const struct measures *m,
                       size_t left_out)
{
    struct sbuf *b = &cli->out;

    json_open(b, '{');
    json_kv(b, "model", record->name);
    json_kv_int(b, "version", record->version);
    json_kv_int(b, "rows", (int64_t)m->n);
    json_kv_int(b, "positive", (int64_t)m->n_positive);
    json_kv_int(b, "left_out", (int64_t)left_out);
    kv_num(b, "auc", m->auc);
    kv_num(b, "pr_auc", m->pr_auc);
    kv_num(b, "log_loss", m->log_loss);
    kv_num(b, "brier", m->brier);
    kv_num(b, "ece", m->ece);
    kv_num(b, "ece_floor", m->ece_floor);
    kv_num(b, "ece_floor_95", m->ece_floor_95);
    kv_num(b, "lift", m->lift);
    json_close(b, '}');
    sbuf_char(b, '\n');
}

static void print(struct cli *cli, const struct model_record *record, const struct measures *m,
                  size_t left_out)
{
    struct sbuf *b = &cli->out;

    sbuf_printf(b, "%.*s:%lld on %zu rows, %zu of them positive (%.1f %%)", STR_ARG(record->name),
                (long long)record->version, m->n, m->n_positive,
                100 * (double)m->n_positive / (double)m->n);
    if (left_out)
        sbuf_printf(b, "; %zu without a known outcome were left out", left_out);
    sbuf_printf(b, "\n\nAUC              %.4f\nPR AUC           %.4f\n", m->auc, m->pr_auc);
    sbuf_printf(b, "log loss         %.4f\nBrier score      %.4f\n", m->log_loss, m->brier);
    sbuf_printf(b,
                "ECE              %.4f   a perfect model of so many rows shows %.4f, and over "
                "%.4f once in twenty\n",
                m->ece, m->ece_floor, m->ece_floor_95);
    sbuf_printf(b, "top-decile lift  %.2f\n", m->lift);
}

static int evaluate(struct cli *cli, const struct model_record *record, const struct model *model,
                    const struct target *target)
{
    struct outcomes o = {0};
    struct scored_table t = {0};
    int status = scored_open(cli, model, &t);

    if (status != DONE)
        return status;
    status = read_all(cli, &t, target, &o);
    if (status == DONE) {
        struct measures m;

        measure(o.probability, o.positive, o.n, &m);
        (cli_has(cli, ARG_JSON) ? print_json : print)(cli, record, &m, o.left_out);
    }
    scored_close(&t);
    arena_free(&o.arena);
    return status;
}

int model_evaluate(struct cli *cli)
{
    struct model_record record;
    struct model *m = NULL;
    struct target target;
    struct why why = {0};

    if (!cli_has(cli, ARG_CSV) || !cli_has(cli, ARG_TARGET))
        return cli_usage(cli, "--csv FILE and --target COLUMN=POSITIVE[:NEGATIVE] say what to "
                              "compare with");
    if (target_parse(cli_value(cli, ARG_TARGET), &target, &cli->arena, &why) != RC_OK)
        return cli_usage(cli, "--target: %s", why.text);
    int status = cli_read(cli);
    if (status == DONE)
        status = models_open(cli, cli->args.n_words > 1 ? str_of(cli->args.words[1]) : STR_NULL,
                             &record, &m);
    if (status == DONE)
        status = evaluate(cli, &record, m, &target);
    model_drop(m);
    return status;
}
