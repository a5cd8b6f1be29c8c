/* connectors/slack_owner.c - the CRM's owner of a lead as somebody to mention in Slack.
 *
 * An address is asked about once a day, one that Slack does not know once an hour. Whatever goes
 * wrong here, the message goes out: it then mentions nobody.
 */
#include "slack_priv.h"

#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/base/url.h"

enum { URL_MAX = 1024 };

#define KNOWN_MS   (24 * HOURS_MS)
#define UNKNOWN_MS (1 * HOURS_MS)
#define REFUSED_MS (1 * HOURS_MS) /* no scope, say */
#define TROUBLE_MS (1 * MINUTES_MS)

static void hash_of(struct str email, uint8_t ret[HASH_LEN])
{
    uint8_t digest[SHA256_LEN];

    sha256(&email, 1, digest);
    memcpy(ret, digest, HASH_LEN);
}

/* Where it is, or would be: one that falls on the same place takes it over. */
static struct slack_owner *place(struct slack_session *s, const uint8_t hash[HASH_LEN])
{
    return &s->owners[hash[0] % SLACK_OWNERS];
}

static bool is_fresh(int64_t until, int64_t now_ms, int64_t longest)
{
    return until > now_ms && until <= now_ms + longest; /* a clock may have been ahead */
}

static struct str email_of(const struct job *job)
{
    const struct slack *s = job->settings;
    struct str raw = lead_get(job->parcels[0].lead, s->owner_property);

    return s->mention_owner && !job->digest ? email_normalise(raw, job->arena) : STR_NULL;
}

bool slack_owner_unknown(struct job *job, struct str *ret_email)
{
    struct slack_session *session = job->session;
    struct slack_talk *talk = job->scratch;
    struct str email = email_of(job);
    uint8_t hash[HASH_LEN];

    if (!email.len)
        return false;
    hash_of(email, hash);
    const struct slack_owner *o = place(session, hash);
    if (memcmp(o->hash, hash, sizeof hash) == 0 && is_fresh(o->until, job->now_ms, KNOWN_MS)) {
        talk->owner = arena_str(job->arena, str_of(o->user));
        return false;
    }
    *ret_email = email;
    return !is_fresh(session->no_lookup_until, job->now_ms, DAYS_MS);
}

enum rc slack_owner_build(struct job *job, struct http_request *ret, struct why *why)
{
    const struct slack *s = job->settings;
    struct sbuf url AUTO(sbuf_free) = SBUF(URL_MAX);

    sbuf_add(&url, s->common.url);
    sbuf_text(&url, "/api/users.lookupByEmail?email=");
    url_encode(&url, email_of(job));
    *ret = (struct http_request){.method = "GET", .repeatable = true};
    request_bearer(ret, s->token, job->arena);
    return url_seal(&url, job->arena, &ret->url, why);
}

static void remember(struct job *job, struct str user, int64_t for_ms)
{
    uint8_t hash[HASH_LEN];

    hash_of(email_of(job), hash);
    struct slack_owner *o = place(job->session, hash);
    memset(o->user, 0, sizeof o->user);
    memcpy(o->hash, hash, sizeof hash);
    if (user.len) /* else NULL, which memcpy must not see */
        memcpy(o->user, user.at, user.len);
    o->until = job->now_ms + for_ms;
}

static void no_lookup_for(struct job *job, int64_t ms)
{
    ((struct slack_session *)job->session)->no_lookup_until =
        job->now_ms + (ms < DAYS_MS ? ms : DAYS_MS);
}

/* Somebody who left the workspace cannot be mentioned. */
static void take_user(struct job *job, const json *user)
{
    struct slack_talk *talk = job->scratch;
    struct str id = json_string(json_get(user, "id"));

    if (!slack_is_user(id) || json_true(json_get(user, "deleted"))) {
        remember(job, STR_NULL, UNKNOWN_MS);
        return;
    }
    talk->owner = arena_str(job->arena, id);
    remember(job, talk->owner, KNOWN_MS);
}

static void take_refusal(struct job *job, struct str code)
{
    switch (slack_class_of(code)) {
    case SLACK_RETRY:
    case SLACK_PARTIAL:
    case SLACK_QUOTA:
    case SLACK_LONG:
        no_lookup_for(job, TROUBLE_MS);
        break;
    default:
        if (str_is(code, "users_not_found"))
            remember(job, STR_NULL, UNKNOWN_MS);
        else
            no_lookup_for(job, REFUSED_MS);
    }
}

/* This method has a limit of its own: when it is used up only the mentions rest. */
enum judged slack_owner_judge(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (r->status == 429)
        no_lookup_for(job, r->retry_after_ms > 0 ? r->retry_after_ms : TROUBLE_MS);
    else if (!answer_object(r, &doc))
        no_lookup_for(job, TROUBLE_MS);
    else if (json_true(json_get(doc.root, "ok")))
        take_user(job, json_get(doc.root, "user"));
    else
        take_refusal(job, json_string(json_get(doc.root, "error")));
    slack_job_begin(job);
    return JUDGED_CONTINUE;
}
