/* connectors/slack_ids.c - the numbers of a digest's deliveries, short enough for metadata.
 *
 * In base 36, the first one whole and each other as what it is more than the one before:
 * 1000, 1001, 1040 are "rs.1.13". Read back strictly: what does not look as we write it is none.
 */
#include "slack_priv.h"

#include <stdlib.h>

enum { DIGITS_MAX = 13 }; /* of INT64_MAX */

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static struct str number(int64_t n, char buffer[DIGITS_MAX])
{
    size_t at = DIGITS_MAX;

    for (; n > 0; n /= 36)
        buffer[--at] = digits[n % 36];
    return (struct str){buffer + at, DIGITS_MAX - at};
}

void slack_ids_write(struct sbuf *b, int64_t ids[], size_t n)
{
    size_t start = b->len;
    int64_t before = 0;

    qsort(ids, n, sizeof *ids, by_number);
    for (size_t i = 0; i < n; i++) {
        char buffer[DIGITS_MAX];
        struct str text = number(ids[i] - before, buffer);

        /* So many so far apart have never been; one left out is merely not found again. */
        if (b->len - start + text.len + 1 > SLACK_IDS_BYTES_MAX)
            return;
        if (i)
            sbuf_char(b, '.');
        sbuf_add(b, text);
        before = ids[i];
    }
}

static bool read_number(struct str text, int64_t *ret)
{
    int64_t n = 0;

    if (!text.len || text.len > DIGITS_MAX || text.at[0] == '0')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *at =
            text.at[i] ? str_chr(STR("0123456789abcdefghijklmnopqrstuvwxyz"), text.at[i]) : NULL;
        int64_t digit = at ? (text.at[i] <= '9' ? text.at[i] - '0' : text.at[i] - 'a' + 10) : -1;

        if (digit < 0 || n > (INT64_MAX - digit) / 36)
            return false;
        n = n * 36 + digit;
    }
    *ret = n;
    return true;
}

bool slack_ids_read(struct str text, int64_t ret[DIGEST_MAX], size_t *ret_n)
{
    struct str part;
    int64_t before = 0, more;
    size_t n = 0;

    while (str_split(&text, '.', &part)) {
        if (n == DIGEST_MAX || !read_number(part, &more) || more > INT64_MAX - before)
            return false;
        ret[n++] = before += more;
    }
    *ret_n = n;
    return n > 0;
}
