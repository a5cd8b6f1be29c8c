/* cli/target.h - COLUMN=POSITIVE[:NEGATIVE]: which rows of a table had which outcome. Pure.
 *
 * A colon of a value is written "\:". */
#ifndef FUNNELD_CLI_TARGET_H
#define FUNNELD_CLI_TARGET_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/base/str.h"

struct target {
    struct str column, positive;
    struct str negative; /* missing: everything else that is not empty */
};
/* RC_INVALID: it is not of that shape. */
MUST_CHECK enum rc target_parse(struct str text, struct target *ret, struct arena *a,
                                struct why *why);

enum target_class { TARGET_UNKNOWN, TARGET_NEGATIVE, TARGET_POSITIVE };
/* Cells are trimmed; case does not matter. */
enum target_class target_class(const struct target *t, struct str cell);

#endif
