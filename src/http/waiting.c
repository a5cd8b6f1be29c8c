/* waiting.c - suspend, submit, resume: the pool never waits for the disk. */
#include "server_priv.h"

#include <assert.h>

enum { COMMIT_DEADLINE_US = 4000 * 1000 }; /* HubSpot gives up after 5 s */

void waiting_init(struct waiting *w)
{
    int bad = pthread_mutex_init(&w->lock, NULL);
    assert(!bad);
}

void waiting_end(struct waiting *w)
{
    assert(!w->first && !atomic_load(&w->n));
    pthread_mutex_destroy(&w->lock);
}

static void list_add(struct waiting *w, struct request *r)
{
    pthread_mutex_lock(&w->lock);
    r->wait.prev = w->last;
    r->wait.next = NULL;
    if (w->last)
        w->last->wait.next = r;
    else
        w->first = r;
    w->last = r;
    pthread_mutex_unlock(&w->lock);
}

static void list_take(struct waiting *w, struct request *r) /* under the lock */
{
    if (r->wait.prev)
        r->wait.prev->wait.next = r->wait.next;
    else
        w->first = r->wait.next;
    if (r->wait.next)
        r->wait.next->wait.prev = r->wait.prev;
    else
        w->last = r->wait.prev;
}

static bool wait_ends(struct request *r)
{
    return atomic_exchange(&r->wait.state, WAIT_OVER) == WAIT_COMMIT;
}

/* From the writer; also from the handler itself where submit refused. */
static void committed(struct work *work)
{
    struct request *r = (struct request *)work; /* first member of the first member */

    if (!wait_ends(r)) {
        request_release(r);
        return;
    }
    struct waiting *w = r->wait.among;
    struct MHD_Connection *connection = r->connection;
    r->reply = reply_of_rc(work->rc);
    pthread_mutex_lock(&w->lock);
    list_take(w, r);
    pthread_mutex_unlock(&w->lock);
    request_release(r); /* the HTTP side still holds it: it is suspended */
    MHD_resume_connection(connection);
    atomic_fetch_sub(&w->n, 1);
}

void waiting_close(struct waiting *w)
{
    pthread_mutex_lock(&w->lock);
    w->closed = true;
    pthread_mutex_unlock(&w->lock);
}

static bool may_wait(struct waiting *w)
{
    pthread_mutex_lock(&w->lock);
    bool open = !w->closed;
    if (open)
        atomic_fetch_add(&w->n, 1);
    pthread_mutex_unlock(&w->lock);
    return open;
}

void wait_for_commit(struct request *r, int64_t now_us)
{
    struct server *s = r->listener->server;

    if (!may_wait(&s->waiting)) {
        r->reply = REPLY_SHUTDOWN;
        return;
    }
    r->step = STEP_WAITING;
    conn_enter(&r->listener->conns, r->conn, PHASE_WAITING, now_us);
    MHD_suspend_connection(r->connection); /* before anyone could resume it */
    r->wait.among = &s->waiting;
    r->wait.deadline_us = now_us + COMMIT_DEADLINE_US;
    r->intake.work.done = committed;
    atomic_fetch_add(&r->refs, 1); /* the writer's */
    atomic_store(&r->wait.state, WAIT_COMMIT);
    list_add(&s->waiting, r);
    enum rc rc = s->ports.submit(s->ports.self, &r->intake.work);
    if (rc) {
        r->intake.work.rc = rc;
        committed(&r->intake.work);
    }
}

enum { EXPIRE_AT_ONCE = 64 };

/* Takes what is due off the list. A request whose wait the writer has just ended is skipped: the
 * writer keeps it alive until it has taken it off itself. */
static size_t take_expired(struct waiting *w, int64_t now_us,
                           struct MHD_Connection *ret[EXPIRE_AT_ONCE])
{
    size_t n = 0;

    pthread_mutex_lock(&w->lock);
    for (struct request *r = w->first, *next; r && n < EXPIRE_AT_ONCE; r = next) {
        next = r->wait.next;
        if (r->wait.deadline_us > now_us)
            break;
        if (!wait_ends(r))
            continue;
        list_take(w, r);
        r->reply = REPLY_DEADLINE;
        ret[n++] = r->connection;
    }
    pthread_mutex_unlock(&w->lock);
    return n;
}

void waiting_expire(struct waiting *w, int64_t now_us)
{
    struct MHD_Connection *late[EXPIRE_AT_ONCE];

    for (size_t n; (n = take_expired(w, now_us, late));) {
        for (size_t i = 0; i < n; i++)
            MHD_resume_connection(late[i]);
        atomic_fetch_sub(&w->n, n);
    }
}
