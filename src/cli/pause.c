/* cli/pause.c - a connector is held, and goes on: by the daemon or without one. */
#include "cli_priv.h"

#include "funneld/app/control.h"
#include "funneld/base/json.h"

static int check_name(struct cli *cli, struct str name)
{
    const struct config *c = cli->config;
    const char **names = arena_array(&cli->arena, c->n_connectors, sizeof *names);

    for (size_t i = 0; i < c->n_connectors; i++) {
        if (str_eq(c->connectors[i].name, name))
            return DONE;
        names[i] = arena_text(&cli->arena, c->connectors[i].name);
    }
    const char *near = conf_nearest(name, names, c->n_connectors);
    return near
               ? cli_usage(cli, "there is no connector %.*s; did you mean %s?", STR_ARG(name), near)
               : cli_usage(cli, "there is no connector %.*s in the configuration", STR_ARG(name));
}

static int read_names(struct cli *cli, struct pause *ret)
{
    struct str *names = arena_array(&cli->arena, cli->args.n_words, sizeof *names);
    int status = DONE;

    for (size_t i = 0; i < cli->args.n_words && status == DONE; i++) {
        names[i] = str_of(cli->args.words[i]);
        status = check_name(cli, names[i]);
    }
    ret->names = names;
    ret->n = cli->args.n_words;
    return status;
}

static enum rc by_daemon(struct cli *cli, const struct pause *p, struct why *why)
{
    struct sbuf request AUTO(sbuf_free) = SBUF(1 << 20);
    struct json_doc doc AUTO(json_doc_free) = {0};

    json_open(&request, '{');
    json_kv_text(&request, "command", p->paused ? "pause" : "resume");
    json_key(&request, "connectors");
    json_open(&request, '[');
    for (size_t i = 0; i < p->n; i++)
        json_str(&request, p->names[i]);
    json_close(&request, ']');
    json_close(&request, '}');
    return control_request(cli->config->control_socket, sbuf_str(&request), &cli->arena, &doc, why);
}

static void print(struct cli *cli, const struct pause *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (!cli_has(cli, ARG_JSON)) {
            sbuf_printf(&cli->out,
                        p->paused ? "%.*s is paused: what is for it waits as held\n"
                                  : "%.*s goes on\n",
                        STR_ARG(p->names[i]));
            continue;
        }
        json_open(&cli->out, '{');
        json_kv(&cli->out, "connector", p->names[i]);
        json_key(&cli->out, "paused");
        json_bool(&cli->out, p->paused);
        json_close(&cli->out, '}');
        sbuf_char(&cli->out, '\n');
    }
}

static int pause_or_resume(struct cli *cli, bool paused)
{
    struct pause p = {.paused = paused};
    struct why why = {0};
    int status = cli_load(cli);

    if (status == DONE)
        status = read_names(cli, &p);
    if (status != DONE)
        return status;
    enum rc rc = by_daemon(cli, &p, &why);
    if (rc == RC_NONE)
        rc = cli_change(cli, pause_connectors, &p, &why);
    if (rc != RC_OK)
        return cli_fail(cli, "%s", why.text[0] ? why.text : rc_text(rc));
    print(cli, &p);
    return DONE;
}

int cli_pause(struct cli *cli)
{
    return pause_or_resume(cli, true);
}

int cli_resume(struct cli *cli)
{
    return pause_or_resume(cli, false);
}
