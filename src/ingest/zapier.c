/* ingest/zapier.c - "Webhooks by Zapier": settings, who may post, a request's body into events.
 *
 * Zapier signs nothing, so a shared secret in a header tells who it is.
 */
#include "zapier_priv.h"

enum { MAX_EVENTS = 1000 }; /* in one array */

static const struct option zapier_options[] = {
    {.key = "path",
     .type = OPTION_TEXT,
     .offset = offsetof(struct zapier, common.path),
     .fallback = "/webhooks/zapier",
     .help = "where Zaps post to"},
    {.key = "secret",
     .type = OPTION_SECRET,
     .offset = offsetof(struct zapier, secret),
     .flags = OPTION_REQUIRED,
     .example = "${ZAPIER_WEBHOOK_SECRET}",
     .help = "in X-Funneld-Secret, Authorization: Bearer, or Basic with any user"},
    {.key = "secret_previous",
     .type = OPTION_SECRET,
     .offset = offsetof(struct zapier, secret_previous),
     .example = "${ZAPIER_WEBHOOK_SECRET_PREVIOUS}",
     .help = "also accepted, while the secret is being rotated"},
    {.key = "dedupe_window",
     .type = OPTION_DURATION,
     .offset = offsetof(struct zapier, dedupe_window),
     .fallback = "24h",
     .min = SECONDS_MS,
     .max = 3650 * DAYS_MS,
     .help = "without event_id the same body counts once in this time"},
};

static const struct section_spec zapier_spec = {
    .kind = "source",
    .type = "zapier",
    .named = true,
    .options = zapier_options,
    .n_options = ARRAY_LEN(zapier_options),
    .size = sizeof(struct zapier),
    .help = "webhooks of Zaps",
};

static void zapier_check(const void *settings, const struct conf_section *section,
                         struct str public_url, struct conf_problems *problems)
{
    const struct zapier *z = settings;

    (void)public_url; /* nothing is signed */
    check_common(&z->common, z->secret, section, problems);
}

/* Both are always compared: the time taken does not tell which one is in use. */
static bool is_secret(const struct zapier *z, struct str given)
{
    bool now = z->secret.len && crypto_equal(given, z->secret);
    bool before = z->secret_previous.len && crypto_equal(given, z->secret_previous);

    return now || before;
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
        return is_secret(z, header);
    if (!take_scheme(&header, STR("Basic")) || !base64_decode(a, header, &login))
        return false;
    const char *colon = str_chr(login, ':');
    return colon && is_secret(z, str_from(login, (size_t)(colon - login.at) + 1));
}

/* Whatever is given must be right: one good secret does not excuse a bad one. */
static enum refusal zapier_verify(const struct source *s, const struct raw_request *r,
                                  struct arena *a, struct why *why)
{
    const struct zapier *z = s->settings;
    struct str secret, authorization;
    enum header_state own = header_get(r, "X-Funneld-Secret", &secret);
    enum header_state standard = header_get(r, "Authorization", &authorization);

    if (own == HEADER_REPEATED || standard == HEADER_REPEATED)
        return refuse(REFUSED_SIGNATURE, why, "%s was sent twice",
                      own == HEADER_REPEATED ? "X-Funneld-Secret" : "Authorization");
    if (own == HEADER_MISSING && standard == HEADER_MISSING)
        return refuse(REFUSED_SIGNATURE, why,
                      "neither X-Funneld-Secret nor Authorization was sent");
    if (own == HEADER_ONCE && !is_secret(z, secret))
        return refuse(REFUSED_SIGNATURE, why, "the secret in X-Funneld-Secret is wrong");
    if (standard == HEADER_ONCE && !is_authorized(z, authorization, a))
        return refuse(REFUSED_SIGNATURE, why, "the secret in Authorization is wrong");
    return REFUSED_NOT;
}

static enum refusal decode_root(const struct source *s, const struct raw_request *r,
                                const struct json_doc *doc, struct arena *a, struct event **ret,
                                size_t *ret_n, struct why *why)
{
    const struct zapier *z = s->settings;
    bool array = json_type(doc->root) == JSON_ARRAY;
    size_t n = array ? doc->n_elements : 1, i = 0;

    if (!array && json_type(doc->root) != JSON_OBJECT)
        return refuse(REFUSED_JSON, why, "the body is neither a JSON object nor an array of them");
    if (n > MAX_EVENTS)
        return refuse(REFUSED_TOO_LARGE, why, "%zu events in one request, at most %d are taken", n,
                      MAX_EVENTS);
    const struct request_facts facts = request_facts(s, r, a);
    struct event *events = arena_array(a, n + 1, sizeof *events);
    const json *node = array ? json_first(doc->root) : doc->root;
    for (; node && i < n; node = json_next(node), i++) {
        event_init(&events[i], &facts, array ? doc->elements[i] : str_trim(r->body), a);
        zapier_event(node, z, a, &events[i]);
    }
    *ret = events;
    *ret_n = i;
    return REFUSED_NOT;
}

static enum refusal zapier_decode(const struct source *s, const struct raw_request *r,
                                  struct arena *a, struct event **ret, size_t *ret_n,
                                  struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str type;

    if (header_get(r, "Content-Type", &type) != HEADER_ONCE || !media_type_is_json(type))
        return refuse(REFUSED_MEDIA_TYPE, why, "the body must be sent as application/json");
    if (json_parse(r->body, &doc, why))
        return REFUSED_JSON;
    return decode_root(s, r, &doc, a, ret, ret_n, why);
}

static enum rc zapier_decode_stored(const struct source *s, struct str body, int64_t received_at,
                                    struct arena *a, struct event *ret, struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct request_facts facts = {.source = arena_str(a, s->name),
                                        .received_at = received_at};

    if (json_parse(body, &doc, why))
        return why_wrap(RC_INVALID, why, "read a stored Zapier event");
    event_init(ret, &facts, body, a);
    zapier_event(doc.root, s->settings, a, ret);
    return RC_OK;
}

/* There is nothing to sign, so the version does not matter. */
static enum rc zapier_sign(const struct source *s, struct str base_url, struct str version,
                           struct str body, int64_t now_ms, struct arena *a,
                           struct field ret_headers[4], size_t *ret_n, struct str *ret_url,
                           struct why *why)
{
    const struct zapier *z = s->settings;
    struct str base = base_url.len ? base_url : s->public_url;

    (void)version;
    (void)body;
    (void)now_ms;
    if (!base.len)
        return why_fail(RC_INVALID, why, "where to? say --url, or set [server] public_url");
    while (str_ends(base, STR("/")))
        base.len--;
    ret_headers[0] = (struct field){STR("Content-Type"), STR("application/json")};
    ret_headers[1] = (struct field){STR("X-Funneld-Secret"), z->secret};
    *ret_n = 2;
    *ret_url = arena_printf(a, "%.*s%.*s", STR_ARG(base), STR_ARG(z->common.path));
    return RC_OK;
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
    .check = zapier_check,
    .verify_head = zapier_verify, /* a secret needs no body */
    .verify = zapier_verify,
    .decode = zapier_decode,
    .decode_stored = zapier_decode_stored,
    .sign = zapier_sign,
    .sample = zapier_sample,
};
