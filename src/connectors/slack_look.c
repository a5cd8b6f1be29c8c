/* connectors/slack_look.c - after an attempt of unknown fate: is the message there already?
 *
 * A message carries the id of its delivery, or those of a digest's, in its metadata, which a bot
 * that may read the channel's history sees. Replies stand in their thread only.
 */
#include "slack_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/base/url.h"

enum { URL_MAX = 4096, LOOK_PAGE = 100, LOOK_PAGES_MAX = 50 };

/* Their clock and ours, which may have been set wrong: more to read, never a message unseen. */
#define LOOK_BEFORE_MS (1 * DAYS_MS)

/* When the oldest of the attempts in doubt began. */
static int64_t look_since(const struct job *job)
{
    int64_t since = INT64_MAX;

    for (size_t i = 0; i < job->n; i++) {
        const struct delivery *d = &job->parcels[i].d;
        int64_t began = d->open_attempt_at ? d->open_attempt_at : d->created_at;

        if (job->outcomes[i].verdict == VERDICT_NONE && began < since)
            since = began;
    }
    return since > LOOK_BEFORE_MS ? since - LOOK_BEFORE_MS : 0;
}

static void where(const struct job *job, struct sbuf *url)
{
    const struct slack *s = job->settings;
    const struct slack_talk *talk = job->scratch;
    bool thread = job->step == SLACK_LOOK_THREAD;

    sbuf_add(url, s->common.url);
    sbuf_printf(url, "/api/conversations.%s?channel=", thread ? "replies" : "history");
    url_encode(url, thread ? talk->parent.channel : s->channel);
    if (thread) {
        sbuf_text(url, "&ts=");
        url_encode(url, talk->parent.ts);
    }
}

enum rc slack_look_build(struct job *job, struct http_request *ret, struct why *why)
{
    const struct slack_talk *talk = job->scratch;
    int64_t since = look_since(job);
    struct sbuf url AUTO(sbuf_free) = SBUF(URL_MAX);

    where(job, &url);
    sbuf_printf(&url, "&oldest=%" PRId64 ".%03" PRId64 "000&inclusive=true", since / 1000,
                since % 1000);
    sbuf_printf(&url, "&include_all_metadata=true&limit=%d", LOOK_PAGE);
    if (talk->cursor.len) {
        sbuf_text(&url, "&cursor=");
        url_encode(&url, talk->cursor);
    }
    *ret = (struct http_request){.method = "GET", .repeatable = true};
    request_bearer(ret, ((const struct slack *)job->settings)->token, job->arena);
    return url_seal(&url, job->arena, &ret->url, why);
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* What one message of the history tells of. */
struct told {
    struct str delivery, database; /* database: of a digest */
    int64_t ids[DIGEST_MAX];
    size_t n;
};

static bool read_told(const json *message, struct told *ret)
{
    const json *payload = json_path(message, "metadata.event_payload");
    struct str type = json_string(json_path(message, "metadata.event_type"));

    *ret = (struct told){.n = 0};
    if (str_is(type, SLACK_EVENT_TYPE)) {
        ret->delivery = json_string(json_get(payload, "delivery"));
        return ret->delivery.len > 0;
    }
    ret->database = json_string(json_get(payload, "database"));
    return str_is(type, SLACK_DIGEST_TYPE) && ret->database.len &&
           slack_ids_read(json_string(json_get(payload, "deliveries")), ret->ids, &ret->n);
}

static bool tells_of(const struct told *t, const struct parcel *p)
{
    struct str rest = p->public_id, database;

    if (t->delivery.len)
        return str_eq(t->delivery, p->public_id);
    return str_split(&rest, '-', &database) && str_eq(database, t->database) &&
           bsearch(&p->d.id, t->ids, t->n, sizeof *t->ids, by_number);
}

/* One that was told by itself is where its lead's thread begins. */
static void found(struct job *job, size_t i, const struct told *t, struct str ts)
{
    const struct slack *s = job->settings;
    const struct slack_talk *talk = job->scratch;
    bool thread = job->step == SLACK_LOOK_THREAD;
    struct outcome *o = &job->outcomes[i];

    o->remote_id = slack_ref_text(thread ? talk->parent.channel : s->channel, ts, job->arena);
    if (s->thread && !thread && t->delivery.len)
        o->remote_lead = slack_thread_text(o->remote_id, &job->parcels[i], job->arena);
    judge_one(job, i, VERDICT_DELIVERED, STR_NULL);
}

static void find_all(struct job *job, const json *messages)
{
    struct told told;

    for (const json *m = json_first(messages); m; m = json_next(m))
        for (size_t i = 0; read_told(m, &told) && i < job->n; i++)
            if (job->outcomes[i].verdict == VERDICT_NONE && tells_of(&told, &job->parcels[i]))
                found(job, i, &told, json_string(json_get(m, "ts")));
}

static bool is_decided(const struct job *job)
{
    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE)
            return false;
    return true;
}

/* The thread was read to its end: the lead may have had another when the attempt was made. */
static enum judged look_is_over(struct job *job)
{
    struct slack_talk *talk = job->scratch;

    talk->cursor = STR_NULL;
    talk->pages = 0;
    job->step = job->step == SLACK_LOOK_THREAD ? SLACK_LOOK : (int)slack_tell_step(job);
    return JUDGED_CONTINUE;
}

static enum judged look_on(struct job *job, const json *answer)
{
    struct slack_talk *talk = job->scratch;
    struct str cursor = json_string(json_path(answer, "response_metadata.next_cursor"));

    find_all(job, json_get(answer, "messages"));
    if (is_decided(job))
        return JUDGED_DONE;
    if (!json_true(json_get(answer, "has_more")) || !cursor.len || ++talk->pages >= LOOK_PAGES_MAX)
        return look_is_over(job);
    talk->cursor = arena_str(job->arena, cursor);
    return JUDGED_CONTINUE;
}

/* What will be refused whenever it is asked: a token may post where it may not look, and what is
 * wrong with the channel posting will tell. A thread that is gone holds nothing. */
static bool ends_the_look(const struct job *job, struct str code)
{
    return slack_is_about_scope(code) || slack_class_of(code) == SLACK_CHANNEL ||
           (job->step == SLACK_LOOK_THREAD && slack_parent_is_gone(code));
}

/* What nobody knows the meaning of may pass; but not without end. */
static bool is_asked_enough(const struct job *job)
{
    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE &&
            job->parcels[i].d.unclear < UNCLEAR_ANSWERS_MAX)
            return false;
    return true;
}

static enum judged leave_in_doubt(struct job *job, struct str reason, bool unclear)
{
    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE)
            job->outcomes[i].unclear = unclear;
    return judge_all(job, VERDICT_AMBIGUOUS, reason);
}

/* The delivery stays ambiguous, for as long as it takes where Slack is busy or the token is worth
 * nothing. Where the look is over it goes as without one: it is posted. */
static enum judged look_failed(struct job *job, const struct http_response *r, struct str code)
{
    enum slack_class class = slack_class_of(code);
    const struct slack_class_verdict *v = slack_verdict_of(class);
    bool passes = v->pause_ms || class == SLACK_RETRY || class == SLACK_PARTIAL ||
                  status_is_temporary(r->status) || r->status < 200;
    bool unclear = !passes && class != SLACK_DESTINATION;

    if (!passes && (ends_the_look(job, code) || (unclear && is_asked_enough(job))))
        return look_is_over(job);
    if (v->pause_ms)
        job_rest(job, r, v->pause_ms);
    job->broken = class == SLACK_DESTINATION;
    return leave_in_doubt(job,
                          arena_printf(job->arena, "%.*s%s", STR_ARG(http_reason(r, job->arena)),
                                       job->broken ? v->advice : ""),
                          unclear);
}

enum judged slack_look_judge(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (r->status == 429)
        return slack_judge_429(job, r, VERDICT_AMBIGUOUS);
    if (!answer_object(r, &doc))
        return look_failed(job, r, r->status == 200 ? STR("service_unavailable") : STR_NULL);
    if (!json_true(json_get(doc.root, "ok")))
        return look_failed(job, r, json_string(json_get(doc.root, "error")));
    return look_on(job, doc.root);
}
