/* cli/import.c - `import`: a past to learn from, out of a file or out of the CRM. */
#include "import.h"

#include "funneld/base/json.h"

static void print_json(struct cli *cli, const struct import_sender *s, const struct import_end *e)
{
    struct sbuf *b = &cli->out;

    json_open(b, '{');
    json_kv_int(b, "rows", e->rows);
    json_kv_int(b, "fresh", s->sums.fresh);
    json_kv_int(b, "known", s->sums.known);
    json_kv_int(b, "without_time", e->skipped);
    if (cli_has(cli, ARG_CRM))
        json_kv_int(b, "without_history", e->without_history);
    json_kv_int(b, "errors", e->odd + s->sums.unprocessable);
    json_close(b, '}');
    sbuf_char(b, '\n');
}

static void print_count(struct cli *cli, const char *label, int64_t n, const char *what)
{
    sbuf_printf(&cli->out, "%-10s %lld %s\n", label, (long long)n, what);
}

void import_print(struct cli *cli, const struct import_sender *s, const struct import_end *e)
{
    if (cli_has(cli, ARG_JSON)) {
        print_json(cli, s, e);
        return;
    }
    print_count(cli, "read", e->rows, cli_has(cli, ARG_CRM) ? "contacts" : "rows");
    print_count(cli, "new", s->sums.fresh, "events; the leads are scored, nobody was told");
    print_count(cli, "known", s->sums.known, "from before: they changed nothing");
    if (e->skipped)
        print_count(cli, "left out", e->skipped, "rows whose time is empty");
    if (e->without_history)
        print_count(cli, "no past", e->without_history,
                    "contacts: the CRM refused their history; import them with --again");
    if (e->odd)
        print_count(cli, "left out", e->odd,
                    "rows with errors, named above: correct them and import the file again");
    if (s->sums.unprocessable)
        print_count(cli, "kept raw", s->sums.unprocessable,
                    "that the store refused: see funneld events --state unprocessable");
}

static int check_usage(const struct cli *cli)
{
    if (cli_has(cli, ARG_CSV) == cli_has(cli, ARG_CRM))
        return cli_usage(cli, "from where? Either --csv FILE or --crm");
    if (cli_has(cli, ARG_CRM) &&
        (cli_has(cli, ARG_MAP) || cli_has(cli, ARG_DRY_RUN) || cli_has(cli, ARG_AT)))
        return cli_usage(cli, "--map, --at and --dry-run go with --csv");
    if (cli_has(cli, ARG_CSV) && (cli->args.n_words || cli_has(cli, ARG_AGAIN)))
        return cli_usage(cli, "--csv takes neither a connector nor --again");
    return DONE;
}

int cli_import(struct cli *cli)
{
    int status = check_usage(cli);

    if (status != DONE)
        return status;
    return cli_has(cli, ARG_CSV) ? import_csv(cli) : import_crm(cli);
}
