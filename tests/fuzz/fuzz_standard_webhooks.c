/* tests/fuzz/fuzz_standard_webhooks.c - nothing that was not signed with the secret is accepted. */
#include "verify.h"

#define SECRET "wCwLll4COr7oCPK1SNjVGTqLUim+bzEhpvFuLUGkSbM="

static struct str header(const struct request *r, const char *name)
{
    size_t n;
    struct str value = request_header(r, name, &n);

    assert_int_equal(n, 1);
    return value;
}

static void must_be_ours(const struct changed *c)
{
    const struct request *now = &c->request, *then = &c->signed_one;

    assert_true(c->is_signed);
    fuzz_same(header(now, "webhook-id"), header(then, "webhook-id"));
    fuzz_same(header(now, "webhook-timestamp"), header(then, "webhook-timestamp"));
    fuzz_same(now->raw.body, then->raw.body);
    assert_non_null(str_find(header(now, "webhook-signature"), header(then, "webhook-signature")));
    assert_true(llabs(now->raw.received_at - FUZZ_NOW) <= 5 * MINUTES_MS + SECONDS_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source *s =
        fuzz_source(&http_source, "signature = standard\nsecret = whsec_" SECRET "\n"
                                  "secret_previous = whsec_ThGV3wIN5Z4NZaM6QnnxGD565OXZgOMJ\n");
    struct arena a AUTO(arena_free) = {0};
    struct changed c = fuzz_change(s, fuzz_text(data, size), &a);
    struct why why = {0};
    enum refusal refused = s->type->verify(s, request_raw(&c.request), &a, &why);
    enum refusal head = s->type->verify_head(s, request_raw(&c.request), &a, NULL);

    assert_true(refused == REFUSED_NOT || refused == REFUSED_SIGNATURE ||
                refused == REFUSED_TIMESTAMP);
    assert_true(head == REFUSED_NOT || head == refused);
    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    assert_false(fuzz_holds(str_of(why.text), SECRET));
    if (refused == REFUSED_NOT)
        must_be_ours(&c);
    if (c.is_signed)
        assert_int_equal(s->type->verify(s, request_raw(&c.signed_one), &a, NULL), REFUSED_NOT);
    return 0;
}
