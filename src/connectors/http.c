/* connectors/http.c - any receiver: JSON, a CloudEvent or a text, signed where there is a secret.
 *
 * Signatures are those of Standard Webhooks: webhook-id is the delivery's, the same at each try, by
 * which a receiver knows what it has seen; the timestamp is that of the try.
 */
#include "hook_priv.h"

#include <inttypes.h>

#include "funneld/base/clock.h"
#include "funneld/base/standard_webhooks.h"

enum { BODY_MAX = 256 * 1024, OWN_HEADERS_MAX = HTTP_MAX_HEADERS - 4 };

enum format { FORMAT_JSON, FORMAT_CLOUDEVENTS, FORMAT_MESSAGE };
static const char *const formats[] = {"json", "cloudevents", "message", NULL};

struct http {
    struct connector_common common;
    struct str secret, secret_previous;
    struct str_pairs headers;
    int64_t format, on_ambiguous;
};

static const struct option http_options[] = {
    {.key = "url",
     .type = OPTION_SECRET,
     .offset = offsetof(struct http, common.url),
     .flags = OPTION_REQUIRED,
     .example = "${HOOK_URL}",
     .help = "where messages are posted, exactly as written; http:// only to loopback"},
    {.key = "secret",
     .type = OPTION_SECRET,
     .offset = offsetof(struct http, secret),
     .example = "${HOOK_SECRET}",
     .help = "signs each message as Standard Webhooks says"},
    {.key = "secret_previous",
     .type = OPTION_SECRET,
     .offset = offsetof(struct http, secret_previous),
     .example = "${HOOK_SECRET_BEFORE}",
     .help = "signs as well, until the receiver knows the new one"},
    {.key = "header.",
     .type = OPTION_SECRETS,
     .offset = offsetof(struct http, headers),
     .example = "value",
     .help = "a header to send along, as in header.Authorization = Bearer ..."},
    {.key = "format",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct http, format),
     .choices = formats,
     .fallback = "json",
     .help = "what is posted"},
    HOOK_DOUBT_OPTION(struct http),
    CONNECTOR_PACE(struct http, "20s", "4", "10/s", "0", "14d", "2s", "15m"),
};

static const struct section_spec http_spec = {
    .kind = "connector",
    .type = "http",
    .named = true,
    .options = http_options,
    .n_options = ARRAY_LEN(http_options),
    .size = sizeof(struct http),
    .help = "a message to any address",
};

static void check_secret(struct str secret, const char *key, const struct conf_section *section,
                         struct conf_problems *problems)
{
    struct arena a AUTO(arena_free) = {0};
    struct str bytes;
    struct why why = {0};

    if (secret.len && standard_key(secret, &a, &bytes, &why))
        conf_problem(problems, section, conf_find(section, key),
                     "make one: printf whsec_%s \"$(openssl rand -base64 32)\"",
                     "the %s cannot sign: %s", key, why.text);
}

static bool is_value(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] < 0x20 || s.at[i] == 0x7f)
            return false;
    return true;
}

/* Those that say where a message ends, and those that are ours. */
static bool is_taken(struct str name)
{
    static const char *const taken[] = {"connection",
                                        "content-encoding",
                                        "content-length",
                                        "content-type",
                                        "expect",
                                        "host",
                                        "te",
                                        "trailer",
                                        "transfer-encoding",
                                        "upgrade",
                                        "webhook-id",
                                        "webhook-signature",
                                        "webhook-timestamp"};

    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        if (str_ieq(name, str_of(taken[i])))
            return true;
    return false;
}

static void check_header(const struct str_pair *h, const struct conf_section *section,
                         struct conf_problems *problems)
{
    struct str key = arena_printf(problems->arena, "header.%.*s", STR_ARG(h->name));
    const struct conf_entry *e = conf_find(section, key.at);

    if (is_taken(h->name))
        conf_problem(problems, section, e, "leave it out",
                     "the header %.*s is set by funneld itself", STR_ARG(h->name));
    else if (!is_value(h->value))
        conf_problem(problems, section, e, "it must be one line",
                     "the value of the header %.*s holds a control character", STR_ARG(h->name));
}

static void check_headers(const struct str_pairs *headers, const struct conf_section *section,
                          struct conf_problems *problems)
{
    if (headers->n > OWN_HEADERS_MAX)
        conf_problem(problems, section, NULL, "leave some out",
                     "at most %d headers of your own can be sent along", OWN_HEADERS_MAX);
    for (size_t i = 0; i < headers->n; i++) {
        check_header(&headers->items[i], section, problems);
        for (size_t k = 0; k < i; k++)
            if (str_ieq(headers->items[i].name, headers->items[k].name))
                conf_problem(problems, section, NULL, "leave one of them out",
                             "the header %.*s is set twice", STR_ARG(headers->items[i].name));
    }
}

static void http_check(const void *settings, const struct conf_section *section,
                       struct conf_problems *problems)
{
    const struct http *s = settings;

    hook_check_url(s->common.url, section, problems);
    check_secret(s->secret, "secret", section, problems);
    check_secret(s->secret_previous, "secret_previous", section, problems);
    if (s->secret_previous.len && !s->secret.len)
        conf_problem(problems, section, conf_find(section, "secret_previous"),
                     "set secret, or rename this one", "secret_previous needs a secret beside it");
    check_headers(&s->headers, section, problems);
}

static void write_json(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    json_kv_text(b, "type", lead_event(p));
    json_kv_time(b, "timestamp", p->d.facts.event_time);
    json_key(b, "data");
    lead_payload(b, p, a);
}

/* The database that the id counts in: together they are unique, as CloudEvents wants it. */
static struct str source_of(struct str public_id, struct arena *a)
{
    const char *dash = str_chr(public_id, '-');
    size_t len = dash ? (size_t)(dash - public_id.at) : public_id.len;

    return arena_printf(a, "urn:funneld:%.*s", (int)len, public_id.at);
}

static void write_cloudevent(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    json_kv_text(b, "specversion", "1.0");
    json_kv(b, "id", p->public_id);
    json_kv(b, "source", source_of(p->public_id, a));
    json_kv_text(b, "type", lead_event(p));
    json_kv(b, "subject", p->lead_public_id);
    json_kv_time(b, "time", p->d.facts.event_time);
    json_kv_text(b, "datacontenttype", "application/json");
    json_key(b, "data");
    lead_payload(b, p, a);
}

/* What Mattermost, Rocket.Chat, Google Chat and others take from a webhook. */
static void write_message(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    json_kv(b, "text", lead_message(p, a));
}

static const struct {
    void (*write)(struct sbuf *b, const struct parcel *p, struct arena *a); /* members */
    const char *content_type;
    bool has_id; /* by which a receiver can tell that it has seen it */
} bodies[] = {
    [FORMAT_JSON] = {write_json, "application/json; charset=utf-8", true},
    [FORMAT_CLOUDEVENTS] = {write_cloudevent, "application/cloudevents+json; charset=utf-8", true},
    [FORMAT_MESSAGE] = {write_message, "application/json; charset=utf-8", false},
};

static enum rc sign(const struct http *s, const struct job *job, struct http_request *ret,
                    struct why *why)
{
    struct standard_message m = {
        .id = job->parcels[0].public_id,
        .timestamp = arena_printf(job->arena, "%" PRId64, job->now_ms / SECONDS_MS),
        .body = ret->body,
    };
    const struct str secrets[] = {s->secret, s->secret_previous};
    struct str all = STR("");

    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        struct str key, one;

        if (!secrets[i].len)
            continue;
        if (standard_key(secrets[i], job->arena, &key, why))
            return why_wrap(RC_INVALID, why, "the secret");
        one = standard_sign(key, &m, job->arena);
        all = arena_printf(job->arena, "%.*s%s%.*s", STR_ARG(all), i ? " " : "", STR_ARG(one));
    }
    http_header_add(ret, "webhook-id", m.id);
    http_header_add(ret, "webhook-timestamp", m.timestamp);
    http_header_add(ret, "webhook-signature", all);
    return RC_OK;
}

static enum rc http_build(struct job *job, struct http_request *ret, struct why *why)
{
    const struct http *s = job->settings;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    enum rc rc = hook_begin(job, s->on_ambiguous, why);

    if (rc)
        return rc;
    *ret = (struct http_request){.method = "POST", .url = s->common.url, .secret_url = true};
    /* What the receiver can know again does no harm twice. */
    ret->repeatable =
        s->on_ambiguous == HOOK_DOUBT_RESEND && (bodies[s->format].has_id || s->secret.len);
    json_open(&b, '{');
    bodies[s->format].write(&b, &job->parcels[0], job->arena);
    json_close(&b, '}');
    rc = request_body(ret, &b, bodies[s->format].content_type, job->arena, why);
    if (rc == RC_OK && s->secret.len)
        rc = sign(s, job, ret, why);
    for (size_t i = 0; i < s->headers.n && rc == RC_OK; i++)
        http_header_add(ret, arena_text(job->arena, s->headers.items[i].name),
                        s->headers.items[i].value);
    return rc;
}

#define MOVED   "; it moved: put the new address into the connector's `url`"
#define FORMAT  "; it does not take this message: compare `format` with what it expects"
#define PROOF   "; check the connector's `secret` and `header.NAME`"
#define ADDRESS "; check the connector's `url`"

/* The message, the address or what proves us is wrong, and stays wrong until somebody changes it:
 * dead at once, to be put back with `funneld retry`. Standard Webhooks would try those again for
 * days. */
static const struct hook_status http_statuses[] = {
    {301, HOOK_DEAD, MOVED},
    {308, HOOK_DEAD, MOVED},
    {400, HOOK_DEAD, FORMAT},
    {401, HOOK_DEAD, PROOF},
    {403, HOOK_DEAD, PROOF},
    {404, HOOK_MISSING, ADDRESS},
    {405, HOOK_DEAD, "; it takes no POST: check the connector's `url`"},
    {406, HOOK_DEAD, FORMAT},
    {410, HOOK_GONE, "; it is gone for good: take the connector out, or give it a new `url`"},
    {411, HOOK_DEAD, FORMAT},
    {413, HOOK_DEAD, "; the message is too large for it"},
    {414, HOOK_DEAD, ADDRESS},
    {415, HOOK_DEAD, FORMAT},
    {422, HOOK_DEAD, FORMAT},
    {429, HOOK_THROTTLE, ""},
    {431, HOOK_DEAD, "; the headers are too large for it: check `header.NAME`"},
    {451, HOOK_DEAD, ""},
    {502, HOOK_THROTTLE, ""},
    {504, HOOK_THROTTLE, ""},
};

static enum judged http_judge(struct job *job, const struct http_response *r)
{
    return hook_judge(job, r, http_statuses, ARRAY_LEN(http_statuses), HOOK_REST_LANE);
}

static enum rc http_probe_next(struct probe *p, struct http_request *ret, struct why *why)
{
    const struct http *s = p->job.settings;

    (void)why;
    return probe_hook_next(p, s->common.url, ret);
}

static void http_probe_take(struct probe *p, const struct http_response *r)
{
    (void)r;
    probe_hook_take(p, "receiver");
}

const struct connector_type http_connector = {
    .name = "http",
    .spec = &http_spec,
    .max_batch = 1,
    .explains = true,
    .routable = true,
    .check = http_check,
    .build = http_build,
    .judge = http_judge,
    .probe_next = http_probe_next,
    .probe_take = http_probe_take,
};
