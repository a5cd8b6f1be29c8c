/* tests/unit/test_mail_connects.c - a mail server that is only connected to: nothing is mailed. */
#include "cm.h"
#include "mail_world.h"

static struct http_request *connection_to(struct world *w, bool clear)
{
    struct http_request *r = mail_to(w, "", clear);

    r->only_connects = true;
    r->body = STR_NULL;
    return r;
}

/* What keeps a mail from being sent is known without one. */
static void a_mail_that_only_connects_is_none(void **state)
{
    static const struct {
        struct smtp_rule rule;
        bool tls;
        int status; /* 0: no answer */
        const char *command;
    } cases[] = {
        {RULE("NOOP", "250 2.0.0 fine"), false, 250, "NOOP"},
        {RULE("NOOP", "530 5.7.0 login"), false, 530, "NOOP"},
        {RULE("NOOP", SMTP_CUT), false, 0, "NOOP"},
        {RULE("AUTH", "535 5.7.8 wrong"), false, 535, "AUTH"},
        {RULE("EHLO", "250 SIZE 1"), true, 250, "STARTTLS"},
        {RULE("EHLO", "250 SIZE 1"), false, 250, "AUTH"}, /* nobody logged in */
        {RULE("", "554 go away"), false, 554, ""},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        smtp_script(&cases[i].rule, 1);
        struct http_response r = send_mail(w, connection_to(w, !cases[i].tls), 5000);
        assert_int_equal(r.fate, cases[i].status ? HTTP_ANSWERED : HTTP_NOT_SENT);
        assert_int_equal(r.status, cases[i].status);
        assert_string_equal(r.command, cases[i].command);
        assert_false(smtp_logged("MAIL") || smtp_logged("RCPT") || smtp_logged("DATA"));
    }
}

/* Whatever it says to those who have not logged in. */
static void a_server_without_a_login_is_none_that_took_it(void **state)
{
    static const char *const replies[] = {"250 2.0.0 fine", "530 5.7.0 login", SMTP_CUT};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        const struct smtp_rule rules[] = {RULE("EHLO", "250 SIZE 1"), RULE("NOOP", replies[i])};
        struct http_request *mail = connection_to(w, true);
        struct envelope e = *mail->envelope;

        smtp_script(rules, ARRAY_LEN(rules));
        struct http_response r = send_mail(w, mail, 5000);
        assert_int_equal(r.fate, HTTP_ANSWERED);
        assert_string_equal(r.command, "AUTH");
        assert_int_equal(r.status, 250);
        assert_true(str_is(r.body, "250 SIZE 1")); /* what it offers */
        assert_false(smtp_logged("AUTH"));

        smtp_script(rules, 1);
        e.user = e.password = STR_NULL;
        mail->envelope = &e;
        r = send_mail(w, mail, 5000);
        assert_string_equal(r.command, "NOOP"); /* who wants no login lacks none */
    }
}

/* On a connection that was kept nobody would log in. */
static void who_only_connects_does_so_anew(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 2; i++)
        assert_string_equal(send_mail(w, connection_to(w, true), 5000).command, "NOOP");
    assert_int_equal(atomic_load(&smtp.connections), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_mail_that_only_connects_is_none),
        TEST(a_server_without_a_login_is_none_that_took_it),
        TEST(who_only_connects_does_so_anew),
    };

    return cmocka_run_group_tests(tests, smtp_start, NULL);
}
