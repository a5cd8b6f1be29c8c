/* tests/unit/connector_fixture.h - a connector as the configuration makes it, a lead to tell of,
 * golden request files. FUNNELD_GOLDEN=write writes the files anew.
 */
#ifndef FUNNELD_TESTS_CONNECTOR_FIXTURE_H
#define FUNNELD_TESTS_CONNECTOR_FIXTURE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/base/json.h"
#include "funneld/connectors/connector.h"

#define FIXTURE_NOW INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
enum { FIXTURE_PARCELS = 4 };

struct fixture {
    struct arena arena;
    struct conf conf;
    struct conf_problems problems;
    const struct connector_type *type;
    void *settings, *session;
    struct lead leads[FIXTURE_PARCELS];
    struct parcel parcels[FIXTURE_PARCELS];
    struct outcome outcomes[FIXTURE_PARCELS];
    struct job job;
    struct http_request request;
    struct why why;
    int64_t puts; /* each wins over the one before */
};

static inline const struct connector_type *fixture_type(struct str name)
{
    for (size_t i = 0; i < n_connector_types; i++)
        if (str_is(name, connector_types[i]->name))
            return connector_types[i];
    return NULL;
}

/* The problems of `body` as a [connector] section, one per line. */
static inline const char *fixture_load(struct fixture *f, const char *body)
{
    struct str text = arena_printf(&f->arena, "[connector c]\n%s", body), said = STR("");

    conf_problems_init(&f->problems, &f->arena);
    if (conf_read_text(STR("t.conf"), text, &f->arena, &f->conf, &f->problems))
        fail_msg("the section cannot be read: %.*s", STR_ARG(f->problems.first->message));
    f->type = fixture_type(f->conf.sections[0].type);
    assert_non_null(f->type);
    f->settings = arena_alloc(&f->arena, f->type->spec->size);
    conf_bind(&f->conf.sections[0], f->type->spec, f->settings, &f->arena, &f->problems);
    if (f->type->check)
        f->type->check(f->settings, &f->conf.sections[0], &f->problems);
    for (const struct conf_problem *p = f->problems.first; p; p = p->next)
        said = arena_printf(&f->arena, "%.*s%.*s (%.*s)\n", STR_ARG(said), STR_ARG(p->message),
                            STR_ARG(p->hint));
    return said.at;
}

static inline void fixture_put(struct fixture *f, size_t i, const char *name, const char *value)
{
    struct dedupe_key key = {{0}};

    (void)lead_put(&f->leads[i], str_of(name), str_of(value), FIXTURE_NOW + f->puts++, &key,
                   &f->arena);
}

static inline void fixture_parcel(struct fixture *f, size_t i)
{
    struct lead *l = &f->leads[i];

    *l = (struct lead){.id = 7 + (int64_t)i,
                       .portal_id = 62515,
                       .crm_id = 101 + (int64_t)i,
                       .email = STR("ada@example.org"),
                       .score = 875,
                       .band = BAND_HOT};
    fixture_put(f, i, "firstname", "Ada");
    fixture_put(f, i, "lastname", "Lovelace");
    fixture_put(f, i, "email", "ada@example.org");
    fixture_put(f, i, "company", "Analytical Engines");
    fixture_put(f, i, "jobtitle", "Countess");
    f->parcels[i] = (struct parcel){
        .lead = l,
        .public_id = arena_printf(&f->arena, "0a1b2c3d-%zu", i + 41),
        .lead_public_id = arena_printf(&f->arena, "0a1b2c3d-%zu", i + 7),
        .crm_url = STR("https://app.hubspot.com/contacts/62515/record/0-1/101"),
        .d = {.id = 41 + (int64_t)i,
              .lead = l->id,
              .route = STR("hot-lead"),
              .created_at = FIXTURE_NOW - 5000,
              .facts = {.score = 875,
                        .previous = 525,
                        .band = BAND_HOT,
                        .previous_band = BAND_WARM,
                        .reasons = STR("+35 demo-request; +20 pricing-page"),
                        .event_source = STR("hubspot"),
                        .event_type = STR("contact.propertyChange"),
                        .event_property = STR("demo_requested"),
                        .event_value = STR("true"),
                        .event_time = FIXTURE_NOW - 60000}},
    };
}

/* What models say of the first. */
static inline void fixture_chances(struct fixture *f)
{
    struct delivery_facts *facts = &f->parcels[0].d.facts;

    facts->probability = f->leads[0].probability = (struct chance){true, 720};
    facts->chance_reasons = STR("visited pricing 4 times: +11 points, country is DE: -3 points");
    facts->churn = f->leads[0].churn = (struct chance){true, 85};
    facts->churn_reasons = STR("<!channel> & last seen 3 days ago: -2 points");
}

/* All that has hurt somebody's service: commands, formulas, line ends, direction, size. No NUL:
 * neither JSON nor a form can bring one (test_json_suite.c, test_form.c). */
static inline void fixture_hostile(struct fixture *f)
{
    struct sbuf big AUTO(sbuf_free) = SBUF(64 * 1024);

    fixture_put(f, 0, "firstname", "<!channel> =HYPERLINK(\"http://x\",\"y\")");
    fixture_put(f, 0, "lastname",
                "a\r\nX-Injected: b\r\n\r\n\xe2\x80\xae"
                "evil\xf0\x9f\x98\x80");
    fixture_put(f, 0, "company", "{\"a\":\"b\"} \\ \" ' </script> \x01\x7f \xff\xfe");
    for (int i = 0; i < 1250; i++)
        sbuf_text(&big, "\xe2\x82\xac\xf0\x9f\x98\x80x");
    fixture_put(f, 0, "jobtitle", big.at);
    fixture_put(f, 0, "phone", "@channel [1](https://x) <users/all>");
    f->parcels[0].d.facts.event_value = STR("[1,2]\n{\"x\":");
}

/* The same, and reasons that hold whatever a database could, a NUL too. */
static inline void fixture_hostile_reasons(struct fixture *f)
{
    fixture_hostile(f);
    f->parcels[0].d.facts.reasons = STR("=HYPERLINK(1) <@U1> & nul \0 \t\r\n\xe2\x80\xae \xff end");
}

/* From here on the parcel asks for that object of the CRM, whose id is that of its lead there. */
static inline struct object *fixture_object(struct fixture *f, size_t i, enum object_kind kind)
{
    struct object *o = ARENA_NEW(&f->arena, struct object);

    *o = (struct object){.id = 900 + (int64_t)i, .kind = kind};
    o->record.portal_id = f->leads[i].portal_id;
    o->record.crm_id = f->leads[i].crm_id;
    f->leads[i] = (struct lead){.id = -o->id};
    f->parcels[i].d.lead = -o->id;
    f->parcels[i].object = o;
    return o;
}

/* Where the text of the parcel's message belongs: from here on it has one. */
static inline const struct template **fixture_template(struct fixture *f, size_t i)
{
    struct message *m = ARENA_NEW(&f->arena, struct message);

    f->parcels[i].message = m;
    return &m->text;
}

static inline void fixture_job(struct fixture *f, size_t n)
{
    f->job = (struct job){.settings = f->settings,
                          .session = f->session,
                          .now_ms = FIXTURE_NOW,
                          .parcels = f->parcels,
                          .outcomes = f->outcomes,
                          .n = n,
                          .arena = &f->arena};
    memset(f->outcomes, 0, sizeof(f->outcomes));
}

/* One parcel, a fresh session. */
static inline void fixture_begin(struct fixture *f)
{
    f->session = mem_alloc(f->type->session_size ? f->type->session_size : 1);
    for (size_t i = 0; i < FIXTURE_PARCELS; i++)
        fixture_parcel(f, i);
    fixture_job(f, 1);
}

/* All parcels come from this route. */
static inline void fixture_route(struct fixture *f, const char *route)
{
    for (size_t i = 0; i < FIXTURE_PARCELS; i++)
        f->parcels[i].d.route = str_of(route);
}

/* A connector without problems. */
static inline void fixture_start(struct fixture *f, const char *body)
{
    const char *problems;

    memset(f, 0, sizeof(*f));
    problems = fixture_load(f, body);
    assert_string_equal(problems, "");
    fixture_begin(f);
}

static inline void fixture_end(struct fixture *f)
{
    if (f->session && f->type->session_free)
        f->type->session_free(f->session);
    free(f->session);
    arena_free(&f->arena);
    memset(f, 0, sizeof(*f));
}

static inline void fixture_build(struct fixture *f)
{
    if (f->type->build(&f->job, &f->request, &f->why))
        fail_msg("build: %s", f->why.text);
}

static inline struct http_response fixture_response(int status, const char *body)
{
    return (struct http_response){
        .fate = HTTP_ANSWERED, .status = status, .body = str_of(body), .retry_after_ms = -1};
}

static inline enum judged fixture_judge(struct fixture *f, int status, const char *body)
{
    struct http_response r = fixture_response(status, body);

    return f->type->judge(&f->job, &r);
}

/* Builds, checks that the request goes there, answers; the job must go on. */
static inline void fixture_step(struct fixture *f, const char *method, const char *url_part,
                                int status, const char *body)
{
    fixture_build(f);
    assert_string_equal(f->request.method, method);
    if (!str_find(f->request.url, str_of(url_part)))
        fail_msg("%.*s does not hold %s", STR_ARG(f->request.url), url_part);
    assert_int_equal(fixture_judge(f, status, body), JUDGED_CONTINUE);
}

/* The same, but with this step the job is done. */
static inline void fixture_last(struct fixture *f, const char *method, const char *url_part,
                                int status, const char *body)
{
    fixture_build(f);
    assert_string_equal(f->request.method, method);
    if (!str_find(f->request.url, str_of(url_part)))
        fail_msg("%.*s does not hold %s", STR_ARG(f->request.url), url_part);
    assert_int_equal(fixture_judge(f, status, body), JUDGED_DONE);
}

static inline void fixture_verdict(const struct fixture *f, size_t i, enum verdict v,
                                   const char *reason_part)
{
    struct str reason = f->outcomes[i].reason;

    if (f->outcomes[i].verdict != v)
        fail_msg("verdict %d, not %d: %.*s", (int)f->outcomes[i].verdict, (int)v, STR_ARG(reason));
    if (reason_part && !str_find(reason, str_of(reason_part)))
        fail_msg("\"%.*s\" does not say %s", STR_ARG(reason), reason_part);
}

/* A person must mend the service; what waits for it is kept. */
static inline void fixture_broken(const struct fixture *f, size_t i, const char *reason_part)
{
    fixture_verdict(f, i, VERDICT_RETRY, reason_part);
    if (!f->job.broken)
        fail_msg("not taken for broken: %.*s", STR_ARG(f->outcomes[i].reason));
}

/* The only quota that the next request draws from; none: its key is 0. */
static inline struct quota fixture_quota(const struct fixture *f)
{
    struct quota quotas[QUOTAS_MAX] = {{0}};
    size_t n = f->type->quotas(&f->job, quotas);

    assert_true(n <= 1 && (n == 1) == (quotas[0].key != 0));
    return quotas[0];
}

static inline struct str fixture_header(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_ieq(str_of(r->headers[i].name), str_of(name)))
            return r->headers[i].value;
    return STR_NULL;
}

static inline struct str golden_text(const struct http_request *r, struct arena *a)
{
    struct str text = arena_printf(a, "%s %.*s\n", r->method, STR_ARG(r->url));

    for (size_t i = 0; i < r->n_headers; i++)
        text = arena_printf(a, "%.*s%s: %.*s\n", STR_ARG(text), r->headers[i].name,
                            STR_ARG(r->headers[i].value));
    return arena_printf(a, "%.*s(%s)\n\n%.*s\n", STR_ARG(text),
                        r->repeatable ? "repeatable" : "not repeatable", STR_ARG(r->body));
}

static inline struct str golden_read(const char *path, struct arena *a)
{
    char *at = arena_alloc(a, 256 * 1024);
    FILE *file = fopen(path, "r");
    size_t n;

    if (!file)
        fail_msg("%s: %s; FUNNELD_GOLDEN=write writes it", path, strerror(errno));
    n = fread(at, 1, 256 * 1024, file);
    assert_int_equal(fclose(file), 0);
    return (struct str){at, n};
}

/* The request is, byte for byte, what tests/golden/<name> says. */
static inline void golden(struct fixture *f, const char *name)
{
    struct str path = arena_printf(&f->arena, "tests/golden/%s", name);
    struct str text = golden_text(&f->request, &f->arena), want;
    const char *mode = getenv("FUNNELD_GOLDEN");

    if (mode && strcmp(mode, "write") == 0) {
        FILE *file = fopen(path.at, "w");

        assert_non_null(file);
        assert_int_equal(fwrite(text.at, 1, text.len, file), text.len);
        assert_int_equal(fclose(file), 0);
        return;
    }
    want = golden_read(path.at, &f->arena);
    if (!str_eq(text, want))
        fail_msg("%s\n--- wanted\n%.*s--- got\n%.*s", path.at, STR_ARG(want), STR_ARG(text));
}

#endif
