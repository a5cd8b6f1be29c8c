/* config/line.h - one line of the file, taken apart before inih sees it.
 *
 * Debian's inih 55 misreads in silence: it cuts lines over 199 bytes and takes the rest for a
 * new line, takes ` ;` for a comment even inside quotes, joins an indented line to the key
 * above, and splits at ':' as well as '='. Here such lines are refused, so that what is passed on
 * means the same to inih, to us and to whoever wrote it. Pure.
 */
#ifndef FUNNELD_CONFIG_LINE_H
#define FUNNELD_CONFIG_LINE_H

#include "funneld/base/rc.h"
#include "funneld/base/str.h"

enum line_kind {
    LINE_BLANK,
    LINE_COMMENT,
    LINE_SECTION,
    LINE_KEY,
    LINE_MORE, /* indented: goes on with the value above */
    LINE_LOST, /* refused before it was clear what it is */
};

struct line {
    enum line_kind kind;
    struct str text;       /* without comment and blanks around it */
    struct str word, name; /* [word name], or word = ...; there as soon as they are known */
    bool commented;        /* a comment was cut off */
    const char *hint;      /* when it is refused */
};

/* Takes one line (no newline in it) apart. `in_value`: an indented line has a value above to go
 * on with. `max`: the bytes that inih takes. `quote` is the quote that the value above left open,
 * 0 for none; it is kept up to date. Even a refused line says what it is, as far as is known. */
MUST_CHECK enum rc line_read(struct str physical, bool in_value, size_t max, char *quote,
                             struct line *ret, struct why *why);

#endif
