/* cli/model.c - trained models: listed, put in use and taken back, exported and imported. */
#include "files.h"
#include "funneld/app/control.h"
#include "funneld/model/train.h"
#include "models.h"

static struct str word(const struct cli *cli, size_t i)
{
    return i < cli->args.n_words ? str_of(cli->args.words[i]) : STR_NULL;
}

/* Callbacks of the store */
struct listing {
    struct cli *cli;
    struct text_table *table; /* NULL: JSON, a line each */
};

static void list_json(struct sbuf *b, const struct model_record *m)
{
    json_open(b, '{');
    json_kv_int(b, "id", m->id);
    json_kv(b, "name", m->name);
    json_kv_int(b, "version", m->version);
    json_kv_text(b, "goal", goal_name((enum model_goal)m->goal));
    json_kv_time(b, "created_at", m->created_at);
    json_key(b, "usable");
    json_bool(b, m->usable);
    json_key(b, "active");
    json_bool(b, m->active);
    json_close(b, '}');
    sbuf_char(b, '\n');
}

static void list_one(void *self, const struct model_record *m)
{
    struct listing *l = self;
    struct text_table *t = l->table;

    if (m->goal < 0 || m->goal >= GOAL_COUNT)
        return;
    if (!t) {
        list_json(&l->cli->out, m);
        return;
    }
    table_cell(t, arena_str(t->arena, m->name));
    table_int(t, m->version);
    table_cell(t, str_of(goal_name((enum model_goal)m->goal)));
    table_cell(t, show_time(m->created_at, t->arena));
    table_cell(t, m->active ? STR("in use") : m->usable ? STR("usable") : STR("did not win"));
}

static int list(struct cli *cli)
{
    static const struct text_column columns[] = {{"MODEL", 40, false},
                                                 {"VERSION", 0, true},
                                                 {"GOAL", 0, false},
                                                 {"TRAINED (UTC)", 0, false},
                                                 {"STATE", 0, false}};
    struct text_table t = TABLE(&cli->arena, columns);
    struct listing l = {cli, cli_has(cli, ARG_JSON) ? NULL : &t};
    int status = cli_read(cli);

    if (status != DONE)
        return status;
    enum rc rc = read_models(cli->reader, list_one, &l);
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    if (l.table && !t.n_cells)
        cli_note(cli, "there is no model yet: funneld train makes one");
    table_print(&t, &cli->out);
    return DONE;
}

static enum rc ask_daemon(struct cli *cli, struct str request, int64_t *ret_id, struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    enum rc rc = control_request(cli->config->control_socket, request, &cli->arena, &doc, why);

    if (rc == RC_OK && !json_int64(json_get(doc.root, "id"), ret_id))
        rc = why_fail(RC_INVALID, why, "the daemon's answer names no model");
    return rc;
}

static int use(struct cli *cli, struct str request, command_fn *fn, struct model_choosing *c)
{
    struct why why = {0};
    enum rc rc = ask_daemon(cli, request, &c->id, &why);

    if (rc == RC_NONE) {
        why = (struct why){0};
        rc = cli_change(cli, fn, c, &why);
    }
    return rc == RC_OK ? DONE : cli_fail(cli, "%s", why.text[0] ? why.text : rc_text(rc));
}

static int print_use(struct cli *cli, const struct model_choosing *c)
{
    const char *goal = goal_name((enum model_goal)c->goal);
    struct model_record m = {0};
    enum rc rc = c->id ? read_model_card(cli->reader, c->id, &cli->arena, &m) : RC_OK;

    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    m.active = c->id != 0;
    if (cli_has(cli, ARG_JSON)) {
        m.goal = c->goal;
        list_json(&cli->out, &m);
    } else if (c->id)
        sbuf_printf(&cli->out, "%.*s:%lld is in use for %s\n", STR_ARG(m.name),
                    (long long)m.version, goal);
    else
        sbuf_printf(&cli->out, "no model is in use for %s: rules alone\n", goal);
    return DONE;
}

int model_activate(struct cli *cli)
{
    struct model_choosing c = {.now_ms = cli->now_ms, .reason = STR("activated")};
    struct model_record record;
    struct model *m = NULL;
    int status = cli->args.n_words == 2 ? cli_read(cli) : cli_usage(cli, "which model?");

    if (status == DONE)
        status = models_open(cli, word(cli, 1), &record, &m);
    if (status == DONE && !record.usable && !cli_has(cli, ARG_FORCE))
        status = cli_fail(cli, "%.*s:%lld did not win: %.*s; --force uses it all the same",
                          STR_ARG(record.name), (long long)record.version,
                          STR_ARG(model_card(m)->verdict));
    model_drop(m);
    if (status != DONE)
        return status;
    c.id = record.id;
    c.goal = record.goal;
    status =
        use(cli,
            arena_printf(&cli->arena, "{\"command\":\"model\",\"do\":\"activate\",\"id\":%lld}",
                         (long long)c.id),
            model_choose, &c);
    return status == DONE ? print_use(cli, &c) : status;
}

int model_rollback(struct cli *cli)
{
    struct model_choosing c = {.now_ms = cli->now_ms, .reason = STR("rolled back")};
    enum model_goal goal = GOAL_CONVERSION;
    int status = cli_read(cli);

    if (status == DONE)
        status = models_goal(cli, &goal);
    if (status != DONE)
        return status;
    c.goal = (int)goal;
    status =
        use(cli,
            arena_printf(&cli->arena, "{\"command\":\"model\",\"do\":\"rollback\",\"goal\":\"%s\"}",
                         goal_name(goal)),
            model_roll_back, &c);
    return status == DONE ? print_use(cli, &c) : status;
}

static const char *beside(struct cli *cli, const char *path)
{
    return arena_printf(&cli->arena, "%s.sidecar.json", path).at;
}

int model_export(struct cli *cli)
{
    struct model_record m;
    struct why why = {0};
    int status = cli->args.n_words == 3 ? cli_read(cli)
                                        : cli_usage(cli, "model export MODEL FILE says both");

    if (status == DONE)
        status = models_find(cli, word(cli, 1), &m);
    if (status != DONE)
        return status;
    const char *path = cli->args.words[2];
    if (file_write(path, 0666, m.trees, &why) != RC_OK ||
        file_write(beside(cli, path), 0666, m.sidecar, &why) != RC_OK)
        return cli_fail(cli, "%s", why.text);
    sbuf_printf(&cli->out, "%.*s:%lld is in %s%s and %s\n", STR_ARG(m.name), (long long)m.version,
                path, m.trees.len ? "" : " (empty: it has no trees)", beside(cli, path));
    return DONE;
}

int model_import(struct cli *cli)
{
    struct trained t = {0};
    struct why why = {0};
    int status = cli->args.n_words == 2 ? cli_load(cli) : cli_usage(cli, "model import FILE");

    if (status != DONE)
        return status;
    const char *path = cli->args.words[1];
    if (file_read(path, MODEL_MOST_BYTES, &cli->arena, &t.trees, &why) != RC_OK ||
        file_read(beside(cli, path), MODEL_MOST_BYTES, &cli->arena, &t.sidecar, &why) != RC_OK)
        return cli_fail(cli, "%s", why.text);
    return cli_keep_model(cli, &t, cli_has(cli, ARG_ACTIVATE) ? USE_ALWAYS : USE_NEVER);
}

int cli_model(struct cli *cli)
{
    static const struct {
        const char *name;
        int (*run)(struct cli *cli);
    } deeds[] = {{"list", list},
                 {"show", model_show},
                 {"activate", model_activate},
                 {"rollback", model_rollback},
                 {"export", model_export},
                 {"import", model_import},
                 {"evaluate", model_evaluate}};
    struct str what = cli->args.n_words ? word(cli, 0) : STR("list");

    for (size_t i = 0; i < ARRAY_LEN(deeds); i++)
        if (str_is(what, deeds[i].name))
            return deeds[i].run(cli);
    return cli_usage(cli,
                     "model %.*s: it is one of list, show, activate, rollback, export, import, "
                     "evaluate",
                     STR_ARG(str_cut(what, 40)));
}
