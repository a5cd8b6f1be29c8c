/* route/route.h - which connectors hear about it: conditions -> deliveries; templates. Pure. */
#ifndef FUNNELD_ROUTE_ROUTE_H
#define FUNNELD_ROUTE_ROUTE_H

#include "funneld/config/conf.h"
#include "funneld/route/delivery.h"
#include "funneld/score/expr.h"

struct template;

struct route {
    struct str name;
    const struct expr *when;
    struct str_list to; /* connector names, checked by app against what exists */
    bool wait_for_enrichment;
    const struct template *message; /* [message NAME of the route]; NULL: the built-in one */
    int line;
};

struct routes {
    const struct route *items;
    size_t n;
};

extern const struct section_spec route_spec, message_spec;

void routes_build(const struct conf *conf, struct arena *a, struct routes *ret,
                  struct conf_problems *problems);
const struct route *routes_find(const struct routes *r, struct str name); /* NULL: gone */

/* Templates: {{name}}, {{name | "default"}}; names as in expressions, and reasons, lead.name_full,
 * lead.url. */
struct template_values {
    struct facts facts;
    struct str reasons, name, url;
};
enum escaping { ESCAPE_NONE, ESCAPE_SLACK };

MUST_CHECK enum rc template_compile(struct str text, struct arena *a, const struct template **ret,
                                    struct expr_error *error);
/* Values are escaped for where they go; the template's own text is not. */
void template_write(const struct template *t, const struct template_values *v, enum escaping how,
                    struct arena *a, struct sbuf *b);

void facts_to_json(const struct delivery_facts *f, struct sbuf *b);
MUST_CHECK enum rc facts_from_json(struct str text, struct arena *a, struct delivery_facts *ret,
                                   struct why *why);

#endif
