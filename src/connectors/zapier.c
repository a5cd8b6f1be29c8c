/* connectors/zapier.c - a catch hook of Zapier's: one flat object for each request.
 *
 * The address is all that proves us, and its last slash is part of it. An answer of 200 says that
 * Zapier has it, not that a Zap runs; nothing else in the answer means anything. Zapier does not
 * look whether it has seen an id: a Zap can (`id`).
 */
#include "hook_priv.h"

enum { BODY_MAX = 256 * 1024 };

struct zapier {
    struct connector_common common;
    int64_t on_ambiguous;
};

static const struct option zapier_options[] = {
    {.key = "url",
     .type = OPTION_SECRET,
     .offset = offsetof(struct zapier, common.url),
     .flags = OPTION_REQUIRED,
     .example = "${ZAPIER_HOOK_URL}",
     .help = "of a catch hook, https://hooks.zapier.com/hooks/catch/.../, exactly as Zapier shows "
             "it"},
    HOOK_DOUBT_OPTION(struct zapier),
    /* 20,000 in 5 minutes for each user, once 10,000, and about 30 a second. */
    CONNECTOR_PACE(struct zapier, "30s", "2", "20/s", "0", "14d", "2s", "15m"),
};

static const struct section_spec zapier_spec = {
    .kind = "connector",
    .type = "zapier",
    .named = true,
    .options = zapier_options,
    .n_options = ARRAY_LEN(zapier_options),
    .size = sizeof(struct zapier),
    .help = "starts a Zap (Webhooks by Zapier, Catch Hook)",
};

static void zapier_check(const void *settings, const struct conf_section *section,
                         struct conf_problems *problems)
{
    const struct zapier *s = settings;

    hook_check_url(s->common.url, section, problems);
}

static enum rc zapier_build(struct job *job, struct http_request *ret, struct why *why)
{
    const struct zapier *s = job->settings;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    enum rc rc = hook_begin(job, s->on_ambiguous, why);

    if (rc)
        return rc;
    *ret = (struct http_request){.method = "POST", .url = s->common.url, .secret_url = true};
    lead_payload(&b, &job->parcels[0], job->arena);
    rc = request_body(ret, &b, "application/json; charset=utf-8", job->arena, why);
    /* Else a text that looks like JSON would become keys of its own. */
    http_header_add(ret, "X-Recurse-Parse", STR("false"));
    return rc;
}

#define NEW_HOOK "; put the Zap's catch hook into the connector's `url` anew"

static const struct hook_status zapier_statuses[] = {
    {301, HOOK_DEAD, NEW_HOOK},
    {308, HOOK_DEAD, NEW_HOOK},
    {404, HOOK_MISSING, NEW_HOOK},
    {410, HOOK_GONE, NEW_HOOK},
    {413, HOOK_DEAD, "; the message is too large for it"},
    {429, HOOK_THROTTLE, ""},
    {502, HOOK_THROTTLE, ""},
    {504, HOOK_THROTTLE, ""},
};

static enum judged zapier_judge(struct job *job, const struct http_response *r)
{
    return hook_judge(job, r, zapier_statuses, ARRAY_LEN(zapier_statuses), HOOK_REST_LANE);
}

static enum rc zapier_probe_next(struct probe *p, struct http_request *ret, struct why *why)
{
    const struct zapier *s = p->job.settings;

    (void)why;
    return probe_hook_next(p, s->common.url, ret);
}

static void zapier_probe_take(struct probe *p, const struct http_response *r)
{
    (void)r;
    probe_hook_take(p, "catch hook");
}

const struct connector_type zapier_connector = {
    .name = "zapier",
    .spec = &zapier_spec,
    .max_batch = 1,
    .explains = true,
    .routable = true,
    .check = zapier_check,
    .build = zapier_build,
    .judge = zapier_judge,
    .probe_next = zapier_probe_next,
    .probe_take = zapier_probe_take,
};
