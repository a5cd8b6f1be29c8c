/* base/mailbox.h - the one way in which threads hand things to each other.
 *
 * A bounded, intrusive, first-in-first-out list. Nobody waits for room: put answers RC_BUSY at
 * once. Embed a `struct mail` as the first member of what is sent; while it is in the box it
 * belongs to the box, after take to the taker. Any thread may put, one thread takes.
 */
#ifndef FUNNELD_BASE_MAILBOX_H
#define FUNNELD_BASE_MAILBOX_H

#include <stddef.h>
#include <stdint.h>

#include "funneld/base/rc.h"

struct mail {
    struct mail *next;
    size_t weight; /* what it counts against the limit; set by the sender, at least 1 */
};

struct mailbox;
struct mailbox *mailbox_new(size_t max_weight);                         /* never NULL */
void mailbox_free(struct mailbox *box);                                 /* must be empty */
MUST_CHECK enum rc mailbox_put(struct mailbox *box, struct mail *mail); /* RC_BUSY, RC_CLOSED */

/* For senders that are bounded by construction (one mail per thing in flight): never busy. */
MUST_CHECK enum rc mailbox_force(struct mailbox *box, struct mail *mail); /* RC_CLOSED */

/* Oldest first, linked by next, up to max_weight but at least one; NULL after the time-out (-1:
 * endless) or when the box was woken, or closed and empty. */
struct mail *mailbox_take(struct mailbox *box, size_t max_weight, int timeout_ms);
void mailbox_wake(struct mailbox *box);
void mailbox_close(struct mailbox *box); /* later puts get RC_CLOSED; what is in can be taken */
size_t mailbox_weight(struct mailbox *box);

#endif
