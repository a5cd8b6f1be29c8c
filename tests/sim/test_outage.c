/* tests/sim/test_outage.c - a slice of the week in which one service is dead. */
#include "cm.h"

#include "disk.h"
#include "funneld/observe/log.h"
#include "outage.h"
#include "variant.h"

static void one_dead_service_delays_only_itself_and_drains_at_its_limit(void **state)
{
    struct outage dead, well;

    (void)state;
    log_configure(&(struct log_settings){.level = LOG_ERROR + 1});
    disk_install();
    variants_load();
    const char *why = run_outage(2000, &dead, &well);
    variants_free();
    disk_remove();
    if (why)
        fail_msg("%s", why);
    assert_in_range(dead.queued, 2000, 2010);
    assert_in_range(dead.drained_ms / 1000, 1900,
                    3000); /* a message a second, and the last probe */
    assert_in_range(well.drained_ms / 1000, 0, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_dead_service_delays_only_itself_and_drains_at_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
