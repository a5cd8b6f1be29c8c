/* route/phrases.c - the sentences of the built-in messages. */
#include "funneld/route/phrases.h"

#include "funneld/base/sbuf.h"

const char *const language_names[LANGUAGE_COUNT + 1] = {[LANGUAGE_EN] = "en", [LANGUAGE_ES] = "es"};

static const char *const phrases[LANGUAGE_COUNT][PHRASE_COUNT] = {
    [LANGUAGE_EN] =
        {
#define X(name, english, spanish) [PHRASE_##name] = (english),
            PHRASE_LIST(X)
#undef X
        },
    [LANGUAGE_ES] =
        {
#define X(name, english, spanish) [PHRASE_##name] = (spanish),
            PHRASE_LIST(X)
#undef X
        },
};

const char *phrase_text(enum language l, enum phrase p)
{
    return phrases[l][p];
}

struct str phrase_with(enum language l, enum phrase p, const struct str values[], size_t n,
                       struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 2); /* of values that are bounded themselves */

    for (const char *at = phrase_text(l, p); *at; at++) {
        size_t i = (size_t)(at[0] == '{' ? at[1] - '1' : 9);

        if (i < 9 && at[2] == '}') {
            if (i < n)
                sbuf_add(&b, values[i]);
            at += 2;
        } else {
            sbuf_char(&b, *at);
        }
    }
    return arena_str(a, sbuf_str(&b));
}
