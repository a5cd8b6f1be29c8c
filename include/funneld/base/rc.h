/* base/rc.h - how a function says that it failed: a code for the program, a sentence for people.
 *
 * RC_OK is 0. NONE, EXISTS and BUSY are outcomes that callers expect, the rest are errors.
 * A `struct why` is optional (NULL): each layer puts in front what it was doing, so that the
 * text reads from the outside in. Any thread; a why belongs to its caller.
 */
#ifndef FUNNELD_BASE_RC_H
#define FUNNELD_BASE_RC_H

#define RC_LIST(X)                                                                                 \
    X(OK, "ok")                                                                                    \
    X(NONE, "there is no such thing")                                                              \
    X(EXISTS, "it is already there")                                                               \
    X(BUSY, "there is no room at the moment")                                                      \
    X(INVALID, "it is not valid")                                                                  \
    X(DENIED, "it is not allowed")                                                                 \
    X(TOOBIG, "it is too big")                                                                     \
    X(FULL, "the storage is full")                                                                 \
    X(IO, "reading or writing failed")                                                             \
    X(CORRUPT, "the stored data are damaged")                                                      \
    X(TIMEOUT, "it took too long")                                                                 \
    X(CLOSED, "it is shutting down")

enum rc {
#define X(name, text) RC_##name,
    RC_LIST(X)
#undef X
        RC_COUNT
};

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define AUTO(destroy)          __attribute__((cleanup(destroy)))
#define ARRAY_LEN(a)           (sizeof(a) / sizeof((a)[0]))

/* For a result that is ignored on purpose; the reason stands beside the call. */
static inline void rc_ignored(enum rc rc)
{
    (void)rc;
}

struct why {
    char text[512]; /* cut, never overrun; for people only */
};

const char *rc_text(enum rc rc);

/* Sets the sentence and returns rc: `return why_fail(RC_INVALID, why, "line %d: ...", n);` */
enum rc why_fail(enum rc rc, struct why *why, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "<what>: " in front of what is there (rc's text where nothing is) and returns rc. */
enum rc why_wrap(enum rc rc, struct why *why, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
