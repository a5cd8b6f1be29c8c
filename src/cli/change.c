/* cli/change.c - a change of the database by a command itself, where no daemon runs. */
#include "cli_priv.h"

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
