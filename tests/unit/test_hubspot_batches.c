/* tests/unit/test_hubspot_batches.c - a batch that HubSpot refuses for one bad input. */
#include "cm.h"

#include "crm_test.h"

/* Answers every request as HubSpot would that refuses whole batches for one bad input; the number
 * of requests. */
static int talk_to_one_that_refuses_batches(const char *bad, int status, const char *category)
{
    int requests = 0;
    struct str refusal = arena_printf(&f.arena, FAILURE("%s", "no good"), category);

    for (bool goes_on = true; goes_on && requests < 100; requests++) {
        struct sbuf b AUTO(sbuf_free) = SBUF(4096);

        f.request = (struct http_request){0};
        fixture_build(&f);
        if (asks_for(bad)) {
            goes_on = fixture_judge(&f, status, refusal.at) == JUDGED_CONTINUE;
            continue;
        }
        for (size_t i = 0; i < f.job.n; i++) {
            struct str id = arena_printf(&f.arena, "%zu", 101 + i);

            if (asks_for(id.at))
                sbuf_printf(&b, "%s{\"id\":\"%s\"}", b.len ? "," : "", id.at);
        }
        struct str answer = arena_printf(&f.arena, ANSWER("%s"), b.at);
        goes_on = fixture_judge(&f, 200, answer.at) == JUDGED_CONTINUE;
    }
    return requests;
}

static void one_bad_input_kills_itself_alone(void **state)
{
    static const struct {
        int status;
        const char *category;
        enum verdict verdict;
        const char *reason;
    } cases[] = {
        {400, "VALIDATION_ERROR", VERDICT_DEAD, "no good"},
        {404, "OBJECT_NOT_FOUND", VERDICT_DEAD, "no such contact"},
        {409, "CONFLICT", VERDICT_RETRY, "no good"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fixture_start(&f, SECTION);
        fixture_job(&f, 4);
        assert_in_range(talk_to_one_that_refuses_batches("103", cases[i].status, cases[i].category),
                        4, 6);
        for (size_t k = 0; k < 4; k++)
            if (k == 2)
                fixture_verdict(&f, k, cases[i].verdict, cases[i].reason);
            else
                fixture_verdict(&f, k, VERDICT_DELIVERED, NULL);
        fixture_end(&f);
    }
}

enum { MANY = 100 };

static struct lead many[MANY];

/* As the fixture's, but so many. */
static void begin_many(struct outcome outcomes[MANY])
{
    static struct parcel parcels[MANY];

    memset(outcomes, 0, MANY * sizeof *outcomes);
    for (size_t i = 0; i < MANY; i++) {
        many[i] = f.leads[0];
        many[i].crm_id = 101 + (int64_t)i;
        parcels[i] = f.parcels[0];
        parcels[i].lead = &many[i];
    }
    f.job.parcels = parcels;
    f.job.outcomes = outcomes;
    f.job.n = MANY;
}

static void a_bad_one_among_a_hundred_is_found_in_few_requests(void **state)
{
    static struct outcome outcomes[MANY];

    (void)state;
    fixture_start(&f, SECTION);
    begin_many(outcomes);
    assert_in_range(talk_to_one_that_refuses_batches("171", 400, "VALIDATION_ERROR"), 8, 25);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(outcomes[i].verdict, i == 70 ? VERDICT_DEAD : VERDICT_DELIVERED);
}

static void a_batch_of_bad_ones_does_not_go_on_for_ever(void **state)
{
    static struct outcome outcomes[MANY];
    size_t dead = 0, again = 0;
    int requests = 0;

    (void)state;
    fixture_start(&f, SECTION);
    begin_many(outcomes);
    do {
        f.request = (struct http_request){0};
        fixture_build(&f);
        requests++;
    } while (fixture_judge(&f, 400, FAILURE("VALIDATION_ERROR", "no good")) == JUDGED_CONTINUE);
    assert_int_equal(requests, 48);
    for (size_t i = 0; i < MANY; i++) {
        dead += outcomes[i].verdict == VERDICT_DEAD;
        again += outcomes[i].verdict == VERDICT_RETRY;
    }
    assert_true(dead > 30 && dead + again == MANY); /* the others in the next job */
}

/* They are asked one by one, and none was refused. */
static void a_job_that_is_too_long_for_one_go_says_so(void **state)
{
    static struct outcome outcomes[MANY];
    int requests = 1;

    (void)state;
    fixture_start(&f, SECTION);
    begin_many(outcomes);
    for (size_t i = 0; i < MANY; i++)
        many[i].crm_id = 0;
    for (;; requests++) {
        f.request = (struct http_request){0};
        fixture_build(&f);
        assert_string_equal(f.request.method, "PATCH");
        if (fixture_judge(&f, 200, "{\"id\":\"7\"}") != JUDGED_CONTINUE)
            break;
    }
    assert_int_equal(outcomes[requests - 1].verdict, VERDICT_DELIVERED);
    for (size_t i = (size_t)requests; i < MANY; i++) {
        assert_int_equal(outcomes[i].verdict, VERDICT_RETRY);
        assert_true(
            str_is(outcomes[i].reason,
                   "not all of the batch were asked in one go; the rest goes another time"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(one_bad_input_kills_itself_alone),
        T(a_bad_one_among_a_hundred_is_found_in_few_requests),
        T(a_batch_of_bad_ones_does_not_go_on_for_ever),
        T(a_job_that_is_too_long_for_one_go_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
