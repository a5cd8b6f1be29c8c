/* tests/sim/test_away.c - a slice of the outages of our own. */
#include "cm.h"

#include "away.h"
#include "disk.h"
#include "funneld/observe/log.h"
#include "story.h"
#include "variant.h"

static void after_three_days_without_us_all_is_as_if_we_had_been_there(void **state)
{
    struct away one;

    (void)state;
    log_configure(&(struct log_settings){.level = LOG_ERROR + 1});
    disk_install();
    variants_load();
    for (uint64_t seed = 1; seed <= 3; seed++) {
        story_begin(false);
        const char *why = run_away(seed, 400, &one);
        if (why)
            fail_msg("seed %llu: %s", (unsigned long long)seed, why);
        assert_in_range(one.contacts, 130, 400);
        assert_in_range(one.given_up, 20, 400);    /* the CRM lost them, */
        assert_in_range(one.recovered, 130, 2000); /* and these were found instead */
    }
    variants_free();
    disk_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_three_days_without_us_all_is_as_if_we_had_been_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
