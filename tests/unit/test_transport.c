/* tests/unit/test_transport.c - the curl transport against a small HTTP server in this process. */
#include "cm.h"
#include "transport_world.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "funneld/base/clock.h"
#include "funneld/base/mem.h"
#include "funneld/deliver/transport.h"

static bool holds(struct str s, const char *text)
{
    return str_find(s, str_of(text)) != NULL;
}

static void a_request_arrives_as_it_was_built(void **state)
{
    struct world *w = *state;
    struct http_request r = {
        .method = "POST", .url = at_port(w, server_port, "/echo?a=%20"), .body = STR("{\"x\":1}")};
    http_header_add(&r, "Content-Type", STR("application/json"));
    http_header_add(&r, "Authorization", STR("Bearer t0ken"));
    http_header_add(&r, "X-Empty", STR(""));

    struct http_response a = exchange_for(w, &r, 5000);
    assert_int_equal(a.fate, HTTP_ANSWERED);
    assert_int_equal(a.status, 200);
    assert_true(str_starts(a.body, STR("POST /echo?a=%20 HTTP/1.1\r\n")));
    assert_true(holds(a.body, "\r\nContent-Length: 7\r\n"));
    assert_true(holds(a.body, "\r\nContent-Type: application/json\r\n"));
    assert_true(holds(a.body, "\r\nAuthorization: Bearer t0ken\r\n"));
    assert_true(holds(a.body, "\r\nX-Empty:\r\n"));
    assert_true(holds(a.body, "\r\nUser-Agent: funneld/"));
    assert_true(str_ends(a.body, STR("\r\n\r\n{\"x\":1}")));
    assert_false(holds(a.body, "Expect"));
    assert_false(holds(a.body, "Transfer-Encoding"));
    assert_int_equal(a.retry_after_ms, -1);
}

static void every_method_goes_out_with_and_without_body(void **state)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        for (int mask = 0; mask < 4; mask++) {
            struct str body = mask & 1 ? STR("b=1") : STR_NULL;
            struct http_response a = send_to(w, methods[i], "/echo", body, mask & 2);
            struct str line = arena_printf(&w->arena, "%s /echo HTTP/1.1\r\n", methods[i]);

            assert_int_equal(a.status, 200);
            assert_true(str_starts(a.body, line));
            assert_int_equal(holds(a.body, "\r\n\r\nb=1"), mask & 1);
            assert_false(holds(a.body, "urlencoded"));
        }
}

static void a_large_body_does_not_wait_for_permission(void **state)
{
    struct world *w = *state;
    size_t n = 60000;
    char *bytes = arena_alloc(&w->arena, n);

    memset(bytes, 'x', n);
    struct http_response a = send_to(w, "POST", "/echo", (struct str){bytes, n}, false);
    assert_int_equal(a.status, 200);
    assert_false(holds(a.body, "Expect"));
    assert_true(a.body.len > n);
}

static void connections_are_kept(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 5; i++)
        assert_int_equal(send_to(w, "POST", "/ok", STR("x"), false).status, 200);
    assert_int_equal(atomic_load(&connections), 1);
    assert_int_equal(atomic_load(&requests), 5);
}

static void a_dead_kept_connection_does_not_repeat_what_is_not_repeatable(void **state)
{
    struct world *w = *state;

    assert_int_equal(send_to(w, "POST", "/dies-when-kept", STR("x"), false).status, 200);
    struct http_response a = send_to(w, "POST", "/dies-when-kept", STR("x"), false);
    assert_int_equal(a.fate, HTTP_UNKNOWN);
    assert_int_equal(a.status, 0);
    assert_int_equal(atomic_load(&requests), 2);
}

static void a_dead_kept_connection_is_no_matter_for_what_is_repeatable(void **state)
{
    struct world *w = *state;

    assert_int_equal(send_to(w, "POST", "/dies-when-kept", STR("x"), true).status, 200);
    assert_int_equal(send_to(w, "POST", "/dies-when-kept", STR("x"), true).status, 200);
    assert_int_equal(atomic_load(&requests), 3);
}

static void what_has_no_body_and_is_not_repeatable_never_uses_a_kept_connection(void **state)
{
    struct world *w = *state;

    assert_int_equal(send_to(w, "POST", "/dies-when-kept", STR_NULL, false).status, 200);
    assert_int_equal(send_to(w, "POST", "/dies-when-kept", STR_NULL, false).status, 200);
    assert_int_equal(atomic_load(&requests), 2);
    assert_int_equal(atomic_load(&connections), 2);
}

static void a_refused_connection_was_surely_not_sent(void **state)
{
    struct world *w = *state;
    uint16_t port;
    int fd = bound_socket(&port); /* bound, but nobody listens */
    struct http_request r = {
        .method = "POST", .url = at_port(w, port, "/s3cret/path"), .body = STR("x")};

    struct http_response a = exchange_for(w, &r, 5000);
    close(fd);
    assert_int_equal(a.fate, HTTP_NOT_SENT);
    assert_true(holds(a.error, "127.0.0.1"));
    assert_false(holds(a.error, "s3cret"));
}

static void an_unknown_host_was_surely_not_sent(void **state)
{
    struct world *w = *state;
    struct http_request r = {
        .method = "POST", .url = STR("http://no-such-host.invalid/s3cret"), .body = STR("x")};
    struct http_response a = exchange_for(w, &r, 8000);

    assert_int_equal(a.fate, HTTP_NOT_SENT);
    assert_false(holds(a.error, "s3cret"));
}

static void a_service_without_tls_was_surely_not_sent(void **state)
{
    struct world *w = *state;
    struct http_request r = {
        .method = "POST",
        .body = STR("x"),
        .url = arena_printf(&w->arena, "https://127.0.0.1:%d/s3cret", server_port)};
    struct http_response a = exchange_for(w, &r, 1000);

    assert_int_equal(a.fate, HTTP_NOT_SENT);
    assert_false(holds(a.error, "s3cret"));
}

static void silence_after_the_request_leaves_its_fate_unknown(void **state)
{
    struct world *w = *state;
    struct http_request r = {
        .method = "POST", .url = at_port(w, server_port, "/silent/s3cret"), .body = STR("x")};
    int64_t before = clock_mono_us();
    struct http_response a = exchange_for(w, &r, 200);

    assert_int_equal(a.fate, HTTP_UNKNOWN);
    assert_in_range(clock_mono_us() - before, 150 * 1000, 3000 * 1000);
    assert_false(holds(a.error, "s3cret"));
}

static void a_reset_cut_or_odd_answer_leaves_the_fate_unknown(void **state)
{
    struct world *w = *state;

    assert_int_equal(send_to(w, "POST", "/reset", STR("x"), false).fate, HTTP_UNKNOWN);
    assert_int_equal(send_to(w, "POST", "/cut", STR("x"), false).fate, HTTP_UNKNOWN);
    assert_int_equal(send_to(w, "GET", "/cut", STR_NULL, true).fate, HTTP_UNKNOWN);
    assert_int_equal(send_to(w, "GET", "/status/999", STR_NULL, true).fate, HTTP_UNKNOWN);
    assert_int_equal(send_to(w, "GET", "/status/20888", STR_NULL, true).fate, HTTP_UNKNOWN);
}

static void an_answer_over_the_cap_is_not_kept(void **state)
{
    struct world *w = *state;
    struct http_response a = send_to(w, "GET", "/big", STR_NULL, true);

    assert_int_equal(a.fate, HTTP_UNKNOWN);
    assert_int_equal(a.body.len, 0);
    assert_true(holds(a.error, "4194304"));
}

static void redirects_are_answers_not_followed(void **state)
{
    struct world *w = *state;

    assert_int_equal(send_to(w, "GET", "/redirect", STR_NULL, true).status, 302);
    assert_int_equal(atomic_load(&requests), 1);
}

static void what_would_inject_is_refused(void **state)
{
    static const struct str values[] = {
        {"a\r\nX: 1", 7}, {"a\nb", 3}, {"a\0b", 3}, {"a\rb", 3}, {"\x7f", 1}};
    static const char *const urls[] = {"http://h/\r\nX: 1", "http://h/a b",  "file:///etc/passwd",
                                       "ftp://h/",          "http://u:p@h/", ""};
    struct world *w = *state;
    struct why why;

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct http_request r = {.method = "GET", .url = at_port(w, server_port, "/ok")};
        struct transport_call call = {.request = &r, .timeout_ms = 1000};

        http_header_add(&r, "X-Value", values[i]);
        assert_int_equal(w->t.start(w->t.self, &call, &why), RC_INVALID);
        r.headers[0] = (struct http_header){"X-Val\nue", STR("v")};
        assert_int_equal(w->t.start(w->t.self, &call, &why), RC_INVALID);
    }
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct http_request r = {.method = "GET", .url = str_of(urls[i])};
        struct transport_call call = {.request = &r, .timeout_ms = 1000};

        assert_int_equal(w->t.start(w->t.self, &call, &why), RC_INVALID);
        assert_null(strstr(why.text, "passwd"));
    }
    assert_int_equal(atomic_load(&requests), 0);
    assert_int_equal(send_to(w, "GET", "/ok", STR_NULL, true).status, 200);
}

static void nothing_of_one_request_is_left_in_the_next(void **state)
{
    struct world *w = *state;
    struct http_request r = {
        .method = "PATCH", .url = at_port(w, server_port, "/ok"), .body = STR("zzz")};

    http_header_add(&r, "X-Secret", STR("1"));
    assert_int_equal(exchange_for(w, &r, 5000).status, 200);
    struct http_response a = send_to(w, "GET", "/echo", STR_NULL, true);
    assert_true(str_starts(a.body, STR("GET /echo ")));
    assert_false(holds(a.body, "X-Secret"));
    assert_false(holds(a.body, "zzz"));
}

/* libcurl 7.88 would put it behind a header of the answer before, which is freed. */
static void an_answer_that_begins_with_a_folded_line_is_none(void **state)
{
    for (int i = 0; i < 2; i++) /* the next but one is where this one was */
        assert_int_equal(send_to(*state, "POST", "/", STR("x"), false).status, 200);
    assert_int_equal(send_to(*state, "POST", "/folded", STR("x"), false).fate, HTTP_UNKNOWN);
}

static void many_run_at_once_and_each_ends_once(void **state)
{
    enum { MANY = 40 };
    struct world *w = *state;
    struct http_request r = {
        .method = "POST", .url = at_port(w, server_port, "/ok"), .body = STR("x")};
    int ended[MANY] = {0};

    for (int i = 0; i < MANY; i++) {
        struct transport_call call = {.request = &r, .timeout_ms = 5000, .tag = &ended[i]};
        assert_int_equal(w->t.start(w->t.self, &call, NULL), RC_OK);
    }
    for (int i = 0; i < MANY; i++) {
        struct transport_result result = await(w);
        if (result.response.status != 200)
            fail_msg("%.*s", STR_ARG(result.response.error));
        ++*(int *)result.tag;
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ended[i], 1);
    assert_int_equal(atomic_load(&requests), MANY);
}

static void *wake_it(void *arg)
{
    struct transport *t = arg;

    t->wake(t->self);
    return NULL;
}

static void waiting_ends_when_woken_from_another_thread(void **state)
{
    struct world *w = *state;
    pthread_t thread;
    int64_t before = clock_mono_us();

    assert_int_equal(pthread_create(&thread, NULL, wake_it, &w->t), 0);
    w->t.wait(w->t.self, 8000);
    assert_true(clock_mono_us() - before < 4 * 1000 * 1000);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void at_rest_waiting_sleeps(void **state)
{
    struct world *w = *state;
    struct transport_result result;

    assert_int_equal(send_to(w, "GET", "/ok", STR_NULL, true).status, 200);
    assert_false(w->t.take(w->t.self, &result));
    int64_t before = clock_mono_us();
    w->t.wait(w->t.self, 300); /* with a kept connection */
    assert_in_range(clock_mono_us() - before, 250 * 1000, 5000 * 1000);
}

static void it_can_be_freed_with_requests_under_way(void **state)
{
    struct world *w = *state;
    struct http_request r = {
        .method = "POST", .url = at_port(w, server_port, "/silent"), .body = STR("x")};
    struct transport_call call = {.request = &r, .timeout_ms = 5000};
    struct transport_result result;

    assert_int_equal(w->t.start(w->t.self, &call, NULL), RC_OK);
    assert_false(w->t.take(w->t.self, &result));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_request_arrives_as_it_was_built),
        T(every_method_goes_out_with_and_without_body),
        T(a_large_body_does_not_wait_for_permission),
        T(connections_are_kept),
        T(a_dead_kept_connection_does_not_repeat_what_is_not_repeatable),
        T(a_dead_kept_connection_is_no_matter_for_what_is_repeatable),
        T(what_has_no_body_and_is_not_repeatable_never_uses_a_kept_connection),
        T(a_refused_connection_was_surely_not_sent),
        T(an_unknown_host_was_surely_not_sent),
        T(a_service_without_tls_was_surely_not_sent),
        T(silence_after_the_request_leaves_its_fate_unknown),
        T(a_reset_cut_or_odd_answer_leaves_the_fate_unknown),
        T(an_answer_over_the_cap_is_not_kept),
        T(redirects_are_answers_not_followed),
        T(what_would_inject_is_refused),
        T(nothing_of_one_request_is_left_in_the_next),
        T(an_answer_that_begins_with_a_folded_line_is_none),
        T(many_run_at_once_and_each_ends_once),
        T(waiting_ends_when_woken_from_another_thread),
        T(at_rest_waiting_sleeps),
        T(it_can_be_freed_with_requests_under_way),
    };

    return cmocka_run_group_tests_name("transport", tests, server_start, NULL);
}
