/* tests/unit/test_rest_hooks.c - who may subscribe, and what a subscriber is sent. */
#include "hook_fixture.h"

#define HOOKS  "type = rest_hooks\n"
#define OPEN   HOOKS "allow = *\n"
#define LOCAL  HOOKS "allow = hooks.zapier.com, 127.0.0.1, [::1], hooks.example.com:8443\n"
#define TARGET "https://hooks.zapier.com/hooks/standard/1/abc/"

static struct str kept;

static enum rc target(const char *url, struct why *why)
{
    return rest_hooks_target(f.settings, str_of(url), &f.arena, &kept, why);
}

static void a_subscriber_is_sent_one_flat_object(void **state)
{
    (void)state;
    fixture_start(&f, HOOKS);
    f.parcels[0].target = STR(TARGET);
    fixture_build(&f);
    golden(&f, "rest_hooks/post.http");
    assert_true(f.request.guarded);
    assert_true(f.request.secret_url);
    assert_false(f.request.repeatable);
    fixture_hostile(&f);
    fixture_build(&f);
    golden(&f, "rest_hooks/hostile.http");
}

/* An address that the configuration itself names is not a third party's any more. */
static void only_what_a_name_server_could_move_is_guarded(void **state)
{
    static const struct {
        const char *target;
        bool guarded;
    } cases[] = {
        {TARGET, true},
        {"https://hooks.example.com:8443/a", true},
        {"http://127.0.0.1:8080/a", false},
        {"https://[::1]:8080/a", false},
    };

    (void)state;
    fixture_start(&f, LOCAL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        f.parcels[0].target = str_of(cases[i].target);
        fixture_build(&f);
        assert_int_equal(f.request.guarded, cases[i].guarded);
        assert_true(str_is(f.request.url, cases[i].target));
    }
}

static void an_address_is_kept_in_one_form_and_its_path_as_it_is(void **state)
{
    (void)state;
    fixture_start(&f, LOCAL);
    assert_int_equal(target("https://HOOKS.Zapier.com:443/Hooks//a/?B=%2f", NULL), RC_OK);
    assert_true(str_is(kept, "https://hooks.zapier.com/Hooks//a/?B=%2f"));
    assert_int_equal(target("https://hooks.example.com:8443", NULL), RC_OK);
    assert_true(str_is(kept, "https://hooks.example.com:8443"));
    assert_int_equal(target("https://[::1]/x", NULL), RC_OK);
    assert_true(str_is(kept, "https://[::1]/x"));
}

static void other_hosts_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "hooks.zapier.com/x",
        "ftp://hooks.zapier.com/x",
        "file:///etc/passwd",
        "http://hooks.zapier.com/x",
        "https://hooks.zapier.com:8443/x",
        "https://hooks.zapier.com.evil.example/x",
        "https://evil.example/hooks.zapier.com",
        "https://hooks.zapier.com@evil.example/x",
        "https://user:pw@hooks.zapier.com/x",
        "https://hooks.zapier.com\\.evil.example/x",
        "https://hooks.zapier.com\\@evil.example/x",
        "https://hooks.zapier.com#@evil.example/x",
        "https://hooks.zapier.com%2eevil.example/x",
        "https://hooks.zapier.com./x",
        "https://hooks.zapier.com /x",
        "https://hooks.zapier.com/x\r\nHost: evil",
        "https://xhooks.zapier.com/x",
        "https://zapier.com/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://h\xc3\xb6oks.zapier.com/x",
        "https://hooks.zapier.com/\xc3\xb6",
    };

    (void)state;
    fixture_start(&f, HOOKS);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (target(bad[i], NULL) != RC_INVALID)
            fail_msg("%s was let through", bad[i]);
    assert_int_equal(target(TARGET, NULL), RC_OK);
}

static void open_to_all_is_open_to_names_of_the_internet(void **state)
{
    static const char *const bad[] = {
        "http://example.com/x",   "https://127.0.0.1/x",      "https://[::1]/x",
        "https://8.8.8.8/x",      "https://2130706433/x",     "https://0x7f.1/x",
        "https://127.1/x",        "https://example.0x7f/x",   "https://localhost/x",
        "https://x.localhost/x",  "https://printer.local/x",  "https://a.internal/x",
        "https://nas.home.arpa/", "https://intranet/x",       "https://example.com:22/x",
        "https://example.com./x", "https://[fe80::1%25lo]/x", "https://metadata.google.internal/",
    };
    struct why why = {0};

    (void)state;
    fixture_start(&f, OPEN);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (target(bad[i], NULL) != RC_INVALID)
            fail_msg("%s was let through", bad[i]);
    assert_int_equal(target("https://example.com/x", NULL), RC_OK);
    assert_int_equal(target("https://127.0.0.1.nip.io/x", &why), RC_OK); /* the guard's business */
    f.parcels[0].target = kept;
    fixture_build(&f);
    assert_true(f.request.guarded);
}

static void an_address_above_2048_bytes_is_refused(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);

    (void)state;
    fixture_start(&f, HOOKS);
    sbuf_text(&b, "https://hooks.zapier.com/");
    while (b.len < 2048)
        sbuf_char(&b, 'x');
    assert_int_equal(target(b.at, NULL), RC_OK);
    sbuf_char(&b, 'x');
    assert_int_equal(target(b.at, NULL), RC_INVALID);
}

static void http_is_for_this_machine_only(void **state)
{
    (void)state;
    fixture_start(&f, LOCAL);
    assert_int_equal(target("http://127.0.0.1:80/x", NULL), RC_OK);
    assert_true(str_is(kept, "http://127.0.0.1/x"));
    assert_int_equal(target("http://[::1]:99/x", NULL), RC_OK);
    assert_int_equal(target("http://hooks.example.com:8443/x", NULL), RC_INVALID);
    assert_int_equal(target("http://127.0.0.2/x", NULL), RC_INVALID);
}

static void what_may_not_be_reached_any_more_is_dead(void **state)
{
    struct why why = {0};

    (void)state;
    fixture_start(&f, HOOKS);
    f.parcels[0].target = STR("https://hooks.example.com/x");
    assert_int_equal(f.type->build(&f.job, &f.request, &why), RC_INVALID);
    assert_non_null(strstr(why.text, "may not be subscribed"));
    f.parcels[0].target = STR_NULL;
    assert_int_equal(f.type->build(&f.job, &f.request, &why), RC_INVALID);
    assert_non_null(strstr(why.text, "not there any more"));
}

static void only_who_says_so_is_gone(void **state)
{
    (void)state;
    for (int status = 200; status <= 599; status++) {
        fixture_start(&f, HOOKS);
        f.parcels[0].target = STR(TARGET);
        fixture_build(&f);
        (void)fixture_judge(&f, status, "");
        assert_int_equal(f.outcomes[0].target_gone, status == 410);
        assert_int_equal(f.job.pause_ms, 0); /* whatever one says, the others do not wait */
        fixture_verdict(&f, 0,
                        status < 300                     ? VERDICT_DELIVERED
                        : status == 410 || status == 413 ? VERDICT_DEAD
                        : status == 502 || status == 504 ? VERDICT_AMBIGUOUS
                                                         : VERDICT_RETRY,
                        status == 410 ? "the subscription has ended" : NULL);
        fixture_end(&f);
    }
    missing(HOOKS, "the subscription has ended");
}

static void what_may_have_started_a_zap_is_sent_again_or_not(void **state)
{
    (void)state;
    doubted(HOOKS);
}

static void settings_that_cannot_work_are_refused(void **state)
{
    (void)state;
    refused(HOOKS "allow =\n", "allow");
    refused(HOOKS "allow = https://hooks.zapier.com\n", "is no host");
    refused(HOOKS "allow = hooks.zapier.com/x\n", "is no host");
    refused(HOOKS "allow = *.zapier.com\n", "is no host");
    refused(HOOKS "allow = a:b\n", "is no host");
    refused(HOOKS "allow = a:0\n", "is no host");
    refused(HOOKS "allow = [::1\n", "is no host");
    refused(HOOKS "allow = [x]\n", "is no host");
    refused(HOOKS "max_subscriptions = 0\n", "max_subscriptions");
    refused(HOOKS "url = https://hooks.zapier.com\n", "url");
    fixture_start(&f, HOOKS "allow = *, ::1, [fd00::1]:8443, 10.0.0.1:8443, a-b.example\n");
    assert_int_equal(target("https://[fd00::1]:8443/x", NULL), RC_OK);
    assert_int_equal(target("https://[fd00::1]/x", NULL), RC_INVALID);
}

static void the_trial_of_an_editor_is_known(void **state)
{
    (void)state;
    assert_true(rest_hooks_is_trial(STR("https://hooks.zapier.com/fake-subscription-url")));
    assert_false(rest_hooks_is_trial(STR(TARGET)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(a_subscriber_is_sent_one_flat_object),
        T(only_what_a_name_server_could_move_is_guarded),
        T(an_address_is_kept_in_one_form_and_its_path_as_it_is),
        T(other_hosts_are_refused),
        T(open_to_all_is_open_to_names_of_the_internet),
        T(an_address_above_2048_bytes_is_refused),
        T(http_is_for_this_machine_only),
        T(what_may_not_be_reached_any_more_is_dead),
        T(only_who_says_so_is_gone),
        T(what_may_have_started_a_zap_is_sent_again_or_not),
        T(settings_that_cannot_work_are_refused),
        T(the_trial_of_an_editor_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
