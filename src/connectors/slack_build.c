/* connectors/slack_build.c - one job's way: whom to mention, did it arrive, tell, bring up to date.
 *
 *     START -> OWNER? -> UPDATE                             a message that somebody answered
 *                     -> LOOK_THREAD? -> LOOK? -> POST      the lead's first message, or a digest
 *                                              -> REPLY -> REFRESH     what follows in its thread
 */
#include "slack_priv.h"

enum { BODY_MAX = 64 * 1024 };

/* A webhook cannot look; left to the default it repeats. */
static enum slack_doubt doubt_of(const struct slack *s)
{
    if (s->webhook.len && s->on_ambiguous == SLACK_DOUBT_LOOK)
        return SLACK_DOUBT_RESEND;
    return (enum slack_doubt)s->on_ambiguous;
}

/* Of a digest one may be left that was not found: it gets a message of its own. */
bool slack_is_single(const struct job *job, size_t *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE) {
            *ret = i;
            n++;
        }
    return n == 1;
}

enum slack_step slack_tell_step(const struct job *job)
{
    const struct slack_talk *talk = job->scratch;

    return talk->parent.ts.len ? SLACK_REPLY : SLACK_POST;
}

void slack_job_begin(struct job *job)
{
    const struct slack_talk *talk = job->scratch;

    if (job->parcels[0].d.remote_id.len)
        job->step = SLACK_UPDATE;
    else if (!job->look || doubt_of(job->settings) != SLACK_DOUBT_LOOK)
        job->step = (int)slack_tell_step(job);
    else
        job->step = talk->parent.ts.len ? SLACK_LOOK_THREAD : SLACK_LOOK;
}

/* The thread of a lead whose channel was changed since is in the old one. */
static void find_parent(const struct job *job, struct slack_talk *talk)
{
    const struct slack *s = job->settings;
    struct slack_ref ref;

    if (s->thread && !job->digest && slack_ref_parse(job->parcels[0].remote_lead, &ref) &&
        (str_eq(ref.channel, s->channel) || slack_is_user(s->channel)))
        talk->parent = ref;
}

static enum rc check_update(const struct job *job, struct why *why)
{
    const struct slack *s = job->settings;
    struct str remote = job->parcels[0].d.remote_id;
    struct slack_ref ref;

    if (remote.len && s->webhook.len)
        return why_fail(RC_INVALID, why, "a webhook cannot change a message");
    if (remote.len && !slack_ref_parse(remote, &ref))
        return why_fail(RC_INVALID, why, "%.100s is no message in Slack",
                        arena_text(job->arena, remote));
    return RC_OK;
}

static enum rc start(struct job *job, struct why *why)
{
    enum rc rc = check_update(job, why);
    struct str email;

    if (rc != RC_OK)
        return rc;
    if (job->look && doubt_of(job->settings) == SLACK_DOUBT_DROP)
        return why_fail(RC_INVALID, why,
                        "the message may have arrived; on_ambiguous = drop does not repeat it");
    job->scratch = ARENA_NEW(job->arena, struct slack_talk);
    find_parent(job, job->scratch);
    if (slack_owner_unknown(job, &email))
        job->step = SLACK_OWNER;
    else
        slack_job_begin(job);
    return RC_OK;
}

static void address(const struct job *job, const char *method, struct http_request *ret)
{
    const struct slack *s = job->settings;

    *ret = (struct http_request){.method = "POST", .url = s->webhook};
    if (!s->token.len)
        return;
    ret->url = arena_printf(job->arena, "%.*s/api/%s", STR_ARG(s->common.url), method);
    request_bearer(ret, s->token, job->arena);
}

static struct slack_view view_of(const struct job *job, size_t i)
{
    const struct slack_talk *talk = job->scratch;

    return (struct slack_view){
        .settings = job->settings,
        .parcel = &job->parcels[i],
        .owner = talk->owner,
        .form = talk->form,
        .now_ms = job->now_ms,
        .arena = job->arena,
    };
}

static void post(struct job *job, struct sbuf *b)
{
    const struct slack *s = job->settings;
    const struct slack_talk *talk = job->scratch;
    size_t alone;

    if (s->token.len)
        json_kv(b, "channel", s->channel);
    if (slack_is_single(job, &alone)) {
        const struct slack_view view = view_of(job, alone);

        slack_message(b, &view);
        slack_metadata(b, view.parcel->public_id);
    } else {
        slack_digest_message(b, job, talk->form);
    }
    slack_quiet(b);
}

static void reply(struct job *job, struct sbuf *b)
{
    const struct slack_talk *talk = job->scratch;
    const struct slack_view view = view_of(job, 0);

    json_kv(b, "channel", talk->parent.channel);
    json_kv(b, "thread_ts", talk->parent.ts);
    slack_reply(b, &view);
    slack_metadata(b, view.parcel->public_id);
    slack_quiet(b);
}

/* The metadata stay as they were: by them the first delivery of the message is found. */
static void update(struct job *job, struct sbuf *b)
{
    const struct slack_talk *talk = job->scratch;
    bool answered = job->step == SLACK_UPDATE;
    const struct slack_view view = view_of(job, 0);
    struct slack_ref ref = talk->parent;

    if (answered)
        (void)slack_ref_parse(view.parcel->d.remote_id, &ref); /* checked before */
    json_kv(b, "channel", ref.channel);
    json_kv(b, "ts", ref.ts);
    slack_message(b, &view);
}

static const struct speech {
    const char *method;
    void (*write)(struct job *job, struct sbuf *b);
    bool repeatable;
} speeches[] = {
    [SLACK_POST] = {"chat.postMessage", post, false},
    [SLACK_REPLY] = {"chat.postMessage", reply, false},
    [SLACK_REFRESH] = {"chat.update", update, true},
    [SLACK_UPDATE] = {"chat.update", update, true},
};

/* Slack counts by method and workspace, whichever connector asks. What it lets through is said of
 * some methods only; of the others a quota is what a Retry-After rests. */
#define NOT_TOLD   1000.0
#define PER_MINUTE (1 / 60.0)
static const struct {
    const char *method;
    double per_second, burst;
} limits[] = {
    [SLACK_START] = {"chat.postMessage", NOT_TOLD, NOT_TOLD},
    [SLACK_OWNER] = {"users.lookupByEmail", 50 * PER_MINUTE, 20},
    [SLACK_LOOK_THREAD] = {"conversations.replies", NOT_TOLD, NOT_TOLD},
    [SLACK_LOOK] = {"conversations.history", NOT_TOLD, NOT_TOLD},
    [SLACK_POST] = {"chat.postMessage", NOT_TOLD, NOT_TOLD},
    [SLACK_REPLY] = {"chat.postMessage", NOT_TOLD, NOT_TOLD},
    [SLACK_REFRESH] = {"chat.update", 50 * PER_MINUTE, 20},
    [SLACK_UPDATE] = {"chat.update", 50 * PER_MINUTE, 20},
};

size_t slack_quotas(const struct job *job, struct quota ret[])
{
    const struct slack *s = job->settings;

    if (!s->token.len)
        return 0;
    ret[0] = (struct quota){quota_key(s->token, limits[job->step].method),
                            limits[job->step].per_second, limits[job->step].burst};
    return 1;
}

static enum rc speak(struct job *job, struct http_request *ret, struct why *why)
{
    const struct speech *speech = &speeches[job->step];
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);

    address(job, speech->method, ret);
    ret->repeatable = speech->repeatable;
    json_open(&b, '{');
    speech->write(job, &b);
    json_close(&b, '}');
    return request_body(ret, &b, "application/json; charset=utf-8", job->arena, why);
}

enum rc slack_build(struct job *job, struct http_request *ret, struct why *why)
{
    enum rc rc = job->step == SLACK_START ? start(job, why) : RC_OK;

    if (rc != RC_OK)
        return rc;
    if (job->step == SLACK_OWNER)
        return slack_owner_build(job, ret, why);
    if (job->step == SLACK_LOOK || job->step == SLACK_LOOK_THREAD)
        return slack_look_build(job, ret, why);
    return speak(job, ret, why);
}
