/* app/config.c - reads the file and binds each section to the table of the part it is for. */
#include "config_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct section_spec *const fixed_specs[] = {
    &server_spec, &admin_spec, &store_spec, &log_spec,   &score_spec,    &group_spec,
    &rule_spec,   &goal_spec,  &model_spec, &route_spec, &messages_spec, &message_spec,
};

/* Every kind of section that there is: the fixed ones, then sources, then connectors. */
static size_t all_specs(struct arena *a, const struct section_spec *const **ret)
{
    size_t n = 0;
    const struct section_spec **specs =
        arena_array(a, ARRAY_LEN(fixed_specs) + n_source_types + n_connector_types, sizeof *specs);

    for (size_t i = 0; i < ARRAY_LEN(fixed_specs); i++)
        specs[n++] = fixed_specs[i];
    for (size_t i = 0; i < n_source_types; i++)
        specs[n++] = source_types[i]->spec;
    for (size_t i = 0; i < n_connector_types; i++)
        specs[n++] = connector_types[i]->spec;
    *ret = specs;
    return n;
}

static void bind_single(struct config *c, const struct section_spec *spec, void *settings)
{
    struct conf_section *s = conf_section_find(&c->conf, spec->kind, NULL);

    if (s)
        conf_bind(s, spec, settings, &c->arena, &c->problems);
    else
        conf_defaults(spec, settings, &c->arena);
}

static void add_source(struct config *c, struct conf_section *s, const struct source_type *type)
{
    void *settings = arena_alloc(&c->arena, type->spec->size);

    conf_bind(s, type->spec, settings, &c->arena, &c->problems);
    c->sources[c->n_sources++] = (struct source){
        .type = type, .name = s->name, .public_url = c->server.public_url, .settings = settings};
    if (type->check)
        type->check(settings, s, c->server.public_url, &c->problems);
}

static void add_connector(struct config *c, struct conf_section *s,
                          const struct connector_type *type)
{
    void *settings = arena_alloc(&c->arena, type->spec->size);

    conf_bind(s, type->spec, settings, &c->arena, &c->problems);
    c->connectors[c->n_connectors++] =
        (struct connector){.type = type, .name = s->name, .settings = settings};
    if (type->check)
        type->check(settings, s, &c->problems);
}

static void bind_section(struct config *c, struct conf_section *s, const struct section_spec *spec)
{
    for (size_t i = 0; i < n_source_types; i++)
        if (source_types[i]->spec == spec)
            add_source(c, s, source_types[i]);
    for (size_t i = 0; i < n_connector_types; i++)
        if (connector_types[i]->spec == spec)
            add_connector(c, s, connector_types[i]);
}

static void bind_sections(struct config *c)
{
    const struct section_spec *const *specs;
    size_t n = all_specs(&c->arena, &specs);

    c->sources = arena_array(&c->arena, c->conf.n_sections, sizeof *c->sources);
    c->connectors = arena_array(&c->arena, c->conf.n_sections, sizeof *c->connectors);
    bind_single(c, &server_spec, &c->server); /* before the sources, which need public_url */
    bind_single(c, &admin_spec, &c->admin);
    bind_single(c, &store_spec, &c->store);
    bind_single(c, &log_spec, &c->log);
    bind_single(c, &model_spec, &c->model);
    for (size_t i = 0; i < c->conf.n_sections; i++) {
        const struct section_spec *spec = conf_spec(&c->conf.sections[i], specs, n, &c->problems);

        if (spec)
            bind_section(c, &c->conf.sections[i], spec);
    }
    scorecard_build(&c->conf, &c->arena, &c->scorecard, &c->problems);
    goals_build(&c->conf, &c->arena, &c->goals, &c->problems);
    routes_build(&c->conf, &c->arena, &c->routes, &c->problems);
}

static void make_views(struct config *c)
{
    c->control_socket = c->admin.socket.len
                            ? c->admin.socket
                            : arena_printf(&c->arena, "%.*s.sock", STR_ARG(c->store.path));
    c->sites = (struct sites){.server = &c->server,
                              .admin = &c->admin,
                              .sources = c->sources,
                              .n_sources = c->n_sources,
                              .routes = &c->routes,
                              .connectors = c->connectors,
                              .n_connectors = c->n_connectors,
                              .crm = c->crm,
                              .owner = &c->ref};
    c->rules = (struct rules){.scorecard = c->scorecard,
                              .routes = c->routes,
                              .goals = c->goals,
                              .connectors = c->connectors,
                              .n_connectors = c->n_connectors,
                              .sources = c->sources,
                              .n_sources = c->n_sources,
                              .owner = &c->ref};
    c->lanes = (struct lanes){.connectors = c->connectors,
                              .n = c->n_connectors,
                              .routes = &c->routes,
                              .crm = c->crm,
                              .owner = &c->ref};
}

static void destroy(struct ref *ref)
{
    static_assert(offsetof(struct config, ref) == 0, "a config starts with its ref");
    struct config *c = (struct config *)ref;

    arena_free(&c->arena);
    free(c);
}

struct config *config_load(const char *path, int64_t now_ms)
{
    struct config *c = mem_alloc(sizeof *c);

    ref_init(&c->ref, destroy);
    conf_problems_init(&c->problems, &c->arena);
    c->loaded_at = now_ms;
    /* A file that cannot be read at all would only add nonsense about what is missing in it. */
    if (conf_read_file(path, &c->arena, &c->conf, &c->problems) == RC_IO)
        return c;
    bind_sections(c);
    config_check(c);
    make_views(c);
    if (c->control_socket.len > 107 && !c->admin.socket.len) /* admin_check says it of its own */
        conf_problem(&c->problems, conf_section_find(&c->conf, "store", NULL), NULL,
                     "set [admin] socket to a shorter path",
                     "the control socket's path has %zu bytes, at most 107 are possible",
                     c->control_socket.len);
    return c;
}

void config_problems_text(const struct config *c, struct sbuf *b)
{
    for (const struct conf_problem *p = c->problems.first; p; p = p->next) {
        sbuf_printf(b, "%.*s:", STR_ARG(p->file));
        if (p->line)
            sbuf_printf(b, "%d:", p->line);
        sbuf_printf(b, " %.*s\n", STR_ARG(p->message));
        if (p->hint.len)
            sbuf_printf(b, "    %.*s\n", STR_ARG(p->hint));
    }
}

const struct source *config_source(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->n_sources; i++)
        if (str_eq(c->sources[i].name, name))
            return &c->sources[i];
    return NULL;
}

const struct connector *config_connector(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->n_connectors; i++)
        if (str_eq(c->connectors[i].name, name))
            return &c->connectors[i];
    return NULL;
}

const char *config_restart_needed(const struct config *running, const struct config *next,
                                  struct arena *a)
{
    const struct {
        const struct section_spec *spec;
        const void *was, *is;
    } parts[] = {
        {&server_spec, &running->server, &next->server},
        {&admin_spec, &running->admin, &next->admin},
        {&store_spec, &running->store, &next->store},
    };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const char *key = conf_restart_needed(parts[i].spec, parts[i].was, parts[i].is);

        if (key)
            return arena_printf(a, "[%s] %s", parts[i].spec->kind, key).at;
    }
    if (server_tls_changes(&running->server, &next->server))
        return "[server] TLS on or off";
    return NULL;
}

static void add_reference(struct sbuf *b, const struct section_spec *spec, const char *name)
{
    sbuf_char(b, '\n');
    conf_reference(b, spec, name);
}

void config_reference(struct sbuf *b)
{
    static const char *const names[] = {NULL, NULL,         NULL,           NULL,
                                        NULL, "engagement", "demo-request", "conversion",
                                        NULL, "hot-lead",   NULL,           "hot-lead"};

    sbuf_text(
        b, "; funneld.conf - every section and key, with its default.\n"
           ";\n"
           "; Made from the program's own tables: `funneld check --reference`. A value may be\n"
           "; ${ENV_NAME}, or file:/path to be read from there. Lines that are commented out have\n"
           "; no default: the text is an example. minimal.conf is the shortest that works.\n");
    for (size_t i = 0; i < 4; i++)
        add_reference(b, fixed_specs[i], names[i]);
    for (size_t i = 0; i < n_source_types; i++)
        add_reference(b, source_types[i]->spec, source_types[i]->name);
    for (size_t i = 0; i < n_connector_types; i++)
        add_reference(b, connector_types[i]->spec, connector_types[i]->name);
    for (size_t i = 4; i < ARRAY_LEN(fixed_specs); i++)
        add_reference(b, fixed_specs[i], names[i]);
}
