/* lead/activity.c - how often a lead did what: counted by kind and day, written as a few bytes.
 *
 * Of each kind, sorted by its hash, the days on which anything happened and how often, the newest
 * first. What is more than 90 days older than the newest of all is forgotten, whenever it comes:
 * the newest only grows, so any order of the same events ends in the same.
 *
 * Bytes: version, number of kinds, time of the newest event; of each kind its hash (4 bytes), how
 * long before that its last event was, number of days, and of each day how many days it lies before
 * the one in front of it, and its count. Numbers are varints, seven bits a byte, the lowest first.
 */
#include "funneld/lead/activity.h"

#include <math.h>
#include <string.h>

enum {
    VERSION = 1,
    COUNT_MAX = 65535, /* of one day; more are as many */
    VARINT_MAX = 10,
    DAYS_ROOM = ACTIVITY_DAYS * 5, /* of one kind, written: a gap takes 1 or 2 bytes, a count 3 */
    KIND_ROOM = 4 + VARINT_MAX + 2 + DAYS_ROOM,
    BIRTH_MS = 60 * 1000, /* in which a record gets what it is created with */
};
#define DAY_MS INT64_C(86400000)
/* Events are of our time; what is not has none that could be counted with. */
#define TIME_MAX INT64_C(253402300800000)

struct day {
    int64_t day; /* since 1970 */
    uint32_t count;
};

struct kind {
    uint32_t hash;
    int64_t last;     /* Unix ms; its day is the first of days */
    struct day *days; /* newest first */
    size_t n_days, cap;
};

struct activity {
    struct kind kinds[ACTIVITY_KINDS + 1]; /* sorted by hash; one more until the oldest went */
    size_t n;
    int64_t newest;
};

static int64_t day_of(int64_t at)
{
    return at / DAY_MS;
}

static bool is_time(int64_t at)
{
    return at >= 0 && at < TIME_MAX;
}

uint32_t activity_hash(struct str kind)
{
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < kind.len; i++)
        hash = (hash ^ (unsigned char)kind.at[i]) * UINT32_C(16777619);
    return hash ? hash : 1;
}

/* Of its record in the CRM. */
static bool is_fate(enum event_effect effect)
{
    return effect == EFFECT_DELETE || effect == EFFECT_RESTORE || effect == EFFECT_ERASE ||
           effect == EFFECT_MERGE;
}

/* That there is a record and, of an imported one, a state or what it was created with: of a lead
 * that is not imported we read that from the CRM, and it does not look like anything done. */
static bool is_given(const struct event *e)
{
    if (str_is(e->type, "contact.creation") || str_is(e->property, "createdate"))
        return true;
    return e->imported && (!e->property.at || e->occurred_at - e->first_at < BIRTH_MS);
}

bool activity_kind(const struct event *e, struct str *ret)
{
    static const struct str ours[] = {{".enriched", 9}, {".recovered", 10}, {".linked", 7}};

    if (e->state != EVENT_PROCESSED || !e->type.len || e->object || is_fate(e->effect) ||
        is_given(e))
        return false;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (str_ends(e->type, ours[i]))
            return false;
    *ret = e->property.len ? e->property : e->type;
    return true;
}

/* Where the kind is, or where it belongs. */
static size_t position(const struct activity *t, uint32_t hash)
{
    size_t i = 0;

    while (i < t->n && t->kinds[i].hash < hash)
        i++;
    return i;
}

static const struct kind *find(const struct activity *t, uint32_t hash)
{
    size_t i = position(t, hash);

    return i < t->n && t->kinds[i].hash == hash ? &t->kinds[i] : NULL;
}

static void drop(struct activity *t, size_t i)
{
    memmove(&t->kinds[i], &t->kinds[i + 1], (t->n - i - 1) * sizeof t->kinds[0]);
    t->n--;
}

static struct kind *insert(struct activity *t, uint32_t hash)
{
    size_t i = position(t, hash);

    if (i < t->n && t->kinds[i].hash == hash)
        return &t->kinds[i];
    memmove(&t->kinds[i + 1], &t->kinds[i], (t->n - i) * sizeof t->kinds[0]);
    t->n++;
    t->kinds[i] = (struct kind){.hash = hash, .last = -1};
    return &t->kinds[i];
}

static void count_day(struct kind *k, int64_t day, uint32_t count, struct arena *a)
{
    size_t i = 0;

    while (i < k->n_days && k->days[i].day > day)
        i++;
    if (i == k->n_days || k->days[i].day != day) {
        k->days = arena_more(a, k->days, k->n_days, &k->cap, sizeof *k->days);
        memmove(&k->days[i + 1], &k->days[i], (k->n_days - i) * sizeof *k->days);
        k->days[i] = (struct day){.day = day};
        k->n_days++;
    }
    k->days[i].count =
        k->days[i].count < COUNT_MAX - count ? k->days[i].count + count : (uint32_t)COUNT_MAX;
}

/* The last day that is not kept any more. */
static int64_t forgotten(const struct activity *t)
{
    return day_of(t->newest) - ACTIVITY_DAYS;
}

static void forget(struct activity *t)
{
    int64_t until = forgotten(t);

    for (size_t i = t->n; i--;) {
        struct kind *k = &t->kinds[i];

        while (k->n_days && k->days[k->n_days - 1].day <= until)
            k->n_days--;
        if (!k->n_days)
            drop(t, i);
    }
}

static void drop_oldest(struct activity *t)
{
    size_t oldest = 0;

    if (t->n <= ACTIVITY_KINDS)
        return;
    for (size_t i = 1; i < t->n; i++)
        if (t->kinds[i].last < t->kinds[oldest].last)
            oldest = i;
    drop(t, oldest);
}

static void see_time(struct activity *t, int64_t at)
{
    int64_t before = forgotten(t);

    if (at > t->newest)
        t->newest = at;
    if (forgotten(t) > before)
        forget(t);
}

void activity_add(struct activity *t, struct str kind, int64_t occurred_at, struct arena *a)
{
    if (!is_time(occurred_at))
        return;
    see_time(t, occurred_at);
    if (day_of(occurred_at) <= forgotten(t))
        return;
    struct kind *k = insert(t, activity_hash(kind));
    if (occurred_at > k->last)
        k->last = occurred_at;
    count_day(k, day_of(occurred_at), 1, a);
    drop_oldest(t);
}

void activity_merge(struct activity *t, const struct activity *from, struct arena *a)
{
    see_time(t, from->newest);
    for (size_t i = 0; i < from->n; i++) {
        const struct kind *theirs = &from->kinds[i];

        if (day_of(theirs->last) <= forgotten(t))
            continue;
        struct kind *k = insert(t, theirs->hash);
        if (theirs->last > k->last)
            k->last = theirs->last;
        for (size_t d = 0; d < theirs->n_days && theirs->days[d].day > forgotten(t); d++)
            count_day(k, theirs->days[d].day, theirs->days[d].count, a);
        drop_oldest(t);
    }
}

uint32_t activity_count(const struct activity *t, uint32_t kind_hash, int64_t at, int days)
{
    const struct kind *k = find(t, kind_hash);
    int64_t until = is_time(at) ? day_of(at) : 0;
    uint32_t sum = 0;

    for (size_t i = 0; k && i < k->n_days && k->days[i].day > until - days; i++)
        sum += k->days[i].day <= until ? k->days[i].count : 0;
    return sum;
}

double activity_recency(const struct activity *t, uint32_t kind_hash, int64_t at)
{
    const struct kind *k = find(t, kind_hash);
    double days = k ? (double)(at - k->last) / (double)DAY_MS : NAN;

    if (!(days <= ACTIVITY_DAYS))
        return NAN;
    return days > 0 ? days : 0;
}

static void put_number(char **to, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        *(*to)++ = (char)(0x80 | (value & 0x7f));
    *(*to)++ = (char)value;
}

static void put_kind(char **to, const struct kind *k, int64_t newest)
{
    int64_t day = day_of(k->last);

    memcpy(*to, &k->hash, sizeof k->hash);
    *to += sizeof k->hash;
    put_number(to, (uint64_t)(newest - k->last));
    put_number(to, k->n_days);
    for (size_t i = 0; i < k->n_days; i++) {
        put_number(to, (uint64_t)(day - k->days[i].day));
        put_number(to, k->days[i].count);
        day = k->days[i].day;
    }
}

struct str activity_write(const struct activity *t, struct arena *a)
{
    size_t room = 2 + VARINT_MAX;

    for (size_t i = 0; i < t->n; i++)
        room += KIND_ROOM - DAYS_ROOM + t->kinds[i].n_days * 5;
    char *at = arena_alloc(a, room), *to = at;
    *to++ = VERSION;
    put_number(&to, t->n);
    put_number(&to, (uint64_t)t->newest);
    for (size_t i = 0; i < t->n; i++)
        put_kind(&to, &t->kinds[i], t->newest);
    return (struct str){at, (size_t)(to - at)};
}

static bool take_number(struct str *rest, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;

    for (int shift = 0; shift < 63 && rest->len; shift += 7) {
        unsigned char c = (unsigned char)*rest->at;

        *rest = str_from(*rest, 1);
        value |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80)) {
            *ret = value;
            return value <= max && (c || !shift); /* one way to write each */
        }
    }
    return false;
}

static bool take_hash(struct str *rest, uint32_t *ret)
{
    if (rest->len < sizeof *ret)
        return false;
    memcpy(ret, rest->at, sizeof *ret);
    *rest = str_from(*rest, sizeof *ret);
    return *ret != 0;
}

/* Days fall, the first is that of the last event, none is forgotten. */
static bool take_days(struct str *rest, struct kind *k, int64_t until, struct arena *a)
{
    int64_t day = day_of(k->last);

    for (size_t i = 0; i < k->n_days; i++) {
        uint64_t gap, count;

        if (!take_number(rest, ACTIVITY_DAYS, &gap) || !take_number(rest, COUNT_MAX, &count) ||
            !count || (gap == 0) != (i == 0) || (day -= (int64_t)gap) <= until)
            return false;
        k->days = arena_more(a, k->days, i, &k->cap, sizeof *k->days);
        k->days[i] = (struct day){day, (uint32_t)count};
    }
    return true;
}

static bool take_kind(struct str *rest, struct activity *t, struct arena *a)
{
    struct kind *k = &t->kinds[t->n];
    uint64_t ago, n_days;

    if (!take_hash(rest, &k->hash) || (t->n && k[-1].hash >= k->hash) ||
        !take_number(rest, (uint64_t)t->newest, &ago) ||
        !take_number(rest, ACTIVITY_DAYS, &n_days) || !n_days)
        return false;
    k->last = t->newest - (int64_t)ago;
    k->n_days = (size_t)n_days;
    t->n++;
    return take_days(rest, k, forgotten(t), a);
}

static bool read_all(struct str rest, struct activity *t, struct arena *a)
{
    uint64_t n, newest;

    if (!str_take(&rest, VERSION) || !take_number(&rest, ACTIVITY_KINDS, &n) ||
        !take_number(&rest, (uint64_t)TIME_MAX - 1, &newest))
        return false;
    t->newest = (int64_t)newest;
    for (uint64_t i = 0; i < n; i++)
        if (!take_kind(&rest, t, a))
            return false;
    return !rest.len;
}

struct activity *activity_read(struct str bytes, struct arena *a)
{
    struct activity *t = ARENA_NEW(a, struct activity);

    if (!read_all(bytes, t, a))
        *t = (struct activity){0};
    return t;
}
