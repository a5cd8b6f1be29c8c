/* tests/sandbox/slack_who.h - who asks Slack, by which token, and whom it knows. */
#ifndef FUNNELD_TESTS_SANDBOX_SLACK_WHO_H
#define FUNNELD_TESTS_SANDBOX_SLACK_WHO_H

#include "slack_args.h"

struct token {
    const char *text, *scopes;
};
/* NULL, or Slack's error. */
const char *token_find(const struct call *c, const struct args *a, const struct token **ret);
void answer_missing_scope(struct answer *ret, const struct token *t, const char *needed);

/* Methods */
void who_am_i(const struct call *c, const struct args *a, struct answer *ret);
void who_is_in(const struct call *c, const struct args *a, struct answer *ret);
void who_has_address(const struct call *c, const struct args *a, struct answer *ret);

#endif
