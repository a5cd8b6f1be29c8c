/* tests/fuzz/fuzz_hubspot_signature.c - nothing that was not signed with the secret is accepted. */
#include "verify.h"

#include "funneld/ingest/hubspot_signature.h"

#define SECRET "not-to-be-guessed"

static enum hubspot_version version_of(const struct request *r)
{
    size_t n;

    if (request_header(r, "X-HubSpot-Signature-v3", &n).at)
        return HUBSPOT_V3;
    return str_is(request_header(r, "X-HubSpot-Signature-Version", &n), "v2") ? HUBSPOT_V2
                                                                              : HUBSPOT_V1;
}

/* HubSpot joins what it signs without borders, and v1 signs the body alone: what is accepted is
 * the same text, not always the same request. */
static struct str signed_text(const struct source *s, const struct request *r, struct arena *a)
{
    const struct raw_request *raw = &r->raw;
    struct str uri = arena_printf(a, "%.*s%.*s", STR_ARG(s->public_url), STR_ARG(raw->target));
    enum hubspot_version version = version_of(r);

    if (version == HUBSPOT_V1)
        return raw->body;
    if (version == HUBSPOT_V3)
        uri = hubspot_signed_uri(uri, a);
    return arena_printf(a, "%.*s%.*s%.*s", STR_ARG(raw->method), STR_ARG(uri), STR_ARG(raw->body));
}

/* The header that was sent once with this value when it was signed, and still is. */
static bool still_has(const struct changed *c, const char *name)
{
    size_t now, then;
    struct str is = request_header(&c->request, name, &now);
    struct str was = request_header(&c->signed_one, name, &then);

    return now == 1 && then == 1 && str_eq(is, was);
}

static void must_be_ours(const struct source *s, const struct changed *c, struct arena *a)
{
    bool v3 = version_of(&c->request) == HUBSPOT_V3;

    assert_true(c->is_signed);
    assert_true(still_has(c, v3 ? "X-HubSpot-Signature-v3" : "X-HubSpot-Signature"));
    if (v3) {
        assert_true(still_has(c, "X-HubSpot-Request-Timestamp"));
        assert_true(llabs(c->request.raw.received_at - FUZZ_NOW) <= HUBSPOT_CLOCK_SKEW_MS);
    }
    fuzz_same(signed_text(s, &c->signed_one, a), signed_text(s, &c->request, a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source *s =
        fuzz_source(&hubspot_source, "secret = " SECRET "\nsecret_previous = nor-this\n");
    struct arena a AUTO(arena_free) = {0};
    struct changed c = fuzz_change(s, fuzz_text(data, size), &a);
    struct why why = {0};
    enum refusal refused = s->type->verify(s, request_raw(&c.request), &a, &why);

    assert_true(refused == REFUSED_NOT || refused == REFUSED_SIGNATURE ||
                refused == REFUSED_TIMESTAMP);
    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    if (!fuzz_holds(fuzz_text(data, size), SECRET))
        assert_false(fuzz_holds(str_of(why.text), SECRET));
    if (refused == REFUSED_NOT)
        must_be_ours(s, &c, &a);
    if (c.is_signed)
        assert_int_equal(s->type->verify(s, request_raw(&c.signed_one), &a, NULL), REFUSED_NOT);
    return 0;
}
