/* tests/fuzz/fuzz_hmac.c - an HMAC over timestamp and body that was not made with the secret. */
#include "verify.h"

#define SECRET "not-to-be-guessed"

static struct str header(const struct request *r, const char *name)
{
    size_t n;
    struct str value = request_header(r, name, &n);

    assert_int_equal(n, 1);
    return value;
}

/* Hexadecimal digits and the prefix may be of either case, and are no longer then. */
static void must_be_ours(const struct changed *c)
{
    const struct request *now = &c->request, *then = &c->signed_one;

    assert_true(c->is_signed);
    fuzz_same(header(now, "X-Time"), header(then, "X-Time"));
    fuzz_same(now->raw.body, then->raw.body);
    assert_true(str_ieq(header(now, "X-Sig"), header(then, "X-Sig")));
    assert_true(llabs(now->raw.received_at - FUZZ_NOW) <= 5 * MINUTES_MS + SECONDS_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source *s =
        fuzz_source(&http_source, "signature = hmac-sha512\nsecret = " SECRET "\n"
                                  "secret_previous = nor-this\nsignature_header = X-Sig\n"
                                  "signature_prefix = sha512=\ntimestamp_header = X-Time\n");
    struct arena a AUTO(arena_free) = {0};
    struct changed c = fuzz_change(s, fuzz_text(data, size), &a);
    struct why why = {0};
    enum refusal refused = s->type->verify(s, request_raw(&c.request), &a, &why);

    assert_true(refused == REFUSED_NOT || refused == REFUSED_SIGNATURE ||
                refused == REFUSED_TIMESTAMP);
    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    assert_false(fuzz_holds(str_of(why.text), SECRET));
    if (refused == REFUSED_NOT)
        must_be_ours(&c);
    if (c.is_signed)
        assert_int_equal(s->type->verify(s, request_raw(&c.signed_one), &a, NULL), REFUSED_NOT);
    return 0;
}
