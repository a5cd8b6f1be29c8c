/* route/template_priv.h - a compiled template, and the filters that its values run through. */
#ifndef FUNNELD_ROUTE_TEMPLATE_PRIV_H
#define FUNNELD_ROUTE_TEMPLATE_PRIV_H

#include "funneld/route/route.h"

enum { FILTERS_MAX = 8, FILTERED_BYTES_MAX = 16 * 1024 };

struct filter;

/* One `| word` or `| "text"`. */
struct filter_call {
    const struct filter *filter; /* NULL: the text stands for a missing value */
    struct str text;
    int64_t n; /* what stands behind the colon; -1: nothing */
};

enum piece_kind {
    PIECE_TEXT,
    PIECE_VALUE,
    PIECE_IF,     /* {{#name}} */
    PIECE_UNLESS, /* {{^name}} */
    PIECE_END,    /* {{/name}} */
};

struct piece {
    enum piece_kind kind;
    struct str text; /* PIECE_TEXT: itself, else the name */
    const struct filter_call *filters;
    size_t n_filters;
    size_t end; /* PIECE_IF, PIECE_UNLESS: which piece is its PIECE_END */
};

struct template
{
    const struct piece *pieces;
    size_t n;
};

/* Names that expressions do not have; NULL: none of them. */
struct extra {
    const char *name;
    size_t offset; /* in struct template_values */
};
const struct extra *template_extra(struct str name);

/* RC_INVALID: `*bad` is the part of `word` that the error is about. */
MUST_CHECK enum rc filter_parse(struct str word, struct filter_call *ret, struct str *bad,
                                struct why *why);
/* The value as it was where the filter has nothing to say of it (a date that is none). */
struct str filter_apply(const struct filter_call *c, struct str value, enum language l,
                        struct arena *a);

#endif
