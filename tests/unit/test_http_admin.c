/* tests/unit/test_http_admin.c - the admin listener, and what a reload changes on both. */
#include "http_world.h"

static int refreshed;

static struct heard see(struct world *w, const char *text)
{
    return ask_at(server_admin_port(w->server), text);
}

static struct heard get(struct world *w, const char *path, const char *headers)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "%s\r\n", path, headers);

    assert_true(n > 0 && n < (int)sizeof(text));
    return see(w, text);
}

static void health_pages_tell_what_is_wrong(void **state)
{
    struct world *w = *state;

    assert_int_equal(get(w, "/livez", "").status, 200);
    assert_int_equal(get(w, "/readyz", "").status, 200);
    struct heard h = get(w, "/healthz", "");
    assert_int_equal(h.status, 200);
    assert_true(has_header(&h, "Content-Type: application/health+json"));
    assert_non_null(strstr(body_of(&h), "\"checks\""));

    atomic_store(&health.ready, false);
    assert_int_equal(get(w, "/readyz", "").status, 503);
    assert_int_equal(get(w, "/livez", "").status, 200);
    atomic_store(&health.writer_beat, clock_now_ms() - 60000);
    assert_int_equal(get(w, "/livez", "").status, 503);
}

static void metrics_come_in_prometheus_format(void **state)
{
    struct heard h = get(*state, "/metrics", "");

    assert_int_equal(h.status, 200);
    assert_true(has_header(&h, "Content-Type: text/plain; version=0.0.4; charset=utf-8"));
    assert_non_null(strstr(h.text, "# TYPE funneld_requests_rejected_total counter"));
    assert_int_equal(h.text[h.len - 1], '\n');
}

static void before_metrics(void *self)
{
    (void)self;
    refreshed++;
}

static void what_is_read_on_demand_is_refreshed_before_metrics(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));
    const struct http_ports ports = {
        .submit = test_submit, .self = w, .before_metrics = before_metrics};

    (void)state;
    world_init(w);
    const struct sites sites = world_sites(w);
    assert_int_equal(server_start(&sites, &ports, &w->server, NULL), RC_OK);
    refreshed = 0;
    assert_int_equal(get(w, "/livez", "").status, 200);
    assert_int_equal(refreshed, 0);
    assert_int_equal(get(w, "/metrics", "").status, 200);
    assert_int_equal(refreshed, 1);
    server_stop(w->server);
    mailbox_free(w->box);
    free(w);
}

static void other_methods_and_paths_are_refused(void **state)
{
    struct world *w = *state;
    struct heard h = see(w, "POST /metrics HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}");

    assert_int_equal(h.status, 405);
    assert_true(has_header(&h, "Allow: GET, HEAD"));
    assert_int_equal(get(w, "/", "").status, 404);
    assert_int_equal(get(w, "/in", "").status, 404);
    assert_int_equal(see(w, "GET http://h/livez HTTP/1.1\r\n" HOST "\r\n").status, 400);
}

static void sources_are_not_on_the_admin_listener_nor_metrics_on_the_public_one(void **state)
{
    struct world *w = *state;

    assert_int_equal(ask(w, "GET /metrics HTTP/1.1\r\n" HOST "\r\n").status, 404);
    assert_int_equal(ask(w, "GET /livez HTTP/1.1\r\n" HOST "\r\n").status, 404);
    assert_int_equal(
        see(w, "POST /in HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]").status, 404);
}

static void a_configured_token_is_needed_and_reload_sets_it(void **state)
{
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {"", 401},
        {"Authorization: Bearer wrong\r\n", 401},
        {"Authorization: Bearer t0ken0\r\n", 401},
        {"Authorization: Bearer \r\n", 401},
        {"Authorization: t0ken\r\n", 401},
        {"Authorization: Basic t0ken\r\n", 401},
        {"Authorization: Bearer t0ken\r\nAuthorization: Bearer t0ken\r\n", 401},
        {"Authorization: Bearer t0ken\r\n", 200},
        {"authorization: bearer t0ken\r\n", 200},
    };
    struct world *w = *state;

    w->admin.token = STR("t0ken");
    world_reload(w);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct heard h = get(w, "/metrics", cases[i].headers);
        assert_int_equal(h.status, cases[i].status);
        if (h.status == 401)
            assert_true(has_header(&h, "WWW-Authenticate: Bearer realm=\"funneld\""));
    }
    assert_int_equal(get(w, "/livez", "").status, 401);
}

static void reload_moves_a_source_and_its_limit(void **state)
{
    struct world *w = *state;
    struct server_settings other = w->settings;

    other.max_body = 2;
    w->source_settings.path = STR("/moved"); /* read when the sites are made */
    w->settings = other;
    world_reload(w);
    assert_int_equal(
        ask(w, "POST /in HTTP/1.1\r\n" HOST SECRET "Content-Length: 2\r\n\r\n[]").status, 404);
    assert_int_equal(
        ask(w, "POST /moved HTTP/1.1\r\n" HOST SECRET "Content-Length: 2\r\n\r\n[]").status, 200);
    assert_int_equal(
        ask(w, "POST /moved HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]").status, 413);
}

static void a_bad_reload_changes_nothing(void **state)
{
    static const struct str bad[] = {{"10.0.0.0/40", 11}};
    struct world *w = *state;
    struct why why = {0};

    w->settings.trusted_proxies = (struct str_list){bad, 1};
    w->source_settings.path = STR("/moved");
    assert_int_equal(world_try_reload(w, &why), RC_INVALID);
    assert_non_null(strstr(why.text, "10.0.0.0/40"));
    assert_int_equal(
        ask(w, "POST /in HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]").status, 200);
}

static void port_in_the_environment_overrides_the_public_port_only(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));
    const struct http_ports ports = {.submit = test_submit, .self = w};
    struct why why = {0};

    (void)state;
    world_init(w);
    const struct sites sites = world_sites(w);
    setenv("PORT", "http", 1);
    assert_int_equal(server_start(&sites, &ports, &w->server, &why), RC_INVALID);
    assert_non_null(strstr(why.text, "PORT"));
    setenv("PORT", "0", 1);
    w->settings.listen = STR("127.0.0.1:1"); /* may not be bound, nor needs to be */
    assert_int_equal(server_start(&sites, &ports, &w->server, &why), RC_OK);
    unsetenv("PORT");
    assert_true(server_port(w->server) > 1);
    assert_int_equal(get(w, "/livez", "").status, 200);
    server_stop(w->server);
    assert_true(atomic_load(&w->owner_gone));
    mailbox_free(w->box);
    free(w);
}

static void an_address_in_use_is_said_with_its_key(void **state)
{
    struct world *w = *state, *second = mem_alloc(sizeof(*second));
    const struct http_ports ports = {.submit = test_submit, .self = second};
    struct why why = {0};
    char address[32];

    world_init(second);
    int n = snprintf(address, sizeof(address), "127.0.0.1:%d", server_port(w->server));
    assert_true(n > 0);
    second->settings.listen = str_of(address);
    const struct sites sites = world_sites(second);
    assert_int_equal(server_start(&sites, &ports, &second->server, &why), RC_IO);
    assert_non_null(strstr(why.text, "[server]"));
    assert_non_null(strstr(why.text, address));
    assert_non_null(strstr(why.text, "in use"));
    assert_false(atomic_load(&second->owner_gone)); /* still the caller's */
    mailbox_free(second->box);
    free(second);
    the_world = w;
}

static void both_families_are_served_on_one_port(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));

    (void)state;
    world_init(w);
    w->settings.listen = STR("[::]:0");
    world_start(w);
    assert_int_equal(ask(w, "GET /healthz HTTP/1.1\r\n" HOST "\r\n").status, 200);
    struct sockaddr_in6 to = {.sin6_family = AF_INET6,
                              .sin6_port = htons(server_port(w->server)),
                              .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0) {
        say(fd, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(hear(fd).status, 200);
    } else {
        assert_true(fd < 0 || errno != ECONNREFUSED); /* only a machine without IPv6 */
    }
    if (fd >= 0)
        close(fd);
    world_end(w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(health_pages_tell_what_is_wrong),
        TEST(metrics_come_in_prometheus_format),
        cmocka_unit_test(what_is_read_on_demand_is_refreshed_before_metrics),
        TEST(other_methods_and_paths_are_refused),
        TEST(sources_are_not_on_the_admin_listener_nor_metrics_on_the_public_one),
        TEST(a_configured_token_is_needed_and_reload_sets_it),
        TEST(reload_moves_a_source_and_its_limit),
        TEST(a_bad_reload_changes_nothing),
        cmocka_unit_test(port_in_the_environment_overrides_the_public_port_only),
        TEST(an_address_in_use_is_said_with_its_key),
        cmocka_unit_test(both_families_are_served_on_one_port),
    };

    return cmocka_run_group_tests_name("http_admin", tests, NULL, NULL);
}
