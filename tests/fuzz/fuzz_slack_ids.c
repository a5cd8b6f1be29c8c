/* tests/fuzz/fuzz_slack_ids.c - the numbers of a digest's deliveries, as metadata bring them back.
 */
#include "fuzz.h"

#include "../../src/connectors/slack_priv.h"

/* What is read is in order, and is what would be written for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 16);
    int64_t ids[DIGEST_MAX];
    size_t n = 0;

    if (!slack_ids_read(text, ids, &n))
        return 0;
    assert_true(n > 0 && n <= DIGEST_MAX && ids[0] > 0);
    for (size_t i = 1; i < n; i++)
        assert_true(ids[i] > ids[i - 1]);
    slack_ids_write(&b, ids, n);
    assert_true(b.len <= SLACK_IDS_BYTES_MAX && b.len <= text.len);
    assert_memory_equal(b.at, text.at, b.len);
    assert_true(b.len == text.len || text.len > SLACK_IDS_BYTES_MAX - 16);
    return 0;
}
