/* route/route.c - from the [route] sections to conditions with their connectors. */
#include "route_priv.h"

struct route_settings {
    struct str when;
    struct str_list to;
    int64_t wait_for;
    bool urgent;
};

enum { WAIT_NONE, WAIT_ENRICHMENT };

static const char *const waits[] = {[WAIT_NONE] = "none", [WAIT_ENRICHMENT] = "enrichment", NULL};

static const struct option route_options[] = {
    {"when", OPTION_TEXT, offsetof(struct route_settings, when), NULL, 0, 0, NULL, OPTION_REQUIRED,
     "score >= 80 and score.previous < 80", "asked after every event of a lead"},
    {"to", OPTION_LIST, offsetof(struct route_settings, to), NULL, 0, 0, NULL, OPTION_REQUIRED,
     "sales-slack, lead-book, lead-log", "the connectors that hear about it"},
    {"wait_for", OPTION_CHOICE, offsetof(struct route_settings, wait_for), "none", 0, 0, waits, 0,
     NULL, "enrichment: until the CRM has told who it is, 30 s at most"},
    {"urgent", OPTION_BOOL, offsetof(struct route_settings, urgent), "no", 0, 0, NULL, 0, NULL,
     "goes before what is not, where both wait for one connector or one account's quota"},
};

const struct section_spec route_spec = {
    .kind = "route",
    .named = true,
    .options = route_options,
    .n_options = ARRAY_LEN(route_options),
    .size = sizeof(struct route_settings),
    .help = "who hears about what",
};

const struct conf_entry *sound_entry(const struct conf_section *s, const char *key)
{
    const struct conf_entry *e = conf_find(s, key);

    return e && !e->broken ? e : NULL;
}

/* The same connector twice would be told twice. */
static void check_targets(const struct build *b, const struct conf_section *s,
                          const struct str_list *to)
{
    for (size_t i = 0; i < to->n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(to->items[i], to->items[k])) {
                conf_problem(b->problems, s, conf_find(s, "to"), NULL, "%.*s stands there twice",
                             STR_ARG(to->items[i]));
                return;
            }
}

static struct route build_route(const struct build *b, struct conf_section *s)
{
    struct route_settings settings = {0};
    struct route r = {.name = arena_str(b->arena, s->name), .line = s->line};
    struct expr_error error;

    conf_bind(s, &route_spec, &settings, b->arena, b->problems);
    r.to = settings.to;
    r.urgent = settings.urgent;
    r.wait_for_enrichment = settings.wait_for == WAIT_ENRICHMENT;
    check_targets(b, s, &r.to);
    const struct conf_entry *when = sound_entry(s, "when");
    if (when &&
        expr_compile(when->value, EXPR_EVENT | EXPR_LEAD | EXPR_SCORE, b->arena, &r.when, &error))
        expr_problem(b->problems, s, when, &error);
    return r;
}

const char *nearest_hint(const struct build *b, struct str word, const char *const names[],
                         size_t n, const char *fallback)
{
    const char *near = conf_nearest(word, names, n);

    return near ? arena_printf(b->problems->arena, "did you mean %s?", near).at : fallback;
}

void routes_build(const struct conf *conf, struct arena *a, struct routes *ret,
                  struct conf_problems *problems)
{
    struct build b = {.arena = a, .problems = problems};

    b.items = arena_array(a, conf->n_sections, sizeof *b.items);
    for (size_t i = 0; i < conf->n_sections; i++)
        if (str_is(conf->sections[i].kind, "route"))
            b.items[b.n++] = build_route(&b, &conf->sections[i]);
    for (size_t i = 0; i < conf->n_sections; i++)
        if (str_is(conf->sections[i].kind, "message"))
            message_build(&b, &conf->sections[i]);
    *ret = (struct routes){b.items, b.n, language_build(conf, a, problems)};
}

const struct route *routes_find(const struct routes *r, struct str name)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->items[i].name, name))
            return &r->items[i];
    return NULL;
}

const struct message *routes_message(const struct routes *r, struct str route, struct str connector)
{
    const struct route *of = routes_find(r, route);
    const struct message *found = NULL;

    for (size_t i = 0; of && i < of->n_messages; i++) {
        const struct message *m = &of->messages[i];

        if (str_eq(m->connector, connector))
            return m;
        if (!m->connector.at)
            found = m;
    }
    return found;
}
