/* tests/fuzz/fuzz_zapier_secret.c - nobody who does not send the secret is let in. */
#include "verify.h"

#define SECRET "not-to-be-guessed"

static bool login_holds_secret(struct str authorization, struct arena *a)
{
    struct str login;

    return str_ends(authorization, STR(SECRET)) ||
           (base64_decode(a, str_trim(str_from(authorization, 5)), &login) &&
            str_ends(login, STR(":" SECRET)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source *s = fuzz_source(&zapier_source, "secret = " SECRET "\n");
    struct arena a AUTO(arena_free) = {0};
    struct changed c = fuzz_change(s, fuzz_text(data, size), &a);
    struct why why = {0};
    enum refusal refused = s->type->verify(s, request_raw(&c.request), &a, &why);
    size_t own, standard;
    struct str secret = request_header(&c.request, "X-Funneld-Secret", &own);
    struct str authorization = request_header(&c.request, "Authorization", &standard);

    assert_true(refused == REFUSED_NOT || refused == REFUSED_SIGNATURE);
    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    assert_false(fuzz_holds(str_of(why.text), SECRET)); /* not even what was sent */
    if (refused == REFUSED_NOT) {
        assert_true(own + standard > 0 && own <= 1 && standard <= 1);
        assert_true(!own || str_is(secret, SECRET));
        assert_true(!standard || login_holds_secret(authorization, &a));
    }
    return 0;
}
