/* tests/sim/life.c - a daemon's life: what happens to it, step by step, and the peace at the end.
 */
#include <stdlib.h>

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

#define BEGIN_MS INT64_C(1769081994066)

enum { STEPS_MIN = 60, STEPS_MAX = 240, PEACE_HOURS = 24 * 20 };

static uint64_t chance;
static int variant, n_hooks;

static int below(int n)
{
    return (int)random_below(&chance, (uint64_t)n);
}

static enum disk_end some_end(void)
{
    return below(2) ? DISK_KILL : DISK_POWER_CUT;
}

/* Steps */

static void say(void)
{
    const struct request_plan plan = sender_plan(&chance, daemon_now());

    (void)daemon_request(&plan); /* whoever is refused tries again one day */
}

static void say_again(void)
{
    const struct request_plan plan = sender_repeat(&chance, daemon_now());

    (void)daemon_request(&plan);
}

static void write_once(void)
{
    if (daemon_runs())
        (void)daemon_write();
}

static void deliver_once(void)
{
    if (daemon_runs())
        daemon_deliver();
}

static void pass_briefly(void)
{
    daemon_pass(1 + below(below(3) ? 2000 : 30000));
}

/* Mostly with room on the disk: without, the daemon asks for it every second, and a day has many.
 */
static void pass_minutes(void)
{
    if (below(8))
        disk_fill(-1);
    daemon_pass((1 + below(20)) * MINUTES_MS);
}

static void pass_long(void)
{
    disk_fill(-1);
    daemon_pass(below(4) ? (1 + below(12)) * HOURS_MS : (1 + below(3)) * DAYS_MS);
}

static void change_mood(void)
{
    static const char *const names[] = {"well", "flaky", "down", "refusing"};
    int service = below(SERVICES), mood = below(8) ? below(NET_REFUSES) : NET_REFUSES;

    net_set_mood((enum service)service, (enum net_mood)mood);
    story("%lld service %d is %s", (long long)daemon_now(), service, names[mood]);
}

static void end_soon(void)
{
    enum disk_end how = some_end();
    int changes = 1 + below(60);

    story("%lld %s in %d changes", (long long)daemon_now(), how == DISK_KILL ? "kill" : "power cut",
          changes);
    disk_end_at(changes, how);
}

static void end_now(void)
{
    enum disk_end how = some_end();

    story("%lld %s", (long long)daemon_now(), how == DISK_KILL ? "kill" : "power cut");
    disk_end_at(0, how);
}

static int some_variant(void)
{
    return below(2) ? variant : below(VARIANTS);
}

static void stop_and_start(void)
{
    if (!daemon_runs())
        return;
    daemon_stop();
    variant = some_variant();
    if (!disk_ended())
        (void)daemon_start(variant);
}

static void reload(void)
{
    if (!daemon_runs())
        return;
    while (daemon_write())
        ;
    int next = some_variant();
    if (!disk_ended() && !daemon_waits() && daemon_reload(next))
        variant = next;
}

static void retry(void)
{
    if (daemon_runs())
        daemon_retry();
}

static void pause(void)
{
    enum service s = (enum service)below(SERVICES);

    if (daemon_runs())
        daemon_hold(s, !net_is_paused(s));
}

static void subscribe(void)
{
    if (daemon_runs() && n_hooks < HOOKS)
        daemon_subscribe(n_hooks++);
}

static void switch_off(void)
{
    int hook = n_hooks ? below(n_hooks) : 0;

    if (!n_hooks)
        return;
    story("%lld hook %d is switched off", (long long)daemon_now(), hook);
    zap_switch_off(hook);
}

static void fill(void)
{
    int room = below(3) ? below(200000) : 0;

    story("%lld the disk has room for %d bytes", (long long)daemon_now(), room);
    disk_fill(room);
}

static void make_room(void)
{
    disk_fill(-1);
}

static void fail(void)
{
    int calls = 1 + below(300), times = below(4) ? 1 : 1 + below(5);

    story("%lld the %dth call to the disk fails, %d times", (long long)daemon_now(), calls, times);
    disk_fail_at(calls, times);
}

static void set_clock(void)
{
    daemon_jump((below(2) ? 1 : -1) * (1 + below(below(3) ? 90000 : (int)(11 * HOURS_MS))));
}

static const struct {
    void (*act)(void);
    int weight;
} steps[] = {
    {say, 30},          {say_again, 5},      {write_once, 12},
    {deliver_once, 10}, {pass_briefly, 22},  {pass_minutes, 6},
    {pass_long, 2},     {change_mood, 5},    {end_soon, 2},
    {end_now, 2},       {stop_and_start, 2}, {reload, 2},
    {retry, 1},         {fill, 1},           {make_room, 3},
    {pause, 2},         {subscribe, 2},      {switch_off, 1},
    {fail, 1},          {set_clock, 1},      {daemon_right_clock, 3},
};

static void act(void)
{
    int sum = 0;
    size_t i = 0;

    for (size_t k = 0; k < ARRAY_LEN(steps); k++)
        sum += steps[k].weight;
    for (int at = below(sum); at >= steps[i].weight; i++)
        at -= steps[i].weight;
    steps[i].act();
}

/* What becomes of it after a step: a dead process is taken away, one with a broken disk restarts.
 */
static void look_after(void)
{
    if (daemon_runs() && daemon_is_broken() && !disk_ended()) {
        if (below(2))
            daemon_stop();
        else
            disk_end_at(0, DISK_KILL);
    }
    if (disk_ended())
        daemon_bury();
    if (!daemon_runs() && below(3)) {
        (void)daemon_start(variant);
        if (disk_ended())
            daemon_bury();
    }
}

/* Peace: nothing fails any more, and all that can be done is done. */

static void start_in_peace(void)
{
    if (disk_ended())
        daemon_bury();
    disk_fill(-1);
    disk_fail_at(0, 0);
    disk_end_at(-1, DISK_KILL);
    variant = 0;
    if (!daemon_start(0))
        broken("it does not start, and nothing is wrong");
}

static void make_peace(void)
{
    for (int s = 0; s < SERVICES; s++)
        net_set_mood((enum service)s, NET_PERFECT);
    daemon_right_clock();
    story("%lld peace", (long long)daemon_now());
    if (daemon_runs())
        disk_end_at(0, some_end());
    start_in_peace();
    for (int s = 0; s < SERVICES && daemon_runs(); s++)
        daemon_hold((enum service)s, false);
    receivers_rest();
    for (int h = 0; h < PEACE_HOURS && daemon_runs() && !daemon_is_quiet(); h++)
        daemon_pass(HOURS_MS);
}

static void crm_told(void *self, int64_t contact, int64_t updated_at, const char *company,
                     const char *email)
{
    struct arena a AUTO(arena_free) = {0};
    struct fact f = {.kind = FACT_CRM, .contact = contact, .at = updated_at};

    (void)self;
    (void)!snprintf(f.company, FACT_TEXT, "%s", company);
    (void)!snprintf(f.email, FACT_TEXT, "%s", email);
    (void)fact_tell(fact_add(f), 0, &a);
}

static void begin(uint64_t seed)
{
    chance = seed;
    disk_format(random_next(&chance));
    sqlite3_randomness(0, NULL); /* begins anew, from the disk's chance */
    metrics_reset();
    net_begin(random_next(&chance));
    services_begin(below(8) != 0);
    crm_listen(crm_told, NULL);
    sender_begin();
    daemon_begin(BEGIN_MS);
    variant = below(VARIANTS);
    n_hooks = 0;
}

void run_clear(void)
{
    if (!disk_ended())
        disk_end_at(0, DISK_KILL);
    daemon_bury();
    net_end();
}

static const char *end_in_peace(void)
{
    if (!story_broken())
        make_peace();
    if (!story_broken())
        oracle_check();
    if (!story_broken()) { /* and all of that is on the disk */
        disk_end_at(0, DISK_POWER_CUT);
        start_in_peace();
    }
    if (!story_broken())
        oracle_check();
    run_clear();
    return story_broken();
}

const char *run_life(uint64_t seed)
{
    begin(seed);
    for (int n = STEPS_MIN + below(STEPS_MAX - STEPS_MIN); n > 0 && !story_broken(); n--) {
        act();
        look_after();
    }
    return end_in_peace();
}

const char *run_losses(uint64_t seed)
{
    begin(seed);
    slack_begin(true);
    for (int s = 0; s < SERVICES; s++)
        net_set_mood((enum service)s, NET_LOSES);
    (void)daemon_start(variant);
    for (int n = STEPS_MAX; n > 0 && !story_broken(); n--) {
        say();
        write_once();
        pass_minutes();
    }
    return end_in_peace();
}
