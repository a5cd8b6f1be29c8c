/* ingest/slack.c - buttons in Slack: settings, a request's body into events. */
#include "slack_priv.h"

#include "funneld/base/url.h"
#include "funneld/lead/feedback.h"

enum { MAX_CLICKS = 100 }; /* in one payload; Slack sends one */

static const struct option slack_options[] = {
    {.key = "path",
     .type = OPTION_TEXT,
     .offset = offsetof(struct slack_source, common.path),
     .fallback = "/webhooks/slack",
     .help = "the app's Request URL, under Interactivity & Shortcuts, is public_url and this"},
    {.key = "secret",
     .type = OPTION_SECRET,
     .offset = offsetof(struct slack_source, secret),
     .flags = OPTION_REQUIRED,
     .example = "${SLACK_SIGNING_SECRET}",
     .help = "the app's signing secret, under Basic Information"},
    {.key = "secret_previous",
     .type = OPTION_SECRET,
     .offset = offsetof(struct slack_source, secret_previous),
     .example = "${SLACK_SIGNING_SECRET_PREVIOUS}",
     .help = "also accepted, while the secret is being rotated"},
    {.key = "snooze",
     .type = OPTION_DURATION,
     .offset = offsetof(struct slack_source, snooze),
     .fallback = "1d",
     .min = MINUTES_MS,
     .max = 365 * DAYS_MS,
     .help = "how long Snooze lets a lead sleep"},
};

static const struct section_spec slack_spec = {
    .kind = "source",
    .type = "slack",
    .named = true,
    .options = slack_options,
    .n_options = ARRAY_LEN(slack_options),
    .size = sizeof(struct slack_source),
    .help = "the buttons of messages in Slack",
};

static void slack_check(const void *settings, const struct conf_section *section,
                        struct str public_url, struct conf_problems *problems)
{
    const struct slack_source *s = settings;

    (void)public_url; /* it is not part of what is signed */
    check_common(&s->common, s->secret, section, problems);
}

static const char *slack_proof(const struct source *s, const struct raw_request *r)
{
    (void)s;
    (void)r;
    return "slack-v0";
}

/* The link to the CRM is a button too, and nobody's feedback. */
static bool counts(const json *action)
{
    return !str_starts(json_string(json_get(action, "action_id")), STR(BUTTON_CRM));
}

static void add_click(const struct source *s, const struct request_facts *facts,
                      const json *payload, const json *action, struct arena *a, struct event *e)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str body = slack_click_body(payload, action, s->settings, facts->received_at, a);

    event_init(e, facts, body, a);
    if (json_parse(body, &doc, NULL) == RC_OK) /* we wrote it */
        slack_click_event(doc.root, a, e);
}

static enum refusal decode_payload(const struct source *s, const struct raw_request *r,
                                   const json *payload, struct arena *a, struct event **ret,
                                   size_t *ret_n, struct why *why)
{
    const struct request_facts facts = request_facts(s, r, a);
    const json *actions = json_get(payload, "actions");
    size_t n = json_type(actions) == JSON_ARRAY ? json_count(actions) : 0;

    if (n > MAX_CLICKS)
        return refuse(REFUSED_TOO_LARGE, why, "%zu clicks in one request, at most %d are taken", n,
                      MAX_CLICKS);
    struct event *events = arena_array(a, n + 1, sizeof *events);
    size_t made = 0;
    for (const json *x = n ? json_first(actions) : NULL; x; x = json_next(x))
        if (counts(x))
            add_click(s, &facts, payload, x, a, &events[made++]);
    if (!n) /* a dialogue, a shortcut: kept as odd, for whoever wonders */
        add_click(s, &facts, payload, NULL, a, &events[made++]);
    *ret = events;
    *ret_n = made;
    return REFUSED_NOT;
}

static enum refusal slack_decode(const struct source *s, const struct raw_request *r,
                                 struct arena *a, struct event **ret, size_t *ret_n,
                                 struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str payload, type;

    if (header_get(r, "Content-Type", &type) != HEADER_ONCE || !media_type_is_form(type))
        return refuse(REFUSED_MEDIA_TYPE, why,
                      "buttons come as a form; this is no address for Slack's Events API");
    if (slack_is_probe(r->body, a)) {
        *ret_n = 0;
        return REFUSED_NOT;
    }
    if (!form_field(r->body, "payload", a, &payload))
        return refuse(REFUSED_JSON, why, "the form has no field `payload`, or more than one");
    if (json_parse(payload, &doc, why))
        return REFUSED_JSON;
    if (json_type(doc.root) != JSON_OBJECT)
        return refuse(REFUSED_JSON, why, "the payload is not a JSON object");
    return decode_payload(s, r, doc.root, a, ret, ret_n, why);
}

static enum rc slack_decode_stored(const struct source *s, const struct stored_body *stored,
                                   struct arena *a, struct event *ret, struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct request_facts facts = {.source = arena_str(a, s->name),
                                        .received_at = stored->received_at};

    if (json_parse(stored->text, &doc, why))
        return why_wrap(RC_INVALID, why, "read a stored click");
    event_init(ret, &facts, stored->text, a);
    slack_click_event(doc.root, a, ret);
    return RC_OK;
}

static void sample_payload(int64_t now_ms, struct sbuf *b)
{
    json_open(b, '{');
    json_kv_text(b, "type", "block_actions");
    json_key(b, "user");
    json_raw(b, STR("{\"id\":\"U0SAMPLE0\",\"username\":\"sample\"}"));
    json_key(b, "actions");
    json_open(b, '[');
    json_open(b, '{');
    json_kv_text(b, "action_id", BUTTON_CLAIM);
    json_kv_text(b, "value", "00000000-1"); /* of no database: it is kept as unprocessable */
    json_key(b, "action_ts");
    sbuf_printf(b, "\"%lld.000000\"", (long long)(now_ms / SECONDS_MS));
    json_close(b, '}');
    json_close(b, ']');
    json_close(b, '}');
}

static struct str slack_sample(int64_t now_ms, struct arena *a)
{
    struct sbuf payload AUTO(sbuf_free) = SBUF(4096), form AUTO(sbuf_free) = SBUF(16384);
    struct str ret;

    sample_payload(now_ms, &payload);
    sbuf_text(&form, "payload=");
    url_encode(&form, sbuf_str(&payload));
    return sbuf_seal(&form, a, &ret) ? STR("") : ret; /* it is short */
}

const struct source_type slack_source = {
    .name = "slack",
    .spec = &slack_spec,
    .takes_forms = true,
    .silent = true, /* Slack wants an empty answer to a click, within three seconds */
    .check = slack_check,
    .verify_head = slack_verify_head,
    .verify = slack_verify,
    .proof = slack_proof,
    .signed_at = slack_signed_at,
    .decode = slack_decode,
    .decode_stored = slack_decode_stored,
    .sign = slack_sign,
    .sample = slack_sample,
};
