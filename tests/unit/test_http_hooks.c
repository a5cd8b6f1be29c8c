/* tests/unit/test_http_hooks.c - /hooks over a real socket, with a writer that does as it is told.
 */
#include "http_world.h"

#define TOKEN "Authorization: Bearer t0ken\r\n"
#define GOOD  "{\"target_url\":\"https://hooks.zapier.com/hooks/standard/1/a/\"}"

static struct config *config;

static const char text[] = "[server]\nhooks_token = t0ken\n"
                           "[source forms]\ntype = zapier\nsecret = s\n"
                           "[connector subscribers]\ntype = rest_hooks\n"
                           "allow = hooks.zapier.com, own.example.com\n"
                           "[rule r]\nwhen = event.type == \"x\"\npoints = 1\n"
                           "[route hot-lead]\nwhen = score > 1\nto = subscribers\n";

static int load(void **state)
{
    char path[] = P_tmpdir "/funneld-hooks-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    assert_int_equal(close(fd), 0);
    config = config_load(path, 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(config->problems.n, 0);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    ref_drop(&config->ref);
    return 0;
}

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));

    world_init(w);
    w->settings.hooks_token = STR("t0ken");
    w->settings.public_url = STR("https://own.example.com");
    w->config = config;
    world_start(w);
    *state = w;
    return 0;
}

static int say_post(struct world *w, const char *headers, const char *body)
{
    int fd = dial(server_port(w->server));
    char request[4096];
    int n = snprintf(request, sizeof(request),
                     "POST /hooks HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n%s", headers,
                     strlen(body), body);

    assert_true(n > 0 && n < (int)sizeof(request));
    say(fd, request);
    return fd;
}

static struct heard post(struct world *w, const char *headers, const char *body)
{
    int fd = say_post(w, headers, body);
    struct heard h = hear(fd);

    close(fd);
    return h;
}

static void a_subscription_is_answered_after_its_commit(void **state)
{
    struct world *w = *state;

    atomic_store(&w->hold, true);
    int fd = say_post(w, TOKEN, GOOD);
    WAIT_UNTIL(server_suspended(w->server) == 1);
    atomic_store(&w->hold, false);
    struct heard h = hear(fd);
    close(fd);
    assert_int_equal(h.status, 201);
    assert_true(str_starts(str_of(body_of(&h)), STR("{\"id\":\"")));
    assert_true(has_header(&h, "Content-Type: application/json"));
    assert_int_equal(atomic_load(&w->committed), 1);
}

static void what_cannot_be_stored_is_asked_for_again(void **state)
{
    static const enum rc failures[] = {RC_FULL, RC_IO, RC_BUSY, RC_CLOSED};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        atomic_store(&w->outcome, failures[i]);
        struct heard h = post(w, TOKEN, GOOD);
        assert_int_equal(h.status, 503);
        assert_true(has_header(&h, "Retry-After: 5"));
    }
    atomic_store(&w->outcome, RC_OK);
    atomic_store(&w->refuse, RC_CLOSED);
    assert_int_equal(post(w, TOKEN, GOOD).status, 503);
    atomic_store(&w->refuse, RC_OK);
}

/* The writer still has it, and is done with it later. */
static void a_commit_that_hangs_is_answered_in_time(void **state)
{
    struct world *w = *state;

    atomic_store(&w->hold, true);
    int fd = dial(server_port(w->server));
    say(fd, "DELETE /hooks/abc HTTP/1.1\r\n" HOST TOKEN "Content-Length: 0\r\n\r\n");
    WAIT_UNTIL(server_suspended(w->server) == 1);
    server_tick(w->server, clock_mono_us() / 1000 + 5000);
    assert_int_equal(hear(fd).status, 503);
    close(fd);
    atomic_store(&w->hold, false);
    WAIT_UNTIL(atomic_load(&w->committed) == 1);
}

static void who_has_no_token_costs_no_memory_for_a_body(void **state)
{
    struct world *w = *state;
    int fd = dial(server_port(w->server));

    say(fd, "POST /hooks HTTP/1.1\r\n" HOST "X-Api-Key: wrong\r\nContent-Length: 1000\r\n\r\n");
    struct heard h = hear(fd); /* before the body came */
    assert_int_equal(h.status, 401);
    assert_true(has_header(&h, "WWW-Authenticate: Bearer realm=\"funneld\""));
    assert_true(has_header(&h, "Connection: close"));
    close(fd);
}

/* They belong to no source that could say what it takes. */
static void only_json_is_read(void **state)
{
    struct world *w = *state;

    assert_int_equal(post(w, TOKEN "Content-Type: application/json\r\n", GOOD).status, 201);
    assert_int_equal(
        post(w, TOKEN "Content-Type: application/x-www-form-urlencoded\r\n", GOOD).status, 415);
    assert_int_equal(post(w, TOKEN "Content-Type: text/plain\r\n", GOOD).status, 415);
    assert_int_equal(
        post(w, TOKEN "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", GOOD).status,
        415);
}

static void our_own_address_is_no_target(void **state)
{
    struct world *w = *state;
    struct heard h = post(w, TOKEN, "{\"url\":\"https://own.example.com/webhooks/x\"}");

    assert_int_equal(h.status, 400);
    assert_non_null(strstr(body_of(&h), "that of this service itself"));
    assert_int_equal(atomic_load(&w->committed), 0);
}

static void while_draining_nothing_is_asked(void **state)
{
    struct world *w = *state;
    int fd = dial(server_port(w->server));

    WAIT_UNTIL(server_connections(w->server) == 1);
    server_drain(w->server);
    say(fd, "GET /hooks/sample HTTP/1.1\r\n" HOST TOKEN "\r\n");
    assert_int_equal(hear(fd).status, 503);
    close(fd);
    assert_int_equal(atomic_load(&w->committed), 0);
}

static void without_a_token_in_the_configuration_there_is_nothing(void **state)
{
    struct world *w = *state;

    w->settings.hooks_token = STR_NULL;
    world_reload(w);
    assert_int_equal(post(w, TOKEN, GOOD).status, 404);
    assert_int_equal(post(w, "Authorization: Bearer \r\n", GOOD).status, 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
        T(a_subscription_is_answered_after_its_commit),
        T(what_cannot_be_stored_is_asked_for_again),
        T(a_commit_that_hangs_is_answered_in_time),
        T(who_has_no_token_costs_no_memory_for_a_body),
        T(only_json_is_read),
        T(our_own_address_is_no_target),
        T(while_draining_nothing_is_asked),
        T(without_a_token_in_the_configuration_there_is_nothing),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
