/* tests/sim/cuts.c - writes alone, until the power goes at any of them; then what was promised must
 * be there, whole. */
#include "disk.h"
#include "driver.h"
#include "funneld/base/clock.h"
#include "funneld/observe/metrics.h"
#include "net.h"
#include "oracle.h"
#include "random.h"
#include "sender.h"
#include "story.h"

#include <sqlite3.h>

enum { REQUESTS = 12 };

static uint64_t chance;

static int below(int n)
{
    return (int)random_below(&chance, (uint64_t)n);
}

/* The changes of a run are drawn first: the cut may come during the start as well. */
static void live_until_the_cut(void)
{
    int changes = 1 + below(below(4) ? 200 : 30);

    story("power cut in %d changes", changes);
    disk_end_at(changes, DISK_POWER_CUT);
    if (!daemon_runs() && !daemon_start(below(VARIANTS)))
        return;
    for (int i = 0; i < REQUESTS && !disk_ended(); i++) {
        const struct request_plan plan =
            below(5) ? sender_plan(&chance, daemon_now()) : sender_repeat(&chance, daemon_now());

        (void)daemon_request(&plan);
        if (below(3))
            (void)daemon_write();
        daemon_wait(below(5000));
    }
    if (!disk_ended())
        disk_end_at(0, DISK_POWER_CUT);
}

const char *run_cuts(uint64_t seed, int cuts)
{
    chance = seed;
    disk_format(random_next(&chance));
    sqlite3_randomness(0, NULL); /* begins anew, from the disk's chance */
    metrics_reset();
    net_begin(random_next(&chance));
    services_begin(true);
    sender_begin();
    daemon_begin(INT64_C(1769081994066));
    for (int i = 0; i < cuts && !story_broken(); i++) {
        live_until_the_cut();
        daemon_bury();
        disk_end_at(-1, DISK_POWER_CUT);
        if (!daemon_start(below(VARIANTS)))
            broken("it does not start after a power cut");
        else
            oracle_check_leads();
    }
    run_clear();
    return story_broken();
}
