/* config/bind.c - sections meet their option tables: what is unknown, missing, wrong, changed. */
#include <assert.h>
#include <string.h>

#include "conf_priv.h"

static void *field_of(void *settings, const struct option *o)
{
    return (char *)settings + o->offset;
}

const char *conf_suggest(struct str word, const char *const names[], size_t n, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);
    const char *near = conf_nearest(word, names, n);
    struct str text;

    if (near)
        sbuf_printf(&b, "did you mean \"%s\"?", near);
    for (size_t i = 0; i < n && !near; i++)
        sbuf_printf(&b, "%s%s", i ? ", " : "known: ", names[i]);
    return b.len && !sbuf_seal(&b, a, &text) ? text.at : NULL;
}

/* Which spec */

struct names {
    const char **items;
    size_t n;
};

static void names_add(struct names *names, const char *name, struct arena *a)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->items[i], name) == 0)
            return;
    names->items = conf_room(a, names->items, names->n, sizeof *names->items);
    names->items[names->n++] = name;
}

/* `[source x]` of a kind with types: its type decides. */
static void no_such_type(const struct conf_section *s, const struct names *known,
                         struct conf_problems *p)
{
    struct str label = conf_label(s, p->arena);
    const struct conf_entry *type = conf_find(s, "type");

    if (type && type->broken)
        return;
    const char *hint = conf_suggest(s->type, known->items, known->n, p->arena);
    if (type)
        conf_problem(p, s, type, hint, "unknown type \"%.*s\" in %.*s", STR_ARG(type->raw),
                     STR_ARG(label));
    else
        conf_problem(p, s, NULL, hint, "%.*s has no type", STR_ARG(label));
}

static void check_name(const struct conf_section *s, const struct section_spec *spec,
                       struct conf_problems *p)
{
    struct str label = conf_label(s, p->arena);

    if (spec->named && !s->name.len) {
        struct str hint = arena_printf(p->arena, "write [%s NAME]", spec->kind);
        conf_problem(p, s, NULL, hint.at, "%.*s needs a name", STR_ARG(label));
    }
    if (!spec->named && s->name.len) {
        struct str hint = arena_printf(p->arena, "write [%s]", spec->kind);
        conf_problem(p, s, NULL, hint.at, "%.*s takes no name", STR_ARG(label));
    }
}

const struct section_spec *conf_spec(const struct conf_section *s,
                                     const struct section_spec *const specs[], size_t n_specs,
                                     struct conf_problems *problems)
{
    struct arena *a = problems->arena;
    struct names kinds = {0}, known = {0};

    for (size_t i = 0; i < n_specs; i++) {
        names_add(&kinds, specs[i]->kind, a);
        if (!str_is(s->kind, specs[i]->kind))
            continue;
        if (!specs[i]->type || str_is(s->type, specs[i]->type)) {
            check_name(s, specs[i], problems);
            return specs[i];
        }
        names_add(&known, specs[i]->type, a);
    }
    if (known.n) {
        no_such_type(s, &known, problems);
        return NULL;
    }
    struct str label = conf_label(s, a);
    conf_problem(problems, s, NULL, conf_suggest(s->kind, kinds.items, kinds.n, a),
                 "unknown section %.*s", STR_ARG(label));
    return NULL;
}

/* Values */

static bool is_literal_secret(const struct option *o, const struct conf_entry *e)
{
    return option_is_secret(o) && !str_starts(e->raw, STR("${")) &&
           !str_starts(e->raw, STR("file:/")) && !str_starts(e->raw, STR("file:${"));
}

/* What only a secret must not be: we would sign with the wrong one and never know. */
static enum rc check_secret(const struct option *o, const struct conf_entry *e, const char **hint,
                            struct why *why)
{
    if (!is_literal_secret(o, e))
        return RC_OK;
    if (e->commented) {
        *hint = "put the comment on a line of its own; a secret with \" ;\" comes from ${NAME} or "
                "file:/path";
        return why_fail(RC_INVALID, why, "has \" ;\" in it: what follows was taken for a comment");
    }
    if (str_starts(e->raw, STR("file:"))) {
        *hint = "write file:/path from the root";
        return why_fail(RC_INVALID, why, "is not an absolute path behind file:");
    }
    return RC_OK;
}

/* Secrets, and what may hold one, are not repeated in a message; neither is what came out of
 * the environment: raw has its name. */
static struct str shown_value(const struct option *o, const struct conf_entry *e, struct arena *a)
{
    struct str raw = str_cut(e->raw, 60);

    if (option_is_secret(o) || o->type == OPTION_URL || o->type == OPTION_MAIL_URL ||
        o->type == OPTION_TEXT || !raw.len)
        return STR("it");
    return arena_printf(a, "\"%.*s\"%s", STR_ARG(raw), raw.len < e->raw.len ? " ..." : "");
}

static void bind_value(const struct conf_section *s, const struct option *o,
                       const struct conf_entry *e, void *settings, struct arena *a,
                       struct conf_problems *p)
{
    struct why why = {0};
    const char *hint = NULL;
    enum rc rc = check_secret(o, e, &hint, &why);

    if (!rc)
        rc = value_parse(o, e->value, a, field_of(settings, o), &hint, &why);
    if (!rc)
        return;
    if (!e->value.len && e->raw.len && !str_is(e->raw, "\"\""))
        hint = "the environment variable or the file that it comes from is empty";
    struct str label = conf_label(s, p->arena), value = shown_value(o, e, p->arena);
    conf_problem(p, s, e, hint, "\"%.*s\" in %.*s: %.*s %s", STR_ARG(e->key), STR_ARG(label),
                 STR_ARG(value), why.text);
}

static bool refuse_secret(const struct conf_section *s, const struct option *o,
                          const struct conf_entry *e, struct conf_problems *p)
{
    struct why why = {0};
    const char *hint = NULL;

    if (check_secret(o, e, &hint, &why) == RC_OK)
        return false;
    struct str label = conf_label(s, p->arena);
    conf_problem(p, s, e, hint, "\"%.*s\" in %.*s: it %s", STR_ARG(e->key), STR_ARG(label),
                 why.text);
    return true;
}

static void bind_map(struct conf_section *s, const struct option *o, void *settings,
                     struct arena *a, struct conf_problems *p)
{
    struct str prefix = str_of(o->key);
    struct str_pair *items = NULL;
    struct str_pairs map = {0};

    for (size_t i = 0; i < s->n_entries; i++) {
        struct conf_entry *e = &s->entries[i];

        if (!str_starts(e->key, prefix) || e->key.len == prefix.len)
            continue;
        e->used = true;
        if (e->broken || refuse_secret(s, o, e, p))
            continue;
        items = conf_room(a, items, map.n, sizeof *items);
        items[map.n++] = (struct str_pair){arena_str(a, str_from(e->key, prefix.len)),
                                           arena_str(a, e->value), e->line};
    }
    map.items = items;
    memcpy(field_of(settings, o), &map, sizeof map);
}

static struct conf_entry *entry_for(struct conf_section *s, const char *key)
{
    for (size_t i = 0; i < s->n_entries; i++)
        if (str_is(s->entries[i].key, key))
            return &s->entries[i];
    return NULL;
}

static void bind_option(struct conf_section *s, const struct option *o, void *settings,
                        struct arena *a, struct conf_problems *p)
{
    if (option_is_map(o)) {
        bind_map(s, o, settings, a, p);
        return;
    }
    struct conf_entry *e = entry_for(s, o->key);
    if (e) {
        e->used = true;
        if (!e->broken)
            bind_value(s, o, e, settings, a, p);
    } else if (o->flags & OPTION_REQUIRED) {
        struct str label = conf_label(s, p->arena);
        const char *hint = NULL;

        if (o->example)
            hint = arena_printf(p->arena, "as in %s = %s", o->key, o->example).at;
        conf_problem(p, s, &(struct conf_entry){.key = str_of(o->key), .line = s->line}, hint,
                     "\"%s\" is missing in %.*s", o->key, STR_ARG(label));
    }
}

/* The names that this key could have been: of a map, with what was written behind the dot. */
static const char *suggest_key(const struct conf_entry *e, const struct section_spec *spec,
                               struct arena *a)
{
    struct names names = {0};
    const char *dot = str_chr(e->key, '.');
    struct str member = dot ? str_from(e->key, (size_t)(dot - e->key.at) + 1) : STR_NULL;

    if (spec->type)
        names_add(&names, "type", a);
    for (size_t i = 0; i < spec->n_options; i++) {
        const struct option *o = &spec->options[i];

        if (option_is_map(o))
            names_add(
                &names,
                arena_printf(a, "%s%.*s", o->key, STR_ARG(member.len ? member : STR("NAME"))).at,
                a);
        else
            names_add(&names, o->key, a);
    }
    return conf_suggest(e->key, names.items, names.n, a);
}

static void refuse_unknown(const struct conf_section *s, const struct section_spec *spec,
                           struct conf_problems *p)
{
    struct str label = conf_label(s, p->arena);

    for (size_t i = 0; i < s->n_entries; i++) {
        const struct conf_entry *e = &s->entries[i];

        if (!e->used && !(spec->type && str_is(e->key, "type")))
            conf_problem(p, s, e, suggest_key(e, spec, p->arena), "unknown key \"%.*s\" in %.*s",
                         STR_ARG(e->key), STR_ARG(label));
    }
}

void conf_defaults(const struct section_spec *spec, void *settings, struct arena *a)
{
    for (size_t i = 0; i < spec->n_options; i++) {
        const struct option *o = &spec->options[i];
        const char *hint = NULL;
        struct why why = {0};

        if (!o->fallback)
            continue;
        enum rc rc = value_parse(o, str_of(o->fallback), a, field_of(settings, o), &hint, &why);
        assert(!rc && "an option table has a default that its own type or limits refuse");
        (void)rc; /* in case asserts are off */
    }
}

void conf_bind(struct conf_section *s, const struct section_spec *spec, void *settings,
               struct arena *a, struct conf_problems *problems)
{
    conf_defaults(spec, settings, a);
    for (size_t i = 0; i < spec->n_options; i++)
        bind_option(s, &spec->options[i], settings, a, problems);
    refuse_unknown(s, spec, problems);
}

const char *conf_restart_needed(const struct section_spec *spec, const void *a, const void *b)
{
    for (size_t i = 0; i < spec->n_options; i++) {
        const struct option *o = &spec->options[i];

        if ((o->flags & OPTION_RESTART) &&
            !value_same(o->type, (const char *)a + o->offset, (const char *)b + o->offset))
            return o->key;
    }
    return NULL;
}
