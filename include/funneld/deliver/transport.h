/* deliver/transport.h - the port to the network: requests out, responses in.
 *
 * One thread owns a transport. Started requests end exactly once, in any order, through take().
 * curl_transport (deliver/curl) is the real one; tests and simulation bring scripted ones.
 */
#ifndef FUNNELD_DELIVER_TRANSPORT_H
#define FUNNELD_DELIVER_TRANSPORT_H

#include "funneld/base/http.h"
#include "funneld/base/rc.h"

struct transport_call {
    const struct http_request *request; /* must live until its response was taken */
    int64_t timeout_ms;
    struct str ca_file; /* missing: the system's roots */
    void *tag;          /* comes back with the response */
};

struct transport_result {
    void *tag;
    struct http_response response; /* body and error live until the next call of take() */
};

struct transport {
    void *self;
    /* RC_INVALID: a header or URL that must not be sent (CR, LF, other protocol). */
    enum rc (*start)(void *self, const struct transport_call *call, struct why *why);
    bool (*take)(void *self, struct transport_result *ret); /* false: none has ended */
    void (*wait)(void *self, int timeout_ms);               /* until network, wake() or time-out */
    void (*wake)(void *self);                               /* from any thread */
    void (*free)(void *self);
};

MUST_CHECK enum rc curl_transport_new(struct transport *ret, struct why *why);

const char *transport_library(void); /* version of libcurl that runs, "7.88.1" */

#endif
