/* tests/unit/test_probe.c - what all probes have in common: no answer, a mail server's, those that
 * can only be connected to. */
#include "probe_fixture.h"

#define MAIL                                                                                       \
    "type = email\nurl = smtp://mail.example.com:587\nuser = leads@example.com\n"                  \
    "password = secret-of-mine\nfrom = leads@example.com\nto = ada@example.org\n"

static const struct connected {
    const char *section, *what;
} connected[] = {
    {"type = http\nurl = https://hooks.example.com/in?key=x\n", "receiver"},
    {"type = zapier\nurl = https://hooks.zapier.com/hooks/catch/1/x/\n", "catch hook"},
};

static void connects(void)
{
    struct http_response r = {.fate = HTTP_ANSWERED, .retry_after_ms = -1};

    asks("GET", "https://hooks.");
    assert_true(x.f.request.only_connects && x.f.request.secret_url);
    assert_null(x.f.request.body.at);
    assert_int_equal(x.f.request.n_headers, 0);
    probe_take(&x.probe, &r);
    is_done();
    assert_int_equal(x.probe.n, 2);
    found("connection", FINDING_WORKS, NULL);
}

static void what_would_take_a_question_for_a_message_is_only_connected_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(connected); i++) {
        probe_again(connected[i].section);
        connects();
        found(connected[i].what, FINDING_NOT_ASKED, "the first one shows");
    }
}

static void who_subscribes_is_not_known_before(void **state)
{
    (void)state;
    probe_start("type = rest_hooks\n");
    is_done();
    assert_int_equal(x.probe.n, 1);
    found("subscriptions", FINDING_NOT_ASKED, "brings an address along");
}

static void what_keeps_an_answer_from_coming_is_said(void **state)
{
    static const struct {
        enum http_fate fate;
        enum http_trouble trouble;
        const char *advice;
    } cases[] = {
        {HTTP_NOT_SENT, TROUBLE_NAME, "what curl says; check the host in the connector's address"},
        {HTTP_NOT_SENT, TROUBLE_CONNECT, "what curl says; check host and port"},
        {HTTP_NOT_SENT, TROUBLE_TLS, "whether TLS is spoken"},
        {HTTP_NOT_SENT, TROUBLE_CERTIFICATE, "needs its root in `ca_file`"},
        {HTTP_NOT_SENT, TROUBLE_ROOTS, "check the connector's `ca_file`"},
        {HTTP_UNKNOWN, TROUBLE_TIME, "or give it more time with `timeout`"},
        {HTTP_UNKNOWN, TROUBLE_OTHER, "what curl says"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_response r = {.fate = cases[i].fate,
                                  .trouble = cases[i].trouble,
                                  .error = STR("what curl says"),
                                  .retry_after_ms = -1};

        probe_again("type = hubspot\ntoken = pat-test\n");
        asks("POST", "/search");
        probe_take(&x.probe, &r);
        is_done(); /* the rest would end the same way */
        assert_int_equal(x.probe.n, 1);
        found("connection", FINDING_FAILS, cases[i].advice);
    }
}

/* Searches are limited in length, and so is what can be asked for. */
static void what_cannot_be_asked_is_said(void **state)
{
    char section[4000];
    int n = snprintf(section, sizeof section, "type = hubspot\ntoken = pat-test\nproperties = ");

    (void)state;
    for (int i = 0; i < 100; i++)
        n += snprintf(section + n, sizeof section - (size_t)n, "%sa_long_name_of_a_property_%d",
                      i ? ",\n  " : "", i);
    probe_start(section);
    assert_int_equal(probe_next(&x.probe, &x.f.request, &x.f.why), RC_INVALID);
    is_done();
    found("contacts", FINDING_FAILS, "shorten `properties`");
}

enum { ASKED_MAX = 500 };

static void nobody_is_asked_without_end(void **state)
{
    static char section[20000];
    int n = snprintf(section, sizeof section,
                     "type = hubspot\ntoken = pat-test\ncatch_up = no\nproperties = ");

    (void)state;
    for (int i = 0; i < ASKED_MAX + 1; i++)
        n +=
            snprintf(section + n, sizeof section - (size_t)n, "%sproperty_%d", i ? ",\n  " : "", i);
    probe_start(section);
    for (int i = 0; i < ASKED_MAX; i++) {
        assert_int_equal(probe_next(&x.probe, &x.f.request, &x.f.why), RC_OK);
        is_told(200, i ? "{\"type\":\"string\"}" : "{\"results\":[]}");
    }
    is_done();
    found(arena_printf(&x.f.arena, "%.*s", STR_ARG(x.probe.about)).at, FINDING_NOT_ASKED,
          "500 questions were asked");
}

static void says(const char *command, int status, const char *reply)
{
    struct http_response r = fixture_response(status, reply);

    asks("MAIL", "smtp://mail.example.com:587/example.com");
    assert_true(x.f.request.only_connects);
    assert_null(x.f.request.body.at);
    r.command = command;
    probe_take(&x.probe, &r);
    is_done();
}

static void a_mail_server_that_takes_the_login_works(void **state)
{
    (void)state;
    probe_start(MAIL);
    says("NOOP", 250, "250 OK");
    assert_int_equal(x.probe.n, 4);
    found("connection", FINDING_WORKS, NULL);
    found("STARTTLS", FINDING_WORKS, NULL);
    found("login", FINDING_WORKS, "as leads@example.com");
    found("sender and recipients", FINDING_NOT_ASKED, "no mail is sent");
}

static void what_is_not_set_is_not_found(void **state)
{
    (void)state;
    probe_start("type = email\nurl = smtp://127.0.0.1:25\nstarttls = off\n"
                "from = leads@example.com\nto = ada@example.org\n");
    asks("MAIL", "smtp://127.0.0.1:25/example.com");
    struct http_response r = fixture_response(250, "250 OK");
    r.command = "NOOP";
    probe_take(&x.probe, &r);
    assert_int_equal(x.probe.n, 2);

    probe_again("type = email\nurl = smtps://mail.example.com:465\n"
                "from = leads@example.com\nto = ada@example.org\n");
    asks("MAIL", "smtps://mail.example.com:465/example.com");
    probe_take(&x.probe, &r);
    found("TLS", FINDING_WORKS, NULL);
}

static void what_a_mail_server_refuses_is_said(void **state)
{
    static const struct {
        const char *command;
        int status;
        const char *reply, *what, *detail;
        size_t works; /* before it */
    } cases[] = {
        {"", 554, "554 no service", "connection", "the server takes no mail from here", 0},
        {"", 421, "421 too busy", "connection", "421 too busy (to the connection)", 0},
        {"EHLO", 550, "550 go away", "connection", "takes no mail from here", 0},
        {"STARTTLS", 250, "250 HELP", "STARTTLS", "the server offers no STARTTLS", 1},
        {"STARTTLS", 502, "502 no", "STARTTLS", "the server offers no STARTTLS", 1},
        {"AUTH", 535, "535 5.7.8 bad", "login", "check the connector's `user` and `password`", 2},
        {"AUTH", 535, "535 5.7.139 off", "login", "Basic authentication is switched off", 2},
        {"AUTH", 534, "534 no", "login", "the server wants an app password", 2},
        {"AUTH", 250, "250 HELP", "login", "the server offers no login that we know: another port",
         2},
        {"NOOP", 530, "530 log in", "session", "the server wants a login", 3},
        {"NOOP", 451, "451 later", "session", "451 later (to NOOP)", 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        probe_again(MAIL);
        says(cases[i].command, cases[i].status, cases[i].reply);
        assert_int_equal(x.probe.n, cases[i].works + 1);
        found(cases[i].what, FINDING_FAILS, cases[i].detail);
    }
}

/* Every type has an answer to the question, or says why not. */
static void every_connector_can_be_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_connector_types; i++)
        assert_non_null(connector_types[i]->probe_next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, probe_teardown)
        T(what_would_take_a_question_for_a_message_is_only_connected_to),
        T(who_subscribes_is_not_known_before),
        T(what_keeps_an_answer_from_coming_is_said),
        T(what_cannot_be_asked_is_said),
        T(nobody_is_asked_without_end),
        T(a_mail_server_that_takes_the_login_works),
        T(what_is_not_set_is_not_found),
        T(what_a_mail_server_refuses_is_said),
        T(every_connector_can_be_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
