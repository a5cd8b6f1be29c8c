/* config/nearest.c - which known name was probably meant. */
#include <string.h>

#include "conf_priv.h"

enum { LONGEST = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edit distance in which two neighbours that changed places count as one mistake (optimal
 * string alignment). Three rows are enough: it looks back two. */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][LONGEST + 1];

    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        const size_t *before = rows[(i + 1) % 3], *above = rows[(i - 1) % 3];
        size_t *row = rows[i % 3];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            row[j] =
                least(above[j - 1] + (a.at[i - 1] != b.at[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

const char *conf_nearest(struct str word, const char *const names[], size_t n)
{
    const char *best = NULL;
    size_t limit = word.len < 3 ? 1 : word.len < 9 ? 2 : 3, best_distance = limit + 1;

    if (!word.len || word.len > LONGEST)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct str name = str_of(names[i]);

        if (name.len > LONGEST)
            continue;
        size_t d = distance(word, name);
        if (d < best_distance && d < name.len) { /* not by replacing every letter */
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}
