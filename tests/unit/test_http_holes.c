/* tests/unit/test_http_holes.c - what libmicrohttpd lets through and we do not: each hole of the
 * contract, with the request that would be smuggled behind it. */
#include "http_world.h"

#define SMUGGLED "GET /healthz HTTP/1.1\r\n" HOST "\r\n"

struct hole {
    const char *name, *text;
    int status; /* 0: closed without an answer of ours */
};

/* The one answer is `status`, the connection ends after it, and nothing was stored. */
static void check_refused(struct world *w, const struct hole *hole)
{
    char text[16384] = {0};
    size_t len = 0;
    int fd = dial(server_port(w->server));

    say(fd, hole->text);
    for (ssize_t n; (n = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0;)
        len += (size_t)n;
    close(fd);
    int status = len > 12 ? (int)strtol(text + 9, NULL, 10) : 0;
    if (status != hole->status)
        fail_msg("%s: answered %d: %s", hole->name, status, text);
    if (strstr(text, "\"pass\""))
        fail_msg("%s: the request behind it was served", hole->name);
    if (atomic_load(&w->committed))
        fail_msg("%s: an event was stored", hole->name);
}

#define HEAD "POST /in HTTP/1.1\r\n" HOST SECRET

static const struct hole holes[] = {
    {"length and chunked",
     HEAD "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED, 400},
    {"chunked and length",
     HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" SMUGGLED, 400},
    {"two lengths", HEAD "Content-Length: 3\r\nContent-Length: 50\r\n\r\n[e]" SMUGGLED, 400},
    {"two equal lengths", HEAD "Content-Length: 3\r\nContent-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"gzip, chunked", HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" SMUGGLED, 400},
    {"xchunked", HEAD "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SMUGGLED, 400},
    {"identity", HEAD "Transfer-Encoding: identity\r\n\r\n" SMUGGLED, 400},
    {"empty coding", HEAD "Transfer-Encoding:\r\n\r\n" SMUGGLED, 400},
    {"chunked twice",
     HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     400},
    {"chunked in 1.0",
     "POST /in HTTP/1.0\r\n" HOST SECRET "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     400},
    {"blank before the colon", HEAD "Content-Length : 3\r\n\r\n[e]" SMUGGLED, 400},
    {"blank before the colon of the coding",
     HEAD "Content-Length: 3\r\nTransfer-Encoding : chunked\r\n\r\n[e]" SMUGGLED, 400},
    {"brackets in a name", HEAD "X(Y): 1\r\nContent-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"byte over 127 in a name", HEAD "X\xc3\xa9: 1\r\nContent-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"two hosts", HEAD "Host: other\r\nContent-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"folded line", HEAD "X-A: a\r\n b\r\nContent-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"folded last line", HEAD "Content-Length: 3\r\nX-A: a\r\n b\r\n\r\n[e]" SMUGGLED, 400},
    {"folded secret",
     "POST /in HTTP/1.1\r\n" HOST "X-Test-Sec: open\r\n ret\r\n"
     "Content-Length: 3\r\n\r\n[e]" SMUGGLED,
     400},
    {"bare CR in a value", HEAD "X-A: a\rX-B: b\r\nContent-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"bare LF after a value", HEAD "X-A: a\nContent-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"bare LF after the head", HEAD "Content-Length: 3\r\n\n[e]" SMUGGLED, 400},
    {"two blanks before the target",
     "POST  /in HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"two blanks behind the target",
     "POST /in  HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]" SMUGGLED, 0},
    {"bare LF after the request line",
     "POST /in HTTP/1.1\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"control character in a value", HEAD "X-A: a\x01z\r\nContent-Length: 3\r\n\r\n[e]" SMUGGLED,
     400},
    {"DEL in a value", HEAD "X-A: a\x7fz\r\nContent-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"absolute form",
     "POST http://hooks.example.com/in HTTP/1.1\r\n" HOST SECRET
     "Content-Length: 3\r\n\r\n[e]" SMUGGLED,
     400},
    {"asterisk form", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n" SMUGGLED, 400},
    {"NUL in the target",
     "POST /in%00z HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"NUL in the query",
     "POST /in?a=%00 HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"control character in the target",
     "POST /in\x01 HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    /* These libmicrohttpd refuses itself. */
    {"no host in 1.1", "POST /in HTTP/1.1\r\n" SECRET "Content-Length: 3\r\n\r\n[e]" SMUGGLED, 400},
    {"signed length", HEAD "Content-Length: +3\r\n\r\n[e]" SMUGGLED, 400},
    {"list of lengths", HEAD "Content-Length: 3, 3\r\n\r\n[e]" SMUGGLED, 400},
    {"empty length", HEAD "Content-Length:\r\n\r\n" SMUGGLED, 400},
    {"negative length", HEAD "Content-Length: -1\r\n\r\n" SMUGGLED, 400},
    {"length over 64 bits", HEAD "Content-Length: 99999999999999999999\r\n\r\n" SMUGGLED, 413},
    {"blank in the target",
     "POST /in BAR HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]" SMUGGLED, 0},
    {"HTTP/2.0", "POST /in HTTP/2.0\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]" SMUGGLED, 505},
};

static void every_hole_is_closed(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(holes); i++)
        check_refused(*state, &holes[i]);
}

static void ambiguous_framing_is_counted_as_length(void **state)
{
    double before = rejected("length");

    check_refused(*state, &holes[0]);
    check_refused(*state, &holes[2]);
    assert_true(rejected("length") == before + 2);
}

static void a_length_of_64_bits_is_too_large(void **state)
{
    struct heard h = ask(*state, HEAD "Content-Length: 18446744073709551615\r\n\r\n");
    assert_int_equal(h.status, 413);
}

static void a_nul_is_refused_not_cut_off(void **state)
{
    static const char target[] =
        "POST /in\0z HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]";
    static const char query[] =
        "POST /in?a\0z HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]";
    static const char middle[] = HEAD "X-A: a\0z\r\nContent-Length: 3\r\n\r\n[e]";
    static const char last[] = HEAD "Content-Length: 3\r\nX-A: a\0z\r\n\r\n[e]";
    const struct str texts[] = {STR(target), STR(query), STR(middle), STR(last)};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct world *w = *state;
        int fd = dial(server_port(w->server));
        (void)say_bytes(fd, texts[i].at, texts[i].len);
        assert_int_equal(hear(fd).status, 400);
        assert_true(hear_end(fd));
        close(fd);
        assert_int_equal(atomic_load(&w->committed), 0);
    }
}

static void a_sound_head_that_comes_byte_by_byte_is_taken(void **state)
{
    static const char text[] = HEAD "X-Empty:\r\nX-Blanks: \t a \r\nCookie: a=b; c=d\r\n"
                                    "Content-Length: 3\r\n\r\n[e]";
    int fd = dial(server_port(((struct world *)*state)->server));

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        (void)say_bytes(fd, text + i, 1);
    assert_int_equal(hear(fd).status, 200);
    close(fd);
}

static void a_sound_head_of_many_kilobytes_is_taken(void **state)
{
    int fd = dial(server_port(((struct world *)*state)->server));

    for (int round = 0; round < 2; round++) {
        say(fd, HEAD);
        for (int i = 0; i < 120; i++)
            say(fd, "X-Filler: 01234567890123456789012345678901234567890123456789\r\n");
        say(fd, "Content-Length: 3\r\n\r\n[e]");
        assert_int_equal(hear(fd).status, 200);
    }
    close(fd);
}

static void trailers_do_not_count_as_headers(void **state)
{
    struct heard h =
        ask(*state, "POST /in HTTP/1.1\r\n" HOST
                    "Transfer-Encoding: chunked\r\n\r\n3\r\n[e]\r\n0\r\n" SECRET "\r\n");
    assert_int_equal(h.status, 401);
}

static void headers_over_the_limit_are_refused(void **state)
{
    struct world *w = *state;
    int fd = dial(server_port(w->server));

    say(fd, HEAD);
    for (int i = 0; i < 1000; i++)
        say(fd, "X-Filler: 0123456789012345678901234567890123456789\r\n");
    say(fd, "Content-Length: 3\r\n\r\n[e]");
    int status = hear(fd).status;
    close(fd);
    assert_true(status == 431 || status == 0);
    assert_int_equal(atomic_load(&w->committed), 0);
}

static void a_get_with_a_body_is_answered_and_its_body_ignored(void **state)
{
    int fd = dial(server_port(((struct world *)*state)->server));

    say(fd, "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    assert_int_equal(hear(fd).status, 200);
    say(fd, SMUGGLED);
    assert_int_equal(hear(fd).status, 200);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_hole_is_closed),
        TEST(ambiguous_framing_is_counted_as_length),
        TEST(a_length_of_64_bits_is_too_large),
        TEST(a_nul_is_refused_not_cut_off),
        TEST(a_sound_head_that_comes_byte_by_byte_is_taken),
        TEST(a_sound_head_of_many_kilobytes_is_taken),
        TEST(trailers_do_not_count_as_headers),
        TEST(headers_over_the_limit_are_refused),
        TEST(a_get_with_a_body_is_answered_and_its_body_ignored),
    };

    return cmocka_run_group_tests_name("http_holes", tests, NULL, NULL);
}
