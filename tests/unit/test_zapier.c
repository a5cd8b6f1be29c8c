/* tests/unit/test_zapier.c - Zaps: settings, who may post, and signing like one. */
#include "cm.h"

#include <string.h>

#include "zapier_fixture.h"

struct credentials {
    const char *own, *authorization;
};

static enum refusal verify(struct fixture *f, struct credentials c)
{
    struct request r = {.raw = {.method = STR("POST"), .received_at = NOW}};
    struct why why = {0};

    if (c.own)
        request_add(&r, "x-funneld-secret", str_of(c.own));
    if (c.authorization)
        request_add(&r, "authorization", str_of(c.authorization));
    enum refusal refused = f->source.type->verify(&f->source, request_raw(&r), &f->a, &why);
    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    assert_null(strstr(why.text, "one"));
    return refused;
}

static void secret_is_accepted_in_each_of_three_places(void **state)
{
    static const struct {
        struct credentials given;
        bool accepted;
    } cases[] = {
        {{"s:one", NULL}, true},
        {{"s:onE", NULL}, false},
        {{"s:one ", NULL}, false},
        {{"", NULL}, false},
        {{NULL, NULL}, false},
        {{NULL, "Bearer s:one"}, true},
        {{NULL, "bearer   s:one"}, true},
        {{NULL, "Bearer s:two"}, false},
        {{NULL, "Bearer"}, false},
        {{NULL, "Bearer "}, false},
        {{NULL, "Bearers:one"}, false},
        {{NULL, "s:one"}, false},
        {{NULL, "Digest s:one"}, false},
        {{NULL, "Basic YW55Ym9keTpzOm9uZQ=="}, true}, /* anybody:s:one */
        {{NULL, "basic OnM6b25l"}, true},             /* :s:one */
        {{NULL, "Basic czpvbmU="}, false},            /* s:one has user s and password one */
        {{NULL, "Basic YW55Ym9keTpzOnR3bw=="}, false},
        {{NULL, "Basic YW55Ym9keQ=="}, false}, /* no colon */
        {{NULL, "Basic %%%%"}, false},
        {{NULL, "Basic "}, false},
        {{"s:one", "Bearer s:one"}, true},
        {{"s:one", "Bearer wrong"}, false},
        {{"wrong", "Bearer s:one"}, false},
        {{"s:one", "Digest x"}, false},
    };
    FIXTURE(f, plain);

    (void)state;
    assert_int_equal(f.problems.n, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool accepted = verify(&f, cases[i].given) == REFUSED_NOT;

        if (accepted != cases[i].accepted)
            fail_msg("case %zu should be %s", i, cases[i].accepted ? "accepted" : "refused");
    }
}

static void header_sent_twice_is_refused(void **state)
{
    struct request own = {.n = 0}, standard = {.n = 0};
    FIXTURE(f, plain);

    (void)state;
    for (int i = 0; i < 2; i++) {
        request_add(&own, "X-Funneld-Secret", STR("s:one"));
        request_add(&standard, "Authorization", STR("Bearer s:one"));
    }
    assert_int_equal(f.source.type->verify(&f.source, request_raw(&own), &f.a, NULL),
                     REFUSED_SIGNATURE);
    assert_int_equal(f.source.type->verify(&f.source, request_raw(&standard), &f.a, NULL),
                     REFUSED_SIGNATURE);
}

static void previous_secret_is_accepted_while_it_is_set(void **state)
{
    FIXTURE(f, "secret = two\nsecret_previous = one\n");

    (void)state;
    assert_int_equal(verify(&f, (struct credentials){"two", NULL}), REFUSED_NOT);
    assert_int_equal(verify(&f, (struct credentials){"one", NULL}), REFUSED_NOT);
    assert_int_equal(verify(&f, (struct credentials){"three", NULL}), REFUSED_SIGNATURE);
    assert_int_equal(verify(&f, (struct credentials){"", NULL}), REFUSED_SIGNATURE);
}

static void empty_previous_secret_lets_nobody_in(void **state)
{
    FIXTURE(f, "secret = two\nsecret_previous =\n");

    (void)state;
    assert_int_equal(verify(&f, (struct credentials){"", NULL}), REFUSED_SIGNATURE);
    assert_int_equal(verify(&f, (struct credentials){NULL, "Basic Og=="}), REFUSED_SIGNATURE);
}

static void settings_that_cannot_work_are_problems(void **state)
{
    FIXTURE(relative, "secret = one\npath = zapier\n");
    FIXTURE(no_secret, "");
    FIXTURE(no_window, "secret = one\ndedupe_window = 0\n");

    (void)state;
    assert_int_equal(relative.problems.n, 1);
    assert_true(no_secret.problems.n > 0);
    assert_int_equal(no_window.problems.n, 1);
}

static void what_sign_makes_is_accepted_and_processed(void **state)
{
    struct event *events;
    size_t n;
    FIXTURE(f, plain);

    (void)state;
    f.source.public_url = STR("https://hooks.example.com");
    struct request r = request_signed(&f.source, "v3", f.source.type->sample(NOW, &f.a), NOW, &f.a);
    assert_int_equal(r.n, 2);
    assert_int_equal(f.source.type->verify(&f.source, request_raw(&r), &f.a, NULL), REFUSED_NOT);
    assert_int_equal(f.source.type->decode(&f.source, request_raw(&r), &f.a, &events, &n, NULL),
                     REFUSED_NOT);
    assert_int_equal(events[0].state, EVENT_PROCESSED);
    assert_int_equal(events[0].occurred_at, NOW);
}

static void sign_needs_to_know_where_to(void **state)
{
    struct field headers[4];
    struct str url;
    size_t n;
    struct why why = {0};
    FIXTURE(f, plain);

    (void)state;
    assert_int_equal(f.source.type->sign(&f.source, STR_NULL, STR(""), STR("{}"), NOW, &f.a,
                                         headers, &n, &url, &why),
                     RC_INVALID);
    assert_int_equal(f.source.type->sign(&f.source, STR("http://[::1]:80/"), STR(""), STR("{}"),
                                         NOW, &f.a, headers, &n, &url, &why),
                     RC_OK);
    assert_true(str_is(url, "http://[::1]:80/webhooks/zapier"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_is_accepted_in_each_of_three_places),
        cmocka_unit_test(header_sent_twice_is_refused),
        cmocka_unit_test(previous_secret_is_accepted_while_it_is_set),
        cmocka_unit_test(empty_previous_secret_lets_nobody_in),
        cmocka_unit_test(settings_that_cannot_work_are_problems),
        cmocka_unit_test(what_sign_makes_is_accepted_and_processed),
        cmocka_unit_test(sign_needs_to_know_where_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
