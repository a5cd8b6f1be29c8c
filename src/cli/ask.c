/* cli/ask.c - what a command was told, checked: choices, ids, times, leads. */
#include "cli_priv.h"

#include "funneld/base/json.h"

int cli_choice(const struct cli *cli, enum arg arg, const char *const names[], size_t n)
{
    struct sbuf known AUTO(sbuf_free) = SBUF(16 * 1024);
    struct str value = cli_value(cli, arg);

    for (size_t i = 0; i < n; i++) {
        if (str_is(value, names[i]))
            return DONE;
        sbuf_printf(&known, "%s%s", i ? ", " : "", names[i]);
    }
    return cli_usage(cli, "--%s %.*s: it is one of %.*s", arg_specs[arg].name,
                     STR_ARG(str_cut(value, 80)), STR_ARG(sbuf_str(&known)));
}

int cli_id(const struct cli *cli, struct str text, int64_t *ret)
{
    const char *database = reader_database_id(cli->reader);

    if (value_id(text, database, ret))
        return DONE;
    return cli_usage(cli, "%.*s is not an id: a number such as 17, or %s-17 in this database",
                     STR_ARG(str_cut(text, 80)), database);
}

int cli_time(const struct cli *cli, enum arg arg, int64_t *ret)
{
    struct str text = cli_value(cli, arg);

    if (value_time(text, cli->now_ms, ret))
        return DONE;
    return cli_usage(cli,
                     "--%s %.*s is not a time: 2h or 3d ago, 2026-11-24T13:57:39Z, or Unix "
                     "milliseconds",
                     arg_specs[arg].name, STR_ARG(str_cut(text, 80)));
}

static enum rc read_by(struct cli *cli, struct str text, struct lead *ret, bool *ret_understood)
{
    struct arena *a = &cli->arena;
    struct str email = email_normalise(text, a);
    int64_t portal, id;

    *ret_understood = true;
    if (email.at)
        return read_lead_by_email(cli->reader, email, a, ret);
    if (value_crm(text, &portal, &id))
        return read_lead_by_crm(cli->reader, portal, id, a, ret);
    if (value_id(text, reader_database_id(cli->reader), &id))
        return read_lead(cli->reader, id, a, ret);
    *ret_understood = false;
    return RC_INVALID;
}

int cli_find_lead(struct cli *cli, struct str text, struct lead *ret)
{
    bool understood;
    enum rc rc = read_by(cli, text, ret, &understood);

    if (!understood)
        return cli_usage(cli,
                         "%.*s is no lead: an e-mail address, portal:id such as 62515:1246965, or "
                         "our id, 17 or %s-17",
                         STR_ARG(str_cut(text, 80)), reader_database_id(cli->reader));
    if (rc == RC_NONE)
        return cli_fail(cli, "there is no lead %.*s", STR_ARG(str_cut(text, 300)));
    return rc == RC_OK ? DONE : cli_fail_read(cli, rc);
}

int cli_follow_merged(struct cli *cli, struct lead *lead)
{
    for (int hops = 0; lead->state == LEAD_MERGED; hops++) {
        int64_t from = lead->id, into = lead->merged_into;
        enum rc rc =
            hops < MERGE_HOPS_MAX ? read_lead(cli->reader, into, &cli->arena, lead) : RC_INVALID;

        if (rc != RC_OK)
            return cli_fail_read(cli, rc == RC_NONE ? RC_INVALID : rc);
        cli_note(cli, "lead %lld was merged into lead %lld", (long long)from, (long long)into);
    }
    return DONE;
}

int cli_lead_filter(struct cli *cli, int64_t *ret)
{
    struct lead lead = {0};

    *ret = 0;
    if (!cli_has(cli, ARG_LEAD))
        return DONE;
    int status = cli_find_lead(cli, cli_value(cli, ARG_LEAD), &lead);
    if (status == DONE)
        status = cli_follow_merged(cli, &lead);
    if (status == DONE)
        *ret = lead.id;
    return status;
}
