/* cli/values.h - what people write as a time, an id or a word of a list; and shell quoting. Pure.
 */
#ifndef FUNNELD_CLI_VALUES_H
#define FUNNELD_CLI_VALUES_H

#include <stdint.h>

#include "funneld/base/mem.h"
#include "funneld/base/sbuf.h"

/* "2h" or "90m" (so long ago), ISO 8601, or Unix milliseconds. */
bool value_time(struct str text, int64_t now_ms, int64_t *ret_ms);
/* "17", or "1a2b3c4d-17" of the database with this id; false for another's. */
bool value_id(struct str text, const char *database_id, int64_t *ret);
/* "62515:1246965" */
bool value_crm(struct str text, int64_t *ret_portal, int64_t *ret_id);

/* "2026-11-24 13:57:39", UTC; "-" for 0. */
struct str show_time(int64_t unix_ms, struct arena *a);
/* "3d 4h", "12m 5s": the two largest units. */
struct str show_duration(int64_t ms, struct arena *a);
/* 125 -> "12.5", 80 -> "8.0": always one decimal, so that columns line up. */
struct str show_tenths(int64_t tenths, struct arena *a);

/* One word for a POSIX shell, in single quotes where it needs them. */
void shell_quote(struct sbuf *b, struct str word);

#endif
