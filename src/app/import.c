/* app/import.c - batches of `import` over the control socket: the question, and the answer.
 *
 * The rows go the way of what a sender posts, in one commit with it, and are counted like that.
 */
#include "daemon_priv.h"

#include <stdlib.h>

#include "funneld/app/control.h"
#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

const struct str import_source = {"import", sizeof "import" - 1};

enum { ROWS_MOST = 2000, PATIENCE_S = 8, TURN_MS = 250 };

void import_question(const struct import_batch *q, struct sbuf *b)
{
    json_open(b, '{');
    json_kv_text(b, "command", "import");
    json_kv(b, "source", q->source);
    json_key(b, "rows");
    json_open(b, '[');
    for (size_t i = 0; i < q->n; i++)
        json_str(b, q->bodies[i]);
    json_close(b, ']');
    if (q->place) {
        json_key(b, "place");
        json_open(b, '{');
        json_kv(b, "connector", q->place->connector);
        json_kv(b, "place", q->place->place);
        json_kv_int(b, "contacts", q->place->contacts);
        json_close(b, '}');
    }
    json_close(b, '}');
}

enum rc import_answered(const json *answer, struct import_sums *sums, bool *ret_busy,
                        struct why *why)
{
    struct import_sums s = {0};

    *ret_busy = json_true(json_get(answer, "busy"));
    if (*ret_busy)
        return RC_OK;
    if (!json_int64(json_get(answer, "fresh"), &s.fresh) ||
        !json_int64(json_get(answer, "known"), &s.known) ||
        !json_int64(json_get(answer, "unprocessable"), &s.unprocessable))
        return why_fail(RC_INVALID, why, "the daemon's answer is not understood");
    sums->fresh += s.fresh;
    sums->known += s.known;
    sums->unprocessable += s.unprocessable;
    return RC_OK;
}

/* Rows under way: who asked waits for some time, then the writer alone holds them. */
struct rows {
    struct intake intake; /* first */
    struct arena arena;
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool answered; /* under the lock */
    atomic_int holders;
};

static void let_go(struct rows *r)
{
    if (atomic_fetch_sub(&r->holders, 1) != 1)
        return;
    (void)pthread_cond_destroy(&r->told); /* nobody waits on it any more */
    (void)pthread_mutex_destroy(&r->lock);
    arena_free(&r->arena);
    free(r);
}

static void done(struct work *work)
{
    struct rows *r = (struct rows *)work;

    pthread_mutex_lock(&r->lock);
    r->answered = true;
    pthread_cond_signal(&r->told);
    pthread_mutex_unlock(&r->lock);
    let_go(r);
}

static struct rows *rows_new(void)
{
    struct rows *r = mem_alloc(sizeof *r);

    r->intake.work = (struct work){.kind = WORK_INTAKE, .done = done};
    atomic_init(&r->holders, 2);
    steady_wait_init(&r->lock, &r->told);
    return r;
}

static bool is_answered(struct rows *r)
{
    int64_t until_ms = clock_mono_us() / 1000 + TURN_MS;
    int error = 0;

    pthread_mutex_lock(&r->lock);
    while (!r->answered && !error)
        error = steady_wait(&r->lock, &r->told, until_ms);
    bool answered = r->answered;
    pthread_mutex_unlock(&r->lock);
    return answered;
}

static enum rc wait_for(struct daemon *d, struct rows *r)
{
    int64_t patience_ends = clock_mono_us() + PATIENCE_S * INT64_C(1000000);

    while (!is_answered(r)) {
        if (d->server)
            server_tick(d->server, clock_mono_us() / 1000); /* senders' deadlines go on */
        if (clock_mono_us() >= patience_ends)
            return RC_TIMEOUT;
    }
    return r->intake.work.rc;
}

/* One that a source of that name could have sent would be read as that source's. */
bool import_source_usable(const struct config *c, struct str name)
{
    const struct connector *k = config_connector(c, name);

    return k ? k->type->enriches : str_eq(name, import_source) && !config_source(c, name);
}

static enum rc read_rows(const json *request, struct str source, struct rows *r, struct why *why)
{
    const json *list = json_get(request, "rows");
    size_t n = json_count(list), weight = 0;
    int64_t now = clock_now_ms();
    struct event *events = arena_array(&r->arena, n + 1, sizeof *events);

    if (json_type(list) != JSON_ARRAY || n > ROWS_MOST)
        return why_fail(RC_INVALID, why, "rows are a list of %d texts at most", ROWS_MOST);
    r->intake.events = events;
    for (const json *row = json_first(list); row; row = json_next(row)) {
        struct event *e = &events[r->intake.n];
        struct str body = arena_str(&r->arena, json_string(row));
        enum rc rc = imported_event(source, body, now, &r->arena, e, why);

        if (rc != RC_OK)
            return rc;
        weight += body.len > EVENT_WEIGHT ? body.len : EVENT_WEIGHT;
        r->intake.n++;
    }
    r->intake.work.mail.weight = weight;
    return RC_OK;
}

static enum rc take_rows(struct daemon *d, struct rows *r, struct why *why)
{
    if (!r->intake.n) {
        atomic_store(&r->holders, 1);
        return RC_OK;
    }
    enum rc rc = writer_submit(d->writer, &r->intake.work);
    if (rc != RC_OK) {
        atomic_store(&r->holders, 1); /* the writer never got it */
        return rc == RC_BUSY ? rc : why_fail(rc, why, "%s", rc_text(rc));
    }
    rc = wait_for(d, r);
    if (rc == RC_TIMEOUT)
        return why_fail(rc, why, "the writer did not answer within %d s", PATIENCE_S);
    return rc == RC_OK ? rc : why_fail(rc, why, "the rows could not be stored: %s", rc_text(rc));
}

static enum rc set_place(struct store *st, void *arg, struct why *why)
{
    (void)why; /* the store's own words will do */
    return store_import_set(st, arg);
}

static enum rc keep_place(struct daemon *d, const json *place, struct why *why)
{
    struct import_place p = {.connector = json_string(json_get(place, "connector")),
                             .place = json_string(json_get(place, "place")),
                             .changed_at = clock_now_ms()};

    if (!place)
        return RC_OK;
    if (!p.connector.len || !json_int64(json_get(place, "contacts"), &p.contacts))
        return why_fail(RC_INVALID, why, "place has a connector and contacts");
    return daemon_command(d, COMMAND_CALL, &p, set_place, NULL, why);
}

static void write_answer(const struct rows *r, struct sbuf *b)
{
    json_open(b, '{');
    json_kv_int(b, "fresh", r->intake.accepted);
    json_kv_int(b, "known", r->intake.duplicates);
    json_kv_int(b, "unprocessable", r->intake.unprocessable);
    json_close(b, '}');
}

static enum rc import_rows(struct daemon *d, const json *request, struct rows *r, struct why *why)
{
    struct str source = arena_str(&r->arena, json_string(json_get(request, "source")));

    if (!import_source_usable(d->config, source)) {
        atomic_store(&r->holders, 1);
        return why_fail(RC_INVALID, why, "nothing can be imported as %.*s",
                        STR_ARG(str_cut(source, 80)));
    }
    enum rc rc = read_rows(request, source, r, why);
    if (rc != RC_OK) {
        atomic_store(&r->holders, 1);
        return rc;
    }
    rc = take_rows(d, r, why);
    return rc == RC_OK ? keep_place(d, json_get(request, "place"), why) : rc;
}

enum rc daemon_import(struct daemon *d, const json *request, struct sbuf *b, struct why *why)
{
    struct rows *r = rows_new();
    enum rc rc = import_rows(d, request, r, why);

    if (rc == RC_OK)
        write_answer(r, b);
    if (rc == RC_OK && r->intake.accepted)
        log_write(LOG_INFO, "import.batch", L_INT("events", r->intake.accepted), L_END);
    if (rc == RC_BUSY)
        sbuf_text(b, "{\"busy\":true}");
    let_go(r);
    return rc == RC_BUSY ? RC_OK : rc;
}
