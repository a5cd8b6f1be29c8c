/* connectors/slack_priv.h - the parts of the Slack connector: settings, messages, verdicts. */
#ifndef FUNNELD_CONNECTORS_SLACK_PRIV_H
#define FUNNELD_CONNECTORS_SLACK_PRIV_H

#include "connectors_priv.h"

enum slack_step {
    SLACK_START,
    SLACK_OWNER,       /* users.lookupByEmail: whom to mention */
    SLACK_LOOK_THREAD, /* did it arrive? conversations.replies */
    SLACK_LOOK,        /* conversations.history */
    SLACK_POST,
    SLACK_REPLY,   /* in the lead's thread */
    SLACK_REFRESH, /* the thread's first message, after a reply */
    SLACK_UPDATE,  /* a message that was answered */
};

enum slack_doubt { SLACK_DOUBT_LOOK, SLACK_DOUBT_RESEND, SLACK_DOUBT_DROP };

struct slack {
    struct connector_common common;
    struct str token, webhook, channel, digest, owner_property;
    int64_t on_ambiguous; /* enum slack_doubt */
    bool buttons, thread, mention_owner;
};

enum slack_form {
    SLACK_WITH_BLOCKS,
    SLACK_TEXT_ONLY, /* after Slack refused the blocks */
};

/* A message in Slack: "C0123456789:1767225600.000247" where we keep it; where a lead's thread
 * begins, the name of the message's route stands behind it. */
struct slack_ref {
    struct str channel, ts, route;
};
struct str slack_ref_text(struct str channel, struct str ts, struct arena *a);
struct str slack_thread_text(struct str ref, const struct parcel *p, struct arena *a);
bool slack_ref_parse(struct str text, struct slack_ref *ret);
bool slack_is_user(struct str id);

struct slack_talk {          /* scratch of a job */
    struct slack_ref parent; /* of the lead's thread; missing: it has none */
    struct str owner;        /* user id; missing: nobody is mentioned */
    enum slack_form form;
    struct str cursor;
    int pages;
};

/* slack_text.c: & < > become entities, control characters blanks; at most max_points code points
 * of output, an ellipsis where something was left out, never half an entity. */
struct str slack_line(struct str raw, size_t max_points, struct arena *a);
struct str slack_text(struct str raw, size_t max_points, struct arena *a); /* keeps line ends */
struct str slack_cut(struct str escaped, size_t max_points); /* not within an entity */

/* slack_blocks.c: Block Kit, into an array that is open */
void slack_text_object(struct sbuf *b, const char *type, struct str text);
void slack_text_block(struct sbuf *b, const char *block, const char *type, struct str text);
void slack_context(struct sbuf *b, const char *type, struct str text);
void slack_actions_open(struct sbuf *b, struct str block_id); /* missing: Slack makes one up */
void slack_actions_close(struct sbuf *b);
struct slack_button {
    const char *action, *style; /* style NULL: the plain one */
    struct str text, value, url;
};
void slack_button(struct sbuf *b, const struct slack_button *button);
void slack_quiet(struct sbuf *b); /* no previews of links that a lead made up */

/* slack_message.c: each writes its members into the open object. */
struct slack_view {
    const struct slack *settings;
    const struct parcel *parcel;
    struct str owner;
    enum slack_form form;
    int64_t now_ms;
    struct arena *arena;
};
void slack_message(struct sbuf *b, const struct slack_view *v); /* text and blocks */
void slack_reply(struct sbuf *b, const struct slack_view *v);   /* shorter, no buttons */
void slack_metadata(struct sbuf *b, struct str delivery);

/* slack_digest.c: one message for all parcels that have no verdict yet. */
void slack_digest_message(struct sbuf *b, const struct job *job, enum slack_form form);

/* slack_ids.c: the numbers of a digest's deliveries, as its metadata carry them. */
enum { SLACK_IDS_BYTES_MAX = 1900 }; /* Slack's own limit for metadata is not documented */
void slack_ids_write(struct sbuf *b, int64_t ids[], size_t n); /* sorts them */
bool slack_ids_read(struct str text, int64_t ret[DIGEST_MAX], size_t *ret_n);

#define SLACK_EVENT_TYPE  "funneld_lead"
#define SLACK_DIGEST_TYPE "funneld_digest"

/* slack_owner.c: who is mentioned, asked once and kept in the session. */
enum { SLACK_OWNERS = 256, SLACK_OWNER_ID = 24 };
struct slack_owner {
    uint8_t hash[HASH_LEN];    /* of the address */
    char user[SLACK_OWNER_ID]; /* empty: nobody */
    int64_t until;
};
struct slack_session {
    struct slack_owner owners[SLACK_OWNERS];
    int64_t no_lookup_until;
};
/* false: known, or nobody to ask for. */
bool slack_owner_unknown(struct job *job, struct str *ret_email);
enum rc slack_owner_build(struct job *job, struct http_request *ret, struct why *why);
enum judged slack_owner_judge(struct job *job, const struct http_response *r);

/* slack_errors.c: what each of Slack's words means. */
enum slack_class {
    SLACK_UNKNOWN,
    SLACK_DESTINATION, /* the token, the app or the workspace: needs a person */
    SLACK_CHANNEL,
    SLACK_REVOKED,   /* an incoming webhook that is no more */
    SLACK_FORBIDDEN, /* one that may not post there */
    SLACK_MESSAGE,
    SLACK_BLOCKS, /* perhaps only the blocks: once more as text */
    SLACK_RETRY,
    SLACK_PARTIAL, /* "part may have happened" */
    SLACK_QUOTA,
    SLACK_LONG,
};
enum slack_class slack_class_of(struct str code);
enum slack_class slack_webhook_class(int status, struct str word);
bool slack_parent_is_gone(struct str code); /* in answer to a reply: post anew */
bool slack_is_about_scope(struct str code); /* what this token may not do, and another may */
struct slack_class_verdict {
    enum verdict verdict;
    bool broken; /* kept until a person has mended it */
    int64_t pause_ms;
    const char *advice;
};
const struct slack_class_verdict *slack_verdict_of(enum slack_class class);

/* slack_look.c: after an attempt of unknown fate, is the message there? */
enum rc slack_look_build(struct job *job, struct http_request *ret, struct why *why);
enum judged slack_look_judge(struct job *job, const struct http_response *r);

/* slack_build.c */
enum rc slack_build(struct job *job, struct http_request *ret, struct why *why);
enum slack_step slack_tell_step(const struct job *job); /* post, or reply */
/* Whether one parcel has no verdict yet, and which. */
bool slack_is_single(const struct job *job, size_t *ret);
size_t slack_quotas(const struct job *job, struct quota ret[]);
/* Chooses the first step of what is said: update, look, post or reply. */
void slack_job_begin(struct job *job);

/* slack_judge.c */
enum judged slack_judge(struct job *job, const struct http_response *r);
/* "missing_scope (needed: chat:write); check ...", "invalid_blocks (must be less than ...)" */
struct str slack_reason(const json *answer, struct arena *a);
enum judged slack_judge_429(struct job *job, const struct http_response *r, enum verdict v);

/* slack_probe.c */
enum rc slack_probe_next(struct probe *p, struct http_request *ret, struct why *why);
void slack_probe_take(struct probe *p, const struct http_response *r);

#endif
