/* tests/unit/test_mail.c - mails through the transport, to a server that follows a script. */
#include "cm.h"
#include "mail_world.h"

#include "funneld/base/clock.h"
#include "funneld/base/mem.h"

static void a_mail_arrives_as_it_was_built(void **state)
{
    struct world *w = *state;
    struct http_response r = send_mail(w, mail_to(w, "ada@example.org", true), 5000);

    assert_int_equal(r.fate, HTTP_ANSWERED);
    assert_int_equal(r.status, 250);
    assert_string_equal(r.command, ".");
    assert_true(str_is(r.body, "250 2.0.0 fine"));
    assert_true(smtp_logged("EHLO example.com\r\n"));
    assert_true(smtp_logged("AUTH PLAIN AGFkYQBzM2NyZXQgd29yZA==\r\n")); /* \0ada\0s3cret word */
    assert_true(smtp_logged("MAIL FROM:<leads@example.com> SIZE=36\r\n"));
    assert_true(smtp_logged("RCPT TO:<ada@example.org>\r\nDATA\r\n"));
    assert_true(smtp_logged("DATA\r\nSubject: x\r\n\r\nHello\r\n..dot\r\n...\r\nend\r\n.\r\n"));
}

static void without_a_user_nobody_logs_in(void **state)
{
    struct world *w = *state;
    struct http_request *r = mail_to(w, "ada@example.org", true);
    struct envelope e = *r->envelope;

    e.user = e.password = STR_NULL;
    r->envelope = &e;
    assert_int_equal(send_mail(w, r, 5000).fate, HTTP_ANSWERED);
    assert_false(smtp_logged("AUTH"));
}

/* The table of contracts/email.md, and what else a server may do at each command. */
static const struct row {
    struct smtp_rule rule;
    bool tls; /* the mail demands it */
    enum http_fate fate;
    int status;
    const char *command, *says;
} rows[] = {
    {RULE("", "554 5.3.2 go away"), false, HTTP_ANSWERED, 554, "", "554 5.3.2 go away"},
    {RULE("", "421 4.3.2 shutting down"), false, HTTP_ANSWERED, 421, "", "421 4.3.2"},
    {RULE("", SMTP_CUT), false, HTTP_NOT_SENT, 0, NULL, "127.0.0.1: "},
    {RULE("", SMTP_SILENT), false, HTTP_NOT_SENT, 0, NULL, "127.0.0.1: "},
    {RULE("EHLO", SMTP_CUT), false, HTTP_NOT_SENT, 0, NULL, "127.0.0.1: "},
    {RULE("EHLO", "250 SIZE 1"), true, HTTP_ANSWERED, 250, "STARTTLS", "250 SIZE 1"},
    {RULE("EHLO", "250-x\r\n250 STARTTLS"), true, HTTP_NOT_SENT, 0, NULL, "127.0.0.1: "},
    {RULE("EHLO", "250 AUTH X-OWN"), false, HTTP_ANSWERED, 250, "AUTH", "250 AUTH X-OWN"},
    {RULE("AUTH", "535 5.7.8 wrong"), false, HTTP_ANSWERED, 535, "AUTH", "535 5.7.8 wrong"},
    {RULE("AUTH", "454 4.7.0 later"), false, HTTP_ANSWERED, 454, "AUTH", "454 4.7.0 later"},
    {RULE("AUTH", SMTP_CUT), false, HTTP_NOT_SENT, 0, NULL, "127.0.0.1: "},
    {RULE("MAIL", "451 4.3.0 later"), false, HTTP_ANSWERED, 451, "MAIL", "451 4.3.0 later"},
    {RULE("MAIL", "550 5.1.8 no"), false, HTTP_ANSWERED, 550, "MAIL", "550 5.1.8 no"},
    {RULE("MAIL", "530 5.7.0 login"), false, HTTP_ANSWERED, 530, "MAIL", "530 5.7.0 login"},
    {RULE("MAIL", "421 4.4.2 idle"), false, HTTP_ANSWERED, 421, "MAIL", "421 4.4.2 idle"},
    {RULE("MAIL", SMTP_CUT), false, HTTP_NOT_SENT, 0, NULL, "127.0.0.1: "},
    {RULE("RCPT", "450 4.2.0 greylisted"), false, HTTP_ANSWERED, 450, "RCPT", "450 4.2.0"},
    {RULE("RCPT", "550-5.1.1 no\r\n550 5.1.1 such user"), false, HTTP_ANSWERED, 550, "RCPT",
     "550-5.1.1 no 550 5.1.1 such user"},
    {RULE("RCPT", SMTP_CUT), false, HTTP_NOT_SENT, 0, NULL, "127.0.0.1: "},
    {RULE("DATA", "451 4.3.0 later"), false, HTTP_ANSWERED, 451, "DATA", "451 4.3.0 later"},
    {RULE("DATA", SMTP_CUT), false, HTTP_NOT_SENT, 0, NULL, "127.0.0.1: "},
    {RULE(".", "451 4.3.0 later"), false, HTTP_ANSWERED, 451, ".", "451 4.3.0 later"},
    {RULE(".", "552 5.3.4 too big"), false, HTTP_ANSWERED, 552, ".", "552 5.3.4 too big"},
    {RULE(".", SMTP_CUT), false, HTTP_UNKNOWN, 0, NULL, "no answer came"},
    {RULE(".", SMTP_SILENT), false, HTTP_UNKNOWN, 0, NULL, "no answer came"},
};

static void every_reply_is_what_it_is(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        bool waits = strcmp(row->rule.reply, SMTP_SILENT) == 0;

        smtp_script(&row->rule, 1);
        struct http_request *mail = mail_to(w, "ada@example.org", !row->tls);
        struct http_response r = send_mail(w, mail, waits ? 300 : 5000);
        struct str said = r.fate == HTTP_ANSWERED ? r.body : r.error;
        if (r.fate != row->fate || r.status != row->status || !str_find(said, str_of(row->says)) ||
            (row->command && strcmp(r.command, row->command) != 0))
            fail_msg("%zu (%s %s): fate %d, %d to \"%s\": %.*s", i, row->rule.command,
                     row->rule.reply, (int)r.fate, r.status, r.command, STR_ARG(said));
        if (row->tls)
            assert_false(smtp_logged("AUTH") || smtp_logged("MAIL"));
        assert_null(str_find(said, STR("s3cret")));
    }
}

static void a_server_that_is_not_there_got_nothing(void **state)
{
    static const char *const urls[] = {"smtp://127.0.0.1:1/x.example",
                                       "smtps://127.0.0.1:1/x.test"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct http_request *mail = mail_to(w, "ada@example.org", false);

        mail->url = str_of(urls[i]);
        struct http_response r = send_mail(w, mail, 5000);
        assert_int_equal(r.fate, HTTP_NOT_SENT);
        assert_true(str_starts(r.error, STR("127.0.0.1: ")));
    }
}

static void mails_of_an_account_share_a_connection_and_others_do_not(void **state)
{
    struct world *w = *state;
    struct http_request *other = mail_to(w, "ada@example.org", true);
    struct envelope e = *other->envelope;

    for (int i = 0; i < 3; i++)
        assert_int_equal(send_mail(w, mail_to(w, "ada@example.org", true), 5000).status, 250);
    assert_int_equal(atomic_load(&smtp.connections), 1);
    e.password = STR("another");
    other->envelope = &e;
    assert_int_equal(send_mail(w, other, 5000).status, 250);
    assert_int_equal(atomic_load(&smtp.connections), 2);
    assert_int_equal(atomic_load(&smtp.mails), 4);
}

static void a_connection_used_in_clear_text_carries_no_mail_that_demands_tls(void **state)
{
    struct world *w = *state;

    assert_int_equal(send_mail(w, mail_to(w, "ada@example.org", true), 5000).status, 250);
    struct http_response r = send_mail(w, mail_to(w, "ada@example.org", false), 5000);
    assert_string_equal(r.command, "STARTTLS");
    assert_int_equal(atomic_load(&smtp.mails), 1);
}

/* An idle connection that the server has closed, or answers 421 on, is no refusal. */
static void a_connection_that_went_stale_is_made_anew(void **state)
{
    static const struct smtp_rule rules[][2] = {
        {{.command = "MAIL", .reply = "421 4.4.2 idle too long", .nth = 2}},
        {{.command = "MAIL", .reply = SMTP_CUT, .nth = 2}},
        {{.command = "RCPT", .reply = SMTP_CUT, .nth = 2}},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct http_request *mail = mail_to(w, "ada@example.org", true);

        smtp_script(rules[i], 1);
        mail->url = arena_printf(&w->arena, "smtp://127.0.0.1:%d/try%zu.test", smtp.port, i);
        for (int n = 0; n < 2; n++)
            assert_int_equal(send_mail(w, mail, 5000).status, 250);
        assert_int_equal(atomic_load(&smtp.connections), 2);
        assert_int_equal(atomic_load(&smtp.mails), 2);
    }
}

/* From the first byte of the message on, a mail is not sent a second time by itself. */
static void a_message_without_an_answer_is_sent_once(void **state)
{
    static const struct smtp_rule rule = {.command = ".", .reply = SMTP_CUT, .nth = 2};
    struct world *w = *state;

    smtp_script(&rule, 1);
    assert_int_equal(send_mail(w, mail_to(w, "ada@example.org", true), 5000).status, 250);
    assert_int_equal(send_mail(w, mail_to(w, "ada@example.org", true), 5000).fate, HTTP_UNKNOWN);
    assert_int_equal(atomic_load(&smtp.mails), 2);
    assert_int_equal(atomic_load(&smtp.connections), 1);
}

static void a_slow_server_holds_up_no_other(void **state)
{
    static const struct smtp_rule rule = {.command = ".", .reply = SMTP_SILENT, .nth = 1};
    struct world *w = *state;
    int slow, quick;

    smtp_script(&rule, 1);
    struct http_request *stuck = mail_to(w, "ada@example.org", true);
    stuck->url = arena_printf(&w->arena, "smtp://127.0.0.1:%d/slow.test", smtp.port);
    start(w, stuck, 2000, &slow);
    while (atomic_load(&smtp.mails) == 0)
        w->t.wait(w->t.self, 10);
    start(w, mail_to(w, "ada@example.org", true), 5000, &quick);
    assert_ptr_equal(await(w).tag, &quick);
    struct transport_result last = await(w);
    assert_ptr_equal(last.tag, &slow);
    assert_int_equal(last.response.fate, HTTP_UNKNOWN);
}

static void no_more_are_under_way_than_may_be(void **state)
{
    static const struct smtp_rule rule = {.command = "", .reply = SMTP_SILENT};
    struct world *w = *state;
    struct http_request *mail = mail_to(w, "ada@example.org", true);
    struct transport_call call = {.request = mail, .timeout_ms = 1000, .tag = w};
    struct why why = {0};

    smtp_script(&rule, 1);
    for (int i = 0; i < 32; i++)
        assert_int_equal(w->t.start(w->t.self, &call, &why), RC_OK);
    assert_int_equal(w->t.start(w->t.self, &call, &why), RC_BUSY);
    assert_string_equal(why.text, "32 mails are under way at once");
    for (int i = 0; i < 32; i++)
        assert_int_equal(await(w).response.fate, HTTP_NOT_SENT);
    struct transport_result none;
    assert_false(w->t.take(w->t.self, &none));
    smtp_script(NULL, 0);
    assert_int_equal(send_mail(w, mail, 5000).status, 250);
}

/* Whatever the server is silent about: the last answer, or QUIT. */
static void ending_does_not_wait_for_the_server(void **state)
{
    static const struct smtp_rule silent[] = {{.command = ".", .reply = SMTP_SILENT},
                                              {.command = "QUIT", .reply = SMTP_SILENT}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
        smtp_script(&silent[i], 1);
        start(w, mail_to(w, "ada@example.org", true), 60000, w);
        if (i == 1)
            (void)await(w);
        else
            while (atomic_load(&smtp.mails) == 0)
                w->t.wait(w->t.self, 10);
        int64_t before = clock_mono_us();
        w->t.free(w->t.self);
        w->t = (struct transport){0};
        assert_true(clock_mono_us() - before < 4 * 1000 * 1000);
        assert_int_equal(curl_transport_new(&w->t, NULL), RC_OK);
    }
    for (int i = 0; i < 100 && !smtp_logged("QUIT"); i++)
        w->t.wait(w->t.self, 10);
    assert_true(smtp_logged("QUIT\r\n"));
}

static void what_must_not_be_sent_is_refused(void **state)
{
    static const struct {
        const char *url, *from, *to, *user, *body, *says;
    } wrong[] = {
        {"http://127.0.0.1/", "a@b.c", "a@b.c", "u", "x\r\n", "mail server"},
        {"smtp://127.0.0.1:1/x y", "a@b.c", "a@b.c", "u", "x\r\n", "mail server"},
        {NULL, "a@b.c>\r\nRCPT TO:<e@x.y", "a@b.c", "u", "x\r\n", "envelope"},
        {NULL, "a@b.c", "a@b.c\r\nDATA", "u", "x\r\n", "envelope"},
        {NULL, "a@b.c", "<a@b.c>", "u", "x\r\n", "envelope"},
        {NULL, "a@b.c", "a b@c.d", "u", "x\r\n", "envelope"},
        {NULL, "a@b.c", "\xc3\xa9@b.c", "u", "x\r\n", "envelope"},
        {NULL, "", "a@b.c", "u", "x\r\n", "envelope"},
        {NULL, "a@b.c", "ab.c", "u", "x\r\n", "envelope"},
        {NULL, "a@b.c", "a@b.c", "u\r\nx", "x\r\n", "control character"},
        {NULL, "a@b.c", "a@b.c", "u", "x\n.\ny\r\n", "CR LF"},
        {NULL, "a@b.c", "a@b.c", "u", "x\ry\r\n", "CR LF"},
        {NULL, "a@b.c", "a@b.c", "u", "x", "CR LF"},
        {NULL, "a@b.c", "a@b.c", "u", "", "CR LF"},
        {"smtp://mail.example.com/", "a@b.c", "a@b.c", "u", "x\r\n", "this machine only"},
        {"smtps://127.0.0.1/", "a@b.c", "a@b.c", "u", "x\r\n", "this machine only"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct envelope e = {.from = str_of(wrong[i].from),
                             .to = str_of(wrong[i].to),
                             .user = str_of(wrong[i].user),
                             .clear_text = true};
        struct http_request r = {.method = "MAIL",
                                 .url = STR("smtp://127.0.0.1:1/"),
                                 .envelope = &e,
                                 .body = str_of(wrong[i].body)};
        struct transport_call call = {.request = &r, .timeout_ms = 1000};
        struct why why = {0};

        if (wrong[i].url)
            r.url = str_of(wrong[i].url);
        if (w->t.start(w->t.self, &call, &why) != RC_INVALID || !strstr(why.text, wrong[i].says))
            fail_msg("%zu: %s", i, why.text);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_mail_arrives_as_it_was_built),
        TEST(without_a_user_nobody_logs_in),
        TEST(every_reply_is_what_it_is),
        TEST(a_server_that_is_not_there_got_nothing),
        TEST(mails_of_an_account_share_a_connection_and_others_do_not),
        TEST(a_connection_used_in_clear_text_carries_no_mail_that_demands_tls),
        TEST(a_connection_that_went_stale_is_made_anew),
        TEST(a_message_without_an_answer_is_sent_once),
        TEST(a_slow_server_holds_up_no_other),
        TEST(no_more_are_under_way_than_may_be),
        TEST(ending_does_not_wait_for_the_server),
        TEST(what_must_not_be_sent_is_refused),
    };

    return cmocka_run_group_tests(tests, smtp_start, NULL);
}
