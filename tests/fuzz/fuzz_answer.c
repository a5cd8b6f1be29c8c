/* tests/fuzz/fuzz_answer.c - what a service answers, byte for byte, through curl: status, body,
 * Retry-After, cut and garbled answers.
 */
#include "fuzz.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "funneld/base/clock.h"
#include "funneld/deliver/transport.h"

enum { ANSWER_MAX_BYTES = 64 * 1024, PATIENCE_MS = 4000 };

static struct transport transport;
static int listener = -1;
static char url[64];

static void start(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0 && bind(listener, (struct sockaddr *)&at, sizeof at) == 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    assert_true(snprintf(url, sizeof url, "http://127.0.0.1:%u/not-to-be-shown",
                         (unsigned)ntohs(at.sin_port)) > 0);
    assert_int_equal(curl_transport_new(&transport, NULL), RC_OK);
}

/* The answer is on its way before the request is read: neither waits for the other. */
static int serve(struct str answer)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};

    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(send(fd, answer.at, answer.len, MSG_NOSIGNAL), (ssize_t)answer.len);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    return fd;
}

/* Whether a request had come. Closing with unread bytes would send a reset. */
static bool hang_up(int fd)
{
    char bytes[4096];
    bool came = false;

    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        came = true;
    assert_int_equal(close(fd), 0);
    return came;
}

static void check_response(const struct http_response *r, struct str answer)
{
    struct arena a AUTO(arena_free) = {0};

    if (r->fate != HTTP_ANSWERED) {
        assert_true(r->status == 0 && r->error.len && !r->body.len);
        assert_true(fuzz_holds(answer, "not-to-be-shown") ||
                    !fuzz_holds(r->error, "not-to-be-shown"));
        return;
    }
    assert_true(r->status >= 100 && r->status <= 599 && r->body.at);
    assert_true(r->body.len <= answer.len * 8 + 8);
    assert_true(r->retry_after_ms == -1 ||
                (r->retry_after_ms >= 1000 &&
                 r->retry_after_ms <= (r->status == 429 ? HOURS_MS : DAYS_MS)));
    if (r->retry_after_ms > 0)
        assert_non_null(strcasestr(arena_text(&a, answer), "retry-after"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str answer = fuzz_text(data, size);
    struct http_request request = {.method = "POST", .body = STR("{}")};
    struct transport_result result = {0}, none;
    int64_t until = clock_mono_us() + PATIENCE_MS * INT64_C(1000);

    if (listener < 0)
        start();
    if (size > ANSWER_MAX_BYTES)
        return 0;
    request.url = str_of(url);
    const struct transport_call call = {
        .request = &request, .timeout_ms = PATIENCE_MS, .tag = &request};
    assert_int_equal(transport.start(transport.self, &call, NULL), RC_OK);
    assert_false(transport.take(transport.self, &none)); /* connects */
    int fd = serve(answer);
    while (!transport.take(transport.self, &result)) {
        assert_true(clock_mono_us() < until);
        transport.wait(transport.self, 10);
    }
    assert_ptr_equal(result.tag, &request);
    check_response(&result.response, answer);
    if (hang_up(fd))
        assert_true(result.response.fate != HTTP_NOT_SENT);
    assert_false(transport.take(transport.self, &none));
    return 0;
}
