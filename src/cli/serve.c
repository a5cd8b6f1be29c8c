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

static void print_schema(struct cli *cli, const char *more)
{
    sbuf_printf(&cli->out, "%.*s has schema %d, the newest of funneld " FUNNELD_VERSION "%s\n",
                STR_ARG(cli->config->store.path), store_schema_version(), more);
}

/* A running daemon has brought it to the newest schema that it knows; to one that only this
 * program knows it can be brought when the daemon has stopped. */
static int look_at_schema(struct cli *cli, const struct why *locked)
{
    if (reader_open(arena_text(&cli->arena, cli->config->store.path), &cli->reader, NULL))
        return cli_fail(cli, "%s, of another version: stop it first", locked->text);
    print_schema(cli, "; a running one uses it");
    return DONE;
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
        return look_at_schema(cli, &why);
    if (rc != RC_OK)
        return cli_fail(cli, "%s", why.text);
    store_close(st);
    print_schema(cli, "");
    return DONE;
}
