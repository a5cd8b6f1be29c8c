/* tests/unit/test_slack_ids.c - the numbers of a digest's deliveries, as its metadata carry them.
 */
#include "cm.h"

#include "../../src/connectors/slack_priv.h"
#include "random.h"

static void numbers_come_back_as_they_were(void **state)
{
    uint64_t random = 7;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct sbuf b AUTO(sbuf_free) = SBUF(1 << 14);
        int64_t ids[DIGEST_MAX], sorted[DIGEST_MAX], back[DIGEST_MAX], id = 0;
        size_t n = 1 + random_below(&random, DIGEST_MAX), m = 0;

        for (size_t i = 0; i < n; i++) {
            id += 1 + (int64_t)random_below(&random, round % 2 ? 40 : 1000000);
            sorted[i] = ids[i] = id;
        }
        for (size_t i = n; i > 1; i--) { /* in any order */
            size_t k = random_below(&random, i);
            int64_t swap = ids[i - 1];

            ids[i - 1] = ids[k];
            ids[k] = swap;
        }
        slack_ids_write(&b, ids, n);
        assert_true(b.len <= SLACK_IDS_BYTES_MAX);
        assert_true(slack_ids_read(sbuf_str(&b), back, &m));
        assert_int_equal(m, n);
        assert_memory_equal(back, sorted, n * sizeof *back);
    }
}

static void numbers_too_far_apart_are_left_out_rather_than_cut(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 14);
    int64_t ids[DIGEST_MAX], back[DIGEST_MAX];
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < DIGEST_MAX; i++)
        ids[i] = (int64_t)(i + 1) * (INT64_MAX / DIGEST_MAX);
    slack_ids_write(&b, ids, DIGEST_MAX);
    assert_true(b.len <= SLACK_IDS_BYTES_MAX);
    assert_true(slack_ids_read(sbuf_str(&b), back, &n));
    assert_in_range(n, 100, DIGEST_MAX - 1);
    assert_memory_equal(back, ids, n * sizeof *back);
}

static void what_we_did_not_write_is_no_number(void **state)
{
    static const char *const odd[] = {"",
                                      ".",
                                      "1.",
                                      ".1",
                                      "0",
                                      "01",
                                      "1.0",
                                      "A",
                                      "-1",
                                      "+1",
                                      "1 2",
                                      "1,2",
                                      "1..2",
                                      "1y2p0ij32e8e8",
                                      "zzzzzzzzzzzzzz",
                                      "1y2p0ij32e8e7.1",
                                      "\xc3\xa9"};
    int64_t ids[DIGEST_MAX];
    size_t n;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        if (slack_ids_read(str_of(odd[i]), ids, &n))
            fail_msg("%s was read", odd[i]);
    assert_false(slack_ids_read(STR_NULL, ids, &n));
    assert_false(slack_ids_read((struct str){"1\0", 2}, ids, &n));
    assert_true(slack_ids_read(STR("1y2p0ij32e8e7"), ids, &n)); /* INT64_MAX */
    assert_true(ids[0] == INT64_MAX);

    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 14);
    for (int i = 0; i < DIGEST_MAX; i++)
        sbuf_text(&b, i ? ".1" : "1");
    assert_true(slack_ids_read(sbuf_str(&b), ids, &n));
    sbuf_text(&b, ".1");
    assert_false(slack_ids_read(sbuf_str(&b), ids, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back_as_they_were),
        cmocka_unit_test(numbers_too_far_apart_are_left_out_rather_than_cut),
        cmocka_unit_test(what_we_did_not_write_is_no_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
