/* cli/import_send.c - imported rows on their way into the store, batch by batch.
 *
 * A running daemon takes them over its control socket, a line of less than a MiB each. Where none
 * runs the store is ours until we are through: its lock keeps a daemon from starting.
 */
#include <time.h>

#include "funneld/base/json.h"
#include "funneld/model/served.h"
#include "import.h"

/* Quotes double in a text: a batch and one more body stay well below the line's MiB. */
enum {
    BATCH_BYTES = 200 * 1024,
    BATCH_ROWS = 400,
    LINE_BYTES = 1 << 20,
    TURN_MS = 200,
    TURNS = 300
};

static void rest(void)
{
    const struct timespec t = {.tv_nsec = TURN_MS * 1000000L};

    (void)nanosleep(&t, NULL); /* cut short by a signal it only asks sooner */
}

static enum rc ask_once(struct import_sender *s, const struct import_batch *q, bool *ret_busy,
                        struct why *why)
{
    struct sbuf question AUTO(sbuf_free) = SBUF(LINE_BYTES - 1);
    struct json_doc doc AUTO(json_doc_free) = {0};

    import_question(q, &question);
    if (question.failed)
        return why_fail(RC_INVALID, why, "the rows are too big for the daemon's control socket");
    enum rc rc =
        control_request(s->cli->config->control_socket, sbuf_str(&question), &s->arena, &doc, why);
    return rc == RC_OK ? import_answered(doc.root, &s->sums, ret_busy, why) : rc;
}

/* Where senders fill its mailbox, they go first. */
static enum rc by_daemon(struct import_sender *s, const struct import_place *place, struct why *why)
{
    const struct import_batch q = {
        .source = s->source, .bodies = s->bodies, .n = s->n, .place = place};
    bool busy = true;
    enum rc rc = RC_OK;

    for (int turn = 0; busy && rc == RC_OK; turn++) {
        if (turn == TURNS)
            return why_fail(RC_BUSY, why, "the daemon is too busy to take anything");
        if (turn)
            rest();
        rc = ask_once(s, &q, &busy, why);
    }
    return rc;
}

static enum rc decode(struct import_sender *s, struct event **ret, struct why *why)
{
    int64_t now = s->cli->now_ms;
    struct event *events = arena_array(&s->arena, s->n + 1, sizeof *events);

    for (size_t i = 0; i < s->n; i++) {
        enum rc rc = imported_event(s->source, s->bodies[i], now, &s->arena, &events[i], why);

        if (rc != RC_OK)
            return rc;
    }
    *ret = events;
    return RC_OK;
}

static enum rc store_all(struct import_sender *s, const struct event *events,
                         const struct import_place *place, struct import_sums *sums)
{
    enum rc rc =
        import_in(s->store, &s->cli->config->rules, s->models, s->cli->now_ms, events, s->n, sums);

    return rc == RC_OK && place ? store_import_set(s->store, place) : rc;
}

static enum rc by_ourselves(struct import_sender *s, const struct import_place *place,
                            struct why *why)
{
    struct import_sums sums = s->sums;
    struct event *events = NULL;
    enum rc rc = decode(s, &events, why);

    if (rc != RC_OK)
        return rc;
    rc = store_begin(s->store);
    if (rc == RC_OK) {
        rc = store_all(s, events, place, &sums);
        if (rc == RC_OK)
            rc = store_commit(s->store);
        else
            store_rollback(s->store);
    }
    if (rc != RC_OK)
        return why_fail(rc, why, "%s", store_error(s->store));
    s->sums = sums;
    return store_checkpoint(s->store, false);
}

enum rc import_flush(struct import_sender *s, const struct import_place *place, struct why *why)
{
    if (!s->n && !place)
        return RC_OK;
    enum rc rc = s->store ? by_ourselves(s, place, why) : by_daemon(s, place, why);
    s->n = s->cap = s->bytes = 0;
    s->bodies = NULL;
    arena_reset(&s->arena);
    return rc;
}

enum rc import_send(struct import_sender *s, const struct imported *row, struct why *why)
{
    struct str body;
    enum rc rc = imported_body(row, &s->arena, &body);

    if (rc != RC_OK)
        return rc;
    if (s->n == BATCH_ROWS || (s->n && s->bytes + body.len > BATCH_BYTES)) {
        rc = import_flush(s, NULL, why);
        if (rc == RC_OK)
            rc = imported_body(row, &s->arena, &body); /* the batch's arena was emptied */
        if (rc != RC_OK)
            return rc;
    }
    s->bodies = arena_more(&s->arena, s->bodies, s->n, &s->cap, sizeof *s->bodies);
    s->bodies[s->n++] = body;
    s->bytes += body.len;
    return RC_OK;
}

static enum rc open_store(struct import_sender *s, struct why *why)
{
    enum rc rc = store_open(&s->cli->config->store, s->cli->now_ms, &s->store, why);

    if (rc != RC_OK)
        return rc;
    s->reader = store_reader(s->store);
    cli_note(s->cli,
             "no daemon runs, and none can start until this is through: if that takes long, "
             "end it, start the daemon and do it again");
    return cli_models(s->cli, s->reader, &s->models, why);
}

static enum rc open_reader(struct import_sender *s, struct why *why)
{
    struct cli *cli = s->cli;
    enum rc rc = reader_open(arena_text(&cli->arena, cli->config->store.path), &cli->reader, why);

    s->reader = cli->reader;
    return rc;
}

/* An empty batch asks whether somebody is there. */
enum rc import_open(struct import_sender *s, struct why *why)
{
    enum rc rc = by_daemon(s, NULL, why);

    if (rc == RC_OK)
        return open_reader(s, why);
    if (rc != RC_NONE)
        return rc;
    why->text[0] = 0;
    return open_store(s, why);
}

void import_close(struct import_sender *s)
{
    arena_free(&s->arena);
    if (s->models)
        ref_drop(&s->models->ref);
    s->models = NULL;
    store_close(s->store);
    s->store = NULL;
}
