/* cli/retry.c - dead deliveries back into the queue, by the daemon or without one. */
#include "cli_priv.h"

#include "funneld/app/control.h"
#include "funneld/base/json.h"

static int select_by_options(struct cli *cli, struct retry_filter *f)
{
    static const enum arg filters[] = {ARG_CONNECTOR, ARG_ROUTE, ARG_REASON, ARG_LEAD, ARG_SINCE};
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        n += cli_has(cli, filters[i]);
    if (cli_has(cli, ARG_ALL) && (n || cli->args.n_words))
        return cli_usage(cli, "--all stands alone");
    if (cli->args.n_words && n)
        return cli_usage(cli, "either ids, or --connector, --route, --reason, --lead and --since");
    if (!cli->args.n_words && !n && !cli_has(cli, ARG_ALL))
        return cli_usage(cli, "which? Name ids, --connector, --route, --reason, --lead, --since or "
                              "--all");
    f->connector = cli_value(cli, ARG_CONNECTOR);
    f->route = cli_value(cli, ARG_ROUTE);
    f->reason = cli_value(cli, ARG_REASON);
    return cli_has(cli, ARG_SINCE) ? cli_time(cli, ARG_SINCE, &f->since) : DONE;
}

/* An id that is not there is a mistake, of which nothing is done. */
static int check_id(struct cli *cli, struct str text, int64_t *ret)
{
    struct delivery d;
    int status = cli_id(cli, text, ret);

    if (status != DONE)
        return status;
    enum rc rc = read_delivery(cli->reader, *ret, &cli->arena, &d);
    if (rc == RC_NONE)
        return cli_fail(cli, "there is no delivery %.*s", STR_ARG(text));
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    if (d.state != DELIVERY_DEAD)
        cli_note(cli, "delivery %.*s is %s, not dead: it stays so", STR_ARG(text),
                 delivery_state_name(d.state));
    return DONE;
}

static int select_ids(struct cli *cli, struct retry_filter *f)
{
    int64_t *ids = arena_array(&cli->arena, cli->args.n_words, sizeof *ids);
    int status = DONE;

    for (size_t i = 0; i < cli->args.n_words && status == DONE; i++)
        status = check_id(cli, str_of(cli->args.words[i]), &ids[i]);
    f->ids = ids;
    f->n_ids = cli->args.n_words;
    return status;
}

/* A connector that the configuration does not have has no lane to send by. */
static int check_connector(struct cli *cli, struct str name)
{
    const struct config *c = cli->config;
    const char **names = arena_array(&cli->arena, c->n_connectors, sizeof *names);

    if (!name.at)
        return DONE;
    for (size_t i = 0; i < c->n_connectors; i++)
        names[i] = arena_text(&cli->arena, c->connectors[i].name);
    return cli_choice(cli, ARG_CONNECTOR, names, c->n_connectors);
}

static void write_request(const struct retry_filter *f, struct sbuf *b)
{
    json_open(b, '{');
    json_kv_text(b, "command", "retry");
    control_ids_write(b, f->ids, f->n_ids);
    json_kv(b, "connector", f->connector);
    json_kv(b, "route", f->route);
    json_kv(b, "reason", f->reason);
    json_kv_int(b, "since", f->since);
    json_kv_int(b, "lead", f->lead);
    json_kv_int(b, "after", f->after);
    json_close(b, '}');
}

/* One question, which brings back so many at most; the next one is for what is behind them. */
static enum rc ask(struct cli *cli, struct retry_filter *f, int64_t *ret_n, bool *ret_more,
                   struct why *why)
{
    struct sbuf request AUTO(sbuf_free) = SBUF(4 << 20);
    struct json_doc doc AUTO(json_doc_free) = {0};

    write_request(f, &request);
    enum rc rc =
        control_request(cli->config->control_socket, sbuf_str(&request), &cli->arena, &doc, why);

    if (rc != RC_OK)
        return rc;
    if (!json_int64(json_get(doc.root, "retried"), ret_n))
        return why_fail(RC_INVALID, why, "the daemon's answer holds no number");
    *ret_more = json_true(json_get(doc.root, "more"));
    if (*ret_more && !json_int64(json_get(doc.root, "last"), &f->after))
        return why_fail(RC_INVALID, why, "the daemon's answer does not say how far it came");
    return RC_OK;
}

static enum rc by_daemon(struct cli *cli, const struct retry_filter *f, int64_t *ret_n,
                         struct why *why)
{
    struct retry_filter next = *f;
    bool more = true;
    enum rc rc = RC_OK;

    while (rc == RC_OK && more) {
        int64_t n = 0;

        rc = ask(cli, &next, &n, &more, why);
        *ret_n += n;
    }
    return *ret_n && rc != RC_OK
               ? why_wrap(RC_IO, why, "after %lld were put back", (long long)*ret_n)
               : rc;
}

struct retry {
    struct retry_filter *filter;
    int64_t now_ms, n;
};

static enum rc put_back(struct store *st, void *arg, struct why *why)
{
    struct retry *r = arg;

    (void)why; /* the store's own words will do */
    return store_retry(st, r->filter, r->now_ms, &r->n);
}

static enum rc by_ourselves(const struct cli *cli, struct retry_filter *f, int64_t *ret_n,
                            struct why *why)
{
    struct retry r = {.filter = f, .now_ms = cli->now_ms};
    enum rc rc = cli_change(cli, put_back, &r, why);

    *ret_n = r.n;
    return rc;
}

int cli_retry(struct cli *cli)
{
    struct retry_filter f = {0};
    struct why why = {0};
    int64_t n = 0;
    int status = select_by_options(cli, &f);

    if (status == DONE)
        status = cli_read(cli);
    if (status == DONE)
        status = check_connector(cli, f.connector);
    if (status == DONE)
        status = cli_lead_filter(cli, &f.lead);
    if (status == DONE)
        status = select_ids(cli, &f);
    if (status != DONE)
        return status;
    enum rc rc = by_daemon(cli, &f, &n, &why);
    if (rc == RC_NONE)
        rc = by_ourselves(cli, &f, &n, &why);
    if (rc != RC_OK)
        return cli_fail(cli, "%s", why.text[0] ? why.text : rc_text(rc));
    if (cli_has(cli, ARG_JSON))
        sbuf_printf(&cli->out, "{\"retried\":%lld}\n", (long long)n);
    else
        sbuf_printf(&cli->out, "%lld %s back in the queue\n", (long long)n,
                    n == 1 ? "delivery is" : "deliveries are");
    return DONE;
}
