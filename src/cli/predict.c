/* cli/predict.c - a probability for each row of a table, by any model. */
#include "models.h"

static void print_row(struct cli *cli, struct str id, double probability)
{
    csv_write(&cli->out, id);
    sbuf_printf(&cli->out, ",%.9g\n", probability);
    cli_flush(cli);
}

static int predict_all(struct cli *cli, struct scored_table *t, size_t id)
{
    char number[INT64_TEXT];
    struct why why = {0};
    enum rc rc = RC_OK;

    sbuf_text(&cli->out, "id,probability\n");
    for (int64_t row = 1; (rc = scored_next(cli, t, &why)) == RC_OK; row++)
        print_row(cli, id == NO_COLUMN ? str_of_int64(row, number) : t->row[id],
                  scored_probability(t));
    return rc == RC_NONE ? DONE : cli_fail(cli, "%s: %s", cli->args.values[ARG_CSV], why.text);
}

int cli_predict(struct cli *cli)
{
    struct model_record record;
    struct model *m = NULL;
    struct scored_table t = {0};
    size_t id = NO_COLUMN;
    int status = cli_read(cli);

    if (status == DONE && !cli_has(cli, ARG_CSV))
        status = cli_usage(cli, "--csv FILE says which table");
    if (status == DONE)
        status = models_open(cli, cli_value(cli, ARG_MODEL), &record, &m);
    if (status == DONE)
        status = scored_open(cli, m, &t);
    if (status == DONE) {
        status = scored_column(cli, &t, ARG_ID, &id);
        if (status == DONE)
            status = predict_all(cli, &t, id);
        scored_close(&t);
    }
    model_drop(m);
    return status;
}
