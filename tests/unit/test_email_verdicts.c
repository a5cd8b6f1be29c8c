/* tests/unit/test_email_verdicts.c - what a mail server's replies mean for the delivery. */
#include "cm.h"

#include "connector_test.h"

#define SECTION                                                                                    \
    "type = email\nurl = smtp://mail.example.com:587\nuser = ada\npassword = s3cret-word\n"        \
    "from = leads@example.com\n"
#define ONE   SECTION "to = ada@example.org\n"
#define THREE SECTION "to = ada@example.org, bob@example.org, eve@example.org\n"

static enum judged answer(const char *command, const char *reply)
{
    struct http_response r = fixture_response((int)strtol(reply, NULL, 10), reply);

    r.command = command;
    fixture_build(&f);
    return f.type->judge(&f.job, &r);
}

#define BROKEN (-1) /* a person must mend it */

static const struct row {
    const char *command, *reply;
    enum verdict verdict;
    int64_t pause_ms;
    const char *says;
} rows[] = {
    {".", "250 2.0.0 queued", VERDICT_DELIVERED, 0, NULL},
    {"STARTTLS", "250 SIZE", VERDICT_RETRY, BROKEN, "no STARTTLS"},
    {"STARTTLS", "502 no", VERDICT_RETRY, BROKEN, "no STARTTLS"},
    {"STARTTLS", "454 4.7.0 later", VERDICT_RETRY, 60000, "454 4.7.0 later"},
    {"AUTH", "250 AUTH X", VERDICT_RETRY, BROKEN, "offers no login that we know"},
    {"AUTH", "535 5.7.8 bad", VERDICT_RETRY, BROKEN, "`password` (535 5.7.8 bad, to AUTH)"},
    {"AUTH", "535 5.7.139 basic authentication is disabled", VERDICT_RETRY, BROKEN, "SMTP AUTH"},
    {"AUTH", "534 5.7.9 application-specific password required", VERDICT_RETRY, BROKEN,
     "app password"},
    {"AUTH", "504 5.5.4 mechanism", VERDICT_RETRY, BROKEN, "user and password"},
    {"AUTH", "454 4.7.0 later", VERDICT_RETRY, 60000, "454"},
    {"AUTH", "421 4.7.0 Too many login attempts", VERDICT_RETRY, 900000, "limit of mails"},
    {"", "554 5.3.2 no", VERDICT_RETRY, BROKEN, "takes no mail from here (554 5.3.2 no, to the co"},
    {"", "521 no mail", VERDICT_RETRY, BROKEN, "takes no mail"},
    {"", "421 4.3.2 shutting down", VERDICT_RETRY, 60000, "421"},
    {"EHLO", "450 4.3.2 later", VERDICT_RETRY, 60000, "450"},
    {"EHLO", "550 5.7.1 bad HELO", VERDICT_RETRY, BROKEN, "takes no mail"},
    {"MAIL", "451 4.3.0 later", VERDICT_RETRY, 60000, "451"},
    {"MAIL", "452 4.3.1 disk", VERDICT_RETRY, 60000, "452"},
    {"MAIL", "550 5.1.8 sender", VERDICT_RETRY, BROKEN, "connector's `from`"},
    {"MAIL", "553 5.1.7 sender", VERDICT_RETRY, BROKEN, "connector's `from`"},
    {"MAIL", "530 5.7.0 login first", VERDICT_RETRY, BROKEN, "wants a login"},
    {"MAIL", "530 5.7.57 not authenticated", VERDICT_RETRY, BROKEN, "wants a login"},
    {"MAIL", "550 5.7.30 Basic authentication is not supported", VERDICT_RETRY, BROKEN,
     "through a relay"},
    {"MAIL", "552 5.3.4 too big", VERDICT_DEAD, 0, "too big"},
    {"MAIL", "421 4.4.2 idle", VERDICT_RETRY, 60000, "421"},
    {"RCPT", "450 4.2.0 greylisted", VERDICT_RETRY, 0, "a...@example.org: 450 4.2.0 greylisted"},
    {"RCPT", "451 4.7.1 try later", VERDICT_RETRY, 0, "451"},
    {"RCPT", "452 4.2.2 mailbox full", VERDICT_RETRY, 0, "452"},
    {"RCPT", "421 4.3.0 bye", VERDICT_RETRY, 60000, "421"},
    {"RCPT", "550 5.1.1 no such user", VERDICT_DEAD, 0, "a...@example.org: 550 5.1.1 no such user"},
    {"RCPT", "551 5.1.6 moved", VERDICT_DEAD, 0, "551"},
    {"RCPT", "552 5.2.2 mailbox full", VERDICT_DEAD, 0, "552"},
    {"RCPT", "553 5.1.3 bad name", VERDICT_DEAD, 0, "553"},
    {"RCPT", "554 5.7.1 relay access denied", VERDICT_RETRY, BROKEN, "carries no mail to others"},
    {"RCPT", "550 5.7.64 TenantAttribution; Relay Access Denied", VERDICT_RETRY, BROKEN,
     "carries no mail to others"},
    {"RCPT", "550 5.7.54 Unable to relay", VERDICT_RETRY, BROKEN, "carries no mail to others"},
    {"RCPT", "554 5.7.1 we do no relaying", VERDICT_RETRY, BROKEN, "carries no mail to others"},
    {"RCPT", "550 5.1.1 host relay.example.com said: relaying denied", VERDICT_DEAD, 0, "5.1.1"},
    {"RCPT", "550 5.7.1 by policy", VERDICT_RETRY, 900000, "server's policy"},
    {"RCPT", "550 5.7.1 rate limit exceeded", VERDICT_RETRY, 900000, "limit of mails"},
    {"RCPT", "550 5.4.5 Daily user sending limit exceeded", VERDICT_RETRY, 900000, "limit"},
    {"DATA", "451 4.3.0 later", VERDICT_RETRY, 0, "451"},
    {"DATA", "554 5.5.1 no", VERDICT_DEAD, 0, "554"},
    {".", "451 4.3.0 later", VERDICT_RETRY, 0, "451"},
    {".", "421 4.3.0 bye", VERDICT_RETRY, 60000, "421"},
    {".", "550 5.7.1 spam", VERDICT_RETRY, 900000, "server's policy"},
    {".", "552 5.3.4 size", VERDICT_DEAD, 0, "the message or the mailbox is too big for it (552"},
    {".", "550 5.5.2 bare LF", VERDICT_DEAD, 0, "550 5.5.2 bare LF (to .)"},
    {".", "554 5.6.0 broken", VERDICT_DEAD, 0, "554"},
    {".", "450 4.2.1 throttled", VERDICT_RETRY, 900000, "limit of mails"},
    {"MAIL", "354 what", VERDICT_RETRY, 0, "354 what"},
    {"RCPT", "999 what", VERDICT_RETRY, 0, "999 what"},
};

static void every_reply_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fixture_start(&f, ONE);
        assert_int_equal(answer(rows[i].command, rows[i].reply), JUDGED_DONE);
        if (f.outcomes[0].verdict != rows[i].verdict ||
            (f.job.broken ? BROKEN : f.job.pause_ms) != rows[i].pause_ms)
            fail_msg("%s %s: verdict %d, pause %d, broken %d", rows[i].command, rows[i].reply,
                     (int)f.outcomes[0].verdict, (int)f.job.pause_ms, f.job.broken);
        fixture_verdict(&f, 0, rows[i].verdict, rows[i].says);
        fixture_end(&f);
    }
}

/* As the deliverer hands it on where the password is one of the words. */
static void stars_in_a_reply_do_not_change_its_verdict(void **state)
{
    struct http_response r = fixture_response(554, "554 5.7.1 ***** access denied");

    (void)state;
    fixture_start(&f, ONE);
    r.command = "RCPT";
    r.unmasked = STR("554 5.7.1 relay access denied");
    fixture_build(&f);
    (void)f.type->judge(&f.job, &r);
    assert_true(f.job.broken);
    fixture_verdict(&f, 0, VERDICT_RETRY, "(554 5.7.1 ***** access denied, to RCPT)");
    assert_null(str_find(f.outcomes[0].reason, STR("relay")));
}

static void policy_is_tried_a_few_times(void **state)
{
    static const char *const replies[][2] = {{"RCPT", "550 5.7.1 by policy"}, {"MAIL", "354 what"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        fixture_start(&f, ONE);
        f.parcels[0].d.attempts = 99;
        f.parcels[0].d.unclear = 2;
        (void)answer(replies[i][0], replies[i][1]);
        fixture_verdict(&f, 0, VERDICT_RETRY, NULL);
        assert_true(f.outcomes[0].unclear);
        fixture_end(&f);
        fixture_start(&f, ONE);
        f.parcels[0].d.unclear = 3;
        (void)answer(replies[i][0], replies[i][1]);
        fixture_verdict(&f, 0, VERDICT_DEAD, NULL);
        fixture_end(&f);
    }
}

static void assert_to(const char *address)
{
    assert_true(str_is(f.request.envelope->to, address));
}

static void one_that_is_refused_by_policy_keeps_no_other_from_being_told(void **state)
{
    static const char *const replies[] = {"550 5.7.1 by policy", "550 5.4.5 sending limit exceeded",
                                          "999 what"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        fixture_start(&f, THREE);
        assert_int_equal(answer(".", "250 ok"), JUDGED_CONTINUE);
        assert_int_equal(answer("RCPT", replies[i]), JUDGED_CONTINUE);
        assert_int_equal(answer(".", "250 ok"), JUDGED_DONE);
        fixture_verdict(&f, 0, VERDICT_RETRY, NULL);
        fixture_end(&f);
    }
}

static void each_recipient_gets_a_mail_of_its_own(void **state)
{
    (void)state;
    fixture_start(&f, THREE);
    assert_int_equal(answer(".", "250 ok"), JUDGED_CONTINUE);
    assert_true(f.job.settled); /* what was told is in the outcome */
    assert_to("ada@example.org");
    assert_non_null(str_find(f.request.body, STR("To: <ada@example.org>\r\n")));
    assert_null(str_find(f.request.body, STR("bob@example.org")));
    assert_int_equal(answer(".", "250 ok"), JUDGED_CONTINUE);
    assert_to("bob@example.org");
    assert_int_equal(answer(".", "250 ok"), JUDGED_DONE);
    assert_to("eve@example.org");
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    struct str ids = f.outcomes[0].remote_id;
    assert_true(str_starts(ids, STR("<0a1b2c3d-41.")));
    assert_int_equal(ids.len, 3 * strlen("<0a1b2c3d-41.cfe00dde46ef9426@example.com>") + 2);
}

/* What the engine does with a delivery that is to be tried again. */
static void again(const char *section, bool look)
{
    struct arena keep AUTO(arena_free) = {0};
    struct str told = arena_str(&keep, f.outcomes[0].remote_id);

    fixture_end(&f);
    fixture_start(&f, section);
    f.parcels[0].d.remote_id = arena_str(&f.arena, told);
    f.job.look = look;
}

static void who_has_it_is_not_told_again(void **state)
{
    (void)state;
    fixture_start(&f, THREE);
    assert_int_equal(answer("RCPT", "450 4.2.0 greylisted"), JUDGED_CONTINUE);
    assert_int_equal(answer(".", "250 ok"), JUDGED_CONTINUE);
    assert_int_equal(answer("RCPT", "550 5.1.1 gone"), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_RETRY, "a...@example.org: 450");

    again(THREE, false);
    assert_int_equal(answer(".", "250 ok"), JUDGED_CONTINUE);
    assert_to("ada@example.org");
    assert_int_equal(answer("RCPT", "550 5.1.1 gone"), JUDGED_DONE);
    assert_to("eve@example.org");
    fixture_verdict(&f, 0, VERDICT_DEAD, "e...@example.org: 550 5.1.1 gone");

    again(SECTION "to = Bob@Example.org, ada@example.org, new@example.org\n", false);
    assert_int_equal(answer(".", "250 ok"), JUDGED_DONE); /* put back, with the address mended */
    assert_to("new@example.org");
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static void the_database_may_have_been_restored_meanwhile(void **state)
{
    (void)state;
    fixture_start(&f, THREE);
    assert_int_equal(answer(".", "250 ok"), JUDGED_CONTINUE);
    again(THREE, false);
    f.parcels[0].public_id = STR("ffffffff-41");
    assert_int_equal(answer(".", "250 ok"), JUDGED_CONTINUE);
    assert_to("bob@example.org");
}

/* What the engine does when the connection breaks: the outcome as it is so far. */
static void what_was_accepted_before_the_connection_broke_is_kept(void **state)
{
    (void)state;
    fixture_start(&f, THREE);
    assert_int_equal(answer(".", "250 ok"), JUDGED_CONTINUE);
    assert_int_equal(f.outcomes[0].verdict, VERDICT_NONE);
    again(THREE, true);
    fixture_build(&f);
    assert_to("bob@example.org");
}

static void a_server_that_takes_nothing_ends_the_job(void **state)
{
    (void)state;
    fixture_start(&f, THREE);
    assert_int_equal(answer(".", "250 ok"), JUDGED_CONTINUE);
    assert_int_equal(answer("MAIL", "421 4.3.2 shutting down"), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_RETRY, "421");
    assert_true(f.outcomes[0].remote_id.len > 0);
}

static void drop_does_not_repeat_what_may_have_arrived(void **state)
{
    (void)state;
    fixture_start(&f, ONE "on_ambiguous = drop\n");
    f.job.look = true;
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
    assert_non_null(strstr(f.why.text, "on_ambiguous = drop"));

    fixture_end(&f);
    fixture_start(&f, ONE);
    f.job.look = true;
    fixture_build(&f);
    assert_to("ada@example.org");
}

static void nobody_is_left_to_be_told(void **state)
{
    (void)state;
    fixture_start(&f, ONE);
    assert_int_equal(answer(".", "250 ok"), JUDGED_DONE);
    again(ONE, false);
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
    assert_non_null(strstr(f.why.text, "have it already"));
}

static void reasons_hold_no_address_and_no_control_character(void **state)
{
    (void)state;
    fixture_start(&f, ONE);
    (void)answer("RCPT", "550 5.1.1 <ada@example.org>: \x1b[31mRecipient\r\n ada@example.org no");
    struct str reason = f.outcomes[0].reason;
    assert_null(str_find(reason, STR("ada@")));
    for (size_t i = 0; i < reason.len; i++)
        assert_true((unsigned char)reason.at[i] >= 0x20);
    assert_non_null(str_find(reason, STR("550 5.1.1 ...")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_reply_has_its_verdict),
        TEST(stars_in_a_reply_do_not_change_its_verdict),
        TEST(policy_is_tried_a_few_times),
        TEST(one_that_is_refused_by_policy_keeps_no_other_from_being_told),
        TEST(each_recipient_gets_a_mail_of_its_own),
        TEST(who_has_it_is_not_told_again),
        TEST(the_database_may_have_been_restored_meanwhile),
        TEST(what_was_accepted_before_the_connection_broke_is_kept),
        TEST(a_server_that_takes_nothing_ends_the_job),
        TEST(drop_does_not_repeat_what_may_have_arrived),
        TEST(nobody_is_left_to_be_told),
        TEST(reasons_hold_no_address_and_no_control_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
