/* tests/unit/test_email.c - what is mailed to whom, and what the section may say. */
#include "cm.h"

#include "connector_test.h"

#include "funneld/base/crypto.h"

#define SECTION                                                                                    \
    "type = email\nurl = smtp://mail.example.com:587\nuser = ada\npassword = s3cret-word\n"        \
    "from = Leads <leads@example.com>\n"
#define WITH_TO SECTION "to = ada@example.org\n"

static void a_lead_becomes_a_text_and_a_page(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TO);
    fixture_build(&f);
    golden(&f, "email/built_in.http");
    assert_false(f.request.repeatable);
    const struct envelope *e = f.request.envelope;
    assert_true(str_is(f.request.url, "smtp://mail.example.com:587/example.com"));
    assert_true(str_is(e->from, "leads@example.com") && str_is(e->to, "ada@example.org"));
    assert_true(str_is(e->user, "ada") && str_is(e->password, "s3cret-word"));
    assert_false(e->clear_text);
}

static void what_models_say_stands_beside_the_score(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TO);
    f.parcels[0].language = LANGUAGE_ES;
    fixture_chances(&f);
    fixture_build(&f);
    golden(&f, "email/chances.http");
}

static void it_speaks_spanish(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TO);
    f.parcels[0].language = LANGUAGE_ES;
    fixture_build(&f);
    golden(&f, "email/spanish.http");
}

static void clear_text_is_only_for_this_machine(void **state)
{
    (void)state;
    fixture_start(&f, "type = email\nurl = smtp://127.0.0.1:2525\nfrom = a@example.com\n"
                      "to = b@example.com\nstarttls = off\n");
    fixture_build(&f);
    assert_true(f.request.envelope->clear_text);
    assert_null(f.request.envelope->user.at);
}

static const struct template *compiled(const char *text)
{
    const struct template *t = NULL;

    assert_int_equal(template_compile(str_of(text), &f.arena, &t, NULL), RC_OK);
    return t;
}

static void a_message_of_the_route_replaces_the_built_in_one(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TO);
    fixture_put(&f, 0, "company", "A&B <Ltd>");
    f.parcels[0].message = &(struct message){.text = compiled("{{lead.company}}:\n{{score}}")};
    fixture_build(&f);
    golden(&f, "email/own_text.http");

    fixture_end(&f);
    fixture_start(&f, WITH_TO);
    fixture_put(&f, 0, "company", "A&B <Ltd>");
    f.parcels[0].message =
        &(struct message){.text = compiled("{{lead.company}}"),
                          .subject = compiled("{{lead.company | upper}}\n has {{score}}"),
                          .html = compiled("<b>{{lead.company}}</b>\n{{#reasons}}<i>{{reasons}}"
                                           "</i>{{/reasons}}")};
    fixture_build(&f);
    golden(&f, "email/own_html.http");
}

/* 10 kB, right to left, emoji, and whatever may begin a header, a command, a tag or a formula. */
static void hostile_names_stay_names(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    (void)state;
    fixture_start(&f, WITH_TO);
    fixture_put(&f, 0, "firstname", "=HYPERLINK(\"http://x\")\r\nBcc: eve@example.com\r\n\r\n.");
    fixture_put(&f, 0, "lastname", "<!channel> \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xf0\x9f\xa6\x8a");
    fixture_put(&f, 0, "company", "<script>alert('x')</script>\r\n.\r\nQUIT\r\n");
    fixture_put(&f, 0, "jobtitle", "x\"onmouseover=\"y' & =?UTF-8?B?AAAA?=");
    for (int i = 0; i < 1000; i++)
        sbuf_text(&b, "0123456789");
    fixture_put(&f, 0, "phone", sbuf_str(&b).at);
    f.parcels[0].d.facts.reasons = STR("\x01 a\tb\0c\r\n.\r\nFrom me\n\xe2\x80\xae evil");
    fixture_build(&f);
    golden(&f, "email/hostile.http");
}

static void hostile_names_stay_names_in_own_words(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TO);
    fixture_hostile_reasons(&f);
    f.parcels[0].message =
        &(struct message){.text = compiled("{{lead.firstname}}\n.\n{{lead.lastname}}: {{reasons}}"),
                          .subject = compiled("{{lead.lastname}}\r\nBcc: {{lead.company}}"),
                          .html = compiled("<b title=\"{{lead.company}}\">{{lead.firstname}}</b>"
                                           "{{reasons}}")};
    fixture_build(&f);
    golden(&f, "email/own_hostile.http");
}

/* The grammar that every message keeps, whatever it says. */
static void assert_message(struct str m)
{
    struct str rest = m, line;
    bool body = false;

    while (str_split(&rest, '\n', &line)) {
        if (!rest.at && !line.len)
            break; /* behind the last line end */
        assert_true(str_ends(line, STR("\r")));
        line.len--;
        assert_null(str_chr(line, '\r'));
        assert_true(line.len <= 78);
        assert_false(str_starts(line, STR(".")));
        body |= !line.len;
        for (size_t i = 0; i < line.len; i++)
            assert_true((unsigned char)line.at[i] < 0x7f &&
                        ((unsigned char)line.at[i] >= 0x20 || (body && line.at[i] == '\t')));
    }
    assert_true(body);
}

static size_t count(struct str in, const char *what)
{
    size_t n = 0;

    for (const char *at; (at = str_find(in, str_of(what))); n++)
        in = str_from(in, (size_t)(at - in.at) + 1);
    return n;
}

static void names_of_every_byte_and_length_keep_the_grammar(void **state)
{
    char name[700];

    (void)state;
    for (int i = 0; i < 600; i++) {
        fixture_start(&f, WITH_TO);
        /* an odd byte somewhere, then characters of one to four bytes */
        static const char *const tails[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
        size_t n = 0;
        name[n++] = (char)(i % 255 + 1);
        while (n < (size_t)i + 1) {
            const char *tail = tails[i % 4];

            memcpy(name + n, tail, strlen(tail));
            n += strlen(tail);
        }
        name[n] = '\0';
        fixture_put(&f, 0, "firstname", name);
        f.parcels[0].d.facts.reasons = str_of(name);
        fixture_build(&f);
        assert_message(f.request.body);
        assert_int_equal(count(f.request.body, "\r\nSubject: "), 1);
        assert_int_equal(count(f.request.body, "\r\n\r\n--=_"), 3);
        fixture_end(&f);
    }
}

/* "=?UTF-8?B?...?=" words of the subject, decoded and put together. */
static struct str decoded_subject(void)
{
    struct str rest = f.request.body, all = STR("");
    const char *at = str_find(rest, STR("\r\nSubject: "));
    const char *end = str_find(rest, STR("\r\nMessage-ID"));

    rest = (struct str){at, (size_t)(end - at)};
    while ((at = str_find(rest, STR("=?UTF-8?B?")))) {
        rest = str_from(rest, (size_t)(at - rest.at));
        size_t len = (size_t)(str_find(rest, STR("?=")) - rest.at);
        struct str word;

        assert_true(len + 2 <= 75);
        assert_true(base64_decode(&f.arena, (struct str){rest.at + 10, len - 10}, &word));
        assert_true(str_is_utf8(word)); /* no character is cut in two */
        all = arena_printf(&f.arena, "%.*s%.*s", STR_ARG(all), STR_ARG(word));
        rest = str_from(rest, len + 2);
    }
    return all;
}

static void a_long_subject_is_cut_between_characters(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);

    (void)state;
    fixture_start(&f, WITH_TO);
    for (int i = 0; i < 300; i++)
        sbuf_text(&b, "\xf0\x9f\x98\x80");
    f.parcels[0].message = &(struct message){.text = compiled("x"), .subject = compiled(b.at)};
    fixture_build(&f);
    assert_message(f.request.body);
    struct str subject = decoded_subject();
    assert_int_equal(subject.len, 199 * 4 + 3); /* 200 of them, the last an ellipsis */
    assert_true(str_starts(sbuf_str(&b), (struct str){subject.at, 199 * 4}));
}

static void an_empty_message_is_the_built_in_one(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TO);
    f.parcels[0].message = &(struct message){.text = compiled("{{lead.nothing}}"),
                                             .subject = compiled("{{lead.nothing}}"),
                                             .html = compiled("{{lead.nothing}}")};
    fixture_build(&f);
    assert_non_null(str_find(f.request.body, STR("Subject: Ada Lovelace is hot\r\n")));
    assert_non_null(str_find(f.request.body, STR("Company: Analytical Engines\r\n")));
    assert_non_null(str_find(f.request.body, STR("<h2>Ada Lovelace is hot</h2>\r\n")));
}

static void a_name_that_needs_it_is_quoted_or_encoded(void **state)
{
    static const char *const froms[][2] = {
        {"leads@example.com", "From: <leads@example.com>\r\n"},
        {"Leads & co <leads@example.com>", "From: Leads & co <leads@example.com>\r\n"},
        {"\"Leads, Inc.\" <leads@example.com>", "From: \"Leads, Inc.\" <leads@example.com>\r\n"},
        {"A \\ B: C <leads@example.com>", "From: \"A \\\\ B: C\" <leads@example.com>\r\n"},
        {"M\xc3\xbcller <leads@example.com>",
         "From: =?UTF-8?B?TcO8bGxlcg==?= <leads@example.com>\r\n"},
        {"The leads that are hot at the moment <leads@example.com>",
         "From: The leads that are hot at the moment\r\n <leads@example.com>\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(froms); i++) {
        char section[300];

        assert_in_range(snprintf(section, sizeof section,
                                 "type = email\nurl = smtps://m.test\nfrom = %s\nto = a@b.test\n",
                                 froms[i][0]),
                        1, 299);
        fixture_start(&f, section);
        fixture_build(&f);
        if (!str_find(f.request.body, str_of(froms[i][1])))
            fail_msg("%s\n%.*s", froms[i][1], STR_ARG(f.request.body));
        fixture_end(&f);
    }
}

static void a_message_id_is_of_the_delivery_and_the_recipient(void **state)
{
    static const char *const others[] = {"to = ADA@EXAMPLE.ORG\n", "to = bob@example.org\n"};
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    fixture_start(&f, WITH_TO);
    fixture_build(&f);
    struct str first = arena_str(&a, f.request.body);
    fixture_job(&f, 1);
    f.job.now_ms += 86400000; /* a day later */
    fixture_build(&f);
    assert_true(str_eq(first, f.request.body));
    const char *id = str_find(first, STR("Message-ID: <0a1b2c3d-41."));
    assert_non_null(id);

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        fixture_end(&f);
        fixture_start(&f, arena_printf(&a, "%s%s", SECTION, others[i]).at);
        fixture_build(&f);
        bool same = str_find(f.request.body, (struct str){id, 50});
        assert_int_equal(same, i == 0); /* written otherwise, it is the same mailbox */
    }
}

static void dates_have_english_names_in_every_locale(void **state)
{
    static const struct {
        int64_t at;
        const char *text;
    } dates[] = {
        {0, "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"},
        {INT64_C(1795330800000), "Date: Sun, 22 Nov 2026 07:00:00 +0000\r\n"},
        {INT64_C(1709210096999), "Date: Thu, 29 Feb 2024 12:34:56 +0000\r\n"},
        {-5, "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
        fixture_start(&f, WITH_TO);
        f.parcels[0].d.created_at = dates[i].at;
        fixture_build(&f);
        if (!str_starts(f.request.body, str_of(dates[i].text)))
            fail_msg("%s%.*s", dates[i].text, 60, f.request.body.at);
        fixture_end(&f);
    }
}

static void a_link_that_is_none_of_ours_is_left_out(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TO);
    f.parcels[0].crm_url = STR("javascript:alert(1)");
    fixture_build(&f);
    assert_null(str_find(f.request.body, STR("href")));
    fixture_end(&f);
    fixture_start(&f, WITH_TO);
    f.parcels[0].crm_url = STR("https://crm.example.com/?a=1&b=\"2");
    fixture_build(&f);
    assert_non_null(str_find(f.request.body, STR("href=3D\"https://crm.example.com/?a=3D1&amp;b=3D"
                                                 "&quot;2\"")));
}

static void the_section_is_checked(void **state)
{
#define BEGIN "type = email\nurl = smtp://mail.example.com:587\nfrom = a@example.com\n"
#define TO    "to = b@example.com\n"
    static const char *const wrong[][2] = {
        {BEGIN, "\"to\" is missing"},
        {"type = email\nurl = smtp://m.test\n" TO, "\"from\" is missing"},
        {"type = email\nfrom = a@example.com\n" TO, "\"url\" is missing"},
        {BEGIN "to = b\n", "the recipient \"b\" has no @ (addresses alone"},
        {BEGIN "to = b@localhost\n", "has a domain without a dot"},
        {BEGIN "to = @b.test\n", "nothing in front"},
        {BEGIN "to = b..c@b.test\n", "two in a row"},
        {BEGIN "to = .b@b.test\n", "begins with a dot"},
        {BEGIN "to = b.@b.test\n", "has a dot in front"},
        {BEGIN "to = \"b\"@b.test\n", "not every server takes"},
        {BEGIN "to = b@[127.0.0.1]\n", "no proper domain"},
        {BEGIN "to = b@-x.test\n", "no proper domain"},
        {BEGIN "to = b@x.test.\n", "no proper domain"},
        {BEGIN "to = b@x@y.test\n", "no proper domain"},
        {BEGIN "to = b@x y.test\n", "no proper domain"},
        {BEGIN "to = \xc3\xa9@x.test\n", "not every server takes"},
        {BEGIN "to = b@\xc3\xa9.test\n", "xn--"},
        {BEGIN "to = Bob <b@x.test>\n", "not every server takes"},
        {BEGIN "to = b@x.test, B@x.test\n", "stands there twice"},
        {BEGIN TO "user = u\n", "a user needs a password"},
        {BEGIN TO "password = s3cret\n", "a password needs a user"},
        {BEGIN TO "starttls = off\n", "in clear text (starttls = required)"},
        {BEGIN TO "starttls = maybe\n", "starttls"},
        {"type = email\nurl = smtps://m.test\nstarttls = off\nfrom = a@b.test\n" TO,
         "has no STARTTLS"},
        {"type = email\nurl = smtp://m.test:465\nfrom = a@b.test\n" TO, "smtps://HOST:465"},
        {"type = email\nurl = smtps://m.test:587\nfrom = a@b.test\n" TO, "smtp://HOST:587"},
        {"type = email\nurl = https://m.test\nfrom = a@b.test\n" TO,
         "not a mail server's URL: a URL starts with smtps:// (or smtp://)"},
        {"type = email\nurl = smtp://u:s3cret@m.test\nfrom = a@b.test\n" TO, "user:password"},
        {"type = email\nurl = smtp://m.test/x\nfrom = a@b.test\n" TO, "host and port is nothing"},
        {"type = email\nurl = smtp://m.test\nfrom = Leads\n" TO, "the sender has no @"},
        {"type = email\nurl = smtp://m.test\nfrom = Leads <a@b.test\n" TO, "has no > at its end"},
        {"type = email\nurl = smtp://m.test\nfrom = <a@b>\n" TO, "without a dot"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        memset(&f, 0, sizeof f);
        const char *said = fixture_load(&f, wrong[i][0]);

        if (!strstr(said, wrong[i][1]) || f.problems.n != 1)
            fail_msg("%s\nsays \"%s\", not %s", wrong[i][0], said, wrong[i][1]);
        assert_null(strstr(said, "s3cret"));
        fixture_end(&f);
    }
}

static void lengths_of_addresses_are_those_of_the_standard(void **state)
{
    char section[1024], local[80], domain[80];

    (void)state;
    for (int more = 0; more < 2; more++)
        for (int part = 0; part < 2; part++) {
            memset(local, 'l', sizeof local);
            memset(domain, 'd', sizeof domain);
            int n_local = part == 0 ? 64 + more : 5, n_label = part == 1 ? 63 + more : 5;

            assert_in_range(snprintf(section, sizeof section, "%sto = %.*s@%.*s.test\n", SECTION,
                                     n_local, local, n_label, domain),
                            1, 1000);
            memset(&f, 0, sizeof f);
            assert_int_equal(strlen(fixture_load(&f, section)) > 0, more);
            fixture_end(&f);
        }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_lead_becomes_a_text_and_a_page),
        TEST(hostile_names_stay_names_in_own_words),
        TEST(what_models_say_stands_beside_the_score),
        TEST(it_speaks_spanish),
        TEST(clear_text_is_only_for_this_machine),
        TEST(a_message_of_the_route_replaces_the_built_in_one),
        TEST(hostile_names_stay_names),
        TEST(names_of_every_byte_and_length_keep_the_grammar),
        TEST(a_long_subject_is_cut_between_characters),
        TEST(an_empty_message_is_the_built_in_one),
        TEST(a_name_that_needs_it_is_quoted_or_encoded),
        TEST(a_message_id_is_of_the_delivery_and_the_recipient),
        TEST(dates_have_english_names_in_every_locale),
        TEST(a_link_that_is_none_of_ours_is_left_out),
        TEST(the_section_is_checked),
        TEST(lengths_of_addresses_are_those_of_the_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
