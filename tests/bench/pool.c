/* pool.c - HubSpot webhooks signed beforehand: a mix of property changes of many contacts. */
#include "pool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "funneld/base/crypto.h"
#include "funneld/base/json.h"
#include "funneld/ingest/hubspot_signature.h"

enum { BODY_MAX = 1 << 20, PORTAL = 242711451, PER_SECOND = 100000, CONTACTS = 100000 };

/* Of twenty events: what changed, and to what (NULL: a number). The rules of bench.py speak of
 * these names. */
static const struct change {
    int of_twenty;
    const char *property, *value;
} changes[] = {
    {10, "hs_analytics_num_page_views", NULL},
    {5, "hs_email_last_open_date", NULL},
    {3, "lifecyclestage", "marketingqualifiedlead"},
    {1, "jobtitle", "Director of Revenue Operations"},
    {1, "demo_requested", "true"},
};

static const struct change *change_of(uint64_t n)
{
    int left = (int)(n * 7 % 20);
    size_t i = 0;

    while (left >= changes[i].of_twenty)
        left -= changes[i++].of_twenty;
    return &changes[i];
}

/* A pool's own way through the contacts; all of them, whatever the step, because there are a prime
 * number. */
struct way {
    uint32_t start, step, contacts;
};

static uint32_t next_prime(uint32_t n)
{
    for (uint32_t divisor = 2; divisor * divisor <= n; divisor++)
        if (n % divisor == 0)
            return next_prime(n + 1);
    return n;
}

static struct way way_new(uint32_t contacts)
{
    struct way w;

    random_bytes(&w, sizeof w);
    w.contacts = next_prime(contacts ? contacts : CONTACTS);
    w.step = 1 + w.step % (w.contacts - 1);
    return w;
}

static void add_event(struct sbuf *b, const struct pool_plan *plan, struct way way, uint64_t n)
{
    uint64_t at = way.start + n;
    const struct change *c = change_of(at);
    uint64_t all = plan->requests * plan->batch;
    uint64_t contact = 1 + at % way.contacts * way.step % way.contacts;

    json_open(b, '{');
    json_kv_int(b, "eventId", (int64_t)at + 1);
    json_kv_int(b, "subscriptionId", 4578255);
    json_kv_int(b, "portalId", PORTAL);
    json_kv_int(b, "appId", 19635961);
    json_kv_int(b, "occurredAt", plan->now_ms - (int64_t)((all - n) * 1000 / PER_SECOND));
    json_kv_text(b, "subscriptionType", "contact.propertyChange");
    json_kv_int(b, "attemptNumber", 0);
    json_kv_int(b, "objectId", (int64_t)contact);
    json_kv_text(b, "changeSource", "CRM_UI");
    json_kv_text(b, "propertyName", c->property);
    json_key(b, "propertyValue");
    json_quote(b, c->value ? str_of(c->value) : STR(""));
    if (!c->value) { /* a number as text, as HubSpot sends it */
        b->len--;
        sbuf_printf(b, "%" PRIu64 "\"", at % 1000);
    }
    json_close(b, '}');
}

/* An append that does not fit is a mistake of the plan. */
static struct str sealed(const struct sbuf *b, struct arena *a)
{
    struct str ret;

    if (sbuf_seal(b, a, &ret) == RC_OK)
        return ret;
    (void)fprintf(stderr, "bench: a request of more than %d bytes\n", BODY_MAX);
    exit(1);
}

/* What other servers know: HMAC of the body alone, in hexadecimal. */
static void add_plain_signature(struct sbuf *b, struct str body)
{
    uint8_t digest[SHA256_LEN];
    char hex[SHA256_HEX];

    hmac_sha256(STR(POOL_SECRET), &body, 1, digest);
    hex_encode(digest, sizeof digest, hex);
    sbuf_printf(b, "X-Hub-Signature-256: sha256=%s\r\n", hex);
}

static void sign(struct signed_request *r, const char *other_path, struct sbuf *b, struct arena *a)
{
    const char *path = other_path ? other_path : POOL_PATH;
    const struct hubspot_request unsigned_request = {
        .method = STR("POST"),
        .uri = arena_printf(a, POOL_PUBLIC_URL "%s", path),
        .body = r->body,
        .timestamp = r->timestamp,
    };

    r->signature = hubspot_signature(HUBSPOT_V3, &unsigned_request, STR(POOL_SECRET), a);
    sbuf_reset(b);
    sbuf_printf(b,
                "POST %s HTTP/1.1\r\nHost: hooks.example.com\r\n"
                "Content-Type: application/json\r\nX-HubSpot-Signature-v3: %.*s\r\n"
                "X-HubSpot-Request-Timestamp: %.*s\r\nContent-Length: %zu\r\n",
                path, STR_ARG(r->signature), STR_ARG(r->timestamp), r->body.len);
    if (other_path)
        add_plain_signature(b, r->body);
    sbuf_text(b, "\r\n");
    struct str head = sealed(b, a);
    r->wire = arena_printf(a, "%.*s%.*s", STR_ARG(head), STR_ARG(r->body));
    r->body = str_from(r->wire, head.len);
}

void pool_make(struct pool *p, const struct pool_plan *plan)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    struct way way = way_new(plan->contacts);

    *p = (struct pool){.n = plan->requests};
    p->requests = mem_array(plan->requests, sizeof *p->requests);
    struct str timestamp = arena_printf(&p->arena, "%" PRId64, plan->now_ms);
    for (size_t i = 0; i < plan->requests; i++) {
        struct signed_request *r = &p->requests[i];

        sbuf_reset(&b);
        json_open(&b, '[');
        for (size_t k = 0; k < plan->batch; k++)
            add_event(&b, plan, way, i * plan->batch + k);
        json_close(&b, ']');
        r->body = sealed(&b, &p->arena);
        r->timestamp = timestamp;
        sign(r, plan->path, &b, &p->arena);
        p->body_bytes += r->body.len;
    }
}

void pool_free(struct pool *p)
{
    free(p->requests);
    arena_free(&p->arena);
}
