/* tests/fuzz/fuzz_standard_webhooks.c - nothing that was not signed with the secret is accepted. */
#include "verify.h"

#define SECRET "wCwLll4COr7oCPK1SNjVGTqLUim+bzEhpvFuLUGkSbM="

static void must_be_ours(const struct changed *c)
{
    const struct request *now = &c->request, *then = &c->signed_one;

    fuzz_is_ours(c, "webhook-timestamp");
    fuzz_same(fuzz_header(now, "webhook-id"), fuzz_header(then, "webhook-id"));
    assert_non_null(
        str_find(fuzz_header(now, "webhook-signature"), fuzz_header(then, "webhook-signature")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source *s =
        fuzz_source(&http_source, "signature = standard\nsecret = whsec_" SECRET "\n"
                                  "secret_previous = whsec_ThGV3wIN5Z4NZaM6QnnxGD565OXZgOMJ\n");

    fuzz_verify(s, fuzz_text(data, size), SECRET, must_be_ours);
    return 0;
}
