/* tests/unit/test_http_bodies.c - for whom a body is read. */
#include "http_world.h"

static void what_shows_no_secret_is_401_before_its_body(void **state)
{
    static const char *const heads[] = {
        "POST /in HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\n",
        "POST /in HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
        "POST /in HTTP/1.1\r\n" HOST SECRET SECRET "Content-Length: 1000\r\n\r\n",
        "POST /in HTTP/1.1\r\n" HOST "Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n",
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        int fd = dial(server_port(w->server));
        say(fd, heads[i]);
        struct heard h = hear(fd);
        assert_int_equal(h.status, 401);
        assert_true(has_header(&h, "Connection: close"));
        assert_true(hear_end(fd));
        close(fd);
    }
    assert_true(rejected("signature") >= ARRAY_LEN(heads));
}

static void what_is_too_old_is_401_before_its_body(void **state)
{
    struct heard h = ask(*state, "POST /in HTTP/1.1\r\n" HOST SECRET
                                 "X-Test-Stale: 1\r\nContent-Length: 9\r\n\r\n");
    assert_int_equal(h.status, 401);
}

static void without_a_body_a_401_keeps_the_connection(void **state)
{
    int fd = dial(server_port(((struct world *)*state)->server));

    for (int i = 0; i < 2; i++) {
        say(fd, "POST /in HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
        assert_int_equal(hear(fd).status, 401);
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_shows_no_secret_is_401_before_its_body),
        TEST(what_is_too_old_is_401_before_its_body),
        TEST(without_a_body_a_401_keeps_the_connection),
    };

    return cmocka_run_group_tests_name("http_bodies", tests, NULL, NULL);
}
