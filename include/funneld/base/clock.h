/* base/clock.h - time as Unix milliseconds, and its texts.
 *
 * Only thread loops and edges read the clock; below them time is an argument.
 */
#ifndef FUNNELD_BASE_CLOCK_H
#define FUNNELD_BASE_CLOCK_H

#include <stdint.h>

#include "funneld/base/str.h"

enum { TIME_TEXT = 25 }; /* "2026-11-24T13:57:39.123Z" and NUL */

#define SECONDS_MS INT64_C(1000)
#define MINUTES_MS (60 * SECONDS_MS)
#define HOURS_MS   (60 * MINUTES_MS)
#define DAYS_MS    (24 * HOURS_MS)

int64_t clock_now_ms(void);  /* wall clock: may jump */
int64_t clock_mono_us(void); /* never jumps back; for durations */

/* What the wall clock says, or less while it is not to be believed: it is ahead of the steady one,
 * by more than an hour, for less than a day. Nothing dies of age and nothing is purged by a clock
 * that jumped. Begins with what is in it, or, all zero, with the first it hears. Pure. */
struct trusted_time {
    int64_t wall_ms, steady_ms;              /* one moment, by both */
    int64_t doubt_since_ms, doubted_wall_ms; /* when the doubt began, by both; 0: there is none */
};
int64_t trusted_time(struct trusted_time *t, int64_t wall_ms, int64_t steady_ms);

void time_text(int64_t unix_ms, char ret[TIME_TEXT]); /* years 0000-9999, clamped */

/* ISO 8601 date or date-time (zone Z or +hh:mm, none = UTC), or decimal Unix milliseconds. */
bool time_parse(struct str text, int64_t *ret_unix_ms);

#endif
