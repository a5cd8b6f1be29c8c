/* connectors/slack_priv.h - the parts of the Slack connector: settings, message, verdicts. */
#ifndef FUNNELD_CONNECTORS_SLACK_PRIV_H
#define FUNNELD_CONNECTORS_SLACK_PRIV_H

#include "connectors_priv.h"

enum slack_step { SLACK_START, SLACK_LOOK, SLACK_POST, SLACK_POST_TEXT };

enum slack_doubt { SLACK_DOUBT_LOOK, SLACK_DOUBT_RESEND, SLACK_DOUBT_DROP };

struct slack {
    struct connector_common common;
    struct str token, webhook, channel, digest;
    int64_t on_ambiguous; /* enum slack_doubt */
};

struct slack_look { /* scratch of SLACK_LOOK */
    struct str cursor;
    int pages;
};

enum slack_form {
    SLACK_WITH_BLOCKS,
    SLACK_TEXT_ONLY, /* after Slack refused the blocks */
};

#define SLACK_EVENT_TYPE "funneld_lead"

/* Writes "text", "blocks", "metadata" and the unfurl switches into the open object. */
void slack_message(struct sbuf *b, const struct parcel *p, enum slack_form form, struct arena *a);

/* & < > become entities, control characters blanks; at most max_points code points of output,
 * an ellipsis where something was left out, never half an entity. */
struct str slack_line(struct str raw, size_t max_points, struct arena *a);
struct str slack_text(struct str raw, size_t max_points, struct arena *a); /* keeps line ends */

enum judged slack_judge(struct job *job, const struct http_response *r);

#endif
