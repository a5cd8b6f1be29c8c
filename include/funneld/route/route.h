/* route/route.h - which connectors hear about it: conditions -> deliveries; what they are told:
 * messages and their templates. Pure.
 */
#ifndef FUNNELD_ROUTE_ROUTE_H
#define FUNNELD_ROUTE_ROUTE_H

#include "funneld/config/conf.h"
#include "funneld/route/delivery.h"
#include "funneld/route/phrases.h"
#include "funneld/score/expr.h"

struct template;

/* A [message NAME]: of a route, for one connector or for all that have none of their own. */
struct message {
    struct str connector;           /* missing: all */
    const struct template *text;    /* for everyone */
    const struct template *subject; /* e-mail only; NULL: the built-in one */
    const struct template *html;    /* e-mail only; NULL: made of the text */
    int line;
};

struct route {
    struct str name;
    const struct expr *when;
    struct str_list to; /* connector names, checked by app against what exists */
    bool wait_for_enrichment;
    bool urgent; /* its deliveries go before others where they share a connector or a quota */
    const struct message *messages; /* that replace the built-in one */
    size_t n_messages;
    int line;
};

struct routes {
    const struct route *items;
    size_t n;
    enum language language; /* of the built-in messages */
};

extern const struct section_spec route_spec, message_spec, messages_spec;

void routes_build(const struct conf *conf, struct arena *a, struct routes *ret,
                  struct conf_problems *problems);
const struct route *routes_find(const struct routes *r, struct str name); /* NULL: gone */
/* What the connector says for this route; NULL: the built-in message. */
const struct message *routes_message(const struct routes *r, struct str route,
                                     struct str connector);

/* Templates. {{name}}, {{name | filter | "default"}}; names as in expressions, and reasons,
 * lead.name_full, lead.url. {{#name}}...{{/name}} is there when the name has a value, {{^name}}
 * when it has none; such a tag alone on its line takes the line with it. Filters: upper lower title
 * trim truncate:N round:N number:N date, one after another; of a longer value they see 16 KiB.
 */
struct template_values {
    struct facts facts;
    struct str reasons, chance_reasons, churn_reasons, name, url;
    enum language language; /* of dates and numbers */
};
enum escaping {
    ESCAPE_NONE,
    ESCAPE_SLACK, /* its three entities */
    ESCAPE_HTML,
    ESCAPE_CHAT, /* one that takes a text, nobody knows of which syntax: it calls nobody, and no
                    link says that it leads elsewhere */
};

MUST_CHECK enum rc template_compile(struct str text, struct arena *a, const struct template **ret,
                                    struct expr_error *error);
/* Values are escaped for where they go; the template's own text is not. */
void template_write(const struct template *t, const struct template_values *v, enum escaping how,
                    struct arena *a, struct sbuf *b);
void template_escape(struct sbuf *b, struct str value, enum escaping how);

void facts_to_json(const struct delivery_facts *f, struct sbuf *b);
MUST_CHECK enum rc facts_from_json(struct str text, struct arena *a, struct delivery_facts *ret,
                                   struct why *why);

#endif
