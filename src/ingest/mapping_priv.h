/* ingest/mapping_priv.h - where the parts of an event stand in a sender's own JSON.
 *
 * `map.email = $.person.mail`. A value is
 *     $.a.b  $.items[0].x  $['a b']   a path into the body
 *     a__b                            a key as flatten.c names it
 *     'text'                          always this text
 * What a path finds reads as flatten.c reads it: numbers and booleans as text, an array of
 * scalars joined by ", "; null, "" and whole objects are missing.
 */
#ifndef FUNNELD_INGEST_MAPPING_PRIV_H
#define FUNNELD_INGEST_MAPPING_PRIV_H

#include "ingest_priv.h"

/* path.c */
struct path_error {
    size_t column;
    const char *text; /* static */
};
bool path_valid(struct str path, struct path_error *ret);
bool path_is_constant(struct str path);
const json *path_find(const json *root, struct str path); /* NULL: there is nothing; for $ only */
/* The name that flatten.c gives what the path finds. */
struct str path_flat_name(struct str path, struct arena *a);
struct str path_constant(struct str path);

/* How the kinds of senders with a mapping differ. */
struct mapped_kind {
    const char *id_domain, *body_domain; /* of the dedupe keys */
    struct str default_type;
    bool keeps_unmapped; /* a key that no map names becomes a property under its own name */
    bool takes_seconds;  /* a time far too small for milliseconds is in seconds */
    bool needs_type;     /* a request has to say of what type its body is */
};

struct mapping {
    const struct mapped_kind *kind;
    struct str_pairs map;
    struct str id; /* of the event, where it stands in a header; may be missing */
    int64_t dedupe_window;
};

#define MAP_OPTION(settings_)                                                                      \
    {                                                                                              \
        .key = "map.", .type = OPTION_MAP, .offset = offsetof(settings_, map),                     \
        .example = "$.person.name",                                                                \
        .help = "where a lead's property, or event_id, event_type, "                               \
                "occurred_at, email stands in the body: $.a.b, "                                   \
                "$.items[0].x, $['a b'], a__b, or 'text'"                                          \
    }

/* mapping.c */
void mapping_check(const struct str_pairs *map, const struct conf_section *section,
                   struct conf_problems *problems);
/* Turns one JSON value into an event that event_init has prepared. */
void mapped_event(const json *node, const struct mapping *m, struct arena *a, struct event *e);

/* envelope.c: what is stored of an event, so that a later mapping does not change what it said.
 * Its own JSON, where that says all; else {"funneld":{"map":{...},"id":"..."},"sent":{...}}. */
struct str envelope_seal(const json *node, struct str own, const struct mapping *m,
                         const struct event *e, struct arena *a);
/* Puts what is stored beside the event's own JSON into *m, which holds the mapping of now: its
 * mapping, which is none where it has no envelope, stays where that is asked for. *ret_sent is
 * that JSON. */
MUST_CHECK enum rc envelope_open(const json *stored, enum rereading reading, struct mapping *m,
                                 struct arena *a, const json **ret_sent, struct why *why);
/* The same of one that was read anew, which has lost its text. */
struct str envelope_renew(const json *sent, const struct mapping *m, const struct event *e,
                          struct arena *a);

/* form.c: application/x-www-form-urlencoded to one JSON object of texts. */
MUST_CHECK enum refusal form_to_json(struct str body, struct str content_type, struct arena *a,
                                     struct str *ret, struct why *why);

/* One name or value of a form or query, UTF-8; false: it is no text. */
bool form_decode(struct str s, struct arena *a, struct str *ret);

/* mapped_request.c */
enum refusal mapped_decode(const struct source *s, const struct raw_request *r,
                           const struct mapping *m, struct arena *a, struct event **ret,
                           size_t *ret_n, struct why *why);
enum rc mapped_decode_stored(const struct source *s, struct mapping now,
                             const struct stored_body *stored, struct arena *a, struct event *ret,
                             struct why *why);

#endif
