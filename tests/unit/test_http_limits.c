/* tests/unit/test_http_limits.c - slow, many, large and late ones; draining and stopping. Time
 * is server_tick's argument. */
#include "http_world.h"

#define POST "POST /in HTTP/1.1\r\n" HOST SECRET
#define GOOD POST "Content-Length: 3\r\n\r\n[e]"

static void later(struct world *w, int64_t ms)
{
    server_tick(w->server, clock_mono_us() / 1000 + ms);
}

static int dial_and_say(struct world *w, const char *text)
{
    int fd = dial(server_port(w->server));

    say(fd, text);
    return fd;
}

static bool still_open(int fd)
{
    char c;
    return recv(fd, &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void slow_headers_end_the_connection(void **state)
{
    struct world *w = *state;
    int fd = dial_and_say(w, "POST /in HTTP/1.1\r\nHost: ho");

    WAIT_UNTIL(server_connections(w->server) == 1);
    later(w, 9000);
    assert_true(still_open(fd));
    later(w, 10500);
    assert_true(hear_end(fd));
    close(fd);
    WAIT_UNTIL(server_connections(w->server) == 0);
}

static void a_connection_that_says_nothing_is_ended(void **state)
{
    struct world *w = *state;
    int fd = dial(server_port(w->server));

    WAIT_UNTIL(server_connections(w->server) == 1);
    later(w, 10500);
    assert_true(hear_end(fd));
    close(fd);
}

static void a_slow_body_ends_the_connection(void **state)
{
    struct world *w = *state;
    int fd = dial_and_say(w, POST "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n");

    assert_int_equal(hear(fd).status, 100); /* the body phase has begun */
    say(fd, "[e");
    later(w, 15000);
    assert_true(still_open(fd));
    later(w, 20500);
    assert_true(hear_end(fd));
    close(fd);
}

static void an_idle_connection_lives_for_its_own_time(void **state)
{
    struct world *w = *state;

    w->settings.body_timeout_ms = 600000; /* so that answering cannot be what is cut */
    world_reload(w);
    int fd = dial_and_say(w, GOOD);
    assert_int_equal(hear(fd).status, 200);
    later(w, 60000);
    say(fd, GOOD);
    assert_int_equal(hear(fd).status, 200);
    /* Again and again: it is idle only a moment after its answer was read. */
    WAIT_UNTIL((later(w, 76000), !still_open(fd)));
    close(fd);
}

static void a_commit_over_4_seconds_is_answered_503_and_may_end_later(void **state)
{
    struct world *w = *state;
    double before = rejected("overload");

    atomic_store(&w->hold, true);
    int fd = dial_and_say(w, GOOD);
    WAIT_UNTIL(server_suspended(w->server) == 1);
    later(w, 3000);
    assert_int_equal((int)server_suspended(w->server), 1);
    later(w, 4100);
    struct heard h = hear(fd);
    assert_int_equal(h.status, 503);
    assert_true(has_header(&h, "Retry-After: 5"));
    assert_true(rejected("overload") == before + 1);
    assert_int_equal((int)server_suspended(w->server), 0);
    close(fd);
    WAIT_UNTIL(server_connections(w->server) == 0);
    atomic_store(&w->hold, false); /* the writer still holds its events */
    WAIT_UNTIL(atomic_load(&w->committed) == 1);
}

static void a_client_that_leaves_while_it_waits_harms_nobody(void **state)
{
    struct world *w = *state;

    atomic_store(&w->hold, true);
    int fd = dial_and_say(w, GOOD);
    WAIT_UNTIL(server_suspended(w->server) == 1);
    close(fd);
    atomic_store(&w->hold, false);
    WAIT_UNTIL(server_connections(w->server) == 0);
    WAIT_UNTIL(server_suspended(w->server) == 0); /* counted once it was resumed */
    assert_int_equal(ask(w, GOOD).status, 200);
}

static void say_chunks(int fd, int n)
{
    static const char chunk[] = "1000\r\n";
    char filler[4096];

    memset(filler, 'e', sizeof(filler));
    for (int i = 0; i < n; i++) {
        say(fd, chunk);
        (void)say_bytes(fd, filler, sizeof(filler));
        say(fd, "\r\n");
    }
}

static void a_chunked_body_over_the_limit_is_413_at_its_end(void **state)
{
    struct world *w = *state;
    int fd = dial_and_say(w, POST "Transfer-Encoding: chunked\r\n\r\n");

    say_chunks(fd, 20); /* 80 KiB of 64 */
    say(fd, "0\r\n\r\n");
    assert_int_equal(hear(fd).status, 413);
    say(fd, GOOD); /* all of it was read: the connection goes on */
    assert_int_equal(hear(fd).status, 200);
    close(fd);
}

static void a_chunked_body_of_one_byte_too_many_is_413(void **state)
{
    static const struct {
        const char *size;
        size_t n;
        int status;
    } cases[] = {{"10000", 65536, 200}, {"10001", 65537, 413}};
    char *body = mem_alloc(65537);

    memset(body, 'x', 65537);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = dial_and_say(*state, POST "Transfer-Encoding: chunked\r\n\r\n");
        body[0] = '[';
        body[cases[i].n - 1] = ']';
        say(fd, cases[i].size);
        say(fd, "\r\n");
        assert_true(say_bytes(fd, body, cases[i].n));
        say(fd, "\r\n0\r\n\r\n");
        assert_int_equal(hear(fd).status, cases[i].status);
        close(fd);
    }
    free(body);
}

static void a_chunked_body_without_end_is_cut(void **state)
{
    struct world *w = *state;
    int fd = dial_and_say(w, POST "Transfer-Encoding: chunked\r\n\r\n");

    say_chunks(fd, 100); /* 400 KiB, over 4 times the limit */
    assert_true(hear_end(fd));
    close(fd);
    WAIT_UNTIL(server_connections(w->server) == 0);
}

static void an_early_answer_reaches_a_sender_that_is_still_writing(void **state)
{
    enum { LARGE = 4 << 20 };
    struct world *w = *state;
    char *body = mem_alloc(LARGE);

    for (int i = 0; i < 20; i++) {
        int fd = dial_and_say(w, POST "Content-Length: 4194304\r\n\r\n");
        for (int sent = 0; sent < LARGE; sent += 1 << 16) {
            assert_true(say_bytes(fd, body + sent, 1 << 16));
            later(w, 0);
        }
        assert_int_equal(hear(fd).status, 413);
        close(fd);
    }
    free(body);
    later(w, 5000);
}

static void expect_is_answered_with_the_refusal(void **state)
{
    struct world *w = *state;
    int fd = dial_and_say(w, "POST /nowhere HTTP/1.1\r\n" HOST
                             "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n");
    assert_int_equal(hear(fd).status, 404);
    close(fd);
}

enum { MANY = 256, ROUNDS = 5 };

static void many_kept_connections_are_all_served(void **state)
{
    struct world *w = *state;
    int fds[MANY];

    for (int i = 0; i < MANY; i++)
        fds[i] = dial(server_port(w->server));
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < MANY; i++)
            say(fds[i], GOOD);
        for (int i = 0; i < MANY; i++)
            assert_int_equal(hear(fds[i]).status, 200);
    }
    assert_int_equal(atomic_load(&w->committed), MANY * ROUNDS);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
}

static void deadline_and_commit_race_and_each_request_is_answered_once(void **state)
{
    struct world *w = *state;
    int fds[MANY], n200 = 0, n503 = 0;

    for (int i = 0; i < MANY; i++)
        fds[i] = dial(server_port(w->server));
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < MANY; i++) {
            say(fds[i], GOOD);
            if (i % 4 == 0)
                later(w, 5000);
        }
        for (int i = 0; i < MANY; i++) {
            int status = hear(fds[i]).status;
            n200 += status == 200;
            n503 += status == 503;
        }
    }
    assert_int_equal(n200 + n503, MANY * ROUNDS);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    WAIT_UNTIL(atomic_load(&w->committed) == MANY * ROUNDS);
    assert_int_equal((int)server_suspended(w->server), 0);
}

static void draining_finishes_what_is_in_hand_and_refuses_what_is_new(void **state)
{
    struct world *w = *state;
    double before = rejected("shutdown");
    int idle = dial_and_say(w, GOOD), other = dial_and_say(w, GOOD);

    assert_int_equal(hear(idle).status, 200);
    assert_int_equal(hear(other).status, 200);
    atomic_store(&w->hold, true);
    int waits = dial_and_say(w, GOOD);
    WAIT_UNTIL(server_suspended(w->server) == 1);
    server_drain(w->server);
    say(other, GOOD);
    struct heard h = hear(other);
    assert_int_equal(h.status, 503);
    assert_true(has_header(&h, "Connection: close"));
    assert_true(hear_end(other));
    assert_true(rejected("shutdown") == before + 1);
    atomic_store(&w->hold, false);
    h = hear(waits);
    assert_int_equal(h.status, 200);
    assert_true(has_header(&h, "Connection: close"));
    later(w, 1500);
    assert_true(hear_end(idle));
    WAIT_UNTIL(server_connections(w->server) == 0);
    close(idle);
    close(other);
    close(waits);

    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(server_port(w->server)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
    close(fd);
}

static void a_request_is_busy_from_its_first_line_to_its_answer(void **state)
{
    struct world *w = *state;
    int quiet = dial(server_port(w->server)), fd = dial_and_say(w, GOOD);

    assert_int_equal(hear(fd).status, 200);
    WAIT_UNTIL(server_busy(w->server) == 0);
    say(fd, POST "Content-Length: 3\r\n\r\n[e");
    WAIT_UNTIL(server_busy(w->server) == 1);
    server_drain(w->server);
    assert_int_equal((int)server_busy(w->server), 1);
    atomic_store(&w->hold, true);
    say(fd, "]");
    WAIT_UNTIL(server_suspended(w->server) == 1);
    assert_int_equal((int)server_busy(w->server), 1);
    atomic_store(&w->hold, false);
    assert_int_equal(hear(fd).status, 200);
    WAIT_UNTIL(server_busy(w->server) == 0);
    close(quiet);
    close(fd);
}

static void draining_turns_public_health_to_fail(void **state)
{
    struct world *w = *state;
    int fd = dial_and_say(w, GOOD);

    assert_int_equal(hear(fd).status, 200);
    server_drain(w->server);
    say(fd, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
    struct heard h = hear(fd);
    assert_int_equal(h.status, 503);
    assert_string_equal(body_of(&h), "{\"status\":\"fail\"}");
    close(fd);
}

static void stopping_while_requests_wait_does_not_abort(void **state)
{
    struct world *w = *state;
    int fds[8];

    atomic_store(&w->hold, true);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = dial_and_say(w, GOOD);
    WAIT_UNTIL(server_suspended(w->server) == ARRAY_LEN(fds));
    server_stop(w->server);
    w->server = NULL; /* and the writer ends its works after that, in the teardown */
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

static void stopping_under_load_does_not_abort(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct world *w = mem_alloc(sizeof(*w));
        int fds[32];

        world_init(w);
        world_start(w);
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            fds[i] = dial(server_port(w->server));
        for (int repeat = 0; repeat < 4; repeat++)
            for (size_t i = 0; i < ARRAY_LEN(fds); i++)
                say(fds[i], GOOD GOOD);
        world_end(w);
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            close(fds[i]);
        free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(slow_headers_end_the_connection),
        TEST(a_connection_that_says_nothing_is_ended),
        TEST(a_slow_body_ends_the_connection),
        TEST(an_idle_connection_lives_for_its_own_time),
        TEST(a_commit_over_4_seconds_is_answered_503_and_may_end_later),
        TEST(a_client_that_leaves_while_it_waits_harms_nobody),
        TEST(a_chunked_body_over_the_limit_is_413_at_its_end),
        TEST(a_chunked_body_of_one_byte_too_many_is_413),
        TEST(a_chunked_body_without_end_is_cut),
        TEST(an_early_answer_reaches_a_sender_that_is_still_writing),
        TEST(expect_is_answered_with_the_refusal),
        TEST(many_kept_connections_are_all_served),
        TEST(deadline_and_commit_race_and_each_request_is_answered_once),
        TEST(draining_finishes_what_is_in_hand_and_refuses_what_is_new),
        TEST(a_request_is_busy_from_its_first_line_to_its_answer),
        TEST(draining_turns_public_health_to_fail),
        TEST(stopping_while_requests_wait_does_not_abort),
        cmocka_unit_test(stopping_under_load_does_not_abort),
    };

    return cmocka_run_group_tests_name("http_limits", tests, NULL, NULL);
}
