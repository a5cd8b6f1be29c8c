/* tests/fuzz/talk.h - a conversation: what a connector sends, and what it makes of answers.
 *
 * The first part of an input is the lead and what the message says, one `name = value` a line;
 * names that begin with @ are the delivery's (talk_set). Each part behind it is an answer: a line
 * `STATUS RETRY_AFTER_MS`, then the body. What is sent must be a proper request, without secrets
 * where they do not belong; verdicts must be in range; and all of it the same a second time.
 */
#ifndef FUNNELD_TESTS_FUZZ_CONNECTOR_H
#define FUNNELD_TESTS_FUZZ_CONNECTOR_H

#include "fuzz.h"

#include "connector_fixture.h"

#include "funneld/base/url.h"

enum { TALK_STEPS_MAX = 24, REASON_MAX = 2048, TRANSCRIPT_MAX = 1 << 24 };

struct talk {
    struct fixture *f;
    struct sbuf said; /* all that was sent and decided */
    const char *secret;
    bool leaked; /* the input holds the secret itself */
};

static void set_property(struct fixture *f, struct str name, struct str value)
{
    struct dedupe_key key = {{0}};

    (void)lead_put(&f->leads[0], name, value, FIXTURE_NOW + f->puts++, &key, &f->arena);
}

static void set_message(struct fixture *f, struct str text)
{
    if (template_compile(text, &f->arena, fixture_template(f, 0), NULL))
        f->parcels[0].message = NULL;
}

/* 257 is a company in place of the second parcel's lead, 2 a deal in place of the first one's. */
static void ask_for_object(struct fixture *f, size_t parcel, int64_t kind)
{
    if (kind > OBJECT_NONE && kind < OBJECT_KIND_COUNT && !f->parcels[parcel].object)
        (void)fixture_object(f, parcel, (enum object_kind)kind);
}

static void talk_set(struct fixture *f, struct str name, struct str value)
{
    const struct {
        const char *name;
        struct str *field;
    } texts[] = {
        {"@reasons", &f->parcels[0].d.facts.reasons},
        {"@type", &f->parcels[0].d.facts.event_type},
        {"@value", &f->parcels[0].d.facts.event_value},
        {"@url", &f->parcels[0].crm_url},
        {"@remote", &f->parcels[0].remote_lead},
        {"@target", &f->parcels[0].target},
        {"@answered", &f->parcels[0].d.remote_id},
        {"@route", &f->parcels[0].d.route},
        {"@email", &f->leads[0].email},
    };
    const struct {
        const char *name;
        int64_t *field;
    } numbers[] = {
        {"@score", &f->parcels[0].d.facts.score},      {"@attempts", &f->parcels[0].d.attempts},
        {"@unclear", &f->parcels[0].d.unclear},        {"@time", &f->parcels[0].d.facts.event_time},
        {"@opened", &f->parcels[0].d.open_attempt_at}, {"@crm", &f->leads[0].crm_id},
    };
    int64_t n;

    if (str_is(name, "@look"))
        f->job.look = true;
    else if (str_is(name, "@digest") && str_int64(value, &n) && n > 1 && n <= FIXTURE_PARCELS) {
        f->job.n = (size_t)n;
        f->job.digest = f->type->digest != NULL;
    } else if (str_is(name, "@message"))
        set_message(f, value);
    else if (str_is(name, "@object") && str_int64(value, &n) && n > 0 && n < 0x400)
        ask_for_object(f, (size_t)(n >> 8) % FIXTURE_PARCELS, n & 0xff);
    else if (str_is(name, "@parcels") && str_int64(value, &n) && n > 0 && n <= FIXTURE_PARCELS)
        f->job.n = (size_t)n < f->type->max_batch ? (size_t)n : f->type->max_batch;
    else if (name.len && name.at[0] != '@')
        set_property(f, name, value);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (str_is(name, texts[i].name))
            *texts[i].field = value;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (str_is(name, numbers[i].name) && str_int64(value, &n))
            *numbers[i].field = n;
}

static void no_secret(const struct talk *t, struct str text)
{
    if (!t->leaked && fuzz_holds(text, t->secret))
        fail_msg("the secret is in %.*s", STR_ARG(text));
}

static void check_header(const struct talk *t, const struct http_header *h)
{
    if (!str_ieq(str_of(h->name), STR("Authorization")))
        no_secret(t, h->value);
}

static void check_request(struct talk *t)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH"};
    const struct http_request *r = &t->f->request;
    struct str type = fixture_header(r, "Content-Type");
    struct url url;
    struct why why = {0};
    bool known = false;

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        known = known || strcmp(methods[i], r->method) == 0;
    assert_true(known && r->n_headers < HTTP_MAX_HEADERS);
    if (url_parse(r->url, &url, &why))
        fail_msg("%s: %.*s", why.text, STR_ARG(r->url));
    assert_true(str_is(url.scheme, "https"));
    for (size_t i = 0; i < r->n_headers; i++)
        check_header(t, &r->headers[i]);
    if (r->body.at && str_starts(type, STR("application/json")))
        fuzz_is_json(r->body);
    assert_int_equal(r->body.at != NULL, strcmp(r->method, "GET") != 0);
    no_secret(t, r->body);
}

static void say_request(struct talk *t)
{
    const struct http_request *r = &t->f->request;

    sbuf_printf(&t->said, "%s %.*s %d\n%.*s\n", r->method, STR_ARG(r->url), r->repeatable,
                STR_ARG(r->body));
}

static void check_outcomes(struct talk *t)
{
    for (size_t i = 0; i < t->f->job.n; i++) {
        const struct outcome *o = &t->f->outcomes[i];

        assert_true(o->verdict > VERDICT_NONE && o->verdict <= VERDICT_MORE);
        assert_true(o->verdict == VERDICT_DELIVERED || o->reason.len);
        assert_true(o->reason.len <= REASON_MAX && str_is_utf8(o->reason));
        assert_true(str_is_utf8(o->remote_id) && str_is_utf8(o->remote_lead));
        no_secret(t, o->reason);
        sbuf_printf(&t->said, "%d %.*s %.*s %.*s %zu\n", (int)o->verdict, STR_ARG(o->reason),
                    STR_ARG(o->remote_id), STR_ARG(o->remote_lead), o->n_properties);
    }
    assert_true(t->f->job.pause_ms >= 0);
}

/* "429 30000" and the body behind the line; RETRY_AFTER_MS as the transport would have it. */
static struct http_response read_answer(struct str part)
{
    struct http_response r = {.fate = HTTP_ANSWERED, .status = 200, .retry_after_ms = -1};
    struct str line = STR("");
    int64_t n;

    if (fuzz_line(&part, &line)) {
        struct str after, status = fuzz_split(line, ' ', &after);

        if (str_int64(status, &n) && n >= 100 && n <= 599)
            r.status = (int)n;
        if (str_int64(after, &n) && n >= 1000 && n <= DAYS_MS)
            r.retry_after_ms = n;
    }
    r.body = part.at ? part : STR("");
    return r;
}

/* false: the job is over before anything is sent. */
static bool talk_build(struct talk *t)
{
    struct why why = {0};

    t->f->request = (struct http_request){0};
    enum rc rc = t->f->type->build(&t->f->job, &t->f->request, &why);
    assert_true(rc == RC_OK || rc == RC_NONE || (rc == RC_INVALID && why.text[0]));
    if (rc == RC_NONE) /* build itself has said what becomes of each */
        check_outcomes(t);
    no_secret(t, str_of(why.text));
    sbuf_text(&t->said, why.text);
    if (rc)
        return false;
    check_request(t);
    say_request(t);
    return true;
}

static void talk_answers(struct talk *t, struct str rest)
{
    struct str part;

    for (int steps = 0; talk_build(t) && steps < TALK_STEPS_MAX; steps++) {
        if (!fuzz_part(&rest, &part))
            return; /* no more answers: what is left undecided the engine decides */
        struct http_response r = read_answer(part);
        enum judged judged = t->f->type->judge(&t->f->job, &r);

        assert_true(judged == JUDGED_CONTINUE || judged == JUDGED_DONE);
        if (judged == JUDGED_DONE) {
            check_outcomes(t);
            return;
        }
    }
}

/* Loading is slow where it reads a key, so the settings of a section stay. */
static MAYBE const struct fixture *talk_load(struct fixture *kept, const char *section)
{
    if (!kept->type)
        assert_string_equal(fixture_load(kept, section), "");
    return kept;
}

/* `begin` makes the session what it would be after earlier jobs; `end` looks at what came of it. */
static MAYBE void fuzz_talk(const struct fixture *loaded, const char *secret, struct str input,
                            void (*begin)(struct fixture *f), void (*end)(struct fixture *f))
{
    struct sbuf first AUTO(sbuf_free) = SBUF(TRANSCRIPT_MAX);

    if (str_chr(input, '\0'))
        return; /* neither a lead's properties nor JSON can hold one */
    for (int time = 0; time < 2; time++) {
        struct fixture f = {.type = loaded->type, .settings = loaded->settings};
        struct talk t = {.f = &f,
                         .said = {.max = TRANSCRIPT_MAX},
                         .secret = secret,
                         .leaked = fuzz_holds(input, secret)};
        struct str rest = input, facts = STR(""), line;

        fixture_begin(&f);
        if (begin)
            begin(&f);
        (void)fuzz_part(&rest, &facts);
        while (fuzz_line(&facts, &line)) {
            struct str value, name = str_trim(fuzz_split(line, '=', &value));

            talk_set(&f, name, value);
        }
        talk_answers(&t, rest);
        if (end)
            end(&f);
        if (time == 0)
            sbuf_add(&first, sbuf_str(&t.said));
        else
            fuzz_same(sbuf_str(&first), sbuf_str(&t.said));
        sbuf_free(&t.said);
        fixture_end(&f);
    }
}

#endif
