/* tests/sandbox/slack_args.h - the arguments of a method of Slack's Web API. */
#ifndef FUNNELD_TESTS_SANDBOX_SLACK_ARGS_H
#define FUNNELD_TESTS_SANDBOX_SLACK_ARGS_H

#include "sandbox.h"

/* A JSON body, or a form whose values may be JSON in turn. */
struct args {
    struct json_doc doc;
    struct field *fields;
    size_t n;
    const char *warning;
};
void args_free(struct args *a);
const char *args_read(const struct call *c, struct args *ret); /* NULL, or Slack's error */
struct str arg(const struct call *c, const struct args *a, const char *name); /* a scalar as text */
/* A structured argument as JSON: nested in a JSON body, as text in a form. */
struct str arg_json(const struct call *c, const struct args *a, const char *name);
/* Notes what the method does not take; `known` ends with NULL. */
void args_check(const struct args *a, const char *method, const char *const known[]);

#endif
