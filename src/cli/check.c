/* cli/check.c - what is wrong with the configuration, or what it would do. */
#include <stdlib.h>

#include "check_online.h"
#include "funneld/base/json.h"
#include "funneld/base/url.h"

/* A table behind a blank line, or what it means that it is empty. */
static void print_table(struct cli *cli, const struct text_table *t, const char *empty)
{
    sbuf_printf(&cli->out, "\n%s", t->n_cells ? "" : empty);
    table_print(t, &cli->out);
}

/* One line without runs of blanks: a `when` goes on over indented lines. */
static struct str one_line(struct str text, struct arena *a)
{
    char *copy = arena_alloc(a, text.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        bool blank = text.at[i] == ' ' || text.at[i] == '\t' || text.at[i] == '\n';

        if (!blank)
            copy[n++] = text.at[i];
        else if (n && copy[n - 1] != ' ')
            copy[n++] = ' ';
    }
    return (struct str){copy, n};
}

static const struct conf_section *section_of(const struct cli *cli, const char *kind,
                                             struct str name)
{
    struct arena a AUTO(arena_free) = {0};

    return conf_section_find(&cli->config->conf, kind, arena_text(&a, name));
}

/* As it stands in the file, where ${NAME} is not replaced yet. */
static struct str written(struct cli *cli, const char *kind, struct str name, const char *key)
{
    const struct conf_section *s = section_of(cli, kind, name);
    const struct conf_entry *e = s ? conf_find(s, key) : NULL;

    return e ? one_line(e->raw, &cli->arena) : STR_NULL;
}

/* The address with the port of $PORT, which overrides it. */
static struct str listen_address(struct cli *cli)
{
    struct str listen = cli->config->server.listen, host;
    const char *port = getenv("PORT");
    uint16_t unused;

    if (!port || !*port || host_port_parse(listen, &host, &unused, NULL))
        return listen;
    return arena_printf(&cli->arena, str_chr(host, ':') ? "[%.*s]:%s" : "%.*s:%s", STR_ARG(host),
                        port);
}

static struct str base_url(struct cli *cli)
{
    const struct server_settings *s = &cli->config->server;

    if (s->public_url.len)
        return s->public_url;
    return arena_printf(&cli->arena, "%s://%.*s", s->tls_cert.len ? "https" : "http",
                        STR_ARG(listen_address(cli)));
}

static void print_listeners(struct cli *cli)
{
    const struct config *c = cli->config;
    struct sbuf *out = &cli->out;

    sbuf_printf(out, "senders   %.*s, %s\n", STR_ARG(listen_address(cli)),
                c->server.tls_cert.len ? "TLS" : "plain HTTP");
    sbuf_printf(out, "admin     %.*s, %s\n", STR_ARG(c->admin.listen),
                c->admin.token.len ? "with token" : "without token");
    sbuf_printf(out, "database  %.*s\n", STR_ARG(c->store.path));
    sbuf_printf(out, "control   %.*s\n", STR_ARG(c->control_socket));
}

static void print_sources(struct cli *cli)
{
    static const struct text_column columns[] = {
        {"SOURCE", 0, false}, {"TYPE", 0, false}, {"URL", 0, false}, {"ENRICH", 0, false}};
    struct text_table t = TABLE(&cli->arena, columns);

    for (size_t i = 0; i < cli->config->n_sources; i++) {
        const struct source *s = &cli->config->sources[i];

        table_cell(&t, s->name);
        table_cell(&t, str_of(s->type->name));
        table_cell(&t, arena_printf(&cli->arena, "%.*s%.*s", STR_ARG(base_url(cli)),
                                    STR_ARG(source_path(s))));
        table_cell(&t, s->enrich_with);
    }
    print_table(cli, &t, "no sources: nothing will come in\n");
}

static bool is_secret(const struct section_spec *spec, struct str key)
{
    for (size_t i = 0; i < spec->n_options; i++) {
        const struct option *o = &spec->options[i];

        if (option_is_map(o) ? str_starts(key, str_of(o->key)) : str_is(key, o->key))
            return option_is_secret(o);
    }
    return false;
}

/* Of an address that is a secret, no more than where it leads. */
static struct str service(struct cli *cli, const struct connector *k)
{
    const struct connector_common *common = k->settings;
    struct url url;

    if (!is_secret(k->type->spec, STR("url")))
        return common->url;
    if (url_parse(common->url, &url, NULL))
        return STR_NULL;
    return arena_printf(&cli->arena, "%.*s://%.*s", STR_ARG(url.scheme), STR_ARG(url.host));
}

/* What the file says about it, secrets left out: channel, database, spreadsheet ... */
static struct str target(struct cli *cli, const struct connector *k)
{
    const struct conf_section *s = section_of(cli, "connector", k->name);
    struct sbuf b AUTO(sbuf_free) = SBUF(64 * 1024);

    for (size_t i = 0; s && i < s->n_entries; i++) {
        const struct conf_entry *e = &s->entries[i];

        if (str_is(e->key, "type") || str_is(e->key, "url") || is_secret(k->type->spec, e->key))
            continue;
        sbuf_printf(&b, "%s%.*s = %.*s", b.len ? "; " : "", STR_ARG(e->key),
                    STR_ARG(one_line(e->value, &cli->arena)));
    }
    return b.len ? arena_str(&cli->arena, sbuf_str(&b)) : STR("");
}

static void print_connectors(struct cli *cli)
{
    static const struct text_column columns[] = {
        {"CONNECTOR", 0, false}, {"TYPE", 0, false}, {"SERVICE", 0, false}, {"TARGET", 0, false}};
    struct text_table t = TABLE(&cli->arena, columns);

    for (size_t i = 0; i < cli->config->n_connectors; i++) {
        const struct connector *k = &cli->config->connectors[i];

        table_cell(&t, k->name);
        table_cell(&t, str_of(k->type->name));
        table_cell(&t, service(cli, k));
        table_cell(&t, target(cli, k));
    }
    print_table(cli, &t, "no connectors: nobody will be told\n");
}

static void print_rules(struct cli *cli)
{
    static const struct text_column columns[] = {
        {"RULE", 0, false},  {"POINTS", 0, true}, {"HALF-LIFE", 0, true}, {"MAX", 0, true},
        {"GROUP", 0, false}, {"PART", 0, false},  {"WHEN", 0, false},
    };
    const struct scorecard *card = &cli->config->scorecard;
    struct arena *a = &cli->arena;
    struct text_table t = TABLE(a, columns);

    for (size_t i = 0; i < card->n_rules; i++) {
        const struct rule *r = &card->rules[i];

        table_cell(&t, r->name);
        table_cell(&t, show_tenths(r->points, a));
        table_cell(&t, r->half_life_ms ? show_duration(r->half_life_ms, a) : STR(""));
        table_cell(&t, r->max == INT64_MAX ? STR("") : show_tenths(r->max, a));
        table_cell(&t, r->group.at ? r->group : STR(""));
        table_cell(&t, r->engagement ? STR("engagement") : STR("fit"));
        table_cell(&t, written(cli, "rule", r->name, "when"));
    }
    print_table(cli, &t, "no rules: every score is 0\n");
    for (size_t i = 0; i < card->n_groups; i++)
        sbuf_printf(&cli->out, "group %.*s adds at most %s\n", STR_ARG(card->groups[i].name),
                    show_tenths(card->groups[i].max, a).at);
    sbuf_printf(&cli->out, "warm from %s, hot from %s\n", show_tenths(card->warm, a).at,
                show_tenths(card->hot, a).at);
}

static struct str names(const struct str_list *list, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(64 * 1024);

    for (size_t i = 0; i < list->n; i++)
        sbuf_printf(&b, "%s%.*s", i ? ", " : "", STR_ARG(list->items[i]));
    return arena_str(a, sbuf_str(&b));
}

static void print_routes(struct cli *cli)
{
    static const struct text_column columns[] = {
        {"ROUTE", 0, false}, {"WHEN", 0, false}, {"TO", 0, false}};
    struct arena *a = &cli->arena;
    struct text_table t = TABLE(a, columns);

    for (size_t i = 0; i < cli->config->routes.n; i++) {
        const struct route *r = &cli->config->routes.items[i];
        struct str to = names(&r->to, a);

        table_cell(&t, r->name);
        table_cell(&t, written(cli, "route", r->name, "when"));
        table_cell(&t, arena_printf(a, "-> %.*s%s", STR_ARG(to),
                                    r->wait_for_enrichment ? ", after enrichment" : ""));
    }
    print_table(cli, &t, "no routes: nobody will be told\n");
}

static void print_goals(struct cli *cli)
{
    static const struct text_column columns[] = {
        {"GOAL", 0, false}, {"WITHIN", 0, true}, {"REACHED WHEN", 0, false}, {"AMONG", 0, false}};
    struct arena *a = &cli->arena;
    struct text_table t = TABLE(a, columns);

    for (int g = 0; g < GOAL_COUNT; g++) {
        const struct goal *goal = &cli->config->goals.of[g];

        if (!goal->when)
            continue;
        table_cell(&t, str_of(goal_name((enum model_goal)g)));
        table_cell(&t, show_duration(goal->horizon_ms, a));
        table_cell(&t, one_line(goal->text, a));
        table_cell(&t, goal->among ? one_line(goal->among_text, a) : STR("all leads"));
    }
    print_table(cli, &t, "");
}

static void print_plan(struct cli *cli)
{
    sbuf_printf(&cli->out, "%s is in order\n\n", cli_config_path(cli));
    print_listeners(cli);
    print_sources(cli);
    print_connectors(cli);
    print_rules(cli);
    print_goals(cli);
    print_routes(cli);
}

static void print_json(struct cli *cli, bool ok, const struct probe *services)
{
    const struct conf_problems *problems = &cli->config->problems;
    struct sbuf *out = &cli->out;

    json_open(out, '{');
    json_key(out, "ok");
    json_bool(out, ok);
    json_key(out, "problems");
    json_open(out, '[');
    for (const struct conf_problem *p = problems->first; p; p = p->next) {
        json_open(out, '{');
        json_kv(out, "file", p->file);
        json_key(out, "line");
        if (p->line)
            json_int(out, p->line);
        else
            json_null(out); /* the file as a whole */
        json_kv(out, "section", p->section);
        json_kv(out, "key", p->key);
        json_kv(out, "message", p->message);
        json_kv(out, "hint", p->hint);
        json_close(out, '}');
    }
    json_close(out, ']');
    if (cli_has(cli, ARG_ONLINE))
        cli_write_services(cli, services);
    json_close(out, '}');
    sbuf_char(out, '\n');
}

static int check_for_programs(struct cli *cli)
{
    const struct probe *services = NULL;
    int status;

    cli->config = config_load(cli_config_path(cli), cli->now_ms);
    status = cli->config->problems.n ? USAGE : DONE;
    if (status == DONE && cli_has(cli, ARG_ONLINE)) {
        services = cli_ask_services(cli);
        if (!services || cli_services_fail(cli, services))
            status = FAILED;
    }
    print_json(cli, status == DONE, services);
    return status;
}

static int print_services(struct cli *cli)
{
    const struct probe *services = cli_ask_services(cli);

    if (!services)
        return FAILED;
    cli_print_services(cli, services);
    return cli_services_fail(cli, services) ? FAILED : DONE;
}

int cli_check(struct cli *cli)
{
    if (cli_has(cli, ARG_REFERENCE)) {
        config_reference(&cli->out);
        return DONE;
    }
    if (cli_has(cli, ARG_CREATE) && !cli_has(cli, ARG_ONLINE))
        return cli_usage(cli,
                         "--create makes what the services say is missing: give --online, too");
    if (cli_has(cli, ARG_JSON))
        return check_for_programs(cli);
    int status = cli_load(cli);
    const char *exposed = status == DONE ? config_exposed(cli->config, &cli->arena) : NULL;
    const char *guessable = status == DONE ? config_guessable(cli->config, &cli->arena) : NULL;
    if (exposed)
        cli_note(cli, "%s", exposed);
    if (guessable)
        cli_note(cli, "%s", guessable);
    if (status == DONE)
        print_plan(cli);
    else
        cli_note(cli, "%zu problem%s in %s", cli->config->problems.n,
                 cli->config->problems.n == 1 ? "" : "s", cli_config_path(cli));
    if (status == DONE && cli_has(cli, ARG_ONLINE))
        status = print_services(cli);
    return status;
}
