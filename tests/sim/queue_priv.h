/* tests/sim/queue_priv.h - the rows of `delivery`, as the parts of the oracle see them. */
#ifndef FUNNELD_SIM_QUEUE_PRIV_H
#define FUNNELD_SIM_QUEUE_PRIV_H

#include "oracle_priv.h"
#include "services.h"

enum state { PENDING, HELD, DELIVERED, DEAD, SUPERSEDED, CANCELLED, STATES };

struct item { /* a row of `delivery` */
    int64_t id, event, lead, created_at, done_at;
    int64_t target; /* the subscription */
    int64_t remote; /* of a question to the CRM: the contact */
    enum state state;
    enum service service;
    bool has_reason;
    const struct told *told; /* NULL: a question to the CRM */
};

struct queue {
    struct item items[DELIVERIES];
    size_t n;
    char database[16]; /* its id, in front of every number shown outside */
    const struct people *people;
};
extern struct queue queue;

struct item *item_of(const char *public_id); /* NULL: there is no such delivery */
/* Of an object below 0, of what became of a lead its number. */
int64_t whose(const struct item *item);
bool is_of_subscribers(const struct told *t);

void check_books(void);     /* check_books.c */
void check_receivers(void); /* check_receivers.c */

#endif
