/* base/clock.c - reading the clock, writing and reading its texts. */
#include "funneld/base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t); /* cannot fail for this clock */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

enum { MAY_DIFFER_MS = 3600 * 1000, BELIEVED_AFTER_MS = 24 * 3600 * 1000 };

/* Whether this is still the jump that is in doubt, and not another one. */
static bool same_doubt(const struct trusted_time *t, int64_t wall_ms, int64_t steady_ms)
{
    int64_t expected = t->doubted_wall_ms + (steady_ms - t->doubt_since_ms);

    return t->doubt_since_ms && wall_ms <= expected + MAY_DIFFER_MS &&
           wall_ms >= expected - MAY_DIFFER_MS;
}

int64_t trusted_time(struct trusted_time *t, int64_t wall_ms, int64_t steady_ms)
{
    int64_t expected = t->wall_ms ? t->wall_ms + (steady_ms - t->steady_ms) : wall_ms;

    if (wall_ms > expected + MAY_DIFFER_MS) {
        if (!same_doubt(t, wall_ms, steady_ms)) {
            t->doubt_since_ms = steady_ms;
            t->doubted_wall_ms = wall_ms;
        }
        if (steady_ms - t->doubt_since_ms < BELIEVED_AFTER_MS)
            return expected;
    }
    *t = (struct trusted_time){.wall_ms = wall_ms, .steady_ms = steady_ms};
    return wall_ms;
}

/* Proleptic Gregorian calendar, days since 1970-01-01 <-> year, month, day: whole 400-year eras
 * counted from 0000-03-01, so that the leap day is the last of a year. */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *y, int *m, int *d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;

    *d = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *m = (int)(shifted + (shifted < 10 ? 3 : -9));
    *y = (int)(year_of_era + era * 400 + (*m <= 2));
}

void time_text(int64_t unix_ms, char ret[TIME_TEXT])
{
    const int64_t first = INT64_C(-62167219200000), last = INT64_C(253402300799999);
    int y, m, d;

    if (unix_ms < first)
        unix_ms = first;
    if (unix_ms > last)
        unix_ms = last;
    int64_t days = unix_ms / DAYS_MS - (unix_ms % DAYS_MS < 0);
    unsigned ms = (unsigned)(unix_ms - days * DAYS_MS);
    civil_from_days(days, &y, &m, &d);
    (void)!snprintf(ret, TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)y % 10000,
                    (unsigned)m % 100, (unsigned)d % 100, ms / 3600000 % 100, ms / 60000 % 60,
                    ms / 1000 % 60, ms % 1000); /* 24 bytes, by the clamps above */
}

/* n digits at the front of *s, taken off; false when there are fewer. */
static bool digits(struct str *s, size_t n, int64_t *ret)
{
    if (s->len < n)
        return false;
    struct str part = {s->at, n};
    if (part.at[0] == '-' || !str_int64(part, ret))
        return false;
    *s = str_from(*s, n);
    return true;
}

/* hh:mm[:ss[.fraction]] to milliseconds */
static bool time_of_day(struct str *s, int64_t *ret_ms)
{
    int64_t hour, minute, second = 0, ms = 0, unit = 100;

    if (!digits(s, 2, &hour) || !str_take(s, ':') || !digits(s, 2, &minute))
        return false;
    if (str_take(s, ':') && !digits(s, 2, &second))
        return false;
    if (str_take(s, '.') || str_take(s, ',')) {
        if (!s->len || s->at[0] < '0' || s->at[0] > '9')
            return false;
        for (; s->len && s->at[0] >= '0' && s->at[0] <= '9'; *s = str_from(*s, 1), unit /= 10)
            ms += (s->at[0] - '0') * unit;
    }
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *ret_ms = hour * HOURS_MS + minute * MINUTES_MS + second * SECONDS_MS + ms;
    return true;
}

/* Z, +hh:mm, -hhmm or nothing */
static bool zone(struct str *s, int64_t *ret_ms)
{
    int64_t hour, minute = 0;

    *ret_ms = 0;
    if (!s->len || str_take(s, 'Z') || str_take(s, 'z'))
        return true;
    bool west = s->at[0] == '-';
    if (!str_take(s, '+') && !str_take(s, '-'))
        return false;
    if (!digits(s, 2, &hour))
        return false;
    (void)str_take(s, ':');
    if (s->len && !digits(s, 2, &minute))
        return false;
    *ret_ms = (hour * HOURS_MS + minute * MINUTES_MS) * (west ? -1 : 1);
    return hour <= 23 && minute <= 59;
}

bool time_parse(struct str text, int64_t *ret_unix_ms)
{
    static const int64_t month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t y, m, d, ms = 0, offset = 0;
    struct str s = text;

    if (str_int64(text, ret_unix_ms) && text.len > 8)
        return true;
    if (!digits(&s, 4, &y) || !str_take(&s, '-') || !digits(&s, 2, &m) || !str_take(&s, '-') ||
        !digits(&s, 2, &d) || m < 1 || m > 12 || d < 1 || d > month_days[m - 1])
        return false;
    if (m == 2 && d == 29 && (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0)))
        return false;
    if (s.len) {
        if (!str_take(&s, 'T') && !str_take(&s, 't') && !str_take(&s, ' '))
            return false;
        if (!time_of_day(&s, &ms) || !zone(&s, &offset))
            return false;
    }
    if (s.len)
        return false;
    *ret_unix_ms = days_from_civil(y, m, d) * DAYS_MS + ms - offset;
    return true;
}
