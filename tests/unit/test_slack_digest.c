/* tests/unit/test_slack_digest.c - a flooded channel: many leads in one message, each found again.
 */
#include "cm.h"

#include "connector_test.h"

#define WITH_TOKEN "type = slack\ntoken = xoxb-test\nchannel = C0123456789\ndigest = 20/1m\n"
#define POSTED     "{\"ok\":true,\"channel\":\"C0123456789\",\"ts\":\"1767225600.000247\"}"

/* n parcels, the i-th with a score of i tenths; every third is warm, the others hot. */
static void many(const char *section, size_t n)
{
    struct parcel *parcels;
    struct lead *leads;

    fixture_start(&f, section);
    parcels = arena_array(&f.arena, n, sizeof *parcels);
    leads = arena_array(&f.arena, n, sizeof *leads);
    for (size_t i = 0; i < n; i++) {
        struct dedupe_key key = {{0}};

        leads[i] = (struct lead){.id = 500 + (int64_t)i};
        (void)lead_put(&leads[i], STR("firstname"), arena_printf(&f.arena, "Lead %zu", i), 1, &key,
                       &f.arena);
        parcels[i] = f.parcels[0];
        parcels[i].lead = &leads[i];
        parcels[i].d.id = 1000 + (int64_t)i * 37;
        parcels[i].d.lead = leads[i].id;
        parcels[i].d.facts.score = (int64_t)i;
        parcels[i].d.facts.band = i % 3 ? BAND_HOT : BAND_WARM;
        parcels[i].public_id = arena_printf(&f.arena, "0a1b2c3d-%lld", (long long)parcels[i].d.id);
    }
    f.job.parcels = parcels;
    f.job.outcomes = arena_array(&f.arena, n, sizeof *f.job.outcomes);
    f.job.n = n;
    f.job.digest = true;
}

static bool says(const char *text)
{
    return str_find(f.request.body, str_of(text)) != NULL;
}

static void all_are(enum verdict v, const char *remote_id)
{
    for (size_t i = 0; i < f.job.n; i++) {
        assert_int_equal(f.job.outcomes[i].verdict, v);
        if (remote_id)
            assert_true(str_is(f.job.outcomes[i].remote_id, remote_id));
    }
}

static void the_best_stand_first_and_the_rest_is_counted(void **state)
{
    (void)state;
    many(WITH_TOKEN, 37);
    fixture_build(&f);
    golden(&f, "slack/digest.http");
    assert_false(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, 200, POSTED), JUDGED_DONE);
    all_are(VERDICT_DELIVERED, "C0123456789:1767225600.000247");
    assert_null(f.job.outcomes[0].remote_lead.at);
}

static void a_digest_of_two_says_all_of_both(void **state)
{
    (void)state;
    many("type = slack\nwebhook = https://hooks.slack.com/services/x\ndigest = 1/10s\n", 2);
    ((struct parcel *)(uintptr_t)f.job.parcels)[0].crm_url = STR_NULL;
    ((struct parcel *)(uintptr_t)f.job.parcels)[1].crm_url = STR_NULL;
    fixture_build(&f);
    golden(&f, "slack/digest_webhook.http");
    assert_int_equal(fixture_judge(&f, 200, "ok"), JUDGED_DONE);
    all_are(VERDICT_DELIVERED, NULL);
}

static void a_lead_that_is_told_of_twice_stands_there_once_with_the_newest(void **state)
{
    struct parcel *p;

    (void)state;
    many(WITH_TOKEN, 3);
    p = (struct parcel *)(uintptr_t)f.job.parcels;
    p[2].lead = p[0].lead;
    p[2].d.lead = p[0].d.lead;
    p[0].d.facts.score = 990; /* of before */
    fixture_build(&f);
    assert_true(says("2 leads at once"));
    assert_true(says("1. Lead 0: 0.2 ("));
    assert_false(says("99"));
}

static size_t points(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.at[i] & 0xc0) != 0x80;
    return n;
}

/* The most of everything: 250 leads, each with 10 kB of what hurts. */
static void hostile(void)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 17);
    struct dedupe_key key = {{0}};
    struct parcel *p;

    many(WITH_TOKEN, DIGEST_MAX);
    p = (struct parcel *)(uintptr_t)f.job.parcels;
    sbuf_text(&b, "<!channel>\r\n=HYPERLINK(1) \xd9\x85\xe2\x80\xae");
    for (int i = 0; i < 5000; i++)
        sbuf_text(&b, i % 2 ? "&" : "\xf0\x9f\x91\x8b");
    for (size_t i = 0; i < f.job.n; i++) {
        struct lead *l = (struct lead *)(uintptr_t)p[i].lead;

        (void)lead_put(l, STR("firstname"), sbuf_str(&b), 2, &key, &f.arena);
        p[i].d.facts.reasons = i % 2 ? arena_str(&f.arena, sbuf_str(&b))
                                     : (struct str){"nul \0 <@U1>\n2. Bill: 100", 25};
        p[i].d.id = INT64_C(1) << 40 | (int64_t)i * 4000000;
    }
}

static void a_hostile_digest_keeps_below_slacks_limits(void **state)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct sbuf metadata AUTO(sbuf_free) = SBUF(1 << 14);

    (void)state;
    hostile();
    fixture_build(&f);
    golden(&f, "slack/digest_hostile.http");
    assert_true(points(f.request.body) < 8000);
    assert_false(says("<"));
    assert_int_equal(json_parse(f.request.body, &doc, NULL), RC_OK);
    assert_true(json_count(json_get(doc.root, "blocks")) < 10);
    assert_true(points(json_string(json_path(doc.root, "blocks.2.text.text"))) <= 2900);
    json_node(&metadata, json_get(doc.root, "metadata"));
    assert_true(metadata.len < 2048);
}

static void refused_blocks_are_sent_as_a_list(void **state)
{
    (void)state;
    many(WITH_TOKEN, 12);
    fixture_step(&f, "POST", "/api/chat.postMessage", 200,
                 "{\"ok\":false,\"error\":\"msg_blocks_too_long\"}");
    fixture_build(&f);
    golden(&f, "slack/digest_text.http");
    assert_int_equal(fixture_judge(&f, 200, POSTED), JUDGED_DONE);
}

static void a_verdict_is_that_of_all(void **state)
{
    static const struct {
        const char *body;
        enum verdict verdict;
        bool broken;
    } cases[] = {
        {"{\"ok\":false,\"error\":\"service_unavailable\"}", VERDICT_RETRY, false},
        {"{\"ok\":false,\"error\":\"is_archived\"}", VERDICT_RETRY, true},
        {"{\"ok\":false,\"error\":\"no_text\"}", VERDICT_DEAD, false},
        {"{\"ok\":false,\"error\":\"internal_error\"}", VERDICT_AMBIGUOUS, false},
        {"{\"ok\":false,\"error\":\"brand_new\"}", VERDICT_RETRY, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        many(WITH_TOKEN, 21);
        fixture_last(&f, "POST", "/api/chat.postMessage", 200, cases[i].body);
        all_are(cases[i].verdict, NULL);
        assert_int_equal(f.job.broken, cases[i].broken);
        fixture_end(&f);
    }
}

/* What was posted, as the history shows it. */
static struct str history_of(struct str request)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 16);

    assert_int_equal(json_parse(request, &doc, NULL), RC_OK);
    sbuf_text(&b, "{\"ok\":true,\"messages\":[{\"ts\":\"5.1\",\"metadata\":\"\"},"
                  "{\"ts\":\"1767225600.000247\",\"metadata\":");
    struct sbuf m AUTO(sbuf_free) = SBUF(1 << 14);
    json_node(&m, json_get(doc.root, "metadata"));
    sbuf_add(&b, sbuf_str(&m));
    sbuf_text(&b, "}]}");
    return arena_str(&f.arena, sbuf_str(&b));
}

static void every_delivery_of_a_digest_is_found_again(void **state)
{
    struct sbuf kept AUTO(sbuf_free) = SBUF(1 << 16);

    (void)state;
    many(WITH_TOKEN, DIGEST_MAX);
    fixture_build(&f);
    sbuf_add(&kept, history_of(f.request.body));
    fixture_end(&f);

    many(WITH_TOKEN, DIGEST_MAX);
    f.job.look = true;
    fixture_last(&f, "GET", "/api/conversations.history", 200, kept.at);
    all_are(VERDICT_DELIVERED, "C0123456789:1767225600.000247");
    fixture_end(&f);

    many(WITH_TOKEN "thread = yes\n", DIGEST_MAX); /* each by itself, in another job */
    for (size_t i = 0; i < DIGEST_MAX; i += 83) {
        struct parcel one = f.job.parcels[i];

        fixture_job(&f, 1);
        f.parcels[0] = one;
        f.job.look = true;
        fixture_last(&f, "GET", "/api/conversations.history", 200, kept.at);
        fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
        assert_null(f.outcomes[0].remote_lead.at); /* a digest begins no thread */
        fixture_end(&f);
        many(WITH_TOKEN "thread = yes\n", DIGEST_MAX);
    }
}

static void what_is_not_found_is_told_in_a_smaller_digest(void **state)
{
    struct sbuf kept AUTO(sbuf_free) = SBUF(1 << 16);

    (void)state;
    many(WITH_TOKEN, 5);
    fixture_build(&f);
    sbuf_add(&kept, history_of(f.request.body));
    fixture_end(&f);

    many(WITH_TOKEN, 9);
    f.job.look = true;
    fixture_step(&f, "GET", "/api/conversations.history", 200, kept.at);
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, "{\"ok\":true,\"ts\":\"9.9\"}");
    assert_true(says("4 leads at once"));
    for (size_t i = 0; i < 9; i++)
        assert_true(str_is(f.job.outcomes[i].remote_id,
                           i < 5 ? "C0123456789:1767225600.000247" : "C0123456789:9.9"));
}

static void a_digest_of_another_database_is_not_ours(void **state)
{
    static const char *const others[] = {
        "{\"ok\":true,\"messages\":[{\"ts\":\"1.2\",\"metadata\":{\"event_type\":"
        "\"funneld_digest\",\"event_payload\":{\"database\":\"00000000\",\"deliveries\":\"rs\"}}}]"
        "}",
        "{\"ok\":true,\"messages\":[{\"ts\":\"1.2\",\"metadata\":{\"event_type\":"
        "\"funneld_digest\",\"event_payload\":{\"deliveries\":\"rs\"}}}]}",
        "{\"ok\":true,\"messages\":[{\"ts\":\"1.2\",\"metadata\":{\"event_type\":"
        "\"funneld_lead\",\"event_payload\":{\"database\":\"0a1b2c3d\",\"deliveries\":\"rs\"}}}]}",
        "{\"ok\":true,\"messages\":[{\"ts\":\"1.2\",\"metadata\":{\"event_type\":"
        "\"other\",\"event_payload\":{\"database\":\"0a1b2c3d\",\"deliveries\":\"rs\"}}}]}",
        "{\"ok\":true,\"messages\":[{\"ts\":\"1.2\",\"metadata\":{\"event_type\":"
        "\"funneld_digest\",\"event_payload\":{\"database\":\"0a1b2c3d\",\"deliveries\":7}}}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        many(WITH_TOKEN, 1);
        f.job.look = true;
        fixture_step(&f, "GET", "/api/conversations.history", 200, others[i]);
        fixture_end(&f);
    }
}

static void answered_messages_are_in_no_digest(void **state)
{
    struct parcel *p;

    (void)state;
    many(WITH_TOKEN, 3);
    p = (struct parcel *)(uintptr_t)f.job.parcels;
    p[1].d.remote_id = STR("C1:1.1");
    assert_true(f.type->together(f.settings, &p[0], &p[2]));
    assert_false(f.type->together(f.settings, &p[0], &p[1]));
    assert_false(f.type->together(f.settings, &p[1], &p[2]));
}

/* The others were found in the history. */
static void what_is_left_alone_of_a_digest_gets_a_message_of_its_own(void **state)
{
    (void)state;
    many(WITH_TOKEN "thread = yes\n", 2);
    f.job.look = true;
    fixture_step(&f, "GET", "/api/conversations.history", 200,
                 "{\"ok\":true,\"messages\":[{\"ts\":\"1.1\",\"metadata\":{\"event_type\":"
                 "\"funneld_lead\",\"event_payload\":{\"delivery\":\"0a1b2c3d-1000\"}}}]}");
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
    assert_true(says("Lead 1 is hot") && says("\"delivery\":\"0a1b2c3d-1037\""));
    assert_false(says("at once"));
    assert_true(str_is(f.job.outcomes[1].remote_lead, "C0123456789:1767225600.000247:hot-lead"));
}

static void quotas_are_those_of_the_method_and_the_token(void **state)
{
    struct quota start[QUOTAS_MAX], update[QUOTAS_MAX], other[QUOTAS_MAX];
    struct job nothing = {0};

    (void)state;
    many(WITH_TOKEN, 1);
    nothing.settings = f.settings;
    assert_int_equal(f.type->quotas(&nothing, start), 1); /* before there is a parcel */
    fixture_build(&f);
    assert_int_equal(f.type->quotas(&f.job, other), 1);
    assert_true(start[0].key == other[0].key);
    fixture_end(&f);

    many(WITH_TOKEN, 1);
    ((struct parcel *)(uintptr_t)f.job.parcels)[0].d.remote_id = STR("C1:1.1");
    fixture_build(&f);
    assert_int_equal(f.type->quotas(&f.job, update), 1);
    assert_true(update[0].key != start[0].key && update[0].per_second < 1);
    fixture_end(&f);

    many("type = slack\ntoken = xoxb-other\nchannel = C0123456789\n", 1);
    assert_int_equal(f.type->quotas(&f.job, other), 1);
    assert_true(other[0].key != start[0].key);
    fixture_end(&f);

    many("type = slack\nwebhook = https://hooks.slack.com/services/x\n", 1);
    assert_int_equal(f.type->quotas(&f.job, other), 0);
}

static void the_option_says_how_many_in_what_time(void **state)
{
    static const struct {
        const char *text;
        int64_t count, window;
    } cases[] = {
        {"20/1m", 20, MINUTES_MS},
        {"1/1s", 1, SECONDS_MS},
        {"10000/24h", 10000, DAYS_MS},
        {"5/90s", 5, 90000},
        {"20", 0, 0},
        {"/1m", 0, 0},
        {"20/", 0, 0},
        {"20/m", 0, 0},
        {"20/1", 0, 0},
        {"20/1d", 0, 0},
        {"0/1m", 0, 0},
        {"-1/1m", 0, 0},
        {"10001/1m", 0, 0},
        {"20/0s", 0, 0},
        {"20/25h", 0, 0},
        {"20/-1m", 0, 0},
        {"20/1m/2", 0, 0},
        {"x/1m", 0, 0},
        {"20/9999999999999999999h", 0, 0},
        {"20 / 1m", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t count = 0, window = 0;
        const char *said;

        memset(&f, 0, sizeof f);
        struct str section = arena_printf(
            &f.arena, "type = slack\ntoken = x\nchannel = C1\ndigest = %s\n", cases[i].text);
        said = fixture_load(&f, section.at);
        if ((*said == '\0') != (cases[i].count > 0))
            fail_msg("%s: \"%s\"", cases[i].text, said);
        assert_true(!*said || strstr(said, "how many leads in what time"));
        assert_int_equal(f.type->digest(f.settings, &count, &window), cases[i].count > 0);
        assert_int_equal(count, cases[i].count);
        assert_int_equal(window, cases[i].window);
        fixture_end(&f);
    }
    fixture_start(&f, "type = slack\ntoken = x\nchannel = C1\n");
    assert_false(f.type->digest(f.settings, &(int64_t){0}, &(int64_t){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(the_best_stand_first_and_the_rest_is_counted),
        T(a_digest_of_two_says_all_of_both),
        T(a_lead_that_is_told_of_twice_stands_there_once_with_the_newest),
        T(a_hostile_digest_keeps_below_slacks_limits),
        T(refused_blocks_are_sent_as_a_list),
        T(a_verdict_is_that_of_all),
        T(every_delivery_of_a_digest_is_found_again),
        T(what_is_not_found_is_told_in_a_smaller_digest),
        T(a_digest_of_another_database_is_not_ours),
        T(answered_messages_are_in_no_digest),
        T(what_is_left_alone_of_a_digest_gets_a_message_of_its_own),
        T(quotas_are_those_of_the_method_and_the_token),
        T(the_option_says_how_many_in_what_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
