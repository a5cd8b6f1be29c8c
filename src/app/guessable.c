/* app/guessable.c - secrets that prove who asks, and are too short to prove anything. */
#include "config_priv.h"

#include <string.h>

/* In characters. Whoever makes one by `openssl rand` has twice as many. */
enum { SECRET_SHORT = 16 };

static const char *short_one(const struct section_spec *spec, const void *settings)
{
    for (size_t i = 0; i < spec->n_options; i++) {
        const struct option *o = &spec->options[i];
        struct str secret;

        if (o->type != OPTION_SECRET)
            continue;
        memcpy(&secret, (const char *)settings + o->offset, sizeof secret);
        if (secret.len && secret.len < SECRET_SHORT)
            return o->key;
    }
    return NULL;
}

static const char *told(const char *kind, struct str name, const char *key, struct arena *a)
{
    if (!key)
        return NULL;
    return arena_printf(a,
                        "the `%s` of [%s%s%.*s] has less than %d characters: whoever guesses it "
                        "gets in; make another, as by `openssl rand -hex 32`",
                        key, kind, name.len ? " " : "", STR_ARG(name), SECRET_SHORT)
        .at;
}

const char *config_guessable(const struct config *c, struct arena *a)
{
    const char *how = told("server", STR_NULL, short_one(&server_spec, &c->server), a);

    if (!how)
        how = told("admin", STR_NULL, short_one(&admin_spec, &c->admin), a);
    for (size_t i = 0; i < c->n_sources && !how; i++) {
        const struct source *s = &c->sources[i];

        how = told("source", s->name, short_one(s->type->spec, s->settings), a);
    }
    return how;
}
