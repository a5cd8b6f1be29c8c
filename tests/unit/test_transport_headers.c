/* tests/unit/test_transport_headers.c - what the transport reads from an answer's headers. */
#include "cm.h"
#include "transport_world.h"

#include <time.h>

static void retry_after_is_read_in_both_forms_and_clamped(void **state)
{
    static const struct {
        const char *path;
        int64_t ms;
    } cases[] = {
        {"/retry/429/30", 30000},
        {"/retry/503/30", 30000},
        {"/retry/503/0", -1},
        {"/retry/503/soon", -1},
        {"/retry/503/-5", -1},
        {"/retry/429/2.5", 2000},
        {"/retry/429/99999999999999", 3600 * 1000},
        {"/retry/503/99999999999999", 86400 * 1000},
        {"/retry/429/Sun,%2006%20Nov%202095%2008:49:37%20GMT", 3600 * 1000},
        {"/retry/503/Sun,%2006%20Nov%201994%2008:49:37%20GMT", -1},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(send_to(w, "GET", cases[i].path, STR_NULL, true).retry_after_ms,
                         cases[i].ms);
}

static void retry_after_as_a_date_is_a_duration(void **state)
{
    struct world *w = *state;
    char path[80];
    time_t then = time(NULL) + 100;
    struct tm tm;

    assert_non_null(gmtime_r(&then, &tm));
    assert_true(strftime(path, sizeof path, "/retry/503/%a,%%20%d%%20%b%%20%Y%%20%H:%M:%S%%20GMT",
                         &tm) > 0);
    assert_in_range(send_to(w, "GET", path, STR_NULL, true).retry_after_ms, 95000, 100000);
}

static struct http_response ask_for(struct world *w, const char *path, const char *const names[],
                                    size_t n)
{
    struct http_request *r = ARENA_NEW(&w->arena, struct http_request);

    *r = (struct http_request){.method = "GET",
                               .url = at_port(w, server_port, path),
                               .repeatable = true,
                               .keep = names,
                               .n_keep = n};
    return exchange_for(w, r, 5000);
}

static void headers_that_are_wanted_are_kept(void **state)
{
    static const char *const names[] = {"X-Limit-Left", "X-None", "x-empty", "X-Long"};
    struct world *w = *state;
    struct http_response r = ask_for(w, "/limits", names, ARRAY_LEN(names));

    assert_int_equal(r.n_kept, 3);
    assert_true(str_is(http_kept(&r, "X-Limit-Left"), "7")); /* the first of two */
    assert_null(http_kept(&r, "X-None").at);
    assert_int_equal(http_kept(&r, "x-empty").len, 0);
    assert_int_equal(http_kept(&r, "X-Long").len, 1023); /* cut */
}

static void no_header_is_kept_unasked_and_none_from_the_request_before(void **state)
{
    static const char *const names[] = {"X-Limit-Left"};
    struct world *w = *state;

    assert_int_equal(ask_for(w, "/limits", names, 1).n_kept, 1);
    assert_int_equal(ask_for(w, "/status/200", names, 1).n_kept, 0);
    assert_int_equal(ask_for(w, "/limits", NULL, 0).n_kept, 0);
}

static void more_than_there_is_room_for_is_not_kept(void **state)
{
    static const char *const names[] = {"X-Limit-Left", "X-Limit-Left", "X-Limit-Left",
                                        "X-Limit-Left", "X-Limit-Left"};
    struct world *w = *state;

    assert_int_equal(ask_for(w, "/limits", names, ARRAY_LEN(names)).n_kept, HTTP_MAX_KEPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(retry_after_is_read_in_both_forms_and_clamped),
        T(retry_after_as_a_date_is_a_duration),
        T(headers_that_are_wanted_are_kept),
        T(no_header_is_kept_unasked_and_none_from_the_request_before),
        T(more_than_there_is_room_for_is_not_kept),
    };

    return cmocka_run_group_tests_name("headers", tests, server_start, NULL);
}
