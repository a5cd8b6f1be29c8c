/* cli/backup.c - a copy of the database by the daemon or without one, and the way back. */
#include "cli_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "funneld/app/control.h"
#include "funneld/base/clock.h"
#include "funneld/base/json.h"

enum { LOOK_MS = 50 };

/* The daemon has another working folder. */
static enum rc absolute(struct cli *cli, const char *file, struct str *ret, struct why *why)
{
    char here[4096];

    if (file[0] == '/') {
        *ret = str_of(file);
        return RC_OK;
    }
    if (!getcwd(here, sizeof here))
        return why_fail(RC_IO, why, "where are we: %s", strerror(errno));
    *ret = arena_printf(&cli->arena, "%s/%s", here, file);
    return RC_OK;
}

static struct str request(struct cli *cli, struct str file)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(64 * 1024);
    struct str text = STR("");

    json_open(&b, '{');
    json_kv_text(&b, "command", "backup");
    if (file.at)
        json_kv(&b, "file", file);
    json_close(&b, '}');
    rc_ignored(sbuf_seal(&b, &cli->arena, &text)); /* a path is shorter */
    return text;
}

/* One question and what the answer says. */
static enum rc look(struct cli *cli, struct str file, bool *ret_runs, int64_t *ret_bytes,
                    struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    enum rc rc =
        control_request(cli->config->control_socket, request(cli, file), &cli->arena, &doc, why);

    if (rc != RC_OK)
        return rc;
    struct str state = json_string(json_get(doc.root, "state"));
    struct str reason = json_string(json_get(doc.root, "reason"));
    *ret_runs = str_is(state, "running");
    if (*ret_runs)
        return RC_OK;
    if (!str_is(state, "done") || !json_int64(json_get(doc.root, "bytes"), ret_bytes))
        return why_fail(RC_IO, why, "%.*s",
                        STR_ARG(reason.len ? reason : STR("the daemon knows of no backup")));
    return RC_OK;
}

static enum rc by_daemon(struct cli *cli, struct str file, int64_t *ret_bytes, struct why *why)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    bool runs = false;
    enum rc rc = look(cli, file, &runs, ret_bytes, why);

    while (rc == RC_OK && runs) {
        (void)nanosleep(&pause, NULL); /* shorter when a signal comes */
        rc = look(cli, STR_NULL, &runs, ret_bytes, why);
        if (rc == RC_NONE)
            rc = why_fail(RC_IO, why, "the daemon stopped before the backup was done");
    }
    return rc;
}

static enum rc copy(struct store *st, const char *file, int64_t *ret_bytes, struct why *why)
{
    struct backup *b = NULL;
    bool done = false;
    enum rc rc = backup_begin(st, file, &b, why);

    while (rc == RC_OK && !done)
        rc = backup_step(b, -1, &done, why);
    if (rc == RC_OK)
        rc = backup_finish(b, NULL, ret_bytes, why);
    backup_end(b);
    return rc;
}

/* The lock that store_open takes keeps a daemon from starting meanwhile. */
static enum rc by_ourselves(struct cli *cli, struct str file, int64_t *ret_bytes, struct why *why)
{
    struct store *st = NULL;
    enum rc rc = store_open(&cli->config->store, cli->now_ms, &st, why);

    if (rc == RC_OK)
        rc = copy(st, file.at, ret_bytes, why);
    store_close(st);
    return rc;
}

int cli_backup(struct cli *cli)
{
    struct why why = {0};
    int64_t bytes = 0;
    struct str file = STR_NULL;
    int status = cli_read(cli); /* there is a database, and of this program */

    if (status != DONE)
        return status;
    enum rc rc = absolute(cli, cli->args.words[0], &file, &why);
    if (rc == RC_OK)
        rc = by_daemon(cli, file, &bytes, &why);
    if (rc == RC_NONE)
        rc = by_ourselves(cli, file, &bytes, &why);
    if (rc != RC_OK)
        return cli_fail(cli, "%s", why.text[0] ? why.text : rc_text(rc));
    if (cli_has(cli, ARG_JSON)) {
        json_open(&cli->out, '{');
        json_kv(&cli->out, "file", file);
        json_kv_int(&cli->out, "bytes", bytes);
        json_close(&cli->out, '}');
        sbuf_char(&cli->out, '\n');
    } else {
        sbuf_printf(&cli->out, "%.*s: %lld bytes, verified\n", STR_ARG(file), (long long)bytes);
    }
    return DONE;
}

/* "funneld.db.before-restore-20261124T135739": sorts by time, and no two in a second. */
static struct str kept_name(struct cli *cli, const char *path)
{
    char text[TIME_TEXT];

    time_text(cli->now_ms, text);
    return arena_printf(&cli->arena, "%s.before-restore-%.4s%.2s%.2sT%.2s%.2s%.2s", path, text,
                        text + 5, text + 8, text + 11, text + 14, text + 17);
}

int cli_restore(struct cli *cli)
{
    struct why why = {0};
    int status = cli_load(cli);

    if (status != DONE)
        return status;
    char *path AUTO(mem_freep) = store_real_path(arena_text(&cli->arena, cli->config->store.path));
    struct str kept = kept_name(cli, path);
    enum rc rc = store_restore(path, cli->args.words[0], kept.at, &why);
    if (rc == RC_BUSY)
        return cli_fail(cli, "%s: stop it first", why.text);
    if (rc != RC_OK)
        return cli_fail(cli, "%s", why.text[0] ? why.text : rc_text(rc));
    bool was_there = access(kept.at, F_OK) == 0;
    if (cli_has(cli, ARG_JSON)) {
        json_open(&cli->out, '{');
        json_kv_text(&cli->out, "restored", path);
        json_kv(&cli->out, "kept", was_there ? kept : STR_NULL);
        json_close(&cli->out, '}');
        sbuf_char(&cli->out, '\n');
        return DONE;
    }
    sbuf_printf(&cli->out, "%s is the backup %s, with a new id\n", path, cli->args.words[0]);
    if (was_there)
        sbuf_printf(&cli->out, "what was there is %.*s\n", STR_ARG(kept));
    return DONE;
}
