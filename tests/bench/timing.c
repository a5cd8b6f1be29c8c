/* timing.c - does the time that a comparison of signatures takes tell where they differ?
 *
 * In the manner of dudect: two kinds of wrong signatures, one differing in the first byte and one
 * in the last, in random order; Welch's t over more than a million measurements, also without the
 * slowest of them, which interrupts make. The same is done with memcmp in the place of the
 * comparison, and that must be caught, or the measuring is worth nothing. Exit status 1 where it
 * is not as it should be.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "funneld/base/crypto.h"
#include "funneld/ingest/hubspot_signature.h"

/* A thousand prepared at a time: a byte that was just written would cost time by its place. */
enum { PREPARED = 1024, ROUNDS = 1200, ROUNDS_MOST = 8 * ROUNDS, WARM_UP = 20 };
enum { SIGNATURE = SHA256_BASE64 - 1, STEPS = 16, CLASSES = 2, CROPS = 5 };

#define BOUND      10.0 /* |t| below: no difference seen; above: it leaks */
#define MUST_CATCH 10.0

struct prepared {
    char text[SIGNATURE];
    uint8_t kind; /* 0: differs in the first byte; 1: in the last */
};

struct bench {
    char right[SIGNATURE];
    struct prepared given[PREPARED];
    uint64_t took[PREPARED];
    struct arena arena;
};

static uint64_t ticks(void)
{
#if defined(__x86_64__)
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
#else
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
#endif
}

/* What is measured; each answers whether they were the same, which they never are. */

static bool equal_by_crypto(struct bench *b, struct str given)
{
    return crypto_equal((struct str){b->right, SIGNATURE}, given);
}

static int (*volatile plain)(const void *, const void *, size_t) = memcmp; /* not built in */

static bool equal_by_memcmp(struct bench *b, struct str given)
{
    return plain(b->right, given.at, given.len) == 0;
}

static const struct hubspot_request request = {
    .method = STR("POST"),
    .uri = STR("https://hooks.example.com/webhooks/hubspot"),
    .body = STR("[{\"eventId\":1,\"objectId\":1}]"),
    .timestamp = STR("1700000000000"),
};
#define SECRET STR("timing-client-secret")
#define NOW_MS INT64_C(1700000000000)

static bool verified(struct bench *b, struct str given)
{
    return hubspot_signature_valid(HUBSPOT_V3, &request, SECRET, given, NOW_MS, &b->arena);
}

static bool verified_by_memcmp(struct bench *b, struct str given)
{
    struct str right = hubspot_signature(HUBSPOT_V3, &request, SECRET, &b->arena);
    return plain(right.at, given.at, given.len) == 0;
}

struct subject {
    const char *name;
    bool (*equal)(struct bench *b, struct str given);
    int steps; /* in one measurement, where one is too short to be seen */
    bool leaks;
};

static const struct subject subjects[] = {
    {"memcmp, which leaks", equal_by_memcmp, STEPS, true},
    {"crypto_equal", equal_by_crypto, STEPS, false},
    {"verification with memcmp, which leaks", verified_by_memcmp, 1, true},
    {"hubspot's verification", verified, 1, false},
};

static void prepare(struct bench *b)
{
    uint8_t bits[PREPARED];

    random_bytes(bits, sizeof(bits));
    for (size_t i = 0; i < PREPARED; i++) {
        struct prepared *p = &b->given[i];
        p->kind = bits[i] & 1;
        memcpy(p->text, b->right, SIGNATURE);
        p->text[p->kind ? SIGNATURE - 1 : 0] ^= 1;
    }
}

static void measure(struct bench *b, const struct subject *s)
{
    for (size_t i = 0; i < PREPARED; i++) {
        struct str given = {b->given[i].text, SIGNATURE};
        bool same = false;
        uint64_t began = ticks();
        for (int n = 0; n < s->steps; n++)
            same |= s->equal(b, given);
        b->took[i] = ticks() - began;
        arena_free(&b->arena);
        if (same)
            abort(); /* what differs was said to be the same */
    }
}

struct moments { /* Welford's */
    double n, mean, m2;
};

static void add(struct moments *m, double x)
{
    double off = x - m->mean;

    m->n++;
    m->mean += off / m->n;
    m->m2 += off * (x - m->mean);
}

static double welch(const struct moments *a, const struct moments *b)
{
    double error = a->m2 / (a->n - 1) / a->n + b->m2 / (b->n - 1) / b->n;
    return error > 0 ? (a->mean - b->mean) / sqrt(error) : 0;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* From a first round, over both kinds: what is slower does not count. */
static void find_crops(struct bench *b, const struct subject *s, uint64_t ret[CROPS])
{
    static const double part[CROPS] = {0.5, 0.75, 0.9, 0.98, 1};

    prepare(b);
    measure(b, s);
    qsort(b->took, PREPARED, sizeof(b->took[0]), by_value);
    for (size_t c = 0; c < CROPS; c++)
        ret[c] = b->took[(size_t)((PREPARED - 1) * part[c])];
    ret[CROPS - 1] = UINT64_MAX;
}

/* The t that is furthest from 0, of all crops. */
static double worst_t(struct bench *b, const struct subject *s, int rounds)
{
    struct moments seen[CROPS][CLASSES] = {0};
    uint64_t crops[CROPS];
    double worst = 0;

    for (int i = 0; i < WARM_UP; i++)
        find_crops(b, s, crops);
    for (int round = 0; round < rounds; round++) {
        prepare(b);
        measure(b, s);
        for (size_t i = 0; i < PREPARED; i++)
            for (size_t c = 0; c < CROPS; c++)
                if (b->took[i] <= crops[c])
                    add(&seen[c][b->given[i].kind], (double)b->took[i]);
    }
    for (size_t c = 0; c < CROPS; c++) {
        double t = welch(&seen[c][0], &seen[c][1]);
        worst = fabs(t) > fabs(worst) ? t : worst;
    }
    return worst;
}

/* What leaks must be caught: beside other work it takes more rounds. */
static bool is_as_it_should(struct bench *b, const struct subject *s)
{
    int rounds = ROUNDS;
    double t = worst_t(b, s, rounds);

    while (s->leaks && fabs(t) <= MUST_CATCH && rounds < ROUNDS_MOST)
        t = worst_t(b, s, rounds *= 2);
    bool ok = s->leaks ? fabs(t) > MUST_CATCH : fabs(t) < BOUND;
    (void)printf("%-4s %s: |t| = %.1f over %d measurements\n", ok ? "ok" : "FAIL", s->name, fabs(t),
                 rounds * PREPARED);
    return ok;
}

int main(void)
{
    static struct bench b;
    int failed = 0;

    struct str right = hubspot_signature(HUBSPOT_V3, &request, SECRET, &b.arena);
    memcpy(b.right, right.at, SIGNATURE);
    arena_free(&b.arena);
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
        failed += !is_as_it_should(&b, &subjects[i]);
    (void)printf("%d passed, %d failed\n", (int)ARRAY_LEN(subjects) - failed, failed);
    return failed ? 1 : 0;
}
