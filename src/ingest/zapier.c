/* ingest/zapier.c - "Webhooks by Zapier": settings, and who may post.
 *
 * Zapier signs nothing, so a shared secret in a header tells who it is; a Zap with a step of code
 * can sign like any other sender.
 */
#include <stddef.h>

#include "mapping_priv.h"
#include "proof_priv.h"

struct zapier {
    struct source_common common;
    struct proof proof;
    struct str_pairs map;
    int64_t dedupe_window;
};

static const char *const signature_choices[] = {
    [PROOF_STANDARD] = "standard",  [PROOF_SHA256] = "hmac-sha256", [PROOF_SHA1] = "hmac-sha1",
    [PROOF_SHA512] = "hmac-sha512", [PROOF_SECRET] = "secret",      NULL,
};

static const struct option zapier_options[] = {
    {.key = "path",
     .type = OPTION_TEXT,
     .offset = offsetof(struct zapier, common.path),
     .fallback = "/webhooks/zapier",
     .help = "where Zaps post to"},
    {.key = "secret",
     .type = OPTION_SECRET,
     .offset = offsetof(struct zapier, proof.secret),
     .flags = OPTION_REQUIRED,
     .example = "${ZAPIER_WEBHOOK_SECRET}",
     .help = "in X-Funneld-Secret, Authorization: Bearer, or Basic with any user"},
    {.key = "secret_previous",
     .type = OPTION_SECRET,
     .offset = offsetof(struct zapier, proof.secret_previous),
     .example = "${ZAPIER_WEBHOOK_SECRET_PREVIOUS}",
     .help = "also accepted, while the secret is being rotated"},
    {.key = "signature",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct zapier, proof.kind),
     .fallback = "secret",
     .choices = signature_choices,
     .help = "another proof than the secret itself, for Zaps that run code"},
    PROOF_OPTIONS(struct zapier, proof),
    {.key = "dedupe_window",
     .type = OPTION_DURATION,
     .offset = offsetof(struct zapier, dedupe_window),
     .fallback = "24h",
     .min = SECONDS_MS,
     .max = 3650 * DAYS_MS,
     .help = "without event_id the same body counts once in this time"},
    MAP_OPTION(struct zapier),
};

static const struct section_spec zapier_spec = {
    .kind = "source",
    .type = "zapier",
    .named = true,
    .options = zapier_options,
    .n_options = ARRAY_LEN(zapier_options),
    .size = sizeof(struct zapier),
    .help = "webhooks of Zaps; a key that no map names becomes a property, a.b as a__b",
};

static const struct mapped_kind zapier_kind = {
    .id_domain = "zapier.id",
    .body_domain = "zapier.body",
    .default_type = {"zapier.event", 12},
    .keeps_unmapped = true,
    .needs_type = true,
};

static void zapier_check(const void *settings, const struct conf_section *section,
                         struct str public_url, struct conf_problems *problems)
{
    const struct zapier *z = settings;

    (void)public_url; /* it is not signed */
    check_common(&z->common, z->proof.secret, section, problems);
    proof_check(&z->proof, section, problems);
    if (z->proof.kind == PROOF_SECRET && z->proof.header.at)
        conf_problem(problems, section, conf_find(section, "signature_header"),
                     "choose signature = hmac-sha256, or leave it out",
                     "\"signature_header\" means nothing: the secret has headers of its own");
    mapping_check(&z->map, section, problems);
}

static bool take_scheme(struct str *header, struct str scheme)
{
    if (header->len <= scheme.len || header->at[scheme.len] != ' ' ||
        !str_ieq((struct str){header->at, scheme.len}, scheme))
        return false;
    *header = str_trim(str_from(*header, scheme.len));
    return true;
}

static bool is_authorized(const struct zapier *z, struct str header, struct arena *a)
{
    struct str login;

    if (take_scheme(&header, STR("Bearer")))
        return proof_is_secret(&z->proof, header);
    if (!take_scheme(&header, STR("Basic")) || !base64_decode(a, header, &login))
        return false;
    const char *colon = str_chr(login, ':');
    return colon && proof_is_secret(&z->proof, str_from(login, (size_t)(colon - login.at) + 1));
}

/* Whatever is given must be right: one good secret does not excuse a bad one. */
static enum refusal verify_secret(const struct zapier *z, const struct raw_request *r,
                                  struct arena *a, struct why *why)
{
    struct str secret, authorization;
    enum header_state own = header_get(r, "X-Funneld-Secret", &secret);
    enum header_state standard = header_get(r, "Authorization", &authorization);

    if (own == HEADER_REPEATED || standard == HEADER_REPEATED)
        return refuse(REFUSED_SIGNATURE, why, "%s was sent twice",
                      own == HEADER_REPEATED ? "X-Funneld-Secret" : "Authorization");
    if (own == HEADER_MISSING && standard == HEADER_MISSING)
        return refuse(REFUSED_SIGNATURE, why,
                      "neither X-Funneld-Secret nor Authorization was sent");
    if (own == HEADER_ONCE && !proof_is_secret(&z->proof, secret))
        return refuse(REFUSED_SIGNATURE, why, "the secret in X-Funneld-Secret is wrong");
    if (standard == HEADER_ONCE && !is_authorized(z, authorization, a))
        return refuse(REFUSED_SIGNATURE, why, "the secret in Authorization is wrong");
    return REFUSED_NOT;
}

/* Where both were sent, both were right. */
static const char *zapier_proof(const struct source *s, const struct raw_request *r)
{
    const struct zapier *z = s->settings;
    struct str header;

    if (z->proof.kind != PROOF_SECRET)
        return signature_choices[z->proof.kind];
    if (header_get(r, "X-Funneld-Secret", &header) == HEADER_ONCE)
        return "secret";
    (void)header_get(r, "Authorization", &header); /* verify has seen that it is there */
    return take_scheme(&header, STR("Bearer")) ? "bearer" : "basic";
}

/* A secret needs no body. */
static enum refusal zapier_verify_head(const struct source *s, const struct raw_request *r,
                                       struct arena *a, struct why *why)
{
    const struct zapier *z = s->settings;

    return z->proof.kind == PROOF_SECRET ? verify_secret(z, r, a, why)
                                         : proof_head(&z->proof, r, a, why);
}

static enum refusal zapier_verify(const struct source *s, const struct raw_request *r,
                                  struct arena *a, struct why *why)
{
    const struct zapier *z = s->settings;

    return z->proof.kind == PROOF_SECRET ? verify_secret(z, r, a, why)
                                         : proof_verify(&z->proof, r, a, why);
}

static struct mapping mapping_of(const struct source *s)
{
    const struct zapier *z = s->settings;

    return (struct mapping){.kind = &zapier_kind, .map = z->map, .dedupe_window = z->dedupe_window};
}

static enum refusal zapier_decode(const struct source *s, const struct raw_request *r,
                                  struct arena *a, struct event **ret, size_t *ret_n,
                                  struct why *why)
{
    const struct mapping m = mapping_of(s);

    return mapped_decode(s, r, &m, a, ret, ret_n, why);
}

static enum rc zapier_decode_stored(const struct source *s, const struct stored_body *stored,
                                    struct arena *a, struct event *ret, struct why *why)
{
    return mapped_decode_stored(s, mapping_of(s), stored, a, ret, why);
}

/* There are no versions of it. */
static enum rc zapier_sign(const struct source *s, struct str base_url, struct str version,
                           struct str body, int64_t now_ms, struct arena *a,
                           struct field ret_headers[4], size_t *ret_n, struct str *ret_url,
                           struct why *why)
{
    const struct zapier *z = s->settings;
    struct proof proof = z->proof;

    (void)version;
    if (proof.kind == PROOF_SECRET)
        proof.header = STR("X-Funneld-Secret");
    return proof_sign_request(s, &proof, base_url, body, now_ms, a, ret_headers, ret_n, ret_url,
                              why);
}

static struct str zapier_sample(int64_t now_ms, struct arena *a)
{
    char time[TIME_TEXT];

    time_text(now_ms, time);
    return arena_printf(a,
                        "{\"event_id\":\"sample-%lld\",\"event_type\":\"form.submitted\","
                        "\"occurred_at\":\"%s\",\"email\":\"ada@example.com\","
                        "\"firstname\":\"Ada\",\"lastname\":\"Lovelace\","
                        "\"company\":\"Analytical Engines\"}",
                        (long long)now_ms, time);
}

const struct source_type zapier_source = {
    .name = "zapier",
    .spec = &zapier_spec,
    .takes_forms = true,
    .check = zapier_check,
    .verify_head = zapier_verify_head,
    .verify = zapier_verify,
    .proof = zapier_proof,
    .decode = zapier_decode,
    .decode_stored = zapier_decode_stored,
    .sign = zapier_sign,
    .sample = zapier_sample,
};
