/* tests/unit/test_pages.c - page after page is asked for, over a transport with a script. */
#include "cm.h"

#include "connector_fixture.h"

#include "funneld/deliver/pages.h"

#define SECTION                                                                                    \
    "type = hubspot\ntoken = pat-secret-token\nportal = 1\nrate = 4/s\nbackoff = 2s\n"             \
    "backoff_max = 10s\n"
#define PAGE(id, after)                                                                            \
    "{\"results\":[{\"id\":\"" id "\",\"properties\":{},\"updatedAt\":\"2026-01-01T00:00:00Z\"}]," \
    "\"paging\":{\"next\":{\"after\":\"" after "\"}}}"
#define LAST "{\"results\":[]}"

struct said {
    int status; /* 0: nobody is there */
    const char *body;
    int64_t retry_after_ms;
};

static struct script {
    const struct said *says;
    size_t n, asked;
    bool under_way;
    int64_t now_ms, asked_at[16];
    char url[16][512];
} script;

static struct fixture f;
static struct connector connector;
static struct why why;
static size_t pages, contacts, rested;
static char last_place[64];
static int64_t longest_rest;
static enum rc took_says;
static int shared_by;

static int64_t now(void)
{
    return script.now_ms;
}

static enum rc start(void *self, const struct transport_call *call, struct why *not_used)
{
    struct script *s = self;

    (void)not_used;
    assert_true(s->asked < s->n);
    s->asked_at[s->asked] = s->now_ms;
    (void)snprintf(s->url[s->asked], sizeof s->url[0], "%.*s", STR_ARG(call->request->url));
    s->under_way = true;
    return RC_OK;
}

static bool take(void *self, struct transport_result *ret)
{
    struct script *s = self;
    const struct said *said = &s->says[s->asked];

    if (!s->under_way)
        return false;
    s->under_way = false;
    s->asked++;
    *ret = (struct transport_result){.response = {.fate = HTTP_NOT_SENT,
                                                  .error = STR("pat-secret-token is not there"),
                                                  .retry_after_ms = -1}};
    if (said->status)
        ret->response = (struct http_response){
            .fate = HTTP_ANSWERED,
            .status = said->status,
            .body = str_of(said->body),
            .retry_after_ms = said->retry_after_ms ? said->retry_after_ms : -1};
    return true;
}

static void wait(void *self, int timeout_ms)
{
    struct script *s = self;

    assert_in_range(timeout_ms, 1, 1000);
    s->now_ms += timeout_ms;
}

static const struct transport transport = {&script, start, take, wait, NULL, NULL};

static enum rc took(void *self, const struct outcome *page, struct why *unused)
{
    (void)self;
    (void)unused;
    pages++;
    contacts += page->n_recovered;
    (void)snprintf(last_place, sizeof last_place, "%.*s", STR_ARG(page->remote_id));
    return took_says;
}

static void rests(void *self, int64_t ms, struct str reason)
{
    (void)self;
    rested++;
    longest_rest = ms > longest_rest ? ms : longest_rest;
    assert_null(str_find(reason, STR("secret")));
}

static enum rc read_all(const struct said says[], size_t n, const char *place)
{
    memset(&f, 0, sizeof f);
    assert_string_equal(fixture_load(&f, SECTION), "");
    connector = (struct connector){.type = f.type, .name = STR("crm"), .settings = f.settings};
    script = (struct script){.says = says, .n = n, .now_ms = FIXTURE_NOW};
    pages = contacts = rested = 0;
    longest_rest = 0;
    why.text[0] = last_place[0] = 0;
    const struct pages p = {.connector = &connector,
                            .route = route_import,
                            .place = str_of(place),
                            .took = took,
                            .rests = rests,
                            .failures_most = 3,
                            .shared_by = shared_by};
    enum rc rc = pages_read(&transport, now, &p, &why);
    arena_free(&f.arena);
    return rc;
}

#define READ(place, ...)                                                                           \
    read_all((const struct said[]){__VA_ARGS__},                                                   \
             sizeof((const struct said[]){__VA_ARGS__}) / sizeof(struct said), place)

static int setup(void **state)
{
    (void)state;
    took_says = RC_OK;
    shared_by = 0;
    return 0;
}

static void pages_follow_each_other_at_the_rate(void **state)
{
    (void)state;
    assert_int_equal(READ(NULL, {200, PAGE("1", "1"), 0}, {200, PAGE("2", "2"), 0}, {200, LAST, 0}),
                     RC_OK);
    assert_int_equal(pages, 3);
    assert_int_equal(contacts, 2);
    assert_string_equal(last_place, "");
    assert_non_null(strstr(script.url[1], "&after=1"));
    assert_non_null(strstr(script.url[2], "&after=2"));
    assert_true(script.asked_at[2] - script.asked_at[1] >= 250);
}

/* A daemon asks as well, and knows nothing of us. */
static void where_others_ask_too_they_have_their_share(void **state)
{
    (void)state;
    shared_by = 2;
    assert_int_equal(READ(NULL, {200, PAGE("1", "1"), 0}, {200, LAST, 0}), RC_OK);
    assert_true(script.asked_at[1] - script.asked_at[0] >= 500);
}

static void it_begins_where_it_is_told(void **state)
{
    (void)state;
    assert_int_equal(READ("77", {200, LAST, 0}), RC_OK);
    assert_non_null(strstr(script.url[0], "&after=77"));
}

static void a_rest_that_is_asked_for_is_kept(void **state)
{
    (void)state;
    assert_int_equal(READ(NULL, {429, "{}", 7000}, {200, LAST, 0}), RC_OK);
    assert_int_equal(rested, 1);
    assert_true(script.asked_at[1] - script.asked_at[0] >= 7000);
}

static void a_service_that_is_away_is_asked_again_ever_later(void **state)
{
    (void)state;
    assert_int_equal(READ(NULL, {0, NULL, 0}, {503, "", 0}, {200, PAGE("1", "1"), 0}, {502, "", 0},
                          {200, LAST, 0}),
                     RC_OK);
    assert_int_equal(rested, 3);
    assert_true(script.asked_at[1] - script.asked_at[0] >= 2000);
    assert_true(script.asked_at[2] - script.asked_at[1] >= 4000);
    assert_true(script.asked_at[4] - script.asked_at[3] <
                4000); /* one that went well begins anew */
    assert_non_null(strstr(script.url[4], "&after=1"));
}

static void one_that_stays_away_is_given_up(void **state)
{
    (void)state;
    assert_int_equal(READ(NULL, {0, NULL, 0}, {0, NULL, 0}, {0, NULL, 0}, {0, NULL, 0}), RC_IO);
    assert_non_null(strstr(why.text, "is not there"));
    assert_null(strstr(why.text, "secret"));
}

static void what_a_person_must_mend_is_said_at_once(void **state)
{
    (void)state;
    assert_int_equal(READ(NULL, {401, "{\"message\":\"no\"}", 0}), RC_IO);
    assert_non_null(strstr(why.text, "token"));
    assert_int_equal(rested, 0);
    assert_int_equal(READ(NULL, {400, "{\"message\":\"no\"}", 0}, {400, "{\"message\":\"no\"}", 0}),
                     RC_IO);
}

static void who_takes_them_may_end_it(void **state)
{
    (void)state;
    took_says = RC_FULL;
    assert_int_equal(READ(NULL, {200, PAGE("1", "1"), 0}, {200, LAST, 0}), RC_FULL);
    assert_int_equal(script.asked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pages_follow_each_other_at_the_rate, setup),
        cmocka_unit_test_setup(where_others_ask_too_they_have_their_share, setup),
        cmocka_unit_test_setup(it_begins_where_it_is_told, setup),
        cmocka_unit_test_setup(a_rest_that_is_asked_for_is_kept, setup),
        cmocka_unit_test_setup(a_service_that_is_away_is_asked_again_ever_later, setup),
        cmocka_unit_test_setup(one_that_stays_away_is_given_up, setup),
        cmocka_unit_test_setup(what_a_person_must_mend_is_said_at_once, setup),
        cmocka_unit_test_setup(who_takes_them_may_end_it, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
