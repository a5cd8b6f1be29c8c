/* tests/sim/main.c - runs seed after seed; a failure prints its seed and how to see it again. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "away.h"
#include "disk.h"
#include "driver.h"
#include "funneld/observe/log.h"
#include "net.h"
#include "outage.h"
#include "story.h"
#include "variant.h"

enum { CUTS = 20, FAILURES_MAX = 3 };

struct options {
    uint64_t first, runs;
    uint64_t outage; /* events in the week of the outage; 0: lives are told */
    uint64_t losses; /* answers to be lost; 0: lives are told */
    uint64_t away;   /* things done in the CRM while the daemon is away; 0: lives are told */
    bool cuts, aloud;
};

static bool run(const struct options *o, uint64_t seed)
{
    story_begin(o->aloud);
    const char *why = o->cuts ? run_cuts(seed, CUTS) : run_life(seed);

    if (!why)
        return true;
    (void)!printf("\nseed %llu: %s\n", (unsigned long long)seed, why);
    story_print(stdout);
    (void)!printf("  again: make %s=1 SEED=%llu\n\n", o->cuts ? "power-cut RUNS" : "sim SEEDS",
                  (unsigned long long)seed);
    (void)fflush(stdout);
    return false;
}

static bool number(const char *text, uint64_t *ret)
{
    char *end;

    *ret = strtoull(text, &end, 10);
    return *text && !*end;
}

static bool read_options(int argc, char *argv[], struct options *ret)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--power-cut") == 0)
            ret->cuts = true;
        else if (strcmp(argv[i], "--aloud") == 0)
            ret->aloud = true;
        else if (i + 1 == argc)
            return false;
        else if (strcmp(argv[i], "--runs") == 0 && number(argv[i + 1], &ret->runs))
            i++;
        else if (strcmp(argv[i], "--outage") == 0 && number(argv[i + 1], &ret->outage))
            i++;
        else if (strcmp(argv[i], "--own-outage") == 0 && number(argv[i + 1], &ret->away))
            i++;
        else if (strcmp(argv[i], "--losses") == 0 && number(argv[i + 1], &ret->losses))
            i++;
        else if (strcmp(argv[i], "--seed") == 0 && number(argv[i + 1], &ret->first))
            i++;
        else
            return false;
    }
    return ret->runs > 0;
}

static void show(const char *name, const struct outage *x)
{
    (void)!printf(
        "%s: %lld waited at the end of the week, %lld s until none did, %lld not delivered,"
        " %lld times 429\n  others, ms from commit to delivered:",
        name, (long long)x->queued, (long long)(x->drained_ms / 1000), (long long)x->left,
        (long long)x->too_fast);
    for (int s = 0; s < OUTAGE_OTHERS; s++)
        (void)!printf("  mean %lld p99 %lld", (long long)x->mean_ms[s], (long long)x->p99_ms[s]);
    (void)!printf("\n");
}

static int tell_losses(const struct options *o)
{
    const char *why = NULL;
    uint64_t seed = o->first;

    variants_load();
    for (; !why && net_lost() < (int64_t)o->losses; seed++) {
        story_begin(o->aloud);
        why = run_losses(seed);
    }
    variants_free();
    disk_remove();
    if (why) {
        (void)!printf("seed %llu: %s\n", (unsigned long long)seed - 1, why);
        story_print(stdout);
    }
    (void)!printf("%lld answers lost in %llu lives\n%d passed, %d failed\n", (long long)net_lost(),
                  (unsigned long long)(seed - o->first), why == NULL, why != NULL);
    return why != NULL;
}

static int tell_outage(const struct options *o)
{
    struct outage dead, well;

    variants_load();
    const char *why = run_outage((int64_t)o->outage, &dead, &well);
    show("all well", &well);
    show("one dead", &dead);
    variants_free();
    disk_remove();
    (void)!printf("%s\n%d passed, %d failed\n", why ? why : "", why == NULL, why != NULL);
    return why != NULL;
}

static int tell_away(const struct options *o)
{
    const char *why = NULL;
    struct away sum = {0}, one;
    uint64_t done = 0;

    variants_load();
    for (; !why && done < o->runs; done++) {
        story_begin(o->aloud);
        why = run_away(o->first + done, (int64_t)o->away, &one);
        sum.contacts += one.contacts;
        sum.given_up += one.given_up;
        sum.recovered += one.recovered;
    }
    variants_free();
    disk_remove();
    if (why) {
        (void)!printf("seed %llu: %s\n", (unsigned long long)(o->first + done) - 1, why);
        story_print(stdout);
    }
    (void)!printf(
        "%llu outages of three days: %lld contacts, %lld webhooks given up by the CRM, %lld"
        " records found by asking\n%llu passed, %d failed\n",
        (unsigned long long)done, (long long)sum.contacts, (long long)sum.given_up,
        (long long)sum.recovered, (unsigned long long)(done - (why != NULL)), why != NULL);
    return why != NULL;
}

int main(int argc, char *argv[])
{
    struct options o = {.first = 1, .runs = 1000};
    struct timespec began, ended;
    uint64_t failed = 0, done = 0;

    if (!read_options(argc, argv, &o)) {
        (void)!fprintf(
            stderr,
            "sim [--power-cut] [--runs N] [--seed FIRST] [--aloud] [--outage N] [--losses N] "
            "[--own-outage DEEDS]\n");
        return 2;
    }
    (void)mallopt(M_MMAP_THRESHOLD, 64 << 20); /* the kernel would clear each large block anew */
    (void)mallopt(M_TRIM_THRESHOLD, 256 << 20);
    log_configure(&(struct log_settings){.level = o.aloud ? LOG_INFO : LOG_ERROR + 1});
    disk_install();
    if (o.outage)
        return tell_outage(&o);
    if (o.away)
        return tell_away(&o);
    if (o.losses)
        return tell_losses(&o);
    variants_load();
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    uint64_t runs = o.cuts ? (o.runs + CUTS - 1) / CUTS : o.runs;
    for (; done < runs && failed < FAILURES_MAX; done++)
        failed += !run(&o, o.first + done);
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    variants_free();
    disk_remove();
    double seconds =
        (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    uint64_t unit = o.cuts ? CUTS : 1;
    (void)!printf("%.1f s, %.0f runs a second\n", seconds, (double)(done * unit) / seconds);
    (void)!printf("%llu passed, %llu failed\n", (unsigned long long)((done - failed) * unit),
                  (unsigned long long)failed);
    return failed != 0;
}
