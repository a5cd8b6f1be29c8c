/* tests/fuzz/fuzz_hmac.c - an HMAC over timestamp and body that was not made with the secret. */
#include "verify.h"

#define SECRET "not-to-be-guessed"

/* Hexadecimal digits and the prefix may be of either case, and are no longer then. */
static void must_be_ours(const struct changed *c)
{
    fuzz_is_ours(c, "X-Time");
    assert_true(str_ieq(fuzz_header(&c->request, "X-Sig"), fuzz_header(&c->signed_one, "X-Sig")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source *s =
        fuzz_source(&http_source, "signature = hmac-sha512\nsecret = " SECRET "\n"
                                  "secret_previous = nor-this\nsignature_header = X-Sig\n"
                                  "signature_prefix = sha512=\ntimestamp_header = X-Time\n");

    fuzz_verify(s, fuzz_text(data, size), SECRET, must_be_ours);
    return 0;
}
