/* deliver/curl/mailers.c - the threads that send mails. */
#include "mail_priv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/base/crypto.h"
#include "funneld/base/mailbox.h"

enum { MAILERS_MAX = 32, STACK = 1 << 20 };

#define KEPT_IDLE_MS ((int)MINUTES_MS)

struct mailer {
    struct mail mail; /* first: what goes into the mailboxes is the mailer itself, with one mail */
    struct mailers *all;
    struct mailer *next;
    pthread_t thread;
    struct mailbox *inbox;
    /* The transport's thread */
    bool busy;
    uint8_t account[SHA256_LEN]; /* of the mail that it had last */
    /* Whoever holds the mail */
    bool other_account; /* than the mail before: its connection is not for this one */
    struct mail_exchange exchange;
    struct http_response response;
};

struct mailers {
    struct mailer *first;
    size_t n;
    struct sbuf
        said; /* body or error of the answer that was taken last: its mailer is free again */
    struct mailbox *ended_box;
    void (*ended)(void *self);
    void *self;
    atomic_bool stopping;
};

struct mailers *mailers_new(void (*ended)(void *self), void *self)
{
    struct mailers *m = mem_alloc(sizeof *m);

    m->ended_box = mailbox_new(MAILERS_MAX);
    m->said.max = REPLY_MAX;
    m->ended = ended;
    m->self = self;
    return m;
}

/* The mailer's thread. */
static void send_one(struct mailer *by, CURL **easy)
{
    if (by->other_account) {
        mail_close(*easy);
        *easy = NULL;
    }
    mail_send(&by->exchange, easy, &by->response);
}

static void *run(void *self)
{
    struct mailer *by = self;
    struct mailers *all = by->all;
    CURL *easy = NULL;

    while (!atomic_load(&all->stopping)) {
        if (mailbox_take(by->inbox, 1, easy ? KEPT_IDLE_MS : -1)) {
            send_one(by, &easy);
            rc_ignored(mailbox_force(all->ended_box, &by->mail)); /* it is never closed */
            all->ended(all->self);
        } else {
            mail_close(easy);
            easy = NULL;
        }
    }
    mail_close(easy);
    return NULL;
}

static void free_mailer(struct mailer *by)
{
    mailbox_free(by->inbox);
    mail_exchange_clear(&by->exchange);
    free(by);
}

static struct mailer *add_mailer(struct mailers *m, struct why *why)
{
    struct mailer *by = mem_alloc(sizeof *by);
    pthread_attr_t attr;

    by->all = m;
    by->mail.weight = 1;
    by->inbox = mailbox_new(1);
    by->exchange.stopping = &m->stopping;
    (void)pthread_attr_init(&attr); /* cannot fail on Linux */
    (void)pthread_attr_setstacksize(&attr, STACK);
    int error = pthread_create(&by->thread, &attr, run, by);
    (void)pthread_attr_destroy(&attr);
    if (error) {
        (void)why_fail(RC_BUSY, why, "cannot start a thread: %s", strerror(error));
        free_mailer(by);
        return NULL;
    }
    by->next = m->first;
    m->first = by;
    m->n++;
    return by;
}

/* Whoever shares it may share a connection. */
static void account_of(const struct transport_call *call, uint8_t ret[SHA256_LEN])
{
    const struct envelope *e = call->request->envelope;
    const struct str nul = {"", 1}, tls = e->clear_text ? STR("clear") : STR("TLS");
    const struct str parts[] = {call->request->url, nul, e->user, nul, e->password, nul, tls, nul,
                                call->ca_file};

    sha256(parts, ARRAY_LEN(parts), ret);
}

/* One that knows the account, else a new one, else whoever is free. */
static struct mailer *choose(struct mailers *m, const uint8_t account[SHA256_LEN], struct why *why)
{
    struct mailer *idle = NULL;

    for (struct mailer *by = m->first; by; by = by->next) {
        if (by->busy)
            continue;
        if (memcmp(by->account, account, SHA256_LEN) == 0)
            return by;
        idle = by;
    }
    if (m->n < MAILERS_MAX)
        return add_mailer(m, why);
    if (!idle)
        (void)why_fail(RC_BUSY, why, "%d mails are under way at once", MAILERS_MAX);
    return idle;
}

enum rc mailers_start(struct mailers *m, const struct transport_call *call, struct why *why)
{
    uint8_t account[SHA256_LEN];
    enum rc rc = mail_check(call->request, why);

    if (rc)
        return rc;
    account_of(call, account);
    struct mailer *by = choose(m, account, why);
    if (!by)
        return RC_BUSY;
    by->other_account = memcmp(by->account, account, SHA256_LEN) != 0;
    memcpy(by->account, account, SHA256_LEN);
    by->exchange.call = *call;
    by->busy = true;
    return mailbox_force(by->inbox, &by->mail); /* never closed while mails are started */
}

bool mailers_take(struct mailers *m, struct transport_result *ret)
{
    struct mailer *by = (struct mailer *)(void *)mailbox_take(m->ended_box, 1, 0);

    if (!by)
        return false;
    *ret = (struct transport_result){by->exchange.call.tag, by->response};
    struct str *said =
        by->response.fate == HTTP_ANSWERED ? &ret->response.body : &ret->response.error;
    sbuf_reset(&m->said);
    sbuf_add(&m->said, *said);
    *said = m->said.len ? sbuf_str(&m->said) : STR("");
    by->busy = false;
    return true;
}

static void drain(struct mailbox *box)
{
    while (mailbox_take(box, 1, 0)) { /* nobody wants to know any more */
    }
}

void mailers_free(struct mailers *m)
{
    if (!m)
        return;
    atomic_store(&m->stopping, true);
    for (struct mailer *by = m->first; by; by = by->next)
        mailbox_close(by->inbox);
    for (struct mailer *by = m->first; by; by = by->next) {
        (void)pthread_join(by->thread, NULL);
        drain(by->inbox);
    }
    drain(m->ended_box);
    mailbox_free(m->ended_box);
    sbuf_free(&m->said);
    while (m->first) {
        struct mailer *by = m->first;

        m->first = by->next;
        free_mailer(by);
    }
    free(m);
}
