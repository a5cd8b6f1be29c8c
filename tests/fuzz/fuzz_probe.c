/* tests/fuzz/fuzz_probe.c - what is found when a connector is asked whether it works.
 *
 * The first part of an input is the name of a connector below. Each part behind it is an answer: a
 * line `STATUS RETRY_AFTER_MS`, of a mail server `CODE COMMAND`, then the body, of which a header
 * that is wanted has the beginning. Status 0 is no answer. Questions must be proper requests that
 * change nothing, findings must be texts without secrets, the conversation must end; and all of it
 * the same a second time.
 */
#include "fuzz.h"

#include "google_fixture.h"

#include "funneld/base/url.h"
#include "funneld/connectors/probe.h"

enum { QUESTIONS_MAX = 501, TRANSCRIPT_MAX = 1 << 24, DETAIL_MAX = 4096 };

#define SECRET "not-to-be-shown-xyz"
#define HEX    "668d797c76fa49349b05ad288df2d136"

static struct subject {
    const char *name, *section, *route;
    bool create, enriches;
} subjects[] = {
    {"slack", "type = slack\ntoken = " SECRET "\nchannel = C0123456789\nmention_owner = yes\n",
     "hot", false, false},
    {"resend", "type = slack\ntoken = " SECRET "\nchannel = C0123456789\non_ambiguous = resend\n",
     "hot", false, false},
    {"hook", "type = slack\nwebhook = https://hooks.slack.com/" SECRET "\n", "hot", false, false},
    {"notion", "type = notion\ntoken = " SECRET "\ndatabase = " HEX "\nproperty.crm = Score\n",
     "hot", false, false},
    {"hubspot", "type = hubspot\ntoken = " SECRET "\nproperties = email\nportal = 62515\n", "hot",
     false, true},
    {"create", "type = hubspot\ntoken = " SECRET "\nproperties = email\n", NULL, true, false},
    {"google", NULL, "vip", false, false},
    {"email",
     "type = email\nurl = smtp://mail.example.com:587\nuser = leads@example.com\npassword = " SECRET
     "\nfrom = leads@example.com\nto = ada@example.org\n",
     "hot", false, false},
    {"http", "type = http\nurl = https://example.com/" SECRET "\n", "hot", false, false},
};

static struct fixture loaded[ARRAY_LEN(subjects)];

static struct subject *subject_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
        struct subject *s = &subjects[i];

        if (!str_is(name, s->name))
            continue;
        if (!s->section) {
            assert_int_equal(make_key(NULL), 0);
            s->section = section("range.vip = 'Very important'!A:Z\n");
        }
        if (!loaded[i].type)
            assert_string_equal(fixture_load(&loaded[i], s->section), "");
        return s;
    }
    return NULL;
}

/* Only HubSpot's properties are made, and only where that is wanted. */
static void check_question(const struct http_request *r, const struct probe *p)
{
    struct why why = {0};
    struct url url;

    if (r->envelope) {
        assert_true(r->only_connects && !r->body.at);
        return;
    }
    if (url_parse(r->url, &url, &why))
        fail_msg("%s: %.*s", why.text, STR_ARG(r->url));
    if (str_ends(r->url, STR("/properties/contacts")))
        assert_true(p->create);
    assert_true(r->only_connects || r->n_headers > 0);
    if (r->body.at && r->body.at[0] == '{')
        fuzz_is_json(r->body);
}

static void check_findings(const struct probe *p, bool leaked, struct sbuf *said)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct finding *one = &p->findings[i];

        assert_true(one->what.len && one->what.len <= DETAIL_MAX && str_is_utf8(one->what));
        assert_true(one->detail.len <= DETAIL_MAX && str_is_utf8(one->detail));
        assert_true(one->state <= FINDING_NOT_USED && finding_state_name(one->state));
        assert_true(one->state == FINDING_WORKS || one->state == FINDING_CREATED ||
                    one->detail.len);
        assert_true(one->state != FINDING_CREATED || p->create);
        if (!leaked)
            assert_false(fuzz_holds(one->detail, SECRET) || fuzz_holds(one->what, SECRET));
        sbuf_printf(said, "%.*s %d %.*s\n", STR_ARG(one->what), (int)one->state,
                    STR_ARG(one->detail));
    }
}

static const char *command_of(struct str name)
{
    static const char *const commands[] = {"EHLO", "STARTTLS", "AUTH", "NOOP"};

    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (str_is(name, commands[i]))
            return commands[i];
    return "";
}

static struct http_response answer_of(struct str part, const struct http_request *r)
{
    struct http_response a = {.fate = HTTP_ANSWERED, .status = 200, .retry_after_ms = -1};
    struct str line = STR(""), after, status;
    int64_t n;

    if (fuzz_line(&part, &line)) {
        status = fuzz_split(line, ' ', &after);
        if (str_int64(status, &n) && ((n >= 100 && n <= 599) || n == 0))
            a.status = (int)n;
        if (str_int64(after, &n) && n >= 1000 && n <= DAYS_MS)
            a.retry_after_ms = n;
        a.command = r->envelope ? command_of(after) : NULL;
    } else if (r->envelope) {
        a.command = "";
    }
    a.body = part.at ? part : STR("");
    if (r->only_connects && !r->envelope)
        a.status = 0;
    else if (a.status == 0)
        a = (struct http_response){.fate = HTTP_NOT_SENT,
                                   .error = STR("nobody"),
                                   .trouble = TROUBLE_CONNECT,
                                   .retry_after_ms = -1};
    for (size_t i = 0; i < r->n_keep && a.fate == HTTP_ANSWERED; i++)
        a.kept[a.n_kept++] = (struct http_header){r->keep[i], str_cut(a.body, HTTP_MAX_KEPT_LEN)};
    return a;
}

static void talk(const struct subject *s, struct str rest, bool leaked, struct sbuf *said)
{
    struct arena arena = {0};
    const struct fixture *set = &loaded[s - subjects];
    struct connector c = {set->type, STR("c"), set->settings};
    struct str route = str_of(s->route), part;
    struct probe p = {.connector = &c,
                      .arena = &arena,
                      .routes = {.items = &route, .n = s->route != NULL},
                      .create = s->create,
                      .enriches = s->enriches,
                      .now_ms = FIXTURE_NOW};
    struct http_request r = {0};
    struct why why = {0};
    int questions = 0;

    probe_begin(&p);
    while (probe_next(&p, &r, &why) == RC_OK) {
        assert_true(++questions < QUESTIONS_MAX);
        check_question(&r, &p);
        sbuf_printf(said, "%s %.*s %.*s\n", r.method, STR_ARG(r.url), STR_ARG(r.body));
        if (!fuzz_part(&rest, &part))
            break;
        struct http_response a = answer_of(part, &r);
        probe_take(&p, &a);
    }
    check_findings(&p, leaked, said);
    probe_end(&p);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sbuf once AUTO(sbuf_free) = SBUF(TRANSCRIPT_MAX);
    struct sbuf twice AUTO(sbuf_free) = SBUF(TRANSCRIPT_MAX);
    struct str input = fuzz_text(data, size), rest = input, name = STR("");
    bool leaked = fuzz_holds(input, SECRET);

    if (str_chr(input, '\0') || !fuzz_part(&rest, &name))
        return 0;
    const struct subject *s = subject_of(str_trim(name));
    if (!s)
        return 0;
    talk(s, rest, leaked, &once);
    talk(s, rest, leaked, &twice);
    fuzz_same(sbuf_str(&once), sbuf_str(&twice));
    return 0;
}
