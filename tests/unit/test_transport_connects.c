/* tests/unit/test_transport_connects.c - requests that only connect, and why nothing comes about.
 */
#include "cm.h"
#include "transport_world.h"

static struct http_response connect_to(struct world *w, struct str url)
{
    struct http_request r = {
        .method = "GET", .url = url, .only_connects = true, .repeatable = true};

    return exchange_for(w, &r, 1000);
}

static void nothing_is_sent_but_the_connection(void **state)
{
    struct world *w = *state;

    for (int i = 1; i <= 3; i++) {
        struct http_response r = connect_to(w, at_port(w, server_port, "/silent"));

        assert_int_equal(r.fate, HTTP_ANSWERED);
        assert_int_equal(r.status, 0);
        assert_int_equal(r.body.len, 0);
    }
    assert_int_equal(send_to(w, "GET", "/ok", STR_NULL, true).status, 200);
    assert_int_equal(atomic_load(&requests), 1);
}

static void what_keeps_a_connection_from_being_made_is_told(void **state)
{
    struct world *w = *state;
    uint16_t port;
    int fd = bound_socket(&port); /* bound, but nobody listens */
    const struct {
        struct str url;
        enum http_trouble trouble;
    } cases[] = {
        {at_port(w, port, "/s3cret"), TROUBLE_CONNECT},
        {STR("http://no-such-host.invalid/s3cret"), TROUBLE_NAME},
        {arena_printf(&w->arena, "https://127.0.0.1:%d/silent/s3cret", server_port), TROUBLE_TIME},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_response r = connect_to(w, cases[i].url);

        assert_int_equal(r.fate, HTTP_NOT_SENT);
        if (r.trouble != cases[i].trouble)
            fail_msg("%zu: %d, %.*s", i, (int)r.trouble, STR_ARG(r.error));
        assert_null(str_find(r.error, STR("s3cret")));
    }
    close(fd);
}

static void roots_that_cannot_be_read_are_told(void **state)
{
    struct world *w = *state;
    struct http_request r = {.method = "GET",
                             .url = arena_printf(&w->arena, "https://127.0.0.1:%d/", server_port),
                             .only_connects = true};
    const struct transport_call call = {
        .request = &r, .timeout_ms = 1000, .ca_file = STR("/no/such/file"), .tag = w};
    struct why why = {0};

    assert_int_equal(w->t.start(w->t.self, &call, &why), RC_OK);
    assert_int_equal(await(w).response.trouble, TROUBLE_ROOTS);
}

static void silence_is_a_matter_of_time(void **state)
{
    struct world *w = *state;
    struct http_request r = {.method = "GET", .url = at_port(w, server_port, "/silent")};
    struct http_response a = exchange_for(w, &r, 200);

    assert_int_equal(a.fate, HTTP_UNKNOWN);
    assert_int_equal(a.trouble, TROUBLE_TIME);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_sent_but_the_connection),
        TEST(what_keeps_a_connection_from_being_made_is_told),
        TEST(roots_that_cannot_be_read_are_told),
        TEST(silence_is_a_matter_of_time),
    };

    return cmocka_run_group_tests(tests, server_start, NULL);
}
