/* ingest/http.c - any other sender of webhooks: settings, and its requests.
 *
 * Its bodies are as they are: only what a map names becomes a property of the lead, the rest is
 * event.data. Payloads of Standard Webhooks say type and timestamp at the top.
 */
#include <stddef.h>

#include "mapping_priv.h"
#include "proof_priv.h"

struct http {
    struct source_common common;
    struct proof proof;
    struct str_pairs map;
    struct str enrich;
    int64_t dedupe_window;
};

static const char *const signature_choices[] = {
    [PROOF_STANDARD] = "standard",  [PROOF_SHA256] = "hmac-sha256", [PROOF_SHA1] = "hmac-sha1",
    [PROOF_SHA512] = "hmac-sha512", [PROOF_SECRET] = "bearer",      NULL,
};

static const struct option http_options[] = {
    {.key = "path",
     .type = OPTION_TEXT,
     .offset = offsetof(struct http, common.path),
     .fallback = "/webhooks/http",
     .help = "where the sender posts to"},
    {.key = "signature",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct http, proof.kind),
     .flags = OPTION_REQUIRED,
     .choices = signature_choices,
     .example = "standard",
     .help = "how the sender proves who it is; bearer: the secret itself, in Authorization or "
             "signature_header"},
    {.key = "secret",
     .type = OPTION_SECRET,
     .offset = offsetof(struct http, proof.secret),
     .flags = OPTION_REQUIRED,
     .example = "${SENDER_WEBHOOK_SECRET}",
     .help = "what sender and we know; whsec_... with standard"},
    {.key = "secret_previous",
     .type = OPTION_SECRET,
     .offset = offsetof(struct http, proof.secret_previous),
     .example = "${SENDER_WEBHOOK_SECRET_PREVIOUS}",
     .help = "also accepted, while the secret is being rotated"},
    PROOF_OPTIONS(struct http, proof),
    {.key = "enrich",
     .type = OPTION_TEXT,
     .offset = offsetof(struct http, enrich),
     .example = "crm",
     .help = "hubspot connector that is asked who a contact is, once the lead is one"},
    {.key = "dedupe_window",
     .type = OPTION_DURATION,
     .offset = offsetof(struct http, dedupe_window),
     .fallback = "24h",
     .min = SECONDS_MS,
     .max = 3650 * DAYS_MS,
     .help = "without event_id or webhook-id the same body counts once in this time"},
    MAP_OPTION(struct http),
};

static const struct section_spec http_spec = {
    .kind = "source",
    .type = "http",
    .named = true,
    .options = http_options,
    .n_options = ARRAY_LEN(http_options),
    .size = sizeof(struct http),
    .help = "webhooks of any other sender; what no map names is event.data.KEY, never a property",
};

static const struct mapped_kind http_kind = {
    .id_domain = "http.id",
    .body_domain = "http.body",
    .default_type = {"http.event", 10},
    .takes_seconds = true,
};

static void http_check(const void *settings, const struct conf_section *section,
                       struct str public_url, struct conf_problems *problems)
{
    const struct conf_entry *kind = conf_find(section, "signature");
    const struct http *h = settings;

    (void)public_url; /* it is not signed */
    check_common(&h->common, h->proof.secret, section, problems);
    if (kind && str_is(kind->value, signature_choices[h->proof.kind])) /* else it has its problem */
        proof_check(&h->proof, section, problems);
    mapping_check(&h->map, section, problems);
}

static enum refusal http_verify_head(const struct source *s, const struct raw_request *r,
                                     struct arena *a, struct why *why)
{
    const struct http *h = s->settings;

    return proof_head(&h->proof, r, a, why);
}

static const char *http_proof(const struct source *s, const struct raw_request *r)
{
    const struct http *h = s->settings;

    (void)r;
    return signature_choices[h->proof.kind];
}

static enum refusal http_verify(const struct source *s, const struct raw_request *r,
                                struct arena *a, struct why *why)
{
    const struct http *h = s->settings;

    return proof_verify(&h->proof, r, a, why);
}

static bool maps(const struct http *h, struct str name)
{
    for (size_t i = 0; i < h->map.n; i++)
        if (str_eq(h->map.items[i].name, name))
            return true;
    return false;
}

/* The map, with where Standard Webhooks puts what it does not say. */
static struct str_pairs whole_map(const struct http *h, struct arena *a)
{
    static const struct str_pair standard[] = {{{"event_type", 10}, {"$.type", 6}, 0},
                                               {{"occurred_at", 11}, {"$.timestamp", 11}, 0}};
    struct str_pair *pairs = arena_array(a, h->map.n + ARRAY_LEN(standard), sizeof *pairs);
    size_t n = 0;

    if (h->proof.kind != PROOF_STANDARD)
        return h->map;
    for (size_t i = 0; i < h->map.n; i++)
        pairs[n++] = h->map.items[i];
    for (size_t i = 0; i < ARRAY_LEN(standard); i++)
        if (!maps(h, standard[i].name))
            pairs[n++] = standard[i];
    return (struct str_pairs){pairs, n};
}

static struct mapping mapping_of(const struct source *s, struct arena *a)
{
    const struct http *h = s->settings;

    return (struct mapping){
        .kind = &http_kind, .map = whole_map(h, a), .dedupe_window = h->dedupe_window};
}

static enum refusal http_decode(const struct source *s, const struct raw_request *r,
                                struct arena *a, struct event **ret, size_t *ret_n, struct why *why)
{
    const struct http *h = s->settings;
    struct mapping m = mapping_of(s, a);

    if (h->proof.kind == PROOF_STANDARD && header_get(r, "webhook-id", &m.id) != HEADER_ONCE)
        m.id = STR_NULL; /* verify let none through without */
    return mapped_decode(s, r, &m, a, ret, ret_n, why);
}

static enum rc http_decode_stored(const struct source *s, const struct stored_body *stored,
                                  struct arena *a, struct event *ret, struct why *why)
{
    return mapped_decode_stored(s, mapping_of(s, a), stored, a, ret, why);
}

/* There are no versions of it. */
static enum rc http_sign(const struct source *s, struct str base_url, struct str version,
                         struct str body, int64_t now_ms, struct arena *a,
                         struct field ret_headers[4], size_t *ret_n, struct str *ret_url,
                         struct why *why)
{
    const struct http *h = s->settings;

    (void)version;
    return proof_sign_request(s, &h->proof, base_url, body, now_ms, a, ret_headers, ret_n, ret_url,
                              why);
}

/* Of the shape that is looked for where no map says another; with one, --body knows better. */
static struct str http_sample(int64_t now_ms, struct arena *a)
{
    char time[TIME_TEXT];

    time_text(now_ms, time);
    return arena_printf(a,
                        "{\"type\":\"form.submitted\",\"event_type\":\"form.submitted\","
                        "\"event_id\":\"sample-%lld\",\"timestamp\":\"%s\",\"occurred_at\":\"%s\","
                        "\"email\":\"ada@example.com\",\"firstname\":\"Ada\"}",
                        (long long)now_ms, time, time);
}

const struct source_type http_source = {
    .name = "http",
    .spec = &http_spec,
    .takes_forms = true,
    .check = http_check,
    .verify_head = http_verify_head,
    .verify = http_verify,
    .proof = http_proof,
    .decode = http_decode,
    .decode_stored = http_decode_stored,
    .sign = http_sign,
    .sample = http_sample,
};
