/* route/route_priv.h - between the files that build routes and their messages. */
#ifndef FUNNELD_ROUTE_ROUTE_PRIV_H
#define FUNNELD_ROUTE_ROUTE_PRIV_H

#include "funneld/route/route.h"

/* What all the steps of building need. */
struct build {
    struct arena *arena;
    struct conf_problems *problems;
    struct route *items;
    size_t n;
};

/* The entry, where it is there and has no problem of its own yet. */
const struct conf_entry *sound_entry(const struct conf_section *s, const char *key);
/* A hint with the nearest of the names, or the fallback. */
const char *nearest_hint(const struct build *b, struct str word, const char *const names[],
                         size_t n, const char *fallback);

/* message.c */
enum language language_build(const struct conf *conf, struct arena *a,
                             struct conf_problems *problems);
void message_build(const struct build *b, struct conf_section *s);

#endif
