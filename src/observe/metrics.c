/* observe/metrics.c - series, counted with atomics, rendered as Prometheus text.
 *
 * Series hang in one list per metric, in the order they were made; they are added under a lock
 * and never removed, so that readers walk without it.
 */
#include "funneld/observe/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/mem.h"
#include "process.h"

enum series_type { COUNTER, GAUGE, HISTOGRAM };
enum { MAX_BUCKETS = 16 };

static const struct family {
    const char *name, *labels[2], *help;
    enum series_type type;
} families[METRIC_COUNT] = {
#define X(id, n, t, l1, l2, h)                                                                     \
    [METRIC_##id] = {.name = (n), .type = t, .labels = {l1, l2}, .help = (h)},
    METRIC_LIST(X)
#undef X
};

/* Upper bounds; the last bucket, +Inf, is the count. */
static const double seconds_buckets[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                         0.25,   0.5,   1,      2.5,   5,    10,    60,   600};
static const double size_buckets[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000};

struct series {
    enum metric metric;
    char *labels[2];
    _Atomic(struct series *) next;
    _Atomic int64_t count;
    _Atomic double value; /* gauge, or a histogram's sum */
    _Atomic int64_t buckets[MAX_BUCKETS];
};

static _Atomic(struct series *) heads[METRIC_COUNT];
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

static const double *bounds(enum metric m, size_t *ret_n)
{
    bool sizes = m == METRIC_COMMIT_EVENTS;

    *ret_n = sizes ? sizeof size_buckets / sizeof *size_buckets
                   : sizeof seconds_buckets / sizeof *seconds_buckets;
    return sizes ? size_buckets : seconds_buckets;
}

static bool label_is(const char *have, struct str want)
{
    return have ? str_is(want, have) : !want.at;
}

static struct series *find(enum metric m, struct str label1, struct str label2)
{
    for (struct series *s = atomic_load(&heads[m]); s; s = atomic_load(&s->next))
        if (label_is(s->labels[0], label1) && label_is(s->labels[1], label2))
            return s;
    return NULL;
}

static struct series *add(enum metric m, struct str label1, struct str label2)
{
    struct series *s = mem_alloc(sizeof *s);
    _Atomic(struct series *) *last = &heads[m];

    s->metric = m;
    s->labels[0] = label1.at ? mem_text(label1) : NULL;
    s->labels[1] = label2.at ? mem_text(label2) : NULL;
    while (atomic_load(last))
        last = &atomic_load(last)->next;
    atomic_store(last, s);
    return s;
}

struct series *metric(enum metric m, struct str label1, struct str label2)
{
    assert(!label1.at == !families[m].labels[0] && !label2.at == !families[m].labels[1]);
    struct series *s = find(m, label1, label2);

    if (s)
        return s;
    pthread_mutex_lock(&adding);
    s = find(m, label1, label2);
    if (!s)
        s = add(m, label1, label2);
    pthread_mutex_unlock(&adding);
    return s;
}

void metric_add(struct series *s, int64_t n)
{
    atomic_fetch_add_explicit(&s->count, n, memory_order_relaxed);
}

void metric_set(struct series *s, double value)
{
    atomic_store_explicit(&s->value, value, memory_order_relaxed);
    atomic_store_explicit(&s->count, 0, memory_order_relaxed);
}

void metric_observe(struct series *s, double value)
{
    size_t n, i = 0;
    const double *bound = bounds(s->metric, &n);
    double sum = atomic_load_explicit(&s->value, memory_order_relaxed);

    while (i < n && value > bound[i])
        i++;
    if (i < n)
        atomic_fetch_add_explicit(&s->buckets[i], 1, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&s->value, &sum, sum + value,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
    atomic_fetch_add_explicit(&s->count, 1, memory_order_relaxed);
}

double metric_value(const struct series *s)
{
    double count = (double)atomic_load(&s->count);

    /* A gauge may be set and then counted up and down. */
    return families[s->metric].type == GAUGE ? atomic_load(&s->value) + count : count;
}

static void write_label(struct sbuf *b, const char *name, const char *value, char *separator)
{
    if (!name)
        return;
    sbuf_printf(b, "%c%s=\"", *separator, name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            sbuf_char(b, '\\');
        if (*value == '\n')
            sbuf_text(b, "\\n");
        else
            sbuf_char(b, *value);
    }
    sbuf_char(b, '"');
    *separator = ',';
}

/* name_suffix{labels,le="..."} */
static void write_name(struct sbuf *b, const struct series *s, const char *suffix, const char *le)
{
    const struct family *f = &families[s->metric];
    char separator = '{';

    sbuf_printf(b, "%s%s", f->name, suffix);
    for (int i = 0; i < 2; i++)
        write_label(b, f->labels[i], s->labels[i], &separator);
    write_label(b, le ? "le" : NULL, le, &separator);
    if (separator == ',')
        sbuf_char(b, '}');
    sbuf_char(b, ' ');
}

static void write_histogram(struct sbuf *b, const struct series *s)
{
    size_t n;
    const double *bound = bounds(s->metric, &n);
    /* The count is read first: buckets read later can only be ahead of it, so clamp them. */
    int64_t count = atomic_load(&s->count), below = 0;

    for (size_t i = 0; i < n; i++) {
        struct sbuf le AUTO(sbuf_free) = SBUF(32);

        sbuf_printf(&le, "%g", bound[i]);
        below += atomic_load(&s->buckets[i]);
        write_name(b, s, "_bucket", le.at);
        sbuf_printf(b, "%lld\n", (long long)(below < count ? below : count));
    }
    write_name(b, s, "_bucket", "+Inf");
    sbuf_printf(b, "%lld\n", (long long)count);
    write_name(b, s, "_sum", NULL);
    sbuf_printf(b, "%.9g\n", atomic_load(&s->value));
    write_name(b, s, "_count", NULL);
    sbuf_printf(b, "%lld\n", (long long)count);
}

/* No gauge of ours sinks to minus infinity, or is no number. */
static void write_value(struct sbuf *b, double value)
{
    if (isinf(value))
        sbuf_text(b, "+Inf\n");
    else
        sbuf_printf(b, "%.17g\n", value);
}

static void write_family(struct sbuf *b, enum metric m)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const struct family *f = &families[m];
    const struct series *s = atomic_load(&heads[m]);

    if (!s)
        return;
    sbuf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, types[f->type]);
    for (; s; s = atomic_load(&s->next)) {
        if (f->type == HISTOGRAM) {
            write_histogram(b, s);
            continue;
        }
        write_name(b, s, "", NULL);
        write_value(b, metric_value(s));
    }
}

void metrics_render(struct sbuf *b)
{
    for (int m = 0; m < METRIC_COUNT; m++)
        write_family(b, (enum metric)m);
    process_metrics_render(b);
}

void metrics_reset(void)
{
    for (int m = 0; m < METRIC_COUNT; m++) {
        struct series *s = atomic_exchange(&heads[m], NULL);

        while (s) {
            struct series *next = atomic_load(&s->next);

            free(s->labels[0]);
            free(s->labels[1]);
            free(s);
            s = next;
        }
    }
}
