/* connectors/common.c - what the connectors share: requests, answers, text limits. */
#include "connectors_priv.h"

#include <inttypes.h>
#include <string.h>

#include "funneld/base/crypto.h"

enum { REASON_BODY_MAX = 200 };

void request_bearer(struct http_request *r, struct str token, struct arena *a)
{
    http_header_add(r, "Authorization", arena_printf(a, "Bearer %.*s", STR_ARG(token)));
}

enum rc request_body(struct http_request *r, const struct sbuf *b, const char *content_type,
                     struct arena *a, struct why *why)
{
    if (sbuf_seal(b, a, &r->body))
        return why_fail(RC_INVALID, why, "the request would be above %zu bytes", b->max);
    http_header_add(r, "Content-Type", str_of(content_type));
    return RC_OK;
}

uint64_t quota_key(struct str account, const char *limit)
{
    const struct str parts[] = {account, STR("\n"), str_of(limit)};
    uint8_t hash[SHA256_LEN];
    uint64_t key;

    sha256(parts, ARRAY_LEN(parts), hash);
    memcpy(&key, hash, sizeof key);
    return key;
}

enum rc url_seal(const struct sbuf *b, struct arena *a, struct str *ret, struct why *why)
{
    if (sbuf_seal(b, a, ret))
        return why_fail(RC_INVALID, why, "the address would be above %zu bytes", b->max);
    return RC_OK;
}

bool answer_object(const struct http_response *r, struct json_doc *ret)
{
    if (!r->body.len || json_parse(r->body, ret, NULL))
        return false;
    return json_type(ret->root) == JSON_OBJECT;
}

bool status_is_temporary(int status)
{
    return status == 408 || (status >= 500 && status <= 599);
}

void job_rest(struct job *job, const struct http_response *r, int64_t fallback_ms)
{
    int64_t wait = r->retry_after_ms > 0 ? r->retry_after_ms : fallback_ms;

    if (wait > job->pause_ms)
        job->pause_ms = wait;
}

void judge_one(struct job *job, size_t i, enum verdict v, struct str reason)
{
    job->outcomes[i].verdict = v;
    job->outcomes[i].reason = reason;
}

enum judged judge_all(struct job *job, enum verdict v, struct str reason)
{
    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE)
            judge_one(job, i, v, reason);
    return JUDGED_DONE;
}

void judge_unclear(struct job *job, size_t i, struct str reason)
{
    bool early = job->parcels[i].d.unclear < UNCLEAR_ANSWERS_MAX;

    job->outcomes[i].unclear = early;
    judge_one(job, i, early ? VERDICT_RETRY : VERDICT_DEAD, reason);
}

enum judged judge_unknown(struct job *job, struct str reason)
{
    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE)
            judge_unclear(job, i, reason);
    return JUDGED_DONE;
}

struct str redirect_reason(const struct http_response *r, struct arena *a)
{
    return arena_printf(a, "HTTP %d: the service never redirects; check the connector's url",
                        r->status);
}

enum judged judge_redirect(struct job *job, const struct http_response *r)
{
    return judge_all(job, VERDICT_DEAD, redirect_reason(r, job->arena));
}

enum judged judge_settled(struct job *job)
{
    job->settled = true;
    return JUDGED_CONTINUE;
}

enum judged judge_broken(struct job *job, struct str reason)
{
    job->broken = true;
    return judge_all(job, VERDICT_RETRY, reason);
}

struct str http_reason(const struct http_response *r, struct arena *a)
{
    struct str body =
        str_is_utf8(r->body) ? str_cut(r->body, REASON_BODY_MAX) : (struct str){r->body.at, 0};

    if (r->fate != HTTP_ANSWERED)
        return arena_str(a, r->error);
    body = str_trim(body);
    if (!body.len)
        return arena_printf(a, "HTTP %d", r->status);

    char *clean = arena_alloc(a, body.len);
    for (size_t i = 0; i < body.len; i++) {
        unsigned char c = (unsigned char)body.at[i];

        clean[i] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    return arena_printf(a, "HTTP %d: %.*s", r->status, (int)body.len, clean);
}

struct str score_text(int64_t tenths, struct arena *a)
{
    uint64_t size = tenths < 0 ? (uint64_t)0 - (uint64_t)tenths : (uint64_t)tenths;
    const char *sign = tenths < 0 ? "-" : "";

    if (size % 10 == 0)
        return arena_printf(a, "%s%" PRIu64, sign, size / 10);
    return arena_printf(a, "%s%" PRIu64 ".%" PRIu64, sign, size / 10, size % 10);
}

static bool starts_point(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* A code point outside the basic plane has a lead byte of F0 or more, and two UTF-16 units. */
static struct str text_prefix(struct str s, size_t max, size_t astral_counts)
{
    size_t used = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (!starts_point(s.at[i]))
            continue;
        used += (unsigned char)s.at[i] >= 0xf0 ? astral_counts : 1;
        if (used > max)
            return (struct str){s.at, i};
    }
    return s;
}

struct str text_points(struct str s, size_t max_points)
{
    return text_prefix(s, max_points, 1);
}

struct str text_units(struct str s, size_t max_units)
{
    return text_prefix(s, max_units, 2);
}

size_t text_point_len(struct str s, size_t at)
{
    size_t n = 1;

    while (n < 4 && at + n < s.len && !starts_point(s.at[at + n]))
        n++;
    return n;
}

static struct str point_of_line(struct str point)
{
    unsigned char c = (unsigned char)point.at[0];

    if (c < 0x20 || c == 0x7f)
        return STR(" ");
    return str_is_utf8(point) ? point : STR("\xef\xbf\xbd");
}

struct str text_line(struct str raw, size_t max_points, struct arena *a)
{
    struct str rest = str_trim(raw);
    struct sbuf b AUTO(sbuf_free) = SBUF(4 * max_points);
    size_t room = 0; /* what fits together with the ellipsis */

    for (size_t points = 0; rest.len; points++) {
        size_t n = text_point_len(rest, 0);

        if (points == max_points)
            return arena_printf(a, "%.*s\xe2\x80\xa6", (int)room, b.at);
        if (points + 1 == max_points)
            room = b.len;
        sbuf_add(&b, point_of_line((struct str){rest.at, n}));
        rest = str_from(rest, n);
    }
    return arena_str(a, b.len ? str_trim(sbuf_str(&b)) : STR(""));
}

struct str text_lower(struct str s, struct arena *a)
{
    char *to = arena_alloc(a, s.len + 1);

    for (size_t i = 0; i < s.len; i++)
        to[i] = s.at[i] >= 'A' && s.at[i] <= 'Z' ? (char)(s.at[i] + 'a' - 'A') : s.at[i];
    return (struct str){to, s.len};
}

struct str lead_text(const struct lead *l, const char *property)
{
    struct str value = lead_get(l, str_of(property));

    return value.len ? value : STR_NULL;
}
