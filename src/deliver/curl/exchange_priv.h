/* deliver/curl/exchange_priv.h - one request and its answer on a curl easy handle.
 *
 * The bytes of the request stay the caller's; the answer's belong to the exchange until
 * exchange_clear(). A cleared exchange is used again for any other request, with a new handle of
 * curl's: connections belong to the multi handle.
 */
#ifndef FUNNELD_DELIVER_CURL_EXCHANGE_H
#define FUNNELD_DELIVER_CURL_EXCHANGE_H

#include <curl/curl.h>

#include "funneld/base/sbuf.h"
#include "funneld/deliver/transport.h"

enum { ANSWER_MAX = 4 << 20, GUARDED_ANSWER_MAX = 64 << 10 };

struct exchange {
    struct exchange *next; /* of all that the transport made */
    CURL *easy;            /* NULL: cleared */
    bool running;
    bool blocked; /* an address was one that a guarded request must not reach */
    struct curl_slist *headers;
    struct transport_call call;
    struct str unsent; /* what the read callback has not handed out yet */
    struct sbuf answer, error;
    char kept[HTTP_MAX_KEPT][HTTP_MAX_KEPT_LEN]; /* headers of the answer */
    char curl_error[CURL_ERROR_SIZE];
};

struct exchange *exchange_new(void); /* never NULL */
void exchange_free(struct exchange *x);

/* RC_INVALID: must not be sent. RC_IO: curl refuses an option. No why holds the URL's path. */
MUST_CHECK enum rc exchange_set(struct exchange *x, const struct transport_call *call,
                                struct why *why);
/* What came of it; slices live until exchange_clear(). */
void exchange_result(struct exchange *x, CURLcode code, struct transport_result *ret);
void exchange_clear(struct exchange *x);

/* trouble.c: what a code of curl's says of what is to be mended. */
enum http_trouble trouble_of(CURLcode code);

/* guard.c: the addresses of a guarded request are looked at when it connects, and once more before
 * anything is sent. RC_IO: curl refuses an option. */
MUST_CHECK enum rc guard_set(struct exchange *x);

#endif
