/* tests/sim/services.h - Slack, Notion, Google Sheets and HubSpot's CRM, as small as can be: what
 * they were asked to do, they have done, and can be asked about.
 *
 * Their clock is true time. Refusals and failures are the network's business.
 */
#ifndef FUNNELD_SIM_SERVICES_H
#define FUNNELD_SIM_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "funneld/base/json.h"
#include "funneld/base/sbuf.h"
#include "funneld/base/str.h"

enum service {
    SERVICE_SLACK,
    SERVICE_HOOK,
    SERVICE_NOTION,
    SERVICE_SHEETS,
    SERVICE_CRM,
    SERVICE_CHAT,
    SERVICE_GRID,
    SERVICE_MAIL, /* from here on none can be asked what it got */
    SERVICE_HTTP,
    SERVICE_ZAPS,
    SERVICES
};

extern const char *const connector_names[SERVICES]; /* who asks them */

enum { PUBLIC_ID = 40, POSTS = 4096, PAGES = 256, HOOKS = 64 };

struct exchange {
    int64_t now;
    struct str method, path, query, body; /* path: with its escapes */
    bool jumped;   /* the daemon's clock was set forwards while this was on its way */
    size_t doubts; /* what had become of this message's tries, or of the daemon, when it left */
    struct arena *arena;
    int status;
    struct sbuf *answer;
};

typedef void serve(struct exchange *x);
serve slack_serve, hook_serve, notion_serve, sheets_serve, crm_serve;
serve chat_serve, grid_serve, mail_serve, http_serve, zap_serve;

void services_begin(bool slack_can_look); /* all empty again */
void slack_begin(bool can_look);
void sheets_begin(void);
void notion_begin(void);
void crm_begin(void);

/* A Slack message or a row of the sheet, in the order in which they came to be. */
struct posted {
    char delivery[PUBLIC_ID];
    int64_t at;
    size_t blind; /* so many looks had been refused until then; of a receiver: its doubts */
    int place;    /* which Zap's address; which message of the chat, from 1, */
    int parent;   /* and the one that it answers; 0: none */
    bool excused; /* the daemon may have looked before it was there: its clock had jumped */
};
struct posts {
    struct posted items[POSTS];
    size_t n;
};
const struct posts *slack_posts(void);
void slack_blind(void); /* a look is refused for good */
const struct posts *hook_posts(void);
const struct posts *sheets_rows(void);
void posts_add(struct posts *p, struct str delivery, const struct exchange *x);

void chat_begin(void);
void chat_blind(void);                /* a look is refused for good */
const struct posts *chat_posts(void); /* one for each delivery that a message tells of */

void google_token(struct exchange *x);

/* Receivers: a mailbox, an address of our own, Zaps that subscribed. */
void receivers_begin(void);
void receivers_rest(void); /* from now on every answer is heard */
const struct posts *mail_posts(void);
const struct posts *http_posts(void);
const struct posts *zap_posts(void);
void zap_switch_off(int hook);  /* 410 from now on */
bool zap_has_said_so(int hook); /* and the daemon has heard it */
int zap_of(struct str path);
bool message_id(const struct exchange *x, struct str *ret);

struct page {
    char lead[PUBLIC_ID];
    int64_t made_at, tenths;
    bool excused;
};
const struct page *notion_pages(size_t *ret_n);

/* A row of the sheet in which each lead has one: as a page. */
void grid_begin(void);
const struct page *grid_rows(size_t *ret_n);

/* The CRM's contact 1..; value NULL: unknown there. */
void crm_set(int64_t contact, const char *name, const char *value, int64_t now);
void crm_remove(int64_t contact);
/* Whom it tells what it has answered: properties `company`, `email` as JSON texts. */
void crm_listen(void (*told)(void *self, int64_t contact, int64_t updated_at, const char *company,
                             const char *email),
                void *self);

void answer_text(struct exchange *x, int status, const char *text);
bool query_param(const struct exchange *x, const char *name, struct str *ret);

#endif
