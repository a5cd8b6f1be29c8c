/* base/csv.h - a table in a file: RFC 4180, with what spreadsheets really write.
 *
 * UTF-8 with or without a byte order mark; LF, CRLF or CR; quotes where they are needed. The
 * separator is the one of comma, semicolon and tab that the header has most of. The file is mapped,
 * not read: cells are slices of it until csv_close, but for those with quotes in them, which live
 * in the arena. One owner, one thread. libcsv was left aside: it tells neither line nor offset.
 */
#ifndef FUNNELD_BASE_CSV_H
#define FUNNELD_BASE_CSV_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"

struct csv;

/* Reads the header. RC_NONE: there is no such file; RC_INVALID: no header, a name that is there
 * twice, bad UTF-8, a zero byte. The file must not be changed meanwhile. */
MUST_CHECK enum rc csv_open(const char *path, struct arena *a, struct csv **ret, struct why *why);
void csv_close(struct csv *c); /* NULL is fine */
size_t csv_columns(const struct csv *c);
struct str csv_name(const struct csv *c, size_t column);
bool csv_find(const struct csv *c, struct str name, size_t *ret); /* exact, else case folded */

/* The next row into cells[csv_columns]; an empty cell is empty text, never missing. RC_NONE: the
 * end; RC_INVALID: too many or too few cells, or a quote that does not end, with the line. Blank
 * lines are passed over. */
MUST_CHECK enum rc csv_row(struct csv *c, struct arena *a, struct str *cells, struct why *why);
int64_t csv_line(const struct csv *c); /* where the last row began, from 1 */
int64_t csv_offset(
    const struct csv *c); /* bytes read so far, and of the file: for a progress bar */
int64_t csv_size(const struct csv *c);

/* Appends a cell, quoted where it must be. */
struct sbuf;
void csv_write(struct sbuf *b, struct str cell);

#endif
