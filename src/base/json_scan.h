/* base/json_scan.h - the strict scan before cJSON (RFC 8259). */
#ifndef FUNNELD_BASE_JSON_SCAN_H
#define FUNNELD_BASE_JSON_SCAN_H

#include "funneld/base/rc.h"
#include "funneld/base/str.h"

enum { JSON_MAX_DEPTH = 64, JSON_EXACT_DIGITS = 15 };

struct json_scan {
    char *copy;           /* the text for cJSON: long numbers quoted, NUL at the end; malloc'd */
    size_t len;           /* without the NUL */
    struct str *elements; /* spans of the root array's elements in the text; malloc'd */
    size_t n_elements;
};

/* RC_INVALID with what and at which byte; then nothing is left to free. */
MUST_CHECK enum rc json_scan(struct str text, struct json_scan *ret, struct why *why);

#endif
