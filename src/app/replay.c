/* app/replay.c - slices of `replay` over the control socket: the question, and the answer. */
#include "daemon_priv.h"

#include <stddef.h>

#include "funneld/app/control.h"
#include "funneld/observe/log.h"

static const struct {
    const char *key;
    size_t offset;
} sums[] = {
    {"taken", offsetof(struct replay_sums, taken)},
    {"left", offsetof(struct replay_sums, left)},
    {"asked", offsetof(struct replay_sums, asked)},
    {"erased", offsetof(struct replay_sums, erased)},
    {"sourceless", offsetof(struct replay_sums, sourceless)},
    {"unreadable", offsetof(struct replay_sums, unreadable)},
    {"failed", offsetof(struct replay_sums, failed)},
    {"fired", offsetof(struct replay_sums, fired)},
    {"leads", offsetof(struct replay_sums, leads)},
    {"deliveries", offsetof(struct replay_sums, deliveries)},
};

/* The number of a sum, by its place in the table. */
static int64_t *sum_at(struct replay_sums *s, size_t i)
{
    return (int64_t *)(void *)((char *)s + sums[i].offset);
}

void replay_add(struct replay_sums *all, const struct replay_sums *slice)
{
    struct replay_sums more = *slice;

    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        *sum_at(all, i) += *sum_at(&more, i);
}

void replay_sums_write(const struct replay_sums *s, struct sbuf *b)
{
    struct replay_sums all = *s;

    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        json_kv_int(b, sums[i].key, *sum_at(&all, i));
}

void replay_queued_write(const struct replay_queued *q, struct sbuf *b)
{
    json_key(b, "connectors");
    json_open(b, '{');
    for (; q; q = q->next) {
        json_key_str(b, q->connector);
        json_int(b, q->n);
    }
    json_close(b, '}');
}

static void write_flag(struct sbuf *b, const char *key, bool value)
{
    json_key(b, key);
    json_bool(b, value);
}

void replay_question(const struct replay *p, struct sbuf *b)
{
    const struct replay_filter *f = &p->filter;

    json_open(b, '{');
    json_kv_text(b, "command", "replay");
    control_ids_write(b, f->ids, f->n_ids);
    json_kv_int(b, "since", f->since);
    json_kv_int(b, "until", f->until);
    json_kv(b, "source", f->source);
    json_kv_int(b, "lead", f->lead);
    json_kv_int(b, "state", f->state);
    write_flag(b, "again", p->again);
    write_flag(b, "dry_run", p->dry_run);
    write_flag(b, "events_done", p->from.leads);
    json_kv_int(b, "after", p->from.after);
    json_close(b, '}');
}

static enum rc read_ids(const json *request, struct arena *a, struct replay_filter *f,
                        struct why *why)
{
    enum rc rc = control_ids_read(request, a, &f->ids, &f->n_ids, why);

    for (size_t i = 1; i < f->n_ids && rc == RC_OK; i++)
        if (f->ids[i] <= f->ids[i - 1])
            rc = why_fail(RC_INVALID, why, "ids are in rising order");
    return rc;
}

static enum rc read_numbers(const json *request, struct replay *p, struct why *why)
{
    int64_t state = 0;
    const struct {
        const char *key;
        int64_t *to;
    } numbers[] = {
        {"since", &p->filter.since}, {"until", &p->filter.until}, {"lead", &p->filter.lead},
        {"state", &state},           {"after", &p->from.after},
    };

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (!json_int64(json_get(request, numbers[i].key), numbers[i].to))
            return why_fail(RC_INVALID, why, "%s is not a number", numbers[i].key);
    if (state < -1 || state > EVENT_UNLINKED)
        return why_fail(RC_INVALID, why, "there is no such state");
    p->filter.state = (int)state;
    return RC_OK;
}

static enum rc read_flags(const json *request, struct replay *p, struct why *why)
{
    const struct {
        const char *key;
        bool *to;
    } flags[] = {{"again", &p->again}, {"dry_run", &p->dry_run}, {"events_done", &p->from.leads}};

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        const json *flag = json_get(request, flags[i].key);

        if (json_type(flag) != JSON_BOOL)
            return why_fail(RC_INVALID, why, "%s is neither true nor false", flags[i].key);
        *flags[i].to = json_true(flag);
    }
    return RC_OK;
}

static enum rc read_question(const json *request, struct arena *a, struct replay *p,
                             struct why *why)
{
    const json *source = json_get(request, "source");
    enum rc rc = read_ids(request, a, &p->filter, why);

    if (rc == RC_OK)
        rc = read_numbers(request, p, why);
    if (rc == RC_OK)
        rc = read_flags(request, p, why);
    if (rc == RC_OK && json_type(source) != JSON_STRING && json_type(source) != JSON_NULL)
        rc = why_fail(RC_INVALID, why, "source is a text");
    p->filter.source = arena_str(a, json_string(source));
    p->arena = a;
    return rc;
}

static void write_answer(const struct replay *p, struct sbuf *b)
{
    json_open(b, '{');
    write_flag(b, "done", p->done);
    write_flag(b, "events_done", p->next.leads);
    json_kv_int(b, "after", p->next.after);
    replay_sums_write(&p->sums, b);
    replay_queued_write(p->queued, b);
    json_close(b, '}');
}

static enum rc read_queued(const json *connectors, struct replay *p, struct why *why)
{
    for (const json *c = json_first(connectors); c; c = json_next(c)) {
        struct replay_queued *q = ARENA_NEW(p->arena, struct replay_queued);

        *q = (struct replay_queued){.connector = arena_str(p->arena, json_name(c)),
                                    .next = p->queued};
        if (!json_int64(c, &q->n))
            return why_fail(RC_INVALID, why, "the daemon's answer is not understood");
        p->queued = q;
    }
    return RC_OK;
}

enum rc replay_answered(const json *answer, struct replay *p, struct why *why)
{
    bool ok = json_int64(json_get(answer, "after"), &p->next.after);

    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        ok = ok && json_int64(json_get(answer, sums[i].key), sum_at(&p->sums, i));
    if (!ok)
        return why_fail(RC_INVALID, why, "the daemon's answer is not understood");
    p->done = json_true(json_get(answer, "done"));
    p->next.leads = json_true(json_get(answer, "events_done"));
    p->queued = NULL;
    return read_queued(json_get(answer, "connectors"), p, why);
}

enum rc daemon_replay(struct daemon *d, const json *request, struct sbuf *b, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct replay p = {0};
    enum rc rc = read_question(request, &a, &p, why);

    if (rc == RC_OK)
        rc = daemon_command(d, COMMAND_REPLAY, &p, NULL, NULL, why);
    if (rc != RC_OK)
        return rc;
    if (!p.dry_run && (p.sums.taken || p.sums.leads))
        log_write(LOG_INFO, "replay.slice", L_INT("events", p.sums.taken),
                  L_INT("leads", p.sums.leads), L_INT("deliveries", p.sums.deliveries), L_END);
    write_answer(&p, b);
    return RC_OK;
}
