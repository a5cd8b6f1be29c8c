/* deliver/curl/mail_priv.h - mails: one on a curl easy handle, and the threads that send them.
 *
 * SMTP blocks a whole curl_multi at the end of a message (curl issue 8555), so each mail that is
 * under way has a thread, a mailer, with an easy handle of its own; a slow server holds up no
 * other. A mailer keeps its connection for the next mail of the same account, for a minute, and
 * never uses it for another account: one that was opened under other TLS settings must not carry a
 * mail that demands them (CVE-2026-4873, CVE-2026-8286).
 */
#ifndef FUNNELD_DELIVER_CURL_MAIL_H
#define FUNNELD_DELIVER_CURL_MAIL_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "funneld/base/sbuf.h"
#include "funneld/deliver/transport.h"

/* mail.c: one mail, in whichever thread */

enum { REPLY_MAX = 4096, MAIL_ERROR_MAX = 512 };

struct mail_exchange {
    struct transport_call call;
    const atomic_bool *stopping; /* it ends soon after this is set */
    struct str unsent;
    const char *command; /* the last that went out */
    int status;          /* of the reply to it; 0: none yet */
    bool leaving;        /* QUIT went out: what comes now belongs to nothing */
    bool logs_in;        /* AUTH went out */
    bool no_login;       /* it is wanted, and curl leaves it out where none is offered */
    bool message_began;
    struct sbuf reply, error;
    char curl_error[CURL_ERROR_SIZE];
};

/* RC_INVALID: must not be sent. In the caller's thread, before anything is handed over. */
MUST_CHECK enum rc mail_check(const struct http_request *r, struct why *why);
/* On *easy, which is made where it is NULL and may be NULL afterwards. x->call and x->stopping are
 * set; slices of the answer live until the next mail of this exchange. */
void mail_send(struct mail_exchange *x, CURL **easy, struct http_response *ret);
/* Says QUIT and does not wait for an answer; NULL is fine. */
void mail_close(CURL *easy);
void mail_exchange_clear(struct mail_exchange *x);

/* mailers.c: all threads; owned by the transport's thread */

struct mailers;
/* ended() is called from the mailers' threads whenever take() has something. */
struct mailers *mailers_new(void (*ended)(void *self), void *self); /* never NULL */
void mailers_free(struct mailers *m); /* mails under way are broken off; NULL is fine */
/* RC_BUSY: as many are under way as may be. */
MUST_CHECK enum rc mailers_start(struct mailers *m, const struct transport_call *call,
                                 struct why *why);
bool mailers_take(struct mailers *m, struct transport_result *ret); /* slices live until the next */

#endif
