/* tests/sandbox/hooks.c - what anybody may stand behind an address: a catch hook and the targets of
 * REST hooks as Zapier has them, and a receiver that checks Standard Webhooks signatures.
 *
 *     /hooks/catch/1234567/sandbox/    a catch hook; without its last slash it is another address
 *     /hooks/standard/1234567/NAME/    where a Zap called NAME subscribed; 410 once it is off
 *     /in/signed                       wants a signature by the secret or the one before it
 *     /in/open                         wants none
 */
#include "sandbox.h"

#include "funneld/base/standard_webhooks.h"

#define CATCH    "/hooks/catch/1234567/sandbox/"
#define STANDARD "/hooks/standard/1234567/"
#define SECRET   "whsec_wCwLll4COr7oCPK1SNjVGTqLUim+bzEhpvFuLUGkSbM="
#define BEFORE   "whsec_ThGV3wIN5Z4NZaM6QnnxGD565OXZgOMJ"

enum { PAYLOAD_MAX = 10 << 20 };

struct received {
    struct str path, id, type, signatures, body; /* body: JSON */
    int64_t at;
    bool again; /* this id came to this path before */
    struct received *next;
};

static struct arena memory;
static struct received *first, **last = &first;

static bool seen(struct str path, struct str id)
{
    for (const struct received *r = first; r; r = r->next)
        if (str_eq(r->path, path) && str_eq(r->id, id))
            return true;
    return false;
}

static void keep(const struct call *c, struct str id)
{
    struct received *r = ARENA_NEW(&memory, struct received);

    *r = (struct received){
        .path = arena_str(&memory, c->path),
        .id = arena_str(&memory, id),
        .type = arena_str(&memory, call_header(c, "Content-Type")),
        .signatures = arena_str(&memory, call_header(c, "webhook-signature")),
        .body = arena_str(&memory, c->body),
        .at = c->now_ms,
        .again = id.len && seen(c->path, id),
    };
    *last = r;
    last = &r->next;
}

static void refuse(struct answer *ret, int status, const char *what)
{
    answer_text(ret, status, what);
    offence("hooks", "%s", what);
}

static void accept(struct answer *ret)
{
    struct sbuf *b = answer_json(ret, 200);

    json_open(b, '{');
    json_kv_text(b, "attempt", "0199");
    json_kv_text(b, "id", "0199");
    json_kv_text(b, "request_id", "0199");
    json_kv_text(b, "status", "success");
    json_close(b, '}');
}

/* NULL: it is one flat object of snake_case keys with an id of its own. */
static const char *flat(const json *body)
{
    if (json_type(body) != JSON_OBJECT)
        return "the body is not one JSON object";
    for (const json *m = json_first(body); m; m = json_next(m)) {
        struct str name = json_name(m);

        if (json_type(m) == JSON_OBJECT || json_type(m) == JSON_ARRAY)
            return "a value is nested";
        for (size_t i = 0; i < name.len; i++)
            if (!(name.at[i] >= 'a' && name.at[i] <= 'z') && name.at[i] != '_')
                return "a key is not snake_case";
    }
    return json_string(json_get(body, "id")).len ? NULL : "the object has no id";
}

static const char *to_zapier(const struct call *c, const json *body)
{
    if (!str_is(c->method, "POST"))
        return "Zapier is not sent by POST";
    if (!call_type_is(c, "application/json"))
        return "the media type is not JSON";
    if (c->body.len > PAYLOAD_MAX)
        return "the payload is above 10 MB";
    if (str_is(c->path, CATCH) && !str_is(call_header(c, "X-Recurse-Parse"), "false"))
        return "texts may be parsed: X-Recurse-Parse: false is missing";
    return flat(body);
}

static void zapier(const struct call *c, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool known = str_is(c->path, CATCH) || str_starts(c->path, STR(STANDARD));
    const char *bad =
        json_parse(c->body, &doc, NULL) ? "the body is no JSON" : to_zapier(c, doc.root);

    if (!known || !str_ends(c->path, STR("/")))
        refuse(ret, 404, "there is no such hook");
    else if (bad) /* Zapier takes nearly everything; a person would see it in the Zap */
        refuse(ret, 200, bad);
    else {
        keep(c, json_string(json_get(doc.root, "id")));
        accept(ret);
    }
}

static bool signed_by(const char *secret, const struct standard_message *m, struct arena *a)
{
    struct str key;

    return standard_key(str_of(secret), a, &key, NULL) == RC_OK && standard_signed(key, m);
}

static const char *unsigned_why(const struct call *c)
{
    struct standard_message m = {
        .id = call_header(c, "webhook-id"),
        .timestamp = call_header(c, "webhook-timestamp"),
        .signatures = call_header(c, "webhook-signature"),
        .body = c->body,
    };
    int64_t sent;

    if (!m.id.len || !m.timestamp.len || !m.signatures.len)
        return "a webhook- header is missing";
    if (str_chr(m.id, '.'))
        return "the webhook-id holds a dot";
    if (!standard_time(m.timestamp, &sent) || !standard_time_fits(sent, c->now_ms))
        return "the webhook-timestamp is not of now";
    return signed_by(SECRET, &m, c->arena) || signed_by(BEFORE, &m, c->arena) ? NULL
                                                                              : "no signature fits";
}

/* What Standard Webhooks recommends and CloudEvents demands of a body. */
static const char *odd_body(const struct call *c, const json *body)
{
    bool cloud = call_type_is(c, "application/cloudevents+json");
    static const char *const demanded[] = {"specversion", "id", "source", "type"};

    for (size_t i = 0; cloud && i < ARRAY_LEN(demanded); i++)
        if (!json_string(json_get(body, demanded[i])).len)
            return "an attribute of the CloudEvent is missing";
    if (cloud || json_string(json_get(body, "text")).len)
        return NULL;
    if (!json_string(json_get(body, "type")).len || !json_string(json_get(body, "timestamp")).len)
        return "type or timestamp is missing";
    return json_type(json_get(body, "data")) == JSON_OBJECT ? NULL : "there is no data";
}

static struct str id_of(const struct call *c, const json *body)
{
    struct str id = call_header(c, "webhook-id");

    if (!id.len)
        id = json_string(json_get(body, "id"));
    return id.len ? id : json_string(json_path(body, "data.id"));
}

static void receiver(const struct call *c, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool is_signed = call_is(c, "POST", "/in/signed");
    const char *bad = is_signed ? unsigned_why(c) : NULL;

    if (!is_signed && !call_is(c, "POST", "/in/open"))
        refuse(ret, 404, "there is no receiver");
    else if (bad)
        refuse(ret, 401, bad);
    else if (json_parse(c->body, &doc, NULL) || json_type(doc.root) != JSON_OBJECT)
        refuse(ret, 400, "the body is no JSON object");
    else if ((bad = odd_body(c, doc.root)))
        refuse(ret, 400, bad);
    else {
        keep(c, id_of(c, doc.root));
        answer_text(ret, 204, "");
    }
}

static bool hooks_owns(struct str path)
{
    return str_starts(path, STR("/hooks/")) || str_starts(path, STR("/in/"));
}

static void hooks_handle(const struct call *c, struct answer *ret)
{
    if (str_starts(c->path, STR("/in/")))
        receiver(c, ret);
    else
        zapier(c, ret);
}

static void hooks_fail(int status, struct answer *ret)
{
    answer_text(ret, status, status == 410 ? "gone" : "it went wrong");
}

static void hooks_dump(struct sbuf *b)
{
    json_open(b, '{');
    json_key(b, "received");
    json_open(b, '[');
    for (const struct received *r = first; r; r = r->next) {
        json_open(b, '{');
        json_kv(b, "path", r->path);
        json_kv(b, "id", r->id);
        json_kv(b, "content_type", r->type);
        json_kv(b, "signatures", r->signatures);
        json_kv_int(b, "received_at", r->at);
        json_key(b, "again");
        json_bool(b, r->again);
        json_key(b, "body");
        json_raw(b, r->body);
        json_close(b, '}');
    }
    json_close(b, ']');
    json_close(b, '}');
}

static void hooks_reset(void)
{
    first = NULL;
    last = &first;
    arena_free(&memory);
    memory = (struct arena){0};
}

const struct service hooks_service = {
    .name = "hooks",
    .owns = hooks_owns,
    .handle = hooks_handle,
    .fail = hooks_fail,
    .dump = hooks_dump,
    .reset = hooks_reset,
};
