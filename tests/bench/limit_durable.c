/* limit_durable.c - the bare durable server: what a webhook costs that is verified, parsed and on
 * disk with one queue row before it is answered, and nothing else.
 *
 * The daemon's own way: a request waits, suspended, in a mailbox; one thread commits what is in it
 * and lets the whole group go on.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/mailbox.h"
#include "funneld/base/rc.h"
#include "funneld/base/sbuf.h"
#include "limits.h"

enum { THREADS = 1, BODY_MAX = 1 << 20, GROUP_MAX = 2000, WAITING_MAX = 8192 };

struct durable {
    struct bare_store store;
    struct mailbox *box;
    struct MHD_Response *answer;
    pthread_t writer;
    int64_t next_id;
};

struct post {
    struct mail mail; /* first */
    struct MHD_Connection *connection;
    struct arena arena;
    struct sbuf body;
    int64_t occurred_at;
    bool waited;
};

static struct post *post_new(struct MHD_Connection *connection)
{
    struct post *p = mem_alloc(sizeof *p);

    *p = (struct post){.mail.weight = 1, .connection = connection, .body.max = BODY_MAX};
    return p;
}

static void completed(void *cls, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code)
{
    struct post *p = *request;

    (void)cls, (void)connection, (void)code;
    if (!p)
        return;
    sbuf_free(&p->body);
    arena_free(&p->arena);
    free(p);
    *request = NULL;
}

static struct str header(const struct post *p, const char *name)
{
    return str_of(MHD_lookup_connection_value(p->connection, MHD_HEADER_KIND, name));
}

static enum MHD_Result take(struct durable *d, struct post *p)
{
    const struct signed_request r = {.body = sbuf_str(&p->body),
                                     .timestamp = header(p, "X-HubSpot-Request-Timestamp"),
                                     .signature = header(p, "X-HubSpot-Signature-v3")};

    if (!signature_right(&r, &p->arena))
        return MHD_NO;
    p->occurred_at = occurred_at(r.body);
    p->waited = true;
    MHD_suspend_connection(p->connection); /* before the writer could resume it */
    need(mailbox_put(d->box, &p->mail) == RC_OK, "handing over");
    return MHD_YES;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **request)
{
    struct durable *d = cls;
    struct post *p = *request;

    (void)url, (void)method, (void)version;
    if (!p) {
        *request = post_new(connection);
        return MHD_YES;
    }
    if (*size) {
        sbuf_add(&p->body, (struct str){data, *size});
        *size = 0;
        return MHD_YES;
    }
    return p->waited ? MHD_queue_response(connection, MHD_HTTP_OK, d->answer) : take(d, p);
}

static void commit(struct durable *d, struct mail *mails)
{
    bare_store_begin(&d->store);
    for (struct mail *m = mails; m; m = m->next) {
        const struct post *p = (const struct post *)m;

        bare_store_add(&d->store, ++d->next_id, p->occurred_at, sbuf_str(&p->body));
    }
    bare_store_commit(&d->store);
    for (struct mail *m = mails, *next; m; m = next) {
        next = m->next; /* gone once its connection goes on */
        MHD_resume_connection(((struct post *)m)->connection);
    }
}

static void *write_until_closed(void *durable)
{
    struct durable *d = durable;
    struct mail *mails;

    while ((mails = mailbox_take(d->box, GROUP_MAX, -1)))
        commit(d, mails);
    return NULL;
}

static void end(void *durable)
{
    struct durable *d = durable;

    mailbox_close(d->box);
    need(pthread_join(d->writer, NULL) == 0, "joining");
}

void bare_durable(const char *path, const char *certificate, const char *key)
{
    struct durable d = {.box = mailbox_new(WAITING_MAX), .answer = web_answer()};

    bare_store_open(&d.store, path);
    need(pthread_create(&d.writer, NULL, write_until_closed, &d) == 0, "a thread");
    web_serve(&(struct web){.handle = handle,
                            .completed = completed,
                            .self = &d,
                            .threads = THREADS,
                            .certificate = certificate,
                            .key = key},
              end);
    MHD_destroy_response(d.answer);
    mailbox_free(d.box);
    bare_store_close(&d.store);
}
