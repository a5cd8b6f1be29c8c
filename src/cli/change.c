/* cli/change.c - a change of the database by a command itself, where no daemon runs. */
#include "cli_priv.h"
#include "funneld/app/model.h"

/* The lock that store_open takes keeps a daemon from starting meanwhile. */
enum rc cli_change(const struct cli *cli, command_fn *fn, void *arg, struct why *why)
{
    struct store *st = NULL;
    enum rc rc = store_open(&cli->config->store, cli->now_ms, &st, why);

    if (rc != RC_OK)
        return rc;
    rc = store_begin(st);
    if (rc == RC_OK) {
        rc = fn(st, arg, why);
        if (rc == RC_OK)
            rc = store_commit(st);
        else
            store_rollback(st);
    }
    if (rc != RC_OK && !why->text[0])
        (void)why_fail(rc, why, "%s", store_error(st));
    store_close(st);
    return rc;
}

enum rc cli_models(const struct cli *cli, struct reader *r, struct models **ret, struct why *why)
{
    struct why unread = {0};
    enum rc rc = models_in_use(r, ret, &unread);

    if (rc != RC_OK)
        return why_fail(rc, why, "%s", unread.text[0] ? unread.text : rc_text(rc));
    if (unread.text[0])
        cli_note(cli, "%s: rules alone decide", unread.text);
    return RC_OK;
}
