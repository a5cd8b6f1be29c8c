/* deliver/curl/transport.c - the transport: HTTP on one curl_multi, mails by their own threads. */
#include "exchange_priv.h"
#include "mail_priv.h"

#include <stdlib.h>
#include <time.h>

/* Connections kept open between requests; more may be in use at once. */
enum { KEPT_CONNECTIONS = 64 };

struct curl_transport {
    CURLM *multi;
    struct exchange *all;    /* running ones and free ones; as many as ever ran at once */
    struct exchange *taken;  /* whose answer the caller reads until the next take() */
    bool stale;              /* curl has not been run since something changed */
    struct mailers *mailers; /* NULL: no mail was ever sent */
};

static void wake(void *self)
{
    struct curl_transport *t = self;

    (void)curl_multi_wakeup(t->multi); /* lost at worst: the waiter looks once a second */
}

static struct exchange *free_exchange(struct curl_transport *t)
{
    for (struct exchange *x = t->all; x; x = x->next)
        if (!x->running && x != t->taken)
            return x;

    struct exchange *x = exchange_new();
    x->next = t->all;
    t->all = x;
    return x;
}

static enum rc start(void *self, const struct transport_call *call, struct why *why)
{
    struct curl_transport *t = self;

    if (call->request->envelope) {
        if (!t->mailers)
            t->mailers = mailers_new(wake, t);
        return mailers_start(t->mailers, call, why);
    }
    struct exchange *x = free_exchange(t);
    enum rc rc = exchange_set(x, call, why);

    if (rc == RC_OK && curl_multi_add_handle(t->multi, x->easy) != CURLM_OK)
        rc = why_fail(RC_IO, why, "curl does not take the request");
    if (rc) {
        exchange_clear(x);
        return rc;
    }
    x->running = true;
    t->stale = true;
    return RC_OK;
}

static CURLMsg *next_ended(struct curl_transport *t)
{
    int left;
    CURLMsg *msg;

    while ((msg = curl_multi_info_read(t->multi, &left)))
        if (msg->msg == CURLMSG_DONE)
            return msg;
    return NULL;
}

static bool take(void *self, struct transport_result *ret)
{
    struct curl_transport *t = self;
    int running;

    if (t->taken)
        exchange_clear(t->taken);
    t->taken = NULL;
    if (t->mailers && mailers_take(t->mailers, ret))
        return true;
    CURLMsg *msg = next_ended(t);
    if (!msg && t->stale) {
        t->stale = false;
        (void)curl_multi_perform(t->multi, &running); /* its errors are also those of poll below */
        msg = next_ended(t);
    }
    if (!msg)
        return false;

    CURLcode code = msg->data.result; /* msg is gone once the handle leaves */
    char *private = NULL;
    (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
    t->taken = (struct exchange *)(void *)private;
    (void)curl_multi_remove_handle(t->multi, t->taken->easy);
    t->taken->running = false;
    exchange_result(t->taken, code, ret);
    return true;
}

static void wait(void *self, int timeout_ms)
{
    struct curl_transport *t = self;

    if (curl_multi_poll(t->multi, NULL, 0, timeout_ms, NULL) != CURLM_OK) {
        /* Out of descriptors or memory: come back soon, but do not spin. */
        const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
        (void)nanosleep(&pause, NULL);
    }
    t->stale = true;
}

static void destroy(void *self)
{
    struct curl_transport *t = self;

    mailers_free(t->mailers); /* they wake the multi handle */
    while (t->all) {
        struct exchange *x = t->all;

        t->all = x->next;
        if (x->running)
            (void)curl_multi_remove_handle(t->multi, x->easy);
        exchange_free(x);
    }
    (void)curl_multi_cleanup(t->multi);
    free(t);
    curl_global_cleanup();
}

enum rc curl_transport_new(struct transport *ret, struct why *why)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return why_fail(RC_IO, why, "curl does not start");

    CURLM *multi = curl_multi_init();
    if (!multi) {
        curl_global_cleanup();
        return why_fail(RC_IO, why, "curl has no memory");
    }
    struct curl_transport *t = mem_alloc(sizeof *t);
    t->multi = multi;
    if (curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) != CURLM_OK) {
        destroy(t);
        return why_fail(RC_IO, why, "curl refuses an option");
    }
    *ret = (struct transport){t, start, take, wait, wake, destroy};
    return RC_OK;
}

const char *transport_library(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}
