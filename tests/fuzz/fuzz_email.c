/* tests/fuzz/fuzz_email.c - what is mailed, and what is made of a server's replies.
 *
 * The input as in talk.h; of an answer the line is `CODE COMMAND`. The message must be one that no
 * reader takes for more than it is: CRLF lines of at most 78 bytes, no dot at the front of one, the
 * headers of email_message.c each once, two parts.
 */
#include "talk.h"

static const char *const commands[] = {"", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "."};

static size_t count(struct str in, const char *what)
{
    size_t n = 0;

    for (const char *at; (at = str_find(in, str_of(what))); n++)
        in = str_from(in, (size_t)(at - in.at) + 1);
    return n;
}

static void check_lines(struct str message)
{
    struct str rest = message, line;

    assert_true(str_ends(message, STR("\r\n")));
    while (rest.len && str_split(&rest, '\n', &line)) {
        assert_true(str_ends(line, STR("\r")));
        line.len--;
        assert_true(line.len <= 78 && !str_starts(line, STR(".")));
        for (size_t i = 0; i < line.len; i++)
            assert_true((unsigned char)line.at[i] < 0x7f &&
                        ((unsigned char)line.at[i] >= 0x20 || line.at[i] == '\t'));
    }
}

static void check_headers(struct str message)
{
    static const char *const names[] = {
        "Date: ",       "From: ",         "To: ",           "Subject: ",
        "Message-ID: ", "MIME-Version: ", "Content-Type: ", "Auto-Submitted: "};
    const char *end = str_find(message, STR("\r\n\r\n"));
    struct str rest = {message.at, (size_t)(end - message.at) + 2}, line;
    size_t seen = 0;

    assert_non_null(end);
    while (rest.len && str_split(&rest, '\n', &line)) {
        if (str_starts(line, STR(" ")))
            continue; /* folded */
        bool known = false;
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            known |= str_starts(line, str_of(names[i]));
        assert_true(known);
        seen++;
    }
    assert_int_equal(seen, ARRAY_LEN(names));
    assert_int_equal(count(message, "\r\n--=_"), 3);
}

static void check_mail(struct talk *t)
{
    const struct http_request *r = &t->f->request;
    struct url url;

    assert_int_equal(mail_url_parse(r->url, &url, NULL), RC_OK);
    assert_true(str_is(r->envelope->from, "leads@example.com") && !r->repeatable);
    assert_true(str_ends(r->envelope->to, STR("@example.org")));
    check_lines(r->body);
    check_headers(r->body);
    assert_null(str_find(r->body, STR("<script")));
    no_secret(t, r->body);
    say_request(t);
}

static struct http_response read_reply(struct str part)
{
    struct http_response r = {.fate = HTTP_ANSWERED, .status = 250, .retry_after_ms = -1};
    struct str line = STR(""), command = STR_NULL, code;
    int64_t n;

    r.command = ".";
    if (fuzz_line(&part, &line)) {
        code = fuzz_split(line, ' ', &command);
        if (str_int64(code, &n) && n >= 200 && n <= 599)
            r.status = (int)n;
        for (size_t i = 0; i < ARRAY_LEN(commands); i++)
            if (str_is(command, commands[i]))
                r.command = commands[i];
    }
    r.body = part.at ? part : STR("");
    return r;
}

static void converse(struct talk *t, struct str rest)
{
    struct str part;
    struct why why = {0};

    for (int steps = 0; steps < TALK_STEPS_MAX; steps++) {
        if (t->f->type->build(&t->f->job, &t->f->request, &why)) {
            assert_true(why.text[0]);
            return;
        }
        check_mail(t);
        if (!fuzz_part(&rest, &part))
            return;
        struct http_response r = read_reply(part);
        if (t->f->type->judge(&t->f->job, &r) == JUDGED_DONE) {
            check_outcomes(t);
            assert_null(str_chr(t->f->outcomes[0].reason, '\n'));
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture loaded;
    const char secret[] = "not-to-be-shown";
    struct str input = fuzz_text(data, size), facts = STR(""), line;
    struct sbuf first AUTO(sbuf_free) = SBUF(TRANSCRIPT_MAX);

    (void)talk_load(&loaded, "type = email\nurl = smtps://mail.example.com\nuser = u\n"
                             "password = not-to-be-shown\nfrom = Leads <leads@example.com>\n"
                             "to = ada@example.org, bob@example.org, eve@example.org\n");
    if (str_chr(input, '\0') || fuzz_holds(input, "<script"))
        return 0;
    for (int time = 0; time < 2; time++) {
        struct fixture f = {.type = loaded.type, .settings = loaded.settings};
        struct talk t = {.f = &f,
                         .said = {.max = TRANSCRIPT_MAX},
                         .secret = secret,
                         .leaked = fuzz_holds(input, secret)};
        struct str rest = input;

        fixture_begin(&f);
        (void)fuzz_part(&rest, &facts);
        while (fuzz_line(&facts, &line)) {
            struct str value, name = str_trim(fuzz_split(line, '=', &value));

            talk_set(&f, name, value);
        }
        converse(&t, rest);
        if (time == 0)
            sbuf_add(&first, sbuf_str(&t.said));
        else
            fuzz_same(sbuf_str(&first), sbuf_str(&t.said));
        sbuf_free(&t.said);
        fixture_end(&f);
    }
    return 0;
}
