/* app/config_check.c - what no single section can see: paths, names that point to each other. */
#include "config_priv.h"

static const char *const builtin_paths[] = {"/healthz", "/livez", "/readyz", "/metrics", "/hooks"};

static struct conf_section *section(struct config *c, const char *kind, struct str name)
{
    return conf_section_find(&c->conf, kind, name.at ? arena_text(&c->arena, name) : NULL);
}

static void check_path(struct config *c, size_t i)
{
    struct str path = source_path(&c->sources[i]);
    struct conf_section *s = section(c, "source", c->sources[i].name);
    const struct conf_entry *e = conf_find(s, "path");

    for (size_t k = 0; k < ARRAY_LEN(builtin_paths); k++)
        if (str_is(path, builtin_paths[k]) ||
            (str_starts(path, STR("/hooks/")) && k == ARRAY_LEN(builtin_paths) - 1))
            conf_problem(&c->problems, s, e, "choose another, as in /webhooks/hubspot",
                         "the path %.*s is funneld's own", STR_ARG(path));
    for (size_t k = 0; k < i; k++)
        if (str_eq(path, source_path(&c->sources[k])))
            conf_problem(&c->problems, s, e, "each source needs a path of its own",
                         "the path %.*s is that of [source %.*s] already", STR_ARG(path),
                         STR_ARG(c->sources[k].name));
}

/* The nearest connector's name as a hint. */
static const char *connector_hint(struct config *c, struct str word)
{
    const char **names = arena_array(&c->arena, c->n_connectors, sizeof *names);

    for (size_t i = 0; i < c->n_connectors; i++)
        names[i] = arena_text(&c->arena, c->connectors[i].name);
    const char *near = conf_nearest(word, names, c->n_connectors);
    return near ? arena_printf(&c->arena, "did you mean \"%s\"?", near).at
                : "add a [connector NAME] section";
}

/* Its events are, or may become, those of CRM contacts. */
static bool may_enrich(struct str type)
{
    static const char *const types[] = {"hubspot", "hubspot_workflow", "http"};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_is(type, types[i]))
            return true;
    return false;
}

/* `enrich = NAME`; unset: the connector named crm, where it is one that can; none: nobody. */
static void resolve_enrich(struct config *c, struct source *source)
{
    struct conf_section *s = section(c, "source", source->name);
    const struct conf_entry *e = conf_find(s, "enrich");
    struct str name = e ? e->value : STR("crm");
    const struct connector *k = config_connector(c, name);

    if (!may_enrich(s->type) || (e && (e->broken || str_is(name, "none"))))
        return;
    if (k && k->type->enriches)
        source->enrich_with = name;
    else if (e && !k)
        conf_problem(&c->problems, s, e, connector_hint(c, name), "there is no [connector %.*s]",
                     STR_ARG(name));
    else if (e)
        conf_problem(&c->problems, s, e, "name a connector of type hubspot",
                     "[connector %.*s] of type %s cannot enrich leads", STR_ARG(name),
                     k->type->name);
}

/* Two would tell each subscriber twice. */
static void check_subscribed(struct config *c, const struct route *r)
{
    struct conf_section *s = section(c, "route", r->name);
    size_t n = 0;

    for (size_t i = 0; i < r->to.n; i++) {
        const struct connector *k = config_connector(c, r->to.items[i]);

        n += k && k->type->subscribed;
    }
    if (n > 1)
        conf_problem(&c->problems, s, conf_find(s, "to"), "leave one of them out",
                     "a route can go to one rest_hooks connector only");
}

/* Without a token nobody could subscribe. */
static void check_hooks_token(struct config *c)
{
    const struct conf_section *server = conf_section_find(&c->conf, "server", NULL);

    if (c->server.hooks_token.len || (server && conf_find(server, "hooks_token")))
        return;
    for (size_t i = 0; i < c->n_connectors; i++)
        if (c->connectors[i].type->subscribed)
            conf_problem(&c->problems, section(c, "connector", c->connectors[i].name), NULL,
                         "set [server] hooks_token = ${FUNNELD_HOOKS_TOKEN}",
                         "[connector %.*s] needs a token that subscribers prove themselves with",
                         STR_ARG(c->connectors[i].name));
}

static void check_route(struct config *c, const struct route *r)
{
    struct conf_section *s = section(c, "route", r->name);
    const struct conf_entry *e = conf_find(s, "to");

    for (size_t i = 0; i < r->to.n; i++) {
        const struct connector *k = config_connector(c, r->to.items[i]);

        if (!k)
            conf_problem(&c->problems, s, e, connector_hint(c, r->to.items[i]),
                         "there is no [connector %.*s]", STR_ARG(r->to.items[i]));
        else if (!k->type->routable)
            conf_problem(&c->problems, s, e, "it reads contacts for sources with enrich = NAME",
                         "[connector %.*s] of type %s takes no deliveries", STR_ARG(k->name),
                         k->type->name);
    }
    check_subscribed(c, r);
    if (str_eq(r->name, route_enrichment) || str_eq(r->name, route_catch_up) ||
        str_eq(r->name, route_import))
        conf_problem(&c->problems, s, NULL, "choose another name",
                     "a route cannot be called %.*s: questions to the CRM are", STR_ARG(r->name));
}

static bool delivers_to(const struct config *c, struct str route, struct str connector)
{
    for (size_t i = 0; i < c->routes.n; i++)
        for (size_t k = 0; k < c->routes.items[i].to.n; k++)
            if (str_eq(c->routes.items[i].name, route) &&
                str_eq(c->routes.items[i].to.items[k], connector))
                return true;
    return false;
}

static const char *route_hint(struct config *c, const struct connector *k, struct str word)
{
    const char **names = arena_array(&c->arena, c->routes.n, sizeof *names);
    size_t n = 0;

    for (size_t i = 0; i < c->routes.n; i++)
        if (delivers_to(c, c->routes.items[i].name, k->name))
            names[n++] = arena_text(&c->arena, c->routes.items[i].name);
    const char *near = conf_nearest(word, names, n);
    return near ? arena_printf(&c->arena, "did you mean \"%s\"?", near).at
                : "name a route with this connector in its `to`";
}

/* key.ROUTE = value: of a route that has nothing to do with the connector it would mean nothing. */
static void check_per_route(struct config *c, const struct connector *k)
{
    const struct str_pairs *pairs = k->type->per_route ? k->type->per_route(k->settings) : NULL;
    struct conf_section *s = section(c, "connector", k->name);

    for (size_t i = 0; pairs && i < pairs->n; i++) {
        struct str name = pairs->items[i].name;
        const struct conf_entry *e = NULL;

        for (size_t n = 0; n < s->n_entries; n++)
            if (s->entries[n].line == pairs->items[i].line)
                e = &s->entries[n];
        if (!delivers_to(c, name, k->name))
            conf_problem(&c->problems, s, e, route_hint(c, k, name),
                         "no [route %.*s] delivers to [connector %.*s]", STR_ARG(name),
                         STR_ARG(k->name));
    }
}

/* Without a source that names one, the only connector that can enrich is the CRM. */
static const struct connector *find_crm(const struct config *c)
{
    for (size_t i = 0; i < c->n_sources; i++)
        if (c->sources[i].enrich_with.at)
            return config_connector(c, c->sources[i].enrich_with);
    for (size_t i = 0; i < c->n_connectors; i++)
        if (c->connectors[i].type->enriches)
            return &c->connectors[i];
    return NULL;
}

/* A file that was cut short, or is still empty, must not turn every sender away. */
static void check_has_source(struct config *c)
{
    const struct conf_section whole = {.file = c->conf.file};

    for (size_t i = 0; i < c->conf.n_sections; i++)
        if (str_is(c->conf.sections[i].kind, "source"))
            return;
    conf_problem(&c->problems, &whole, NULL,
                 "add a [source NAME] with type = hubspot, zapier or http",
                 "there is no [source NAME]: nothing could come in");
}

static bool has_section(const struct config *c, const char *kind, const char *type)
{
    for (size_t i = 0; i < c->conf.n_sections; i++)
        if (str_is(c->conf.sections[i].kind, kind) && str_is(c->conf.sections[i].type, type))
            return true;
    return false;
}

/* A button whose click reaches nobody shows an error to whoever presses it. */
static void check_buttons(struct config *c)
{
    for (size_t i = 0; i < c->conf.n_sections; i++) {
        struct conf_section *s = &c->conf.sections[i];
        const struct conf_entry *e = str_is(s->kind, "connector") ? conf_find(s, "buttons") : NULL;

        if (e && !e->broken && !str_is(e->value, "no") && !str_is(e->value, "false") &&
            !str_is(e->value, "off") && !has_section(c, "source", "slack"))
            conf_problem(&c->problems, s, e, "add a [source NAME] with type = slack",
                         "there is no source that clicks could come in by");
    }
}

void config_check(struct config *c)
{
    check_has_source(c);
    check_buttons(c);
    config_check_writable(c);
    server_check(&c->server, conf_section_find(&c->conf, "server", NULL), &c->problems);
    admin_check(&c->admin, conf_section_find(&c->conf, "admin", NULL), &c->problems);
    for (size_t i = 0; i < c->n_sources; i++) {
        check_path(c, i);
        resolve_enrich(c, &c->sources[i]);
    }
    for (size_t i = 0; i < c->routes.n; i++)
        check_route(c, &c->routes.items[i]);
    check_hooks_token(c);
    for (size_t i = 0; i < c->n_connectors; i++)
        check_per_route(c, &c->connectors[i]);
    c->crm = find_crm(c);
}
