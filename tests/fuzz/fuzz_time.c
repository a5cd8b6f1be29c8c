/* tests/fuzz/fuzz_time.c - dates and numbers: what is read and written again reads the same. */
#include "fuzz.h"

#include <math.h>

#include "funneld/base/clock.h"

#define FIRST INT64_C(-62167219200000) /* 0000-01-01 */
#define LAST  INT64_C(253402300799999) /* 9999-12-31 */

static void check_time(int64_t ms)
{
    char text[TIME_TEXT], next[TIME_TEXT];
    int64_t again;

    time_text(ms, text);
    assert_int_equal(strlen(text), TIME_TEXT - 1);
    assert_true(time_parse(str_of(text), &again));
    assert_int_equal(again, ms < FIRST ? FIRST : ms > LAST ? LAST : ms);
    if (ms >= FIRST && ms < LAST) { /* the order of texts is the order of times */
        time_text(ms + 1, next);
        assert_true(strcmp(text, next) < 0);
    }
}

static void check_number(struct str text)
{
    char digits[INT64_TEXT];
    int64_t whole, again;
    double decimal;

    bool is_decimal = str_decimal(text, &decimal);
    if (str_int64(text, &whole)) {
        assert_true(str_int64(str_of_int64(whole, digits), &again));
        assert_int_equal(whole, again);
        assert_true(is_decimal);
        assert_true(fabs(decimal - (double)whole) <= fabs((double)whole) * 1e-15);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);
    int64_t ms = 0;

    if (time_parse(text, &ms)) {
        check_time(ms);
        assert_true(memchr(data, '\0', size) == NULL);
    }
    check_number(text);
    if (size >= sizeof ms) {
        memcpy(&ms, data, sizeof ms);
        check_time(ms);
    }
    return 0;
}
