/* tests/sandbox/slack_messages.h - what was posted, and who is in the workspace. */
#ifndef FUNNELD_TESTS_SANDBOX_SLACK_MESSAGES_H
#define FUNNELD_TESTS_SANDBOX_SLACK_MESSAGES_H

#include "sandbox.h"

struct message {
    struct str channel, ts, text, blocks, metadata; /* blocks and metadata: JSON, or missing */
    struct str thread_ts;                           /* of a reply; missing: in the channel */
    struct str via;
    int64_t received_at, edits;
    bool deleted;
    struct message *next; /* the one before */
};

/* NULL, or why the bot may not post there. */
const char *channel_check(struct str id);
const struct message *messages_newest(void);
struct message *message_find(struct str channel, struct str ts); /* NULL: none, or deleted */
/* Its thread_ts is still to be set. */
struct message *message_keep(const struct call *c, struct str channel, const char *via);
struct str message_text(struct str text); /* as it is kept: cut, for as long as the sandbox lives */
struct str message_json(struct str value);

enum shown { WITHOUT_METADATA, WITH_METADATA };
void message_write(struct sbuf *b, const struct message *m, enum shown shown);

void messages_dump(struct sbuf *b); /* oldest first */
void messages_reset(void);

struct user {
    const char *id, *email;
    bool deleted;
};
const struct user *user_by_email(struct str email); /* NULL: nobody */
const struct user *user_by_id(struct str id);

#endif
