/* cli/model_keep.c - a trained model comes into the store.
 *
 * A line of the control socket has room for a megabyte, a model has not: a running daemon is told
 * of two files beside its database, which we write and remove.
 */
#include <stdlib.h>
#include <unistd.h>

#include "files.h"
#include "funneld/app/control.h"
#include "funneld/model/train.h"
#include "models.h"

enum { PATIENCE_S = 60 };

/* The two files, as long as the daemon reads them. */
struct handover {
    const char *trees, *sidecar;
};

static void handover_remove(struct handover *h)
{
    (void)unlink(h->trees); /* where it was not written, it is not there */
    (void)unlink(h->sidecar);
}

static enum rc handover_write(struct cli *cli, const struct model_adding *m, struct handover *ret,
                              struct why *why)
{
    char *database = store_real_path(arena_text(&cli->arena, cli->config->store.path));
    char *absolute = database ? realpath(database, NULL) : NULL;
    const char *base = arena_text(&cli->arena, str_of(absolute ? absolute : database));

    free(absolute);
    free(database);
    if (!base || base[0] != '/') {
        (void)why_fail(RC_IO, why, "the database's place is not known");
        return RC_IO;
    }
    ret->trees = arena_printf(&cli->arena, "%s.model-%d.trees", base, (int)getpid()).at;
    ret->sidecar = arena_printf(&cli->arena, "%s.model-%d.sidecar", base, (int)getpid()).at;
    enum rc rc = file_write_for(base, ret->trees, m->trees, why);
    if (rc == RC_OK)
        rc = file_write_for(base, ret->sidecar, m->sidecar, why);
    if (rc != RC_OK)
        handover_remove(ret);
    return rc;
}

static enum rc read_answer(const json *answer, struct model_adding *m, struct arena *a,
                           struct why *why)
{
    if (!json_int64(json_get(answer, "id"), &m->added.id) ||
        !json_int64(json_get(answer, "version"), &m->added.version))
        return why_fail(RC_INVALID, why, "the daemon's answer names no model");
    m->added.name = arena_str(a, json_string(json_get(answer, "name")));
    m->added.active = json_true(json_get(answer, "active"));
    (void)why_fail(RC_OK, &m->unknown, "%.*s", STR_ARG(json_string(json_get(answer, "unknown"))));
    return RC_OK;
}

static enum rc by_daemon(struct cli *cli, struct model_adding *m, struct why *why)
{
    struct sbuf request AUTO(sbuf_free) = SBUF(64 * 1024);
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct handover h = {0};
    enum rc rc = handover_write(cli, m, &h, why);

    if (rc != RC_OK)
        return rc;
    json_open(&request, '{');
    json_kv_text(&request, "command", "model");
    json_kv_text(&request, "do", "add");
    json_kv_text(&request, "trees", h.trees);
    json_kv_text(&request, "sidecar", h.sidecar);
    json_kv(&request, "name", m->name);
    json_kv_text(&request, "use", model_use_name(m->use));
    json_close(&request, '}');
    rc = control_request_within(cli->config->control_socket, sbuf_str(&request), PATIENCE_S,
                                &cli->arena, &doc, why);
    handover_remove(&h);
    if (rc == RC_TIMEOUT)
        return why_fail(rc, why,
                        "the daemon has not answered for %d s and may have kept it all the same: "
                        "funneld model list shows it then",
                        PATIENCE_S);
    return rc == RC_OK ? read_answer(doc.root, m, &cli->arena, why) : rc;
}

static bool daemon_runs(struct cli *cli)
{
    struct str answer;

    return control_ask(cli->config->control_socket, STR("{\"command\":\"backup\"}"), &cli->arena,
                       &answer, NULL) != RC_NONE;
}

static void print_json(struct cli *cli, const struct model_adding *m)
{
    struct sbuf *b = &cli->out;

    json_open(b, '{');
    json_kv_int(b, "id", m->added.id);
    json_kv(b, "name", m->added.name);
    json_kv_int(b, "version", m->added.version);
    json_kv_text(b, "goal", goal_name(model_card(m->model)->goal));
    json_key(b, "usable");
    json_bool(b, model_card(m->model)->usable);
    json_key(b, "active");
    json_bool(b, m->added.active);
    json_close(b, '}');
    sbuf_char(b, '\n');
}

static void print(struct cli *cli, const struct model_adding *m)
{
    const struct model_card *card = model_card(m->model);
    struct str name = printable(m->added.name, &cli->arena);
    long long version = (long long)m->added.version;

    sbuf_printf(&cli->out, "kept as %.*s:%lld", STR_ARG(name), version);
    if (m->added.active)
        sbuf_printf(&cli->out, ", in use for %s from now on\n", goal_name(card->goal));
    else if (!card->usable)
        sbuf_printf(&cli->out, ", not in use: %.*s\n",
                    STR_ARG(printable(card->verdict, &cli->arena)));
    else
        sbuf_printf(&cli->out, "; to use it: funneld model activate %.*s:%lld\n", STR_ARG(name),
                    version);
}

/* The model with its name, into the store. */
static int keep(struct cli *cli, struct model_adding *m)
{
    struct why why = {0};
    enum rc rc = daemon_runs(cli) ? by_daemon(cli, m, &why) : cli_change(cli, model_add, m, &why);

    if (rc != RC_OK)
        return cli_fail(cli, "%s", why.text[0] ? why.text : rc_text(rc));
    (cli_has(cli, ARG_JSON) ? print_json : print)(cli, m);
    if (m->unknown.text[0])
        cli_note(cli, "%s; where a table calls them otherwise, --map renames its columns",
                 m->unknown.text);
    return DONE;
}

int cli_keep_model(struct cli *cli, const struct trained *t, enum model_use use)
{
    struct model_adding m = {
        .trees = t->trees,
        .sidecar = t->sidecar,
        .name = cli_value(cli, ARG_NAME),
        .use = use,
        .now_ms = cli->now_ms,
    };
    struct model *model = NULL;
    struct why why = {0};

    if (m.name.at && !model_name_ok(m.name))
        return cli_usage(cli, "--name %.*s: at most 64 characters, without a colon",
                         STR_ARG(str_cut(m.name, 80)));
    if (model_read(t->trees, t->sidecar, &model, &why) != RC_OK)
        return cli_fail(cli, "%s", why.text);
    m.model = model;
    if (use == USE_ALWAYS && !model_card(model)->usable && !cli_has(cli, ARG_FORCE)) {
        cli_note(cli, "it is not put in use: %.*s", STR_ARG(model_card(model)->verdict));
        m.use = USE_NEVER;
    }
    int status = keep(cli, &m);
    model_drop(model);
    return status;
}
