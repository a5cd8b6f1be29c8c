/* tests/unit/test_http_bodies.c - for whom a body is read, and how much of the memory for bodies
 * one sender can hold. */
#include "http_world.h"

#define MIB ((size_t)1 << 20)

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

static int dial_from(const char *address, uint16_t port)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval limit = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* Announces `length` bytes with a secret that proves wrong once they are there. */
static void announce(int fd, size_t length)
{
    char head[256];
    int n = snprintf(
        head, sizeof(head),
        "POST /in HTTP/1.1\r\n" HOST "X-Test-Secret: no\r\nContent-Length: %zu\r\n\r\n", length);

    assert_in_range(n, 1, sizeof(head) - 1);
    say(fd, head);
}

static void send_blanks(int fd, size_t n)
{
    static char blanks[64 * 1024];

    memset(blanks, ' ', sizeof(blanks));
    for (size_t sent = 0; sent < n; sent += sizeof(blanks))
        assert_true(say_bytes(fd, blanks, sizeof(blanks)));
}

static void one_address_cannot_take_the_memory_of_all_the_others(void **state)
{
    struct world *w = *state;
    int greedy[3];

    w->settings.max_body = 64 * MIB;
    world_reload(w);
    for (size_t i = 0; i < ARRAY_LEN(greedy); i++) {
        greedy[i] = dial_from("127.0.0.1", server_port(w->server));
        announce(greedy[i], 64 * MIB);
        send_blanks(greedy[i], 60 * MIB);
    }
    int other = dial_from("127.0.0.2", server_port(w->server));
    announce(other, 20 * MIB);
    send_blanks(other, 20 * MIB);
    assert_int_equal(hear(other).status, 401); /* read to its end and judged, not turned away */
    send_blanks(greedy[2], 4 * MIB);
    assert_int_equal(hear(greedy[2]).status, 503);
    for (size_t i = 0; i < ARRAY_LEN(greedy); i++)
        close(greedy[i]);
    close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_shows_no_secret_is_401_before_its_body),
        TEST(what_is_too_old_is_401_before_its_body),
        TEST(without_a_body_a_401_keeps_the_connection),
        TEST(one_address_cannot_take_the_memory_of_all_the_others),
    };

    return cmocka_run_group_tests_name("http_bodies", tests, NULL, NULL);
}
