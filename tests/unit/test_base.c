/* tests/unit/test_base.c - text, time, URLs, crypto, mailbox. */
#include "cm.h"
#include <pthread.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/base/crypto.h"
#include "funneld/base/mailbox.h"
#include "funneld/base/url.h"

static void missing_is_not_empty(void **state)
{
    (void)state;
    assert_true(str_eq(STR_NULL, STR_NULL));
    assert_false(str_eq(STR_NULL, STR("")));
    assert_true(str_eq(STR(""), STR("")));
}

static void integers_are_decimal_and_in_range(void **state)
{
    static const char *const bad[] = {
        "", "-", "+1", " 1", "1 ", "0x1", "9223372036854775808", "-9223372036854775809", "1.0"};
    int64_t n = 5;

    (void)state;
    assert_true(str_int64(STR("-9223372036854775808"), &n) && n == INT64_MIN);
    assert_true(str_int64(STR("9223372036854775807"), &n) && n == INT64_MAX);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(str_int64(str_of(bad[i]), &n));
    assert_int_equal(n, INT64_MAX);
}

static void integers_are_written_as_they_are_read(void **state)
{
    const int64_t numbers[] = {0, 7, -7, 10, 4294967296, INT64_MAX, INT64_MIN};
    struct sbuf b AUTO(sbuf_free) = SBUF(64);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        int64_t back = 1;

        sbuf_reset(&b);
        sbuf_int(&b, numbers[i]);
        assert_true(str_int64(sbuf_str(&b), &back) && back == numbers[i]);
    }
    assert_true(str_is(sbuf_str(&b), "-9223372036854775808"));
}

static void an_array_grows_before_it_is_full(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    size_t *items = NULL, n = 0, cap = 0;

    (void)state;
    while (n < 1000) {
        items = arena_more(&a, items, n, &cap, sizeof *items);
        assert_true(n < cap);
        items[n] = n;
        n++;
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(items[i], i);
}

static void a_long_text_is_formatted_whole_and_up_to_the_ceiling(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(400);
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    for (int n = 100; n <= 160; n++) { /* around what is formatted on the stack */
        sbuf_reset(&b);
        sbuf_printf(&b, "%*d", n, 5);
        assert_int_equal(sbuf_str(&b).len, n);
        assert_int_equal(b.at[n - 1], '5');
        struct str text = arena_printf(&a, "%*d", n, 5);
        assert_int_equal(text.len, n);
        assert_int_equal(text.at[n - 1], '5');
        assert_int_equal(text.at[n], 0);
    }
    sbuf_reset(&b);
    sbuf_printf(&b, "%*d", 401, 5);
    assert_true(b.failed);
}

static void decimals_have_no_exponent(void **state)
{
    double d = 0;

    (void)state;
    assert_true(str_decimal(STR("-12.50"), &d) && d == -12.5);
    assert_true(str_decimal(STR("0.1"), &d) && d == 0.1);
    assert_false(str_decimal(STR("1e3"), &d));
    assert_false(str_decimal(STR("1."), &d));
    assert_false(str_decimal(STR(".5"), &d));
    assert_false(str_decimal(STR(""), &d));
}

static void a_cut_never_splits_a_character(void **state)
{
    (void)state;
    assert_int_equal(str_cut(STR("aé"), 2).len, 1);
    assert_int_equal(str_cut(STR("aé"), 3).len, 3);
    assert_int_equal(str_cut(STR("😀"), 3).len, 0);
}

static void times_are_written_and_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01", 0},
        {"2026-01-22T11:39:53.375Z", 1769081993375},
        {"2026-01-22T12:39:53.375+01:00", 1769081993375},
        {"2026-01-22 11:39:53.375", 1769081993375},
        {"2024-02-29T00:00:00-0030", 1709166600000},
        {"1769081993375", 1769081993375},
        {"1969-12-31T23:59:59.999Z", -1},
    };
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-13-01",
                                      "2025-02-29",
                                      "2026-01-22T25:00",
                                      "soon",
                                      "2026-01-22T11:39:53.Z",
                                      "2026-01-22Tx"};
    char text[TIME_TEXT];
    int64_t ms = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(time_parse(str_of(rows[i].text), &ms));
        assert_int_equal(ms, rows[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(time_parse(str_of(bad[i]), &ms));
    time_text(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    time_text(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void every_day_survives_the_round_trip(void **state)
{
    char text[TIME_TEXT];

    (void)state;
    for (int64_t day = -200000; day < 200000; day += 37) {
        int64_t back = 1;

        time_text(day * DAYS_MS, text);
        assert_true(time_parse(str_of(text), &back));
        assert_int_equal(back, day * DAYS_MS);
    }
}

static void urls_are_taken_apart(void **state)
{
    static const char *const bad[] = {"ftp://x",         "https://",     "https://a b",
                                      "https://u:p@h/",  "https://h/#x", "https://h:0/",
                                      "https://h:70000", "http://[::1",  "https://h\r\n"};
    struct url u;

    (void)state;
    assert_int_equal(url_parse(STR("http://[::1]:8080/a?b=c"), &u, NULL), RC_OK);
    assert_true(str_is(u.host, "::1") && u.port == 8080 && str_is(u.target, "/a?b=c"));
    assert_int_equal(url_parse(STR("https://h"), &u, NULL), RC_OK);
    assert_true(u.port == 443 && u.target.len == 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (url_parse(str_of(bad[i]), &u, NULL) == RC_OK)
            fail_msg("accepted: %s", bad[i]);
}

static void mail_servers_have_urls_of_their_own(void **state)
{
    static const char *const bad[] = {"http://h",   "https://h", "smtp:h",  "smtpx://h",
                                      "smtp://u@h", "smtp://",   "SMTP://h"};
    struct url u;

    (void)state;
    assert_int_equal(mail_url_parse(STR("smtp://mx.test"), &u, NULL), RC_OK);
    assert_true(str_is(u.scheme, "smtp") && str_is(u.host, "mx.test") && u.port == 587);
    assert_int_equal(mail_url_parse(STR("smtps://mx.test/me"), &u, NULL), RC_OK);
    assert_true(str_is(u.scheme, "smtps") && u.port == 465 && str_is(u.target, "/me"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (mail_url_parse(str_of(bad[i]), &u, NULL) == RC_OK)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(url_parse(STR("smtp://mx.test"), &u, NULL), RC_INVALID);
}

static void only_this_machine_is_loopback(void **state)
{
    (void)state;
    assert_true(host_is_loopback(STR("127.0.0.1")) && host_is_loopback(STR("127.9.8.7")));
    assert_true(host_is_loopback(STR("localhost")) && host_is_loopback(STR("::1")));
    assert_false(host_is_loopback(STR("127.0.0.1.example.com")));
    assert_false(host_is_loopback(STR("128.0.0.1")));
    assert_false(host_is_loopback(STR("127.0.1")));
}

static void addresses_name_a_port(void **state)
{
    struct str host;
    uint16_t port;

    (void)state;
    assert_int_equal(host_port_parse(STR("[::]:8443"), &host, &port, NULL), RC_OK);
    assert_true(str_is(host, "::") && port == 8443);
    assert_int_equal(host_port_parse(STR(":80"), &host, &port, NULL), RC_OK);
    assert_true(host.len == 0 && port == 80);
    assert_int_equal(host_port_parse(STR("localhost"), &host, &port, NULL), RC_INVALID);
    assert_int_equal(host_port_parse(STR("h:"), &host, &port, NULL), RC_INVALID);
    assert_int_equal(host_port_parse(STR("[::1]"), &host, &port, NULL), RC_INVALID);
}

/* RFC 4231 test case 2, FIPS 180 "abc". */
static void hashes_match_the_published_vectors(void **state)
{
    struct str abc[] = {STR("a"), STR("bc")},
               data[] = {STR("what do ya want "), STR("for nothing?")};
    uint8_t hash[SHA256_LEN];
    char hex[SHA256_HEX];

    (void)state;
    sha256(abc, 2, hash);
    hex_encode(hash, sizeof hash, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hmac_sha256(STR("Jefe"), data, 2, hash);
    hex_encode(hash, sizeof hash, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* RFC 2202 and RFC 4231, test case 2 of each. */
static void hmacs_of_other_digests_match_the_published_vectors(void **state)
{
    static const char *const expected[DIGESTS] = {
        [DIGEST_SHA256] = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        [DIGEST_SHA1] = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        [DIGEST_SHA512] = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                          "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    };
    struct str data[] = {STR("what do ya want "), STR("for nothing?")};
    uint8_t mac[HMAC_MAX];
    char hex[2 * HMAC_MAX + 1];

    (void)state;
    for (size_t i = 0; i < DIGESTS; i++) {
        hex_encode(mac, hmac((enum digest)i, STR("Jefe"), data, 2, mac), hex);
        assert_string_equal(hex, expected[i]);
    }
}

static void base64_goes_there_and_back(void **state)
{
    struct arena a = {0};
    struct str back;

    (void)state;
    assert_true(str_is(base64_encode(&a, STR("\xfb\xff")), "+/8="));
    assert_true(str_is(base64url_encode(&a, STR("\xfb\xff")), "-_8"));
    assert_true(base64_decode(&a, STR("+/8="), &back) && str_is(back, "\xfb\xff"));
    assert_false(base64_decode(&a, STR("+/8"), &back));
    arena_free(&a);
}

static void escapes_of_urls_go_there_and_back(void **state)
{
    static const char *const odd[] = {"%", "a%4", "%zz", "%4", "%%41", "%4 1"};
    struct sbuf b AUTO(sbuf_free) = SBUF(100), back AUTO(sbuf_free) = SBUF(100);
    struct str raw = STR("a b+c/%\0\xff~\n");

    (void)state;
    url_encode(&b, raw);
    assert_true(url_decode(&back, sbuf_str(&b)) && str_eq(sbuf_str(&back), raw));
    sbuf_reset(&back);
    assert_true(url_decode(&back, STR("a+b%2b%2Bc")) && str_is(sbuf_str(&back), "a b++c"));
    assert_true(url_decode(&back, STR("")));
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        assert_false(url_decode(&back, str_of(odd[i])));
}

static void equality_needs_both(void **state)
{
    (void)state;
    assert_true(crypto_equal(STR("abc"), STR("abc")));
    assert_false(crypto_equal(STR("abc"), STR("abd")));
    assert_false(crypto_equal(STR("abc"), STR("ab")));
    assert_false(crypto_equal(STR_NULL, STR_NULL));
}

static void why_reads_from_the_outside_in(void **state)
{
    struct why why = {0};

    (void)state;
    assert_int_equal(why_fail(RC_IO, &why, "disk %d", 3), RC_IO);
    assert_int_equal(why_wrap(RC_IO, &why, "open"), RC_IO);
    assert_string_equal(why.text, "open: disk 3");
    struct why empty = {0};
    assert_int_equal(why_wrap(RC_FULL, &empty, "commit"), RC_FULL);
    assert_string_equal(empty.text, "commit: the storage is full");
}

static void a_full_mailbox_says_busy_but_forced_mail_goes_in(void **state)
{
    struct mailbox *box = mailbox_new(10);
    struct mail m[4] = {{.weight = 6}, {.weight = 6}, {.weight = 4}, {.weight = 1}};

    (void)state;
    assert_int_equal(mailbox_put(box, &m[0]), RC_OK);
    assert_int_equal(mailbox_put(box, &m[1]), RC_BUSY);
    assert_int_equal(mailbox_put(box, &m[2]), RC_OK);
    assert_int_equal(mailbox_force(box, &m[3]), RC_OK);
    assert_int_equal(mailbox_weight(box), 11);
    struct mail *first = mailbox_take(box, 10, 0);
    assert_ptr_equal(first, &m[0]);
    assert_ptr_equal(first->next, &m[2]);
    assert_null(first->next->next);
    mailbox_close(box);
    assert_int_equal(mailbox_put(box, &m[1]), RC_CLOSED);
    assert_ptr_equal(mailbox_take(box, 10, -1), &m[3]);
    assert_null(mailbox_take(box, 10, -1));
    mailbox_free(box);
}

enum { SENDERS = 4, MAILS = 5000 };

struct sender {
    struct mailbox *box;
    struct mail mails[MAILS];
};

static void *send_all(void *arg)
{
    struct sender *s = arg;

    for (int i = 0; i < MAILS; i++) {
        s->mails[i].weight = 1;
        if (mailbox_force(s->box, &s->mails[i]) != RC_OK)
            return NULL;
    }
    return s;
}

static void no_mail_is_lost_between_threads(void **state)
{
    static struct sender senders[SENDERS];
    struct mailbox *box = mailbox_new(64);
    pthread_t threads[SENDERS];
    int seen = 0;

    (void)state;
    for (int i = 0; i < SENDERS; i++) {
        senders[i].box = box;
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    while (seen < SENDERS * MAILS)
        for (struct mail *m = mailbox_take(box, 100, 1000); m; m = m->next)
            seen++;
    for (int i = 0; i < SENDERS; i++) {
        void *ok = NULL;

        assert_int_equal(pthread_join(threads[i], &ok), 0);
        assert_non_null(ok);
    }
    assert_int_equal(mailbox_weight(box), 0);
    mailbox_free(box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_is_not_empty),
        cmocka_unit_test(integers_are_decimal_and_in_range),
        cmocka_unit_test(integers_are_written_as_they_are_read),
        cmocka_unit_test(an_array_grows_before_it_is_full),
        cmocka_unit_test(a_long_text_is_formatted_whole_and_up_to_the_ceiling),
        cmocka_unit_test(decimals_have_no_exponent),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(times_are_written_and_read),
        cmocka_unit_test(every_day_survives_the_round_trip),
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(mail_servers_have_urls_of_their_own),
        cmocka_unit_test(only_this_machine_is_loopback),
        cmocka_unit_test(addresses_name_a_port),
        cmocka_unit_test(hashes_match_the_published_vectors),
        cmocka_unit_test(hmacs_of_other_digests_match_the_published_vectors),
        cmocka_unit_test(base64_goes_there_and_back),
        cmocka_unit_test(escapes_of_urls_go_there_and_back),
        cmocka_unit_test(equality_needs_both),
        cmocka_unit_test(why_reads_from_the_outside_in),
        cmocka_unit_test(a_full_mailbox_says_busy_but_forced_mail_goes_in),
        cmocka_unit_test(no_mail_is_lost_between_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
