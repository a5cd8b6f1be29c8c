/* model/bounds.c - what names and texts of a model may be. */
#include "model_priv.h"

enum { MAX_NAME = 64 };

bool text_is_shown(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];

        if (c < 0x20 || c == 0x7f ||
            (c == 0xc2 && i + 1 < s.len && (unsigned char)s.at[i + 1] < 0xa0))
            return false;
    }
    return true;
}

bool model_name_ok(struct str name)
{
    return name.len > 0 && name.len <= MAX_NAME && text_is_shown(name) && !str_chr(name, ':');
}

bool input_name_ok(struct str name)
{
    return name.len > 0 && name.len <= MODEL_INPUT_NAME_BYTES && text_is_shown(name);
}

/* No fewer than there are: commas in texts are counted too. */
static size_t count_values(struct str text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == ',' || text.at[i] == '[' || text.at[i] == '{';
    return n;
}

enum rc model_text_bounded(struct str text, struct why *why)
{
    if (text.len > MODEL_MOST_BYTES)
        return why_fail(RC_INVALID, why, "more than %d MiB", MODEL_MOST_BYTES >> 20);
    return count_values(text) > MODEL_MOST_VALUES
               ? why_fail(RC_INVALID, why, "more than %d values", MODEL_MOST_VALUES)
               : RC_OK;
}

bool text_is_long_number(struct str s)
{
    size_t digits = 0;

    for (size_t i = 0; i < s.len; i++)
        digits += s.at[i] >= '0' && s.at[i] <= '9';
    return digits > 15;
}
