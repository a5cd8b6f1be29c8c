/* tests/unit/test_prober.c - several connectors are asked at once, over a transport with a script.
 */
#include "cm.h"

#include "connector_fixture.h"

#include "funneld/deliver/prober.h"

enum { CALLS_MAX = 8, BODY_MAX = 256 };

/* Answers come in the order of the calls, each only once all `together` calls were made. */
static struct script {
    struct transport_call calls[CALLS_MAX];
    size_t n, taken, together;
    const char *refuses; /* to start anything, in these words */
    const char *body;    /* of each answer; NULL: none comes */
    char said[BODY_MAX]; /* until the next take */
    int waits;
    const char *kept; /* what the header that is wanted says; NULL: it does not come */
    int64_t now_ms, started[CALLS_MAX];
} script;

static int64_t now(void)
{
    return script.now_ms;
}

static enum rc start(void *self, const struct transport_call *call, struct why *why)
{
    struct script *s = self;

    if (s->refuses)
        return why_fail(RC_BUSY, why, "%s", s->refuses);
    assert_true(s->n < CALLS_MAX);
    s->started[s->n] = s->now_ms;
    s->calls[s->n++] = *call;
    return RC_OK;
}

static bool take(void *self, struct transport_result *ret)
{
    struct script *s = self;

    memset(s->said, '#', sizeof s->said);
    if (s->taken == s->n || (s->taken == 0 && s->n < s->together))
        return false;
    *ret = (struct transport_result){.tag = s->calls[s->taken++].tag,
                                     .response = {.fate = HTTP_NOT_SENT, .retry_after_ms = -1}};
    (void)snprintf(s->said, sizeof s->said, "%s", s->body ? s->body : "nobody there");
    if (s->body) {
        ret->response.fate = HTTP_ANSWERED;
        ret->response.status = 200;
        ret->response.body = str_of(s->said);
        if (s->kept)
            ret->response.kept[ret->response.n_kept++] =
                (struct http_header){"X-OAuth-Scopes", str_of(s->kept)};
    } else {
        ret->response.error = str_of(s->said);
    }
    return true;
}

static void wait(void *self, int timeout_ms)
{
    struct script *s = self;

    assert_in_range(timeout_ms, 1, 10000);
    assert_true(++s->waits < 10);
    if (s->taken == s->n) /* else there is an answer at once */
        s->now_ms += timeout_ms;
    s->together = 0;
}

static const struct transport transport = {&script, start, take, wait, NULL, NULL};

static const char *const sections[] = {
    "type = slack\ntoken = xoxb-secret-token\nchannel = C0123456789\ntimeout = 7s\n"
    "rate = 2.5/s\n"
    "ca_file = /etc/own.pem\n",
    "type = slack\ntoken = xoxb-second-token\nchannel = C0000000001\nrate = 4/s\n",
};
static struct fixture loaded[2];
static struct connector connectors[2];
static struct probe probes[2];

static int setup(void **state)
{
    (void)state;
    memset(loaded, 0, sizeof loaded);
    script = (struct script){.now_ms = FIXTURE_NOW};
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(fixture_load(&loaded[i], sections[i]), "");
        connectors[i] = (struct connector){loaded[i].type, STR("c"), loaded[i].settings};
        probes[i] = (struct probe){.connector = &connectors[i], .arena = &loaded[i].arena};
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        arena_free(&loaded[i].arena);
    return 0;
}

static void found(const struct probe *p, size_t i, const char *what, const char *detail)
{
    assert_true(i < p->n);
    if (!str_is(p->findings[i].what, what) || !str_find(p->findings[i].detail, str_of(detail)))
        fail_msg("%.*s: %.*s", STR_ARG(p->findings[i].what), STR_ARG(p->findings[i].detail));
}

static void all_are_asked_at_once_each_in_its_own_way(void **state)
{
    (void)state;
    script.body = "{\"ok\":false,\"error\":\"invalid_auth\"}";
    script.together = 3; /* which never are */
    probe_all(&transport, now, probes, 2);
    assert_int_equal(script.n, 2);
    assert_int_equal(script.waits, 1);
    assert_int_equal(script.calls[0].timeout_ms, 7000);
    assert_true(str_is(script.calls[0].ca_file, "/etc/own.pem"));
    assert_int_equal(script.calls[1].timeout_ms, 15000);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(probes[i].n, 1);
        found(&probes[i], 0, "token", "invalid_auth; check");
    }
}

static void a_secret_that_comes_back_is_starred(void **state)
{
    (void)state;
    script.body = "{\"ok\":true,\"team\":\"xoxb-secret-token\",\"user\":\"me\"}";
    probe_all(&transport, now, probes, 1);
    assert_int_equal(probes[0].findings[0].state, FINDING_WORKS);
    found(&probes[0], 0, "token", "of me in the workspace *****************");
    script.body = NULL;
}

static void a_secret_in_a_header_is_starred_too(void **state)
{
    (void)state;
    script.body = "{\"ok\":true}";
    script.kept = "channels:read,xoxb-secret-token";
    probe_all(&transport, now, probes, 1);
    found(&probes[0], 1, "scope chat:write", "(it has: channels:read,*****************)");
}

/* What waits for its turn keeps nobody else. */
static void questions_keep_to_the_rate_of_each(void **state)
{
    (void)state;
    script.body = "{\"ok\":true}";
    probe_all(&transport, now, probes, 2);
    assert_int_equal(script.n, 4);
    assert_int_equal(script.started[0], FIXTURE_NOW);
    assert_int_equal(script.started[1], FIXTURE_NOW);
    assert_ptr_equal(script.calls[2].tag, script.calls[1].tag);
    assert_int_equal(script.started[2], FIXTURE_NOW + 250);
    assert_int_equal(script.started[3], FIXTURE_NOW + 400);
}

static void what_was_said_outlives_the_answer(void **state)
{
    (void)state;
    probe_all(&transport, now, probes, 2);
    memset(script.said, '#', sizeof script.said);
    found(&probes[0], 0, "connection", "nobody there");
    found(&probes[1], 0, "connection", "nobody there");
}

static void what_the_transport_does_not_take_is_said(void **state)
{
    (void)state;
    script.refuses = "a header of the request has no proper name";
    probe_all(&transport, now, probes, 2);
    assert_int_equal(script.n, 0);
    assert_int_equal(probes[1].n, 1);
    assert_int_equal(probes[1].findings[0].state, FINDING_FAILS);
    found(&probes[1], 0, "connection", "no proper name");
}

static void nobody_is_asked_where_there_is_nobody(void **state)
{
    (void)state;
    probe_all(&transport, now, probes, 0);
    assert_int_equal(script.n + (size_t)script.waits, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_are_asked_at_once_each_in_its_own_way),
        TEST(a_secret_that_comes_back_is_starred),
        TEST(a_secret_in_a_header_is_starred_too),
        TEST(questions_keep_to_the_rate_of_each),
        TEST(what_was_said_outlives_the_answer),
        TEST(what_the_transport_does_not_take_is_said),
        TEST(nobody_is_asked_where_there_is_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
