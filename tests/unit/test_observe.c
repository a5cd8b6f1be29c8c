/* tests/unit/test_observe.c - metrics text, health answers. */
#include "cm.h"
#include <string.h>

#include "funneld/observe/health.h"
#include "funneld/observe/metrics.h"

static bool has_line(const struct sbuf *b, const char *line)
{
    const char *at = strstr(b->at, line);

    return at && (at == b->at || at[-1] == '\n') && at[strlen(line)] == '\n';
}

static void a_new_series_starts_at_zero(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);

    (void)state;
    struct series *s = metric(METRIC_EVENTS_RECEIVED, STR("hub\"spot"), STR("other"));
    metrics_render(&b);
    assert_true(
        has_line(&b, "funneld_events_received_total{source=\"hub\\\"spot\",type=\"other\"} 0"));
    metric_add(s, 3);
    assert_ptr_equal(s, metric(METRIC_EVENTS_RECEIVED, STR("hub\"spot"), STR("other")));
    sbuf_reset(&b);
    metrics_render(&b);
    assert_true(
        has_line(&b, "funneld_events_received_total{source=\"hub\\\"spot\",type=\"other\"} 3"));
    metrics_reset();
}

static void a_histogram_counts_what_is_at_most_its_bound(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);

    (void)state;
    struct series *s = metric(METRIC_COMMIT_EVENTS, STR_NULL, STR_NULL);
    metric_observe(s, 1);
    metric_observe(s, 2);
    metric_observe(s, 5000);
    metrics_render(&b);
    assert_true(has_line(&b, "funneld_commit_events_bucket{le=\"1\"} 1"));
    assert_true(has_line(&b, "funneld_commit_events_bucket{le=\"2000\"} 2"));
    assert_true(has_line(&b, "funneld_commit_events_bucket{le=\"+Inf\"} 3"));
    assert_true(has_line(&b, "funneld_commit_events_sum 5003"));
    assert_true(has_line(&b, "funneld_commit_events_count 3"));
    metrics_reset();
}

static void a_gauge_is_set_and_counted_from_there(void **state)
{
    (void)state;
    struct series *s = metric(METRIC_LEADS, STR("hot"), STR_NULL);
    metric_set(s, 7);
    metric_add(s, -2);
    assert_true(metric_value(s) == 5);
    metrics_reset();
}

static void health_says_what_it_can_do(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);
    const int64_t now = 1000000;

    (void)state;
    health.writer_beat = health.deliverer_beat = now;
    health.ready = true;
    health.config_ok = true;
    assert_int_equal(health_render(HEALTH_READY, now, &b), 200);
    assert_int_equal(health_render(HEALTH_PUBLIC, now, &b), 200);

    health.store = STORE_FULL;
    sbuf_reset(&b);
    assert_int_equal(health_render(HEALTH_PUBLIC, now, &b), 503);
    assert_string_equal(b.at, "{\"status\":\"fail\"}");
    assert_int_equal(health_render(HEALTH_READY, now, &b), 503);
    assert_int_equal(health_render(HEALTH_LIVE, now, &b), 200);

    health.store = STORE_OK;
    assert_int_equal(health_render(HEALTH_LIVE, now + 10000, &b), 503);
    health.stopping = true;
    assert_int_equal(health_render(HEALTH_READY, now, &b), 503);
    assert_int_equal(health_render(HEALTH_LIVE, now, &b), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_series_starts_at_zero),
        cmocka_unit_test(a_histogram_counts_what_is_at_most_its_bound),
        cmocka_unit_test(a_gauge_is_set_and_counted_from_there),
        cmocka_unit_test(health_says_what_it_can_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
