/* tests/unit/test_http_settings.c - [server] and [admin]: defaults and what is refused. */
#include "cm.h"

#include <string.h>

#include "funneld/config/conf.h"
#include "funneld/http/server.h"

struct settings {
    struct arena arena;
    struct conf_problems problems;
    struct server_settings server;
    struct admin_settings admin;
};

static void read_settings(struct settings *s, const char *text)
{
    struct conf conf;

    *s = (struct settings){0};
    conf_problems_init(&s->problems, &s->arena);
    assert_int_equal(conf_read_text(STR("t.conf"), str_of(text), &s->arena, &conf, &s->problems),
                     RC_OK);
    struct conf_section *server = conf_section_find(&conf, "server", NULL);
    struct conf_section *admin = conf_section_find(&conf, "admin", NULL);
    if (server)
        conf_bind(server, &server_spec, &s->server, &s->arena, &s->problems);
    else
        conf_defaults(&server_spec, &s->server, &s->arena);
    if (admin)
        conf_bind(admin, &admin_spec, &s->admin, &s->arena, &s->problems);
    else
        conf_defaults(&admin_spec, &s->admin, &s->arena);
    server_check(&s->server, server, &s->problems);
    admin_check(&s->admin, admin, &s->problems);
}

static void without_sections_the_defaults_hold(void **state)
{
    struct settings s;

    (void)state;
    read_settings(&s, "");
    assert_int_equal(s.problems.n, 0);
    assert_true(str_is(s.server.listen, "[::]:8443"));
    assert_true(str_is(s.admin.listen, "127.0.0.1:8444"));
    assert_int_equal(s.server.threads, 2);
    assert_int_equal(s.server.max_connections, 4096);
    assert_int_equal(s.server.max_connections_per_address, 0);
    assert_int_equal(s.server.max_body, 1 << 20);
    assert_int_equal(s.server.idle_timeout_ms, 75000);
    assert_int_equal(s.server.header_timeout_ms, 10000);
    assert_int_equal(s.server.body_timeout_ms, 20000);
    assert_int_equal(s.server.shutdown_timeout_ms, 8000);
    assert_null(s.server.tls_cert.at);
    arena_free(&s.arena);
}

static void what_does_not_fit_together_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text, *message;
        int line;
    } cases[] = {
        {"[server]\ntls_cert = /c.pem\n", "tls_cert without tls_key", 2},
        {"[server]\ntls_key = /k.pem\n", "tls_key without tls_cert", 2},
        {"[server]\n\ntrusted_proxies = 10.0.0.0/8, 10.0.0.0/40\n", "10.0.0.0/40", 3},
        {"[admin]\nlisten = 0.0.0.0:8444\n", "no token", 2},
        {"[admin]\nlisten = [::]:8444\n", "no token", 2},
        {"[admin]\nsocket = /run/"
         "0123456789012345678901234567890123456789012345678901234567890123456789"
         "0123456789012345678901234567890123456789\n",
         "at most 107 bytes", 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct settings s;
        read_settings(&s, cases[i].text);
        assert_int_equal(s.problems.n, 1);
        assert_int_equal(s.problems.first->line, cases[i].line);
        struct str message = s.problems.first->message;
        assert_non_null(str_find(message, str_of(cases[i].message)));
        arena_free(&s.arena);
    }
}

static void beyond_loopback_with_a_token_is_fine(void **state)
{
    static const char *const texts[] = {
        "[admin]\nlisten = 0.0.0.0:8444\ntoken = abc\n",
        "[admin]\nlisten = [::1]:8444\n",
        "[admin]\nlisten = localhost:8444\n",
        "[server]\ntls_cert = /c.pem\ntls_key = /k.pem\ntrusted_proxies = 10.0.0.0/8, fd00::/8\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct settings s;
        read_settings(&s, texts[i]);
        assert_int_equal(s.problems.n, 0);
        arena_free(&s.arena);
    }
}

static void turning_tls_on_or_off_needs_a_restart(void **state)
{
    const struct server_settings plain = {0}, tls = {.tls_cert = STR("/c"), .tls_key = STR("/k")},
                                 other = {.tls_cert = STR("/d"), .tls_key = STR("/l")};

    (void)state;
    assert_true(server_tls_changes(&plain, &tls));
    assert_true(server_tls_changes(&tls, &plain));
    assert_false(server_tls_changes(&tls, &other));
    assert_false(server_tls_changes(&plain, &plain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_sections_the_defaults_hold),
        cmocka_unit_test(what_does_not_fit_together_is_refused_with_its_line),
        cmocka_unit_test(beyond_loopback_with_a_token_is_fine),
        cmocka_unit_test(turning_tls_on_or_off_needs_a_restart),
    };

    return cmocka_run_group_tests_name("http_settings", tests, NULL, NULL);
}
