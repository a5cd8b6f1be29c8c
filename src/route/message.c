/* route/message.c - from the [messages] and [message] sections to what a route says. */
#include "route_priv.h"

struct messages_settings {
    int64_t language;
};

struct message_settings {
    struct str_list routes, connectors;
    struct str text, subject, html;
};

static const struct option messages_options[] = {
    {.key = "language",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct messages_settings, language),
     .fallback = "en",
     .choices = language_names,
     .help = "of what funneld says by itself"},
};

const struct section_spec messages_spec = {
    .kind = "messages",
    .options = messages_options,
    .n_options = ARRAY_LEN(messages_options),
    .size = sizeof(struct messages_settings),
    .help = "all messages",
};

static const struct option message_options[] = {
    {.key = "text",
     .type = OPTION_TEXT,
     .offset = offsetof(struct message_settings, text),
     .flags = OPTION_REQUIRED,
     .example =
         "{{lead.firstname | \"Somebody\"}} of {{lead.company | \"?\"}} has {{score}}: {{reasons}}",
     .help = "{{name | filter | \"if missing\"}}, {{#name}}..{{/name}}; names as in when, reasons, "
             "lead.name_full, "
             "lead.url"},
    {.key = "subject",
     .type = OPTION_TEXT,
     .offset = offsetof(struct message_settings, subject),
     .example = "{{lead.name_full}} is {{score.band}}",
     .help = "of an e-mail"},
    {.key = "html",
     .type = OPTION_TEXT,
     .offset = offsetof(struct message_settings, html),
     .example = "<p>{{lead.name_full}}: <b>{{score}}</b></p>",
     .help = "the formatted half of an e-mail; left out, it is made of the text"},
    {.key = "route",
     .type = OPTION_LIST,
     .offset = offsetof(struct message_settings, routes),
     .example = "hot-lead, warm-lead",
     .help = "left out: the route of this section's name"},
    {.key = "connector",
     .type = OPTION_LIST,
     .offset = offsetof(struct message_settings, connectors),
     .example = "sales-mail",
     .help = "only what these say; left out: all that have no message of their own"},
};

const struct section_spec message_spec = {
    .kind = "message",
    .named = true,
    .options = message_options,
    .n_options = ARRAY_LEN(message_options),
    .size = sizeof(struct message_settings),
    .help = "replaces the built-in message of the route of this name",
};

enum language language_build(const struct conf *conf, struct arena *a,
                             struct conf_problems *problems)
{
    struct messages_settings settings = {0};
    struct conf_section *s = conf_section_find(conf, messages_spec.kind, NULL);

    if (s)
        conf_bind(s, &messages_spec, &settings, a, problems);
    else
        conf_defaults(&messages_spec, &settings, a);
    return (enum language)settings.language;
}

/* One that is being made. */
struct making {
    const struct build *build;
    struct conf_section *section;
    struct message message; /* for whatever route and connector */
};

static void compile(const struct making *m, const char *key, const struct template **ret)
{
    const struct conf_entry *e = sound_entry(m->section, key);
    struct expr_error error;

    if (e && template_compile(e->value, m->build->arena, ret, &error))
        expr_problem(m->build->problems, m->section, e, &error);
}

static struct route *find_route(const struct making *m, struct str name)
{
    const struct build *b = m->build;
    const char **names = arena_array(b->problems->arena, b->n, sizeof *names);
    const struct conf_entry *e = conf_find(m->section, "route");

    for (size_t i = 0; i < b->n; i++) {
        if (str_eq(b->items[i].name, name))
            return &b->items[i];
        names[i] = arena_text(b->problems->arena, b->items[i].name);
    }
    conf_problem(b->problems, m->section, e,
                 nearest_hint(b, name, names, b->n,
                              "a message has the name of the route that it belongs to, or says "
                              "route = NAME"),
                 "there is no route %.*s for this message", STR_ARG(name));
    return NULL;
}

static bool goes_to(const struct route *r, struct str connector)
{
    for (size_t i = 0; i < r->to.n; i++)
        if (str_eq(r->to.items[i], connector))
            return true;
    return false;
}

static void not_told(const struct making *m, const struct route *r, struct str connector)
{
    const struct build *b = m->build;
    const char **names = arena_array(b->problems->arena, r->to.n, sizeof *names);

    for (size_t i = 0; i < r->to.n; i++)
        names[i] = arena_text(b->problems->arena, r->to.items[i]);
    conf_problem(
        b->problems, m->section, conf_find(m->section, "connector"),
        nearest_hint(b, connector, names, r->to.n, "name one that stands in the route's to"),
        "the route %.*s does not go to %.*s", STR_ARG(r->name), STR_ARG(connector));
}

static void said_twice(const struct making *m, const struct route *r, struct str connector,
                       int line)
{
    struct str whom = connector.at ? connector : STR("all connectors");

    conf_problem(m->build->problems, m->section, NULL, "leave one of them out",
                 "the route %.*s has a message for %.*s already, in line %d", STR_ARG(r->name),
                 STR_ARG(whom), line);
}

static void add(const struct making *m, struct route *r, struct str connector)
{
    struct message *items = arena_array(m->build->arena, r->n_messages + 1, sizeof *items);

    for (size_t i = 0; i < r->n_messages; i++) {
        items[i] = r->messages[i];
        if (str_eq(items[i].connector, connector)) {
            said_twice(m, r, connector, items[i].line);
            return;
        }
    }
    items[r->n_messages] = m->message;
    items[r->n_messages].connector = connector;
    r->messages = items;
    r->n_messages++;
}

static void add_to_route(const struct making *m, struct str name, const struct str_list *connectors)
{
    struct route *r = find_route(m, name);

    if (!r)
        return;
    if (!connectors->n)
        add(m, r, STR_NULL);
    for (size_t i = 0; i < connectors->n; i++)
        if (goes_to(r, connectors->items[i]))
            add(m, r, connectors->items[i]);
        else
            not_told(m, r, connectors->items[i]);
}

void message_build(const struct build *b, struct conf_section *s)
{
    struct message_settings settings = {0};
    struct making m = {.build = b, .section = s, .message.line = s->line};

    conf_bind(s, &message_spec, &settings, b->arena, b->problems);
    compile(&m, "text", &m.message.text);
    compile(&m, "subject", &m.message.subject);
    compile(&m, "html", &m.message.html);
    if (!conf_find(s, "route"))
        add_to_route(&m, s->name, &settings.connectors);
    for (size_t i = 0; i < settings.routes.n; i++)
        add_to_route(&m, settings.routes.items[i], &settings.connectors);
}
