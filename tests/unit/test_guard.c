/* tests/unit/test_guard.c - what a third party's address can and cannot reach. */
#include "cm.h"
#include "http_stub.h"

#include "../../src/deliver/curl/exchange_priv.h"

struct world {
    struct exchange *x;
    struct http_request request;
    struct curl_slist *resolve;
    struct arena arena;
    int sockets; /* made, and ended before they were connected */
};

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof *w);

    atomic_store(&connections, 0);
    atomic_store(&requests, 0);
    w->x = exchange_new();
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    exchange_free(w->x);
    curl_slist_free_all(w->resolve);
    arena_free(&w->arena);
    free(w);
    return 0;
}

static void prepare(struct world *w, struct str url)
{
    struct transport_call call = {.request = &w->request, .timeout_ms = 5000};
    struct why why = {0};

    w->request = (struct http_request){.method = "POST",
                                       .url = url,
                                       .body = STR("{\"secret\":true}"),
                                       .guarded = true,
                                       .secret_url = true};
    if (exchange_set(w->x, &call, &why) != RC_OK)
        fail_msg("%s", why.text);
}

static struct http_response perform(struct world *w)
{
    struct transport_result r;

    exchange_result(w->x, curl_easy_perform(w->x->easy), &r);
    return r.response;
}

static void assert_blocked(struct world *w)
{
    struct http_response r = perform(w);

    assert_int_equal(r.fate, HTTP_NOT_SENT);
    assert_true(w->x->blocked);
    assert_non_null(str_find(r.error, STR("blocked: its address is not on the Internet")));
    assert_int_equal(atomic_load(&connections), 0);
    assert_int_equal(atomic_load(&requests), 0);
}

/* What is said of the name that is looked up. */
static void resolves_to(struct world *w, const char *addresses)
{
    w->resolve = curl_slist_append(
        NULL, arena_printf(&w->arena, "hooks.example.com:%d:%s", server_port, addresses).at);
    assert_int_equal(curl_easy_setopt(w->x->easy, CURLOPT_RESOLVE, w->resolve), CURLE_OK);
}

static void no_way_to_write_this_machine_is_let_through(void **state)
{
    static const char *const hosts[] = {
        "127.0.0.1",  "localhost",  "127.1",          "0x7f.0.0.1", "0177.0.0.1",
        "2130706433", "0.0.0.0",    "[::1]",          "[::]",       "[::ffff:127.0.0.1]",
        "127.0.0.2",  "0x7f000001", "[::ffff:7f00:1]"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        prepare(w, arena_printf(&w->arena, "https://%s:%d/x", hosts[i], server_port));
        assert_blocked(w);
        exchange_clear(w->x);
    }
}

static void a_name_that_leads_to_this_machine_is_found_out_when_it_is_connected(void **state)
{
    static const char *const answers[] = {"127.0.0.1",       "10.0.0.1",
                                          "169.254.169.254", "[::1]",
                                          "[fd00::1]",       "127.0.0.1,192.168.0.1,[fe80::1]"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        prepare(w, arena_printf(&w->arena, "https://hooks.example.com:%d/x", server_port));
        resolves_to(w, answers[i]);
        assert_blocked(w);
        exchange_clear(w->x);
        curl_slist_free_all(w->resolve);
        w->resolve = NULL;
    }
}

/* After the socket is there and before it is connected: nothing leaves this machine. */
static int end_here(void *self, curl_socket_t fd, curlsocktype purpose)
{
    (void)fd;
    (void)purpose;
    ((struct world *)self)->sockets++;
    return CURL_SOCKOPT_ERROR;
}

static void stop_before_connecting(struct world *w)
{
    assert_int_equal(curl_easy_setopt(w->x->easy, CURLOPT_SOCKOPTFUNCTION, end_here), CURLE_OK);
    assert_int_equal(curl_easy_setopt(w->x->easy, CURLOPT_SOCKOPTDATA, w), CURLE_OK);
}

static void an_address_on_the_internet_gets_its_socket(void **state)
{
    struct world *w = *state;

    prepare(w, arena_printf(&w->arena, "https://hooks.example.com:%d/x", server_port));
    resolves_to(w, "8.8.8.8");
    stop_before_connecting(w);
    assert_int_equal(perform(w).fate, HTTP_NOT_SENT);
    assert_false(w->x->blocked);
    assert_int_equal(w->sockets, 1);
}

/* A name that has both: the one gets no socket, the other does. */
static void of_two_addresses_only_the_public_one_is_tried(void **state)
{
    struct world *w = *state;

    prepare(w, arena_printf(&w->arena, "https://hooks.example.com:%d/x", server_port));
    resolves_to(w, "127.0.0.1,8.8.8.8");
    stop_before_connecting(w);
    assert_int_equal(perform(w).fate, HTTP_NOT_SENT);
    assert_int_equal(w->sockets, 1);
    assert_int_equal(atomic_load(&connections), 0);
}

static curl_socket_t any_socket(void *self, curlsocktype purpose, struct curl_sockaddr *to)
{
    (void)self;
    (void)purpose;
    return socket(to->family, to->socktype, to->protocol);
}

/* The second wall, alone: as if the first had been asked about another address. */
static void a_connection_that_leads_here_carries_nothing(void **state)
{
    struct world *w = *state;

    prepare(w, arena_printf(&w->arena, "http://127.0.0.1:%d/echo", server_port));
    assert_int_equal(curl_easy_setopt(w->x->easy, CURLOPT_PROTOCOLS_STR, "http"), CURLE_OK);
    assert_int_equal(curl_easy_setopt(w->x->easy, CURLOPT_OPENSOCKETFUNCTION, any_socket),
                     CURLE_OK);
    struct http_response r = perform(w);
    assert_int_equal(r.fate, HTTP_NOT_SENT);
    assert_true(w->x->blocked);
    assert_int_equal(atomic_load(&requests), 0);
}

static void it_never_goes_in_the_clear(void **state)
{
    struct world *w = *state;

    prepare(w, arena_printf(&w->arena, "http://127.0.0.1:%d/echo", server_port));
    assert_int_equal(perform(w).fate, HTTP_NOT_SENT);
    assert_int_equal(atomic_load(&connections), 0);
}

static void a_proxy_in_the_environment_is_not_asked(void **state)
{
    struct world *w = *state;
    struct str proxy = arena_printf(&w->arena, "http://127.0.0.1:%d", server_port);

    assert_int_equal(setenv("https_proxy", proxy.at, 1), 0);
    assert_int_equal(setenv("ALL_PROXY", proxy.at, 1), 0);
    prepare(w, arena_printf(&w->arena, "https://10.0.0.1:%d/x", server_port));
    assert_blocked(w);
    assert_int_equal(unsetenv("https_proxy"), 0);
    assert_int_equal(unsetenv("ALL_PROXY"), 0);
}

/* As if the server were on the Internet. */
static void no_more_than_a_little_of_an_answer_is_read(void **state)
{
    struct world *w = *state;

    prepare(w, arena_printf(&w->arena, "http://127.0.0.1:%d/big", server_port));
    assert_int_equal(curl_easy_setopt(w->x->easy, CURLOPT_PROTOCOLS_STR, "http"), CURLE_OK);
    assert_int_equal(curl_easy_setopt(w->x->easy, CURLOPT_OPENSOCKETFUNCTION, any_socket),
                     CURLE_OK);
    assert_int_equal(curl_easy_setopt(w->x->easy, CURLOPT_PREREQFUNCTION, NULL), CURLE_OK);
    struct http_response r = perform(w);
    assert_int_equal(r.fate, HTTP_UNKNOWN);
    assert_non_null(str_find(r.error, STR("the answer is longer than 65536 bytes")));
}

/* The next request on this exchange is an ordinary one. */
static void an_exchange_forgets_that_it_was_guarded(void **state)
{
    struct world *w = *state;
    struct transport_call call = {.request = &w->request, .timeout_ms = 5000};

    prepare(w, arena_printf(&w->arena, "https://127.0.0.1:%d/x", server_port));
    assert_blocked(w);
    exchange_clear(w->x);
    w->request = (struct http_request){
        .method = "GET", .url = arena_printf(&w->arena, "http://127.0.0.1:%d/echo", server_port)};
    assert_int_equal(exchange_set(w->x, &call, NULL), RC_OK);
    assert_int_equal(perform(w).status, 200);
    assert_false(w->x->blocked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(no_way_to_write_this_machine_is_let_through),
        T(a_name_that_leads_to_this_machine_is_found_out_when_it_is_connected),
        T(an_address_on_the_internet_gets_its_socket),
        T(of_two_addresses_only_the_public_one_is_tried),
        T(a_connection_that_leads_here_carries_nothing),
        T(it_never_goes_in_the_clear),
        T(a_proxy_in_the_environment_is_not_asked),
        T(no_more_than_a_little_of_an_answer_is_read),
        T(an_exchange_forgets_that_it_was_guarded),
    };

    return cmocka_run_group_tests(tests, server_start, NULL);
}
