/* tests/unit/test_http_answers.c - every line of the answer table, over a real socket. */
#include "http_world.h"

#define POST "POST /in HTTP/1.1\r\n" HOST

static struct heard post(struct world *w, const char *headers, const char *body)
{
    char text[4096];
    int n = snprintf(text, sizeof(text), POST "%sContent-Length: %zu\r\n\r\n%s", headers,
                     strlen(body), body);
    assert_true(n > 0 && n < (int)sizeof(text));
    return ask(w, text);
}

static void committed_events_are_answered_200_with_counts(void **state)
{
    struct world *w = *state;
    double before = answered("200");
    struct heard h = post(w, SECRET, "[eee]");

    assert_int_equal(h.status, 200);
    assert_true(
        str_starts(str_of(body_of(&h)), STR("{\"accepted\":3,\"duplicates\":2,\"unprocessable\":1,"
                                            "\"request_id\":\"")));
    assert_true(has_header(&h, "Content-Type: application/json"));
    assert_true(has_header(&h, "Cache-Control: no-store"));
    assert_true(has_header(&h, "X-Content-Type-Options: nosniff"));
    assert_int_equal(atomic_load(&w->committed), 1);
    assert_true(answered("200") == before + 1);
}

static void the_request_id_is_in_header_and_body_and_never_twice(void **state)
{
    struct world *w = *state;
    char ids[2][27] = {{0}};

    for (int i = 0; i < 2; i++) {
        struct heard h = post(w, SECRET "X-Request-Id: theirs\r\n", "[e]");
        const char *header = strstr(h.text, "X-Request-Id: ");
        assert_non_null(header);
        memcpy(ids[i], header + 14, 26);
        assert_non_null(strstr(body_of(&h), ids[i]));
        assert_int_equal(header[14 + 26], '\r');
    }
    assert_string_not_equal(ids[0], ids[1]);
}

static void the_source_sees_the_target_exactly_as_sent(void **state)
{
    struct world *w = *state;
    struct heard h =
        ask(w, "POST /in?a=%2F+%zz&b HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]");
    assert_int_equal(h.status, 200);
    assert_string_equal(w->first_body, "/in?a=%2F+%zz&b");
}

static void an_encoded_path_is_another_path(void **state)
{
    assert_int_equal(
        ask(*state, "POST /%69n HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]").status,
        404);
}

static void an_empty_batch_is_accepted_without_a_commit(void **state)
{
    struct world *w = *state;
    struct heard h = post(w, SECRET, "[]");

    assert_int_equal(h.status, 200);
    assert_non_null(strstr(body_of(&h), "{\"accepted\":0,\"duplicates\":0,\"unprocessable\":0,"));
    assert_int_equal(atomic_load(&w->committed), 0);
}

static void a_body_of_another_shape_is_a_problem_400(void **state)
{
    double before = rejected("json");
    struct heard h = post(*state, SECRET, "{}");

    assert_int_equal(h.status, 400);
    assert_true(has_header(&h, "Content-Type: application/problem+json"));
    assert_non_null(strstr(body_of(&h), "\"type\":\"about:blank\""));
    assert_non_null(strstr(body_of(&h), "\"title\":\"Bad Request\""));
    assert_non_null(strstr(body_of(&h), "\"status\":400"));
    assert_non_null(strstr(body_of(&h), "\"detail\":\"the body is no array\""));
    assert_true(rejected("json") == before + 1);
}

static void a_wrong_missing_or_doubled_secret_is_401_and_says_no_more(void **state)
{
    static const char *const headers[] = {"", "X-Test-Secret: wrong\r\n", SECRET SECRET};
    double before = rejected("signature");

    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct heard h = post(*state, headers[i], "[e]");
        assert_int_equal(h.status, 401);
        assert_null(strstr(body_of(&h), "does not match"));
        assert_non_null(strstr(h.text, "WWW-Authenticate:"));
    }
    assert_true(rejected("signature") == before + 3);
}

static void a_stale_timestamp_is_401(void **state)
{
    double before = rejected("timestamp");

    assert_int_equal(post(*state, SECRET "X-Test-Stale: 1\r\n", "[e]").status, 401);
    assert_true(rejected("timestamp") == before + 1);
}

static void an_unknown_path_is_404(void **state)
{
    struct heard h = ask(*state, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n");

    assert_int_equal(h.status, 404);
    assert_true(has_header(&h, "Content-Type: application/problem+json"));
    assert_non_null(strstr(h.text, "X-Request-Id: "));
}

static void another_method_is_405_with_allow(void **state)
{
    double before = rejected("method");
    struct heard h = ask(*state, "GET /in HTTP/1.1\r\n" HOST "\r\n");

    assert_int_equal(h.status, 405);
    assert_true(has_header(&h, "Allow: POST"));
    h = ask(*state, "PUT /in HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n[e]");
    assert_int_equal(h.status, 405);
    assert_true(rejected("method") == before + 2);
    h = ask(*state, "POST /healthz HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}");
    assert_int_equal(h.status, 405);
    assert_true(has_header(&h, "Allow: GET, HEAD"));
}

static void neither_length_nor_chunked_is_411(void **state)
{
    double before = rejected("length");

    assert_int_equal(ask(*state, POST SECRET "\r\n").status, 411);
    assert_true(rejected("length") == before + 1);
}

static void a_chunked_body_is_taken(void **state)
{
    struct heard h = ask(*state, POST SECRET "Transfer-Encoding: chunked\r\n\r\n"
                                             "3\r\n[ee\r\n1\r\n]\r\n0\r\n\r\n");
    assert_int_equal(h.status, 200);
    assert_non_null(strstr(body_of(&h), "\"accepted\":2"));
}

static void an_announced_length_over_the_limit_is_413_before_any_byte(void **state)
{
    double before = rejected("too_large");
    int fd = dial(server_port(((struct world *)*state)->server));

    say(fd, POST SECRET "Content-Length: 65537\r\n\r\n");
    struct heard h = hear(fd);
    assert_int_equal(h.status, 413);
    assert_true(has_header(&h, "Connection: close"));
    close(fd);
    assert_true(rejected("too_large") == before + 1);
}

static void a_body_of_exactly_the_limit_is_taken(void **state)
{
    struct world *w = *state;
    enum { LIMIT = 64 * 1024 };
    char *body = mem_alloc(LIMIT);
    int fd = dial(server_port(w->server));

    memset(body, ' ', LIMIT);
    memcpy(body, "[e", 2);
    body[LIMIT - 1] = ']';
    say(fd, POST SECRET "Content-Length: 65536\r\n\r\n");
    (void)say_bytes(fd, body, LIMIT);
    assert_int_equal(hear(fd).status, 200);
    close(fd);
    free(body);
}

static void another_media_type_is_415_and_none_is_json(void **state)
{
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {SECRET "Content-Type: text/plain\r\n", 415},
        {SECRET "Content-Type: application/x-www-form-urlencoded\r\n", 415},
        {SECRET "Content-Type:\r\n", 415},
        {SECRET "Content-Type: application/json\r\nContent-Type: application/json\r\n", 415},
        {SECRET "Content-Encoding: gzip\r\n", 415},
        {SECRET "Content-Type: Application/JSON ; charset=utf-8\r\n", 200},
        {SECRET "Content-Encoding: identity\r\n", 200},
        {SECRET, 200},
    };
    double before = rejected("media_type");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(post(*state, cases[i].headers, "[e]").status, cases[i].status);
    assert_true(rejected("media_type") == before + 5);
}

/* A source that takes forms, and whose sender would show what we answer. */
static int setup_form(void **state)
{
    static struct source_type type;
    struct world *w = mem_alloc(sizeof(*w));

    world_init(w);
    type = test_type;
    type.takes_forms = type.silent = true;
    w->source.type = &type;
    world_start(w);
    *state = w;
    return 0;
}

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static void a_source_of_forms_takes_them_and_gets_no_body(void **state)
{
    struct heard h = post(*state, SECRET FORM, "[e]");

    assert_int_equal(h.status, 200);
    assert_true(has_header(&h, "Content-Length: 0"));
    assert_null(strcasestr(h.text, "Content-Type:"));
    assert_non_null(strcasestr(h.text, "X-Request-Id:"));
    assert_int_equal(post(*state, SECRET, "[e]").status, 200);
    h = post(*state, SECRET FORM "Content-Encoding: gzip\r\n", "[e]");
    assert_int_equal(h.status, 415);
    assert_non_null(strstr(body_of(&h), "\"status\":415")); /* a refusal says why, as ever */
    assert_int_equal(post(*state, SECRET FORM FORM, "[e]").status, 415);
}

static void what_cannot_be_stored_now_is_503_with_retry_after(void **state)
{
    static const struct {
        enum rc submit, commit;
        const char *reason;
    } cases[] = {
        {RC_BUSY, RC_OK, "overload"}, {RC_CLOSED, RC_OK, "shutdown"},
        {RC_OK, RC_FULL, "disk"},     {RC_OK, RC_IO, "disk"},
        {RC_OK, RC_CORRUPT, "disk"},  {RC_OK, RC_CLOSED, "shutdown"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double before = rejected(cases[i].reason);
        atomic_store(&w->refuse, (int)cases[i].submit);
        atomic_store(&w->outcome, (int)cases[i].commit);
        struct heard h = post(w, SECRET, "[e]");
        assert_int_equal(h.status, 503);
        assert_true(has_header(&h, "Retry-After: 5"));
        assert_true(rejected(cases[i].reason) == before + 1);
    }
    atomic_store(&w->refuse, RC_OK);
    atomic_store(&w->outcome, RC_OK);
    assert_int_equal(post(w, SECRET, "[e]").status, 200);
}

static void health_answers_get_and_head(void **state)
{
    struct heard h = ask(*state, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(h.status, 200);
    assert_string_equal(body_of(&h), "{\"status\":\"pass\"}");

    int fd = dial(server_port(((struct world *)*state)->server));
    say(fd, "HEAD /healthz HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    h = (struct heard){0};
    for (ssize_t n; (n = recv(fd, h.text + h.len, sizeof(h.text) - 1 - h.len, 0)) > 0;)
        h.len += (size_t)n;
    close(fd);
    assert_int_equal(strncmp(h.text, "HTTP/1.1 200", 12), 0);
    assert_string_equal(strstr(h.text, "\r\n\r\n"), "\r\n\r\n");

    atomic_store(&health.store, STORE_FULL);
    h = ask(*state, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
    atomic_store(&health.store, STORE_OK);
    assert_int_equal(h.status, 503);
    assert_string_equal(body_of(&h), "{\"status\":\"fail\"}");
}

static void refused_and_accepted_requests_share_a_connection(void **state)
{
    struct world *w = *state;
    int fd = dial(server_port(w->server));

    for (int i = 0; i < 3; i++) {
        say(fd, "POST /nowhere HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
        assert_int_equal(hear(fd).status, 404);
        say(fd, POST SECRET "Content-Length: 3\r\n\r\n[e]");
        assert_int_equal(hear(fd).status, 200);
        say(fd, POST "X-Test-Secret: wrong\r\nContent-Length: 3\r\n\r\n[e]");
        assert_int_equal(hear(fd).status, 401);
    }
    close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct world *w = *state;
    int fd = dial(server_port(w->server));

    say(fd, POST SECRET "Content-Length: 3\r\n\r\n[e]"
                        "GET /in HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    char text[4096] = {0};
    size_t len = 0;
    for (ssize_t n; (n = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0;)
        len += (size_t)n;
    close(fd);
    const char *first = strstr(text, "HTTP/1.1 200"), *second = strstr(text, "HTTP/1.1 405");
    assert_ptr_equal(first, text);
    assert_non_null(second);
}

/* What was written to standard error while `text` was answered. */
static struct heard ask_and_read_log(struct world *w, const char *text, char *ret, size_t size)
{
    int ends[2], saved = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    struct heard h = ask(w, text); /* logged before it is sent */
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(ends[1]);
    close(saved);
    ssize_t n = read(ends[0], ret, size - 1);
    ret[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    return h;
}

static void a_refusal_is_logged_with_its_request_id_and_client(void **state)
{
    static const struct str proxies[] = {{"127.0.0.0/8", 11}};
    struct world *w = *state;
    char log[2048], id[27] = {0};

    w->settings.trusted_proxies = (struct str_list){proxies, 1};
    world_reload(w);
    log_configure(&(struct log_settings){.level = LOG_INFO});
    struct heard h =
        ask_and_read_log(w,
                         POST "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.7\r\n"
                              "X-Test-Secret: guess\r\nContent-Length: 3\r\n\r\n[e]",
                         log, sizeof(log));
    assert_int_equal(h.status, 401);
    memcpy(id, strstr(h.text, "X-Request-Id: ") + 14, 26);
    assert_non_null(strstr(log, "ev=request.rejected"));
    assert_non_null(strstr(log, id));
    assert_non_null(strstr(log, "source=crm"));
    assert_non_null(strstr(log, "status=401"));
    assert_non_null(strstr(log, "reason=signature"));
    assert_non_null(strstr(log, "detail=\"the secret does not match\""));
    assert_non_null(strstr(log, "client=192.0.2.7"));
    assert_null(strstr(log, "guess"));
}

static void accepted_requests_and_unknown_paths_are_logged_at_debug_only(void **state)
{
    struct world *w = *state;
    char log[2048];

    log_configure(&(struct log_settings){.level = LOG_INFO});
    (void)ask_and_read_log(w, "GET /x HTTP/1.1\r\n" HOST "\r\n", log, sizeof(log));
    assert_string_equal(log, "");
    (void)ask_and_read_log(w, POST SECRET "Content-Length: 3\r\n\r\n[e]", log, sizeof(log));
    assert_string_equal(log, "");
    log_configure(&(struct log_settings){.level = LOG_DEBUG});
    (void)ask_and_read_log(w, POST SECRET "Content-Length: 3\r\n\r\n[e]", log, sizeof(log));
    assert_non_null(strstr(log, "ev=request.accepted"));
    assert_non_null(strstr(log, "accepted=1"));
}

static void every_series_starts_at_zero(void **state)
{
    static const char *const reasons[] = {"signature", "timestamp",  "json",   "length",
                                          "too_large", "media_type", "method", "overload",
                                          "disk",      "shutdown"};
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    char line[128];

    (void)state;
    metrics_render(&b);
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        int n = snprintf(line, sizeof(line),
                         "funneld_requests_rejected_total{source=\"crm\",reason=\"%s\"} 0\n",
                         reasons[i]);
        assert_true(n > 0);
        assert_non_null(strstr(b.at, line));
    }
    assert_non_null(strstr(b.at, "funneld_request_seconds_count{source=\"crm\",code=\"411\"} 0\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_series_starts_at_zero), /* first: the others count */
        TEST(committed_events_are_answered_200_with_counts),
        TEST(the_request_id_is_in_header_and_body_and_never_twice),
        TEST(the_source_sees_the_target_exactly_as_sent),
        TEST(an_encoded_path_is_another_path),
        TEST(an_empty_batch_is_accepted_without_a_commit),
        TEST(a_body_of_another_shape_is_a_problem_400),
        TEST(a_wrong_missing_or_doubled_secret_is_401_and_says_no_more),
        TEST(a_stale_timestamp_is_401),
        TEST(an_unknown_path_is_404),
        TEST(another_method_is_405_with_allow),
        TEST(neither_length_nor_chunked_is_411),
        TEST(a_chunked_body_is_taken),
        TEST(an_announced_length_over_the_limit_is_413_before_any_byte),
        TEST(a_body_of_exactly_the_limit_is_taken),
        TEST(another_media_type_is_415_and_none_is_json),
        cmocka_unit_test_setup_teardown(a_source_of_forms_takes_them_and_gets_no_body, setup_form,
                                        world_teardown),
        TEST(what_cannot_be_stored_now_is_503_with_retry_after),
        TEST(health_answers_get_and_head),
        TEST(refused_and_accepted_requests_share_a_connection),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(a_refusal_is_logged_with_its_request_id_and_client),
        TEST(accepted_requests_and_unknown_paths_are_logged_at_debug_only),
    };

    return cmocka_run_group_tests_name("http_answers", tests, NULL, NULL);
}
