/* tests/unit/fake_connector.h - a connector with every kind of step and verdict.
 *
 * A request's path says what it is about: /post/1,2 - the answer's status what it means.
 */
#ifndef FUNNELD_TESTS_FAKE_CONNECTOR_H
#define FUNNELD_TESTS_FAKE_CONNECTOR_H

#include <stdio.h>

#include "funneld/connectors/connector.h"

#define MAYBE __attribute__((unused))

struct fake_settings {
    struct connector_common common;
    int64_t batch;
    bool repeatable, needs_token, invalid, enriches;
    bool apart;                       /* deliveries of different routes do not go together */
    bool nothing;                     /* there is nothing to send */
    int64_t digest, digest_window_ms; /* more than so many in so long become one; 0: never */
    int64_t kinds;                    /* only leads with one rest by this go together; 0: all do */
    double quota;                     /* requests a second of an account; 0: no limit */
    struct str password;
    int64_t left, left_ms; /* what each answer says of it; left_ms 0: nothing */
};

struct fake_session {
    int token;
};

enum fake_step { FAKE_START, FAKE_TOKEN, FAKE_LOOK, FAKE_POST };
static int fake_sessions_freed;
static struct parcel fake_last_parcel; /* of the last build; slices may be gone later */
static char fake_last_text[512];       /* what it was made of */

static enum fake_step after_token(const struct job *job)
{
    return job->look ? FAKE_LOOK : FAKE_POST;
}

static enum rc fake_build(struct job *job, struct http_request *ret, struct why *why)
{
    static const char *const words[] = {"", "token", "look", "post"};
    const struct fake_settings *s = job->settings;
    const struct fake_session *session = job->session;
    struct sbuf ids AUTO(sbuf_free) = SBUF(64 * 1024);
    const struct parcel *p = &job->parcels[0];

    if (s->nothing) {
        for (size_t i = 0; i < job->n; i++)
            job->outcomes[i] =
                (struct outcome){.verdict = VERDICT_DELIVERED, .reason = STR("as it was")};
        return RC_NONE;
    }
    if (s->invalid)
        return why_fail(RC_INVALID, why, "it cannot be said");
    if (job->step == FAKE_START)
        job->step = s->needs_token && !session->token ? FAKE_TOKEN : (int)after_token(job);
    for (size_t i = 0; i < job->n; i++)
        sbuf_printf(&ids, "%s%d", i ? "," : "", (int)job->parcels[i].d.id);
    *ret = (struct http_request){.method = "POST",
                                 .repeatable = s->repeatable || job->step != FAKE_POST};
    ret->url = arena_printf(job->arena, "http://localhost/%s/%s", words[job->step], ids.at);
    fake_last_parcel = *p;
    int n = snprintf(fake_last_text, sizeof fake_last_text, "%.*s %.*s %.*s %.*s %s",
                     STR_ARG(p->public_id), STR_ARG(p->lead_public_id), STR_ARG(p->crm_url),
                     STR_ARG(p->remote_lead), p->message ? "message" : "built-in");
    assert_in_range(n, 1, sizeof fake_last_text - 1);
    return RC_OK;
}

static enum judged fake_all(struct job *job, enum verdict v, const char *reason)
{
    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE) {
            job->outcomes[i].verdict = v;
            job->outcomes[i].reason = str_of(reason);
        }
    return JUDGED_DONE;
}

static enum judged fake_go_on(struct job *job, enum fake_step step)
{
    job->step = step;
    return JUDGED_CONTINUE;
}

static enum judged fake_judge_post(struct job *job, const struct http_response *r)
{
    const struct fake_settings *s = job->settings;
    static struct field known = {{"email", 5}, {"a@b", 3}};

    switch (r->status) {
    case 200:
        for (size_t i = 0; i < job->n; i++)
            job->outcomes[i].remote_id = STR("made");
        if (s->enriches)
            job->outcomes[0] = (struct outcome){.properties = &known,
                                                .n_properties = 1,
                                                .updated_at = 77,
                                                .portal_id = 5,
                                                .crm_id = 6,
                                                .enriched = true};
        return fake_all(job, VERDICT_DELIVERED, NULL);
    case 206: {
        static const struct record found[] = {{.updated_at = 88, .portal_id = 5, .crm_id = 8},
                                              {.updated_at = 89, .portal_id = 5, .crm_id = 9}};

        job->outcomes[0] = (struct outcome){.verdict = VERDICT_MORE,
                                            .reason = STR("2 contacts"),
                                            .remote_id = STR("page 2"),
                                            .recovered = found,
                                            .n_recovered = 2};
        return JUDGED_DONE;
    }
    case 207:
        job->outcomes[0].verdict = VERDICT_DELIVERED;
        return fake_all(job, VERDICT_RETRY, "only in part");
    case 297: /* refused, but there is another way to say it */
        job->settled = true;
        return fake_go_on(job, FAKE_POST);
    case 298:
        return JUDGED_DONE; /* forgot to say anything */
    case 299:
        return fake_go_on(job, FAKE_POST);
    case 250:
        return fake_all(job, VERDICT_AMBIGUOUS, "who knows");
    case 401:
        job->broken = true;
        return fake_all(job, VERDICT_RETRY, "the token was revoked");
    case 410:
        return fake_all(job, VERDICT_DEAD, NULL);
    case 418:
        job->outcomes[0].unclear = true;
        return fake_all(job, VERDICT_RETRY, "what it says nobody knows");
    case 420:
        job->pause_ms = 5000;
        return fake_all(job, VERDICT_RETRY, "quota");
    }
    return fake_all(job, r->status == 429 || r->status >= 500 ? VERDICT_RETRY : VERDICT_DEAD,
                    "refused");
}

static enum judged fake_judge(struct job *job, const struct http_response *r)
{
    struct fake_session *session = job->session;
    const struct fake_settings *s = job->settings;

    if (s->left_ms)
        job->left = (struct quota_left){quota_key(STR("account"), "posts"), s->left, s->left_ms};
    if (job->step == FAKE_POST)
        return fake_judge_post(job, r);
    if (r->status != 200)
        return fake_all(job, r->status == 403 ? VERDICT_DEAD : VERDICT_RETRY, "step failed");
    if (job->step == FAKE_TOKEN) {
        session->token = 1;
        return fake_go_on(job, after_token(job));
    }
    if (str_is(r->body, "first"))
        job->outcomes[0].verdict = VERDICT_DELIVERED;
    if (str_is(r->unmasked, "found"))
        return fake_all(job, VERDICT_DELIVERED, NULL);
    return fake_go_on(job, FAKE_POST);
}

static bool fake_together(const void *settings, const struct parcel *first,
                          const struct parcel *other)
{
    const struct fake_settings *s = settings;

    assert_non_null(other->lead); /* the parcel is whole */
    return (!s->apart || str_eq(first->d.route, other->d.route)) &&
           (!s->kinds || first->d.lead % s->kinds == other->d.lead % s->kinds);
}

static int64_t fake_batch(const void *settings)
{
    return ((const struct fake_settings *)settings)->batch;
}

static bool fake_digest(const void *settings, int64_t *ret_count, int64_t *ret_window_ms)
{
    const struct fake_settings *s = settings;

    *ret_count = s->digest;
    *ret_window_ms = s->digest_window_ms;
    return s->digest > 0;
}

static size_t fake_quotas(const struct job *job, struct quota ret[])
{
    const struct fake_settings *s = job->settings;

    ret[0] = (struct quota){quota_key(STR("account"), "posts"), s->quota, 1};
    return s->quota > 0 ? 1 : 0;
}

static void fake_session_free(void *session)
{
    (void)session;
    fake_sessions_freed++;
}

static const struct option fake_options[] = {{
    .key = "password",
    .type = OPTION_SECRET,
    .offset = offsetof(struct fake_settings, password),
}};
static const struct section_spec fake_spec = {
    .kind = "connector",
    .type = "fake",
    .options = fake_options,
    .n_options = ARRAY_LEN(fake_options),
};
static const struct connector_type fake_type = {.name = "fake",
                                                .spec = &fake_spec,
                                                .session_size = sizeof(struct fake_session),
                                                .session_free = fake_session_free,
                                                .max_batch = 100,
                                                .batch_limit = fake_batch,
                                                .together = fake_together,
                                                .digest = fake_digest,
                                                .quotas = fake_quotas,
                                                .build = fake_build,
                                                .judge = fake_judge};

#endif
