/* model/value.c - what a text is: a number, a truth, a date. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "model_priv.h"

static size_t take_digits(struct str s, size_t i)
{
    while (i < s.len && s.at[i] >= '0' && s.at[i] <= '9')
        i++;
    return i;
}

static bool is_sign(struct str s, size_t i)
{
    return i < s.len && (s.at[i] == '-' || s.at[i] == '+');
}

/* [sign] digits [. digits] [e [sign] digits], with at least one digit before the exponent. */
static bool is_number(struct str s)
{
    size_t start = is_sign(s, 0), i = take_digits(s, start), n = i - start;

    if (i < s.len && s.at[i] == '.') {
        size_t end = take_digits(s, i + 1);

        n += end - i - 1;
        i = end;
    }
    if (n > 0 && i < s.len && (s.at[i] == 'e' || s.at[i] == 'E')) {
        size_t from = i + 1 + is_sign(s, i + 1), end = take_digits(s, from);

        if (end == from)
            return false;
        i = end;
    }
    return n > 0 && i == s.len;
}

/* A whole number of few digits, which most are, is exact without strtod. */
static bool short_integer(struct str s, double *ret)
{
    int64_t n;

    if (s.len > 15 || !str_int64(s, &n) || s.at[0] == '-')
        return false;
    *ret = (double)n;
    return true;
}

bool value_number(struct str text, double *ret)
{
    char copy[64];

    if (short_integer(text, ret))
        return true;
    if (text.len >= sizeof copy || !is_number(text))
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    double n = strtod(copy, NULL);
    if (!isfinite(n))
        return false;
    *ret = n;
    return true;
}

bool value_truth(struct str text, bool *ret)
{
    static const struct {
        struct str text;
        bool is;
    } words[] = {{{"yes", 3}, true},    {{"no", 2}, false}, {{"true", 4}, true},
                 {{"false", 5}, false}, {{"1", 1}, true},   {{"0", 1}, false}};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_ieq(text, words[i].text)) {
            *ret = words[i].is;
            return true;
        }
    return false;
}

bool value_date(struct str text, int64_t *ret_ms)
{
    return text.len <= 40 && time_parse(text, ret_ms);
}

struct str value_fold(struct str text, char buffer[], size_t size)
{
    struct str s = str_trim(str_cut(str_trim(text), size));

    for (size_t i = 0; i < s.len; i++)
        buffer[i] = s.at[i] >= 'A' && s.at[i] <= 'Z' ? (char)(s.at[i] + 32) : s.at[i];
    return (struct str){buffer, s.len};
}
