/* cli/serve.c - runs the daemon; brings the database to the newest schema. */
#include "cli_priv.h"

#include "funneld/app/daemon.h"

int cli_serve(struct cli *cli)
{
    int status = cli_load(cli);
    struct config *config = cli->config;

    if (status != DONE)
        return status;
    cli->config = NULL; /* the daemon takes it over */
    return daemon_run(config, cli_config_path(cli));
}

int cli_migrate(struct cli *cli)
{
    struct why why = {0};
    struct store *st = NULL;
    int status = cli_load(cli);

    if (status != DONE)
        return status;
    enum rc rc = store_open(&cli->config->store, cli->now_ms, &st, &why);
    if (rc == RC_BUSY)
        return cli_fail(cli,
                        "%s. A running daemon has brought it to its newest schema already; to "
                        "migrate with this program, stop it first",
                        why.text);
    if (rc != RC_OK)
        return cli_fail(cli, "%s", why.text);
    store_close(st);
    sbuf_printf(&cli->out, "%.*s has schema %d, the newest of funneld " FUNNELD_VERSION "\n",
                STR_ARG(cli->config->store.path), store_schema_version());
    return DONE;
}
