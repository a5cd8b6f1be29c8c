/* app/exposure.c - who else may read the secrets in the configuration, or write it. */
#include "config_priv.h"

#include <sys/stat.h>

static const struct section_spec *spec_of(const struct conf_section *s)
{
    for (size_t i = 0; i < n_source_types; i++)
        if (str_is(s->kind, "source") && str_is(s->type, source_types[i]->spec->type))
            return source_types[i]->spec;
    for (size_t i = 0; i < n_connector_types; i++)
        if (str_is(s->kind, "connector") && str_is(s->type, connector_types[i]->spec->type))
            return connector_types[i]->spec;
    if (str_is(s->kind, "server"))
        return &server_spec;
    return str_is(s->kind, "admin") ? &admin_spec : NULL;
}

/* Written out, and not a name for a place where it stands. */
static bool is_literal(const struct conf_entry *e)
{
    return e->value.len && !str_find(e->raw, STR("${")) && !str_starts(e->raw, STR("file:/"));
}

static bool names(const struct option *o, struct str key)
{
    return o->type == OPTION_SECRETS ? str_starts(key, str_of(o->key)) : str_is(key, o->key);
}

static const struct conf_entry *literal_of(const struct conf_section *s, const struct option *o)
{
    for (size_t i = 0; i < s->n_entries && option_is_secret(o); i++)
        if (names(o, s->entries[i].key) && is_literal(&s->entries[i]))
            return &s->entries[i];
    return NULL;
}

static const struct conf_entry *literal_secret(const struct conf *c)
{
    for (size_t i = 0; i < c->n_sections; i++) {
        const struct section_spec *spec = spec_of(&c->sections[i]);

        for (size_t k = 0; spec && k < spec->n_options; k++) {
            const struct conf_entry *e = literal_of(&c->sections[i], &spec->options[k]);

            if (e)
                return e;
        }
    }
    return NULL;
}

const char *config_exposed(const struct config *c, struct arena *a)
{
    const struct conf_entry *e = literal_secret(&c->conf);
    struct stat file;

    if (!e || stat(arena_text(a, c->conf.file), &file) != 0 || !(file.st_mode & S_IROTH))
        return NULL;
    return arena_printf(a,
                        "everybody on this machine can read %.*s, and line %d holds a secret: "
                        "chmod o-r it, or name the secret's place with ${NAME} or file:/path",
                        STR_ARG(c->conf.file), e->line)
        .at;
}

void config_check_writable(struct config *c)
{
    const struct conf_section whole = {.file = c->conf.file};
    struct stat file;

    if (stat(arena_text(&c->arena, c->conf.file), &file) == 0 && S_ISREG(file.st_mode) &&
        file.st_mode & S_IWOTH)
        conf_problem(&c->problems, &whole, NULL, "chmod o-w it",
                     "everybody on this machine can write the configuration");
}
