/* suspects.c - columns that stay, but that somebody should look at before the model is trusted. */
#include "knows.h"

enum { LEAST_TOGETHER = 3 };

const char *word_in(struct str name)
{
    static const char *const words[] = {"last",   "score", "rating", "quality", "stage",   "status",
                                        "closed", "lost",  "won",    "outcome", "duration"};
    char buffer[MODEL_TEXT_BYTES];
    struct str folded = value_fold(name, buffer, sizeof buffer);

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const char *at = str_find(folded, str_of(words[i]));

        if (at && (at == folded.at || !(at[-1] >= 'a' && at[-1] <= 'z')))
            return words[i];
    }
    return NULL;
}

/* Which rows have a value, as one number. */
static uint64_t filled_pattern(const struct lesson *l, const struct learn_column *c)
{
    AUTO(mem_freep) uint32_t *bins = mem_array(l->n + 1, sizeof *bins);
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    (void)column_bins(l, c, 1, bins);
    for (size_t i = 0; i < l->n; i++) {
        h = (h ^ (bins[i] ? 2 : 1)) * UINT64_C(0x100000001b3);
        h ^= h >> 31;
    }
    return h;
}

static bool is_partly_filled(const struct lesson *l, const struct learn_column *c)
{
    return c->n_missing * 20 >= l->n && (l->n - c->n_missing) * 20 >= l->n;
}

static void tell_together(struct lesson *l, const struct known *k, size_t n)
{
    screen_suspect(l, k->column, "leakage",
                   "is filled in together with %zu other columns and never without them: by whom, "
                   "and before the outcome?",
                   n - 1);
}

/* Columns that are filled in for the same rows come from one tool, or one step of the work. */
static void together(struct lesson *l, const struct known known[], size_t n, bool told[])
{
    AUTO(mem_freep) uint64_t *patterns = mem_array(n + 1, sizeof *patterns);

    for (size_t i = 0; i < n; i++)
        if (!known[i].column->out && is_partly_filled(l, known[i].column))
            patterns[i] = filled_pattern(l, known[i].column) | 1;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;

        for (size_t k = 0; k < n; k++)
            same += patterns[i] && patterns[k] == patterns[i];
        if (same < LEAST_TOGETHER || told[i])
            continue;
        tell_together(l, &known[i], same);
        told[i] = true;
    }
}

static bool tell_strong(struct lesson *l, const struct known *k)
{
    if (k->k.gain > suspect_gain)
        screen_suspect(l, k->column, "leakage",
                       "tells %.0f %% of the outcome by itself (AUC %.3f): was it known before?",
                       100 * k->k.gain, k->k.auc);
    else if (k->added > suspect_added)
        screen_suspect(l, k->column, "leakage",
                       "adds %.0f %% of the outcome to what all others tell: was it known before?",
                       100 * k->added);
    else if (k->k.filled_gain > filled_tells)
        screen_suspect(l, k->column, "leakage",
                       "is filled in for %.0f %% of the positive rows and %.0f %% of the others: "
                       "was it asked because of the outcome?",
                       100 * k->k.filled_positive, 100 * k->k.filled_negative);
    else
        return false;
    return true;
}

static void tell_name(struct lesson *l, const struct known *k)
{
    const char *word = word_in(k->column->name);

    if (word)
        screen_suspect(l, k->column, "leakage",
                       "has the word \"%s\" in its name: is it as it was then, or as it is now?",
                       word);
}

void suspects(struct lesson *l, const struct known known[], size_t n)
{
    AUTO(mem_freep) bool *told = mem_array(n + 1, sizeof *told);

    for (size_t i = 0; i < n; i++)
        told[i] = !known[i].column->out && tell_strong(l, &known[i]);
    together(l, known, n, told);
    for (size_t i = 0; i < n; i++)
        if (!known[i].column->out && !told[i])
            tell_name(l, &known[i]);
}
