/* base/rc.c - names of return codes, and the sentence that goes with one. */
#include "funneld/base/rc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *rc_text(enum rc rc)
{
    static const char *const texts[RC_COUNT] = {
#define X(name, text) [RC_##name] = (text),
        RC_LIST(X)
#undef X
    };
    return (unsigned)rc < RC_COUNT ? texts[rc] : "an unknown error";
}

/* Sentences are for people: one that is too long is cut, and the cut is not an error. */
static void format_cut(char *to, size_t size, const char *fmt, va_list args)
{
    int n = vsnprintf(to, size, fmt, args);

    if (n < 0)
        to[0] = '\0';
}

enum rc why_fail(enum rc rc, struct why *why, const char *fmt, ...)
{
    if (why) {
        va_list args;

        va_start(args, fmt);
        format_cut(why->text, sizeof why->text, fmt, args);
        va_end(args);
    }
    return rc;
}

enum rc why_wrap(enum rc rc, struct why *why, const char *fmt, ...)
{
    if (why) {
        char inner[sizeof why->text], outer[sizeof why->text];
        va_list args;

        memcpy(inner, why->text, sizeof inner);
        if (!inner[0])
            (void)!snprintf(inner, sizeof inner, "%s", rc_text(rc)); /* always fits */
        va_start(args, fmt);
        format_cut(outer, sizeof outer, fmt, args);
        va_end(args);
        size_t len = strlen(outer);
        size_t left = sizeof why->text - len;
        memcpy(why->text, outer, len + 1);
        if (left > 3 && snprintf(why->text + len, left, ": %s", inner) < 0)
            why->text[len] = '\0';
    }
    return rc;
}
