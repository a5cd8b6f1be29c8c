/* cli/model_show.c - what is known of a model: on the terminal, or as a page. */
#include "files.h"
#include "funneld/base/json.h"
#include "funneld/report/model.h"
#include "models.h"

enum { REPORT_MOST = 8 << 20 };

static int write_page(struct cli *cli, const struct reported_model *m)
{
    struct sbuf page AUTO(sbuf_free) = SBUF(REPORT_MOST);
    const char *path = cli->args.values[ARG_HTML];
    struct why why = {0};
    enum rc rc = model_report_html(m, &page, &why);

    if (rc == RC_OK)
        rc = file_write(path, 0666, sbuf_str(&page), &why);
    if (rc != RC_OK)
        return cli_fail(cli, "%s", why.text);
    sbuf_printf(&cli->out, "the report is in %s\n", path);
    return DONE;
}

int cli_print_report(struct cli *cli, const struct reported_model *m)
{
    struct sbuf page AUTO(sbuf_free) = SBUF(REPORT_MOST);
    struct why why = {0};
    struct str line;

    if (model_report_text(m, &page, &why) != RC_OK)
        return cli_fail(cli, "%s", why.text);
    for (struct str rest = sbuf_str(&page); str_split(&rest, '\n', &line);) {
        sbuf_add(&cli->out, printable(line, &cli->arena)); /* names come from outside */
        sbuf_char(&cli->out, '\n');
    }
    return DONE;
}

int model_show(struct cli *cli)
{
    struct model_record record;
    int status = cli->args.n_words > 2 ? cli_usage(cli, "one model at a time") : cli_read(cli);

    if (status == DONE)
        status = models_find(cli, cli->args.n_words > 1 ? str_of(cli->args.words[1]) : STR_NULL,
                             &record);
    if (status != DONE)
        return status;
    const struct reported_model m = {.name = record.name,
                                     .version = record.version,
                                     .active = record.active,
                                     .warm = cli->config->rules.scorecard.warm,
                                     .hot = cli->config->rules.scorecard.hot,
                                     .sidecar = record.sidecar};
    if (cli_has(cli, ARG_HTML))
        return write_page(cli, &m);
    if (!cli_has(cli, ARG_JSON))
        return cli_print_report(cli, &m);
    sbuf_add(&cli->out, record.sidecar);
    sbuf_char(&cli->out, '\n');
    return DONE;
}
