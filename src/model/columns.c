/* columns.c - columns of a table by their values, and what kind each of them is. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "learn.h"

/* Values of one column, each once, by open addressing. */
struct dictionary {
    struct arena *arena;
    uint32_t *slots; /* 1 + level; 0: free */
    size_t n_slots;
    struct str *levels;
    uint32_t *counts;
    size_t n, cap;
};

static uint64_t hash(struct str s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.at[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

static uint32_t *slot_of(const struct dictionary *d, struct str s)
{
    size_t i = hash(s) & (d->n_slots - 1);

    while (d->slots[i] && !str_eq(d->levels[d->slots[i] - 1], s))
        i = (i + 1) & (d->n_slots - 1);
    return &d->slots[i];
}

static void more_slots(struct dictionary *d)
{
    d->n_slots = d->n_slots ? d->n_slots * 4 : 64;
    d->slots = arena_array(d->arena, d->n_slots, sizeof *d->slots);
    for (size_t i = 0; i < d->n; i++)
        *slot_of(d, d->levels[i]) = (uint32_t)i + 1;
}

static uint32_t level_of(struct dictionary *d, struct str s)
{
    if (d->n * 2 >= d->n_slots)
        more_slots(d);
    uint32_t *slot = slot_of(d, s);
    if (!*slot) {
        size_t cap = d->cap;

        d->levels = arena_more(d->arena, d->levels, d->n, &cap, sizeof *d->levels);
        d->counts = arena_more(d->arena, d->counts, d->n, &d->cap, sizeof *d->counts);
        d->levels[d->n] = arena_str(d->arena, s);
        d->counts[d->n++] = 0;
        *slot = (uint32_t)d->n;
    }
    assert(d->counts);
    d->counts[*slot - 1]++;
    return *slot;
}

static void read_texts(struct lesson *l, struct learn_column *c)
{
    struct dictionary d = {.arena = l->arena};
    uint32_t *code = arena_array(l->arena, l->n, sizeof *code);
    char buffer[MODEL_TEXT_BYTES];

    for (size_t i = 0; i < l->n; i++) {
        struct str text = c->from->texts[l->row[i]];
        struct str s = text.at ? value_fold(text, buffer, sizeof buffer) : STR("");

        code[i] = s.len ? level_of(&d, s) : 0;
        c->n_missing += !s.len;
    }
    c->code = code;
    c->levels = d.levels;
    c->counts = d.counts;
    c->n_levels = d.n;
}

/* Words that people and programs write where they have nothing to say. */
static bool says_nothing(struct str s)
{
    static const char *const words[] = {
        "select",  "unknown",   "n/a",  "na",  "null",
        "nan",     "-",         "--",   "?",   "undefined",
        "not set", "(not set)", "#n/a", "nil", "d41d8cd98f00b204e9800998ecf8427e"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(s, words[i]))
            return true;
    return false;
}

static void forget_level(struct lesson *l, struct learn_column *c, size_t level)
{
    uint32_t *code = arena_array(l->arena, l->n, sizeof *code);
    size_t cap = c->n_sentinels;

    for (size_t i = 0; i < l->n; i++)
        code[i] = c->code[i] == level + 1 ? 0 : c->code[i];
    c->code = code;
    c->n_missing += c->counts[level];
    struct str *sentinels = arena_array(l->arena, cap + 1, sizeof *sentinels);
    if (cap)
        memcpy(sentinels, c->sentinels, cap * sizeof *sentinels);
    sentinels[c->n_sentinels++] = c->levels[level];
    c->sentinels = sentinels;
}

/* How many rows have a value of each kind. */
struct kinds {
    size_t n, numbers, truths, dates, stamps, levels;
    bool yes, no;
};

static struct kinds count_kinds(const struct learn_column *c)
{
    struct kinds k = {0};

    for (size_t i = 0; i < c->n_levels; i++) {
        double number;
        int64_t date;
        bool truth;

        if (says_nothing(c->levels[i]))
            continue;
        k.n += c->counts[i];
        k.levels++;
        if (value_truth(c->levels[i], &truth)) {
            k.truths += c->counts[i];
            *(truth ? &k.yes : &k.no) = true;
        }
        bool is_number = value_number(c->levels[i], &number);
        if (is_number)
            k.numbers += c->counts[i];
        if (is_number && number >= 6e11 && number <= 4e12 && number == floor(number))
            k.stamps += c->counts[i];
        if (!is_number && value_date(c->levels[i], &date))
            k.dates += c->counts[i];
    }
    return k;
}

static enum input_kind guess(const struct kinds *k)
{
    size_t most = k->n - k->n / 20; /* a few may be written wrong */

    if (k->n && k->truths == k->n && k->levels <= 2 && (k->yes || k->no))
        return INPUT_TRUTH;
    if (k->n && (k->dates >= most || k->stamps >= most))
        return INPUT_AGE;
    return k->n && k->numbers >= most ? INPUT_NUMBER : INPUT_TEXT;
}

static double level_value(const struct learn_column *c, size_t level, double at)
{
    double number = NAN;
    int64_t date;
    bool truth;

    switch (c->kind) {
    case INPUT_TRUTH:
        return value_truth(c->levels[level], &truth) ? truth : NAN;
    case INPUT_AGE:
        return value_date(c->levels[level], &date) ? (at - (double)date) / 864e5 : NAN;
    default:
        return value_number(c->levels[level], &number) ? number : NAN;
    }
}

static void read_values(struct lesson *l, struct learn_column *c)
{
    double *once = arena_array(l->arena, c->n_levels + 1, sizeof *once);
    double *value = arena_array(l->arena, l->n, sizeof *value);
    bool aged = c->kind == INPUT_AGE && l->set->time && l->set->time_is_ms;

    for (size_t i = 0; i < c->n_levels; i++)
        once[i] = level_value(c, i, 0);
    c->n_missing = 0;
    for (size_t i = 0; i < l->n; i++) {
        value[i] = c->code[i] ? once[c->code[i] - 1] : NAN;
        if (aged)
            value[i] += (double)learn_at(l, i) / 864e5;
        c->n_missing += isnan(value[i]) ? 1 : 0;
    }
    c->value = value;
}

/* 9, 99, 999 ... with either sign: written where a number had to be. */
static bool is_filler(double x)
{
    for (int64_t nines = 9; nines < INT64_C(10000000000); nines = nines * 10 + 9)
        if (fabs(x) == (double)nines)
            return true;
    return false;
}

/* One number that many rows have, made of nines, and twice as far out as all the others reach. */
static bool find_spike(const struct learn_column *c, double *ret)
{
    size_t rows = 0, most = 0;

    for (size_t i = 0; i < c->n_levels; i++)
        rows += c->counts[i];
    for (size_t i = 0; i < c->n_levels; i++)
        if (c->counts[i] > c->counts[most])
            most = i;
    if (!c->n_levels || c->n_levels < 4 || c->counts[most] * 20 < rows)
        return false;
    double spike = level_value(c, most, 0), low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < c->n_levels; i++) {
        double x = level_value(c, i, 0);

        if (isnan(x) || x == spike || says_nothing(c->levels[i]))
            continue;
        low = fmin(low, x);
        high = fmax(high, x);
    }
    *ret = spike;
    return is_filler(spike) && high > low &&
           (spike > high + 2 * (high - low) || spike < low - 2 * (high - low));
}

static void forget_sentinels(struct lesson *l, struct learn_column *c)
{
    double spike;
    bool filled = c->kind == INPUT_NUMBER && find_spike(c, &spike);

    for (size_t i = 0; i < c->n_levels; i++)
        if (says_nothing(c->levels[i]) || (c->kind != INPUT_TEXT && str_is(c->levels[i], "none")) ||
            (filled && level_value(c, i, 0) == spike))
            forget_level(l, c, i);
}

static void read_numbers(struct lesson *l, struct learn_column *c)
{
    double *value = arena_array(l->arena, l->n, sizeof *value);

    for (size_t i = 0; i < l->n; i++) {
        value[i] = c->from->numbers[l->row[i]];
        if (!isfinite(value[i]))
            value[i] = NAN;
        c->n_missing += isnan(value[i]) ? 1 : 0;
    }
    c->value = value;
    c->kind = INPUT_NUMBER;
}

static bool is_listed(struct str name, const struct str list[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_ieq(name, list[i]))
            return true;
    return false;
}

static void read_column(struct lesson *l, struct learn_column *c)
{
    if (c->from->numbers) {
        read_numbers(l, c);
        return;
    }
    read_texts(l, c);
    struct kinds k = count_kinds(c);
    c->kind = guess(&k);
    forget_sentinels(l, c);
    if (c->kind != INPUT_TEXT)
        read_values(l, c);
}

static bool is_named_before(const struct table *t, size_t column)
{
    for (size_t i = 0; i < column; i++)
        if (str_eq(t->columns[i].name, t->columns[column].name))
            return true;
    return false;
}

/* Even one that is to be kept: no model could be read that has it. */
static void leave_out_name(struct lesson *l, struct learn_column *c)
{
    if (c->name.len > MODEL_INPUT_NAME_BYTES)
        screen_out(l, c, "name", "has a name of more than %d bytes", MODEL_INPUT_NAME_BYTES);
    else
        screen_out(l, c, "name", "has a name that cannot be shown, or another has it too");
    c->out = true;
}

void columns_read(struct lesson *l)
{
    const struct table *t = &l->set->table;

    l->columns = arena_array(l->arena, t->n_columns, sizeof *l->columns);
    l->n_columns = t->n_columns;
    for (size_t i = 0; i < t->n_columns && !learn_stopped(l); i++) {
        struct learn_column *c = &l->columns[i];

        c->from = &t->columns[i];
        c->name = t->columns[i].name;
        c->keep = is_listed(c->name, l->o->keep, l->o->n_keep);
        if (is_listed(c->name, l->o->exclude, l->o->n_exclude))
            screen_out(l, c, "asked", "was asked to be left out");
        else if (!input_name_ok(c->name) || is_named_before(t, i))
            leave_out_name(l, c);
        else
            read_column(l, c);
    }
}
