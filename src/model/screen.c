/* screen.c - columns that no model should see, as far as the columns themselves tell. */
#include "learn.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void add(struct lesson *l, struct findings *f, const struct learn_column *c,
                const char *kind, const char *fmt, va_list args)
{
    struct sbuf text AUTO(sbuf_free) = SBUF(500);

    sbuf_vprintf(&text, fmt, args);
    f->at = arena_more(l->arena, f->at, f->n, &f->cap, sizeof *f->at);
    f->at[f->n++] = (struct finding){c->name, kind, arena_str(l->arena, sbuf_str(&text))};
}

void screen_suspect(struct lesson *l, const struct learn_column *c, const char *kind,
                    const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add(l, &l->report->suspects, c, kind, fmt, args);
    va_end(args);
}

/* A column that was asked to be kept stays, and what was found is told. */
void screen_out(struct lesson *l, struct learn_column *c, const char *kind, const char *fmt, ...)
{
    bool keep = c->keep && strcmp(kind, "asked") != 0 && strcmp(kind, "empty") != 0;
    va_list args;

    va_start(args, fmt);
    add(l, keep ? &l->report->suspects : &l->report->excluded, c, kind, fmt, args);
    va_end(args);
    c->out = !keep;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Some of a lesson's rows. */
struct some {
    const uint32_t *row; /* NULL: all */
    size_t n;
};

static size_t row_of(const struct some *s, size_t i)
{
    return s->row ? s->row[i] : i;
}

/* How many rows have a value, how many different values there are, and how many rows have the
 * commonest one. */
struct variety {
    size_t filled, values, commonest;
    double low, high;
    bool whole; /* only whole numbers */
};

static struct variety number_variety(const struct learn_column *c, const struct some *s)
{
    AUTO(mem_freep) double *sorted = mem_array(s->n + 1, sizeof *sorted);
    struct variety v = {.whole = true};
    size_t m = 0, run = 0;

    for (size_t i = 0; i < s->n; i++)
        if (!isnan(c->value[row_of(s, i)]))
            sorted[m++] = c->value[row_of(s, i)];
    qsort(sorted, m, sizeof *sorted, by_value);
    for (size_t i = 0; i < m; i++) {
        run = i && sorted[i] == sorted[i - 1] ? run + 1 : 1;
        v.values += run == 1;
        v.commonest = run > v.commonest ? run : v.commonest;
        v.whole = v.whole && sorted[i] == floor(sorted[i]);
    }
    v.filled = m;
    v.low = m ? sorted[0] : 0;
    v.high = m ? sorted[m - 1] : 0;
    return v;
}

static struct variety variety(const struct learn_column *c, const struct some *s)
{
    struct variety v = {0};

    if (c->value)
        return number_variety(c, s);
    AUTO(mem_freep) size_t *counts = mem_array(c->n_levels + 1, sizeof *counts);
    for (size_t i = 0; i < s->n; i++)
        counts[c->code[row_of(s, i)]]++;
    for (size_t k = 1; k <= c->n_levels; k++) {
        v.filled += counts[k];
        v.values += counts[k] > 0;
        v.commonest = counts[k] > v.commonest ? counts[k] : v.commonest;
    }
    return v;
}

static bool constant(struct lesson *l, struct learn_column *c, const struct variety *v)
{
    size_t most = v->commonest > c->n_missing ? v->commonest : c->n_missing;
    size_t others = l->n - most, few = l->n / 1000 > 5 ? l->n / 1000 : 5;

    if (c->n_missing == l->n)
        screen_out(l, c, "empty", "is empty in every row");
    else if (others == 0)
        screen_out(l, c, "constant", "is the same in every row");
    else if (others <= few && others * 20 < l->n)
        screen_out(l, c, "constant", "is the same in all rows but %zu", others);
    return c->out;
}

/* Texts that nearly never come twice: ids, names, addresses, remarks. */
static bool unique_text(struct lesson *l, struct learn_column *c, const struct variety *v)
{
    if (c->value || v->filled < 20 || v->values * 10 < v->filled * 9)
        return false;
    screen_out(l, c, "identifier", "names the row: %zu different texts in %zu %s", v->values,
               v->filled, l->set->group ? "leads" : "rows");
    return c->out;
}

/* Rank correlation with the order of the rows. */
struct place {
    double value;
    size_t row;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static double order_of_rows(const struct learn_column *c, const struct some *s)
{
    AUTO(mem_freep) struct place *p = mem_array(s->n + 1, sizeof *p);
    double sum = 0;
    size_t m = 0;

    for (size_t i = 0; i < s->n; i++)
        if (!isnan(c->value[row_of(s, i)])) {
            p[m] = (struct place){c->value[row_of(s, i)], m};
            m++;
        }
    qsort(p, m, sizeof *p, by_place);
    double n = (double)m;
    for (size_t i = 0; i < m; i++)
        sum += ((double)i - (double)p[i].row) * ((double)i - (double)p[i].row);
    return m < 3 ? 0 : 1 - 6 * sum / (n * (n * n - 1));
}

/* Whole numbers that never come twice although chance would have them do so are dealt out; what
 * is different in each row and rises or falls with the rows is a clock. */
static bool serial(struct lesson *l, struct learn_column *c, const struct some *s,
                   const struct variety *v)
{
    double filled = (double)v->filled;

    if (!c->value || filled < 20 || (double)v->values < 0.995 * filled)
        return false;
    double twice = filled * filled / (2 * (v->high - v->low + 1));
    double order = order_of_rows(c, s);
    if (fabs(order) > 0.98)
        screen_out(l, c, "clock", "%s with the rows and is never twice the same: it tells when",
                   order > 0 ? "rises" : "falls");
    else if (v->whole && twice >= 5)
        screen_out(l, c, "identifier", "is a serial number: whole numbers, none comes twice");
    return c->out;
}

static bool is_decimal_comma(struct str s)
{
    size_t commas = 0, digits = 0;

    for (size_t i = s.len && s.at[0] == '-' ? 1 : 0; i < s.len; i++) {
        commas += s.at[i] == ',';
        digits += s.at[i] >= '0' && s.at[i] <= '9';
        if (s.at[i] != ',' && !(s.at[i] >= '0' && s.at[i] <= '9'))
            return false;
    }
    return commas == 1 && digits > 1 && s.at[s.len - 1] != ',';
}

/* They stay texts, in training as where leads are scored: what is a number must be one in both. */
static void tell_commas(struct lesson *l, const struct learn_column *c)
{
    size_t with = 0, others = 0;
    double ignored;

    for (size_t i = 0; i < c->n_levels && !c->value; i++)
        if (is_decimal_comma(c->levels[i]))
            with += c->counts[i];
        else if (!value_number(c->levels[i], &ignored))
            others += c->counts[i];
    if (with >= FEW_OF_A_CLASS && others * 20 <= with)
        screen_suspect(l, c, "number",
                       "looks like numbers with a decimal comma, and is read as texts: write them "
                       "with a point");
}

static bool is_stamp(const struct variety *v)
{
    return v->whole && v->values > 50 && v->low >= 6e8 && v->high <= 4e9;
}

static bool date(struct lesson *l, struct learn_column *c, const struct variety *v)
{
    if (c->kind == INPUT_AGE && !(l->set->time && l->set->time_is_ms)) {
        screen_out(l, c, "date",
                   "is a date, and what was its age is not known: name the column "
                   "that has the time of a row by --time");
        if (!c->out) {
            screen_suspect(l, c, "date", "was kept, but without --time nothing is read from it");
            c->out = true;
        }
    } else if (c->kind == INPUT_NUMBER && is_stamp(v)) {
        screen_out(l, c, "clock", "counts seconds since 1970: it tells when, not what");
    }
    return c->out;
}

/* Texts are numbered as they come, so that the same in other words is equal; numbers by their
 * order, which counts. */
static uint64_t pattern(const struct lesson *l, const struct learn_column *c, uint32_t bins[],
                        uint32_t seen[])
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    size_t n = column_bins(l, c, 100000, bins);
    uint32_t next = 0;

    memset(seen, 0, n * sizeof *seen);
    for (size_t i = 0; i < l->n; i++) {
        if (!seen[bins[i]])
            seen[bins[i]] = c->value ? bins[i] + 1 : ++next;
        h = (h ^ seen[bins[i]]) * UINT64_C(0x100000001b3);
        h ^= h >> 31;
    }
    return h;
}

static void duplicates(struct lesson *l)
{
    AUTO(mem_freep) uint64_t *patterns = mem_array(l->n_columns + 1, sizeof *patterns);
    AUTO(mem_freep) uint32_t *bins = mem_array(l->n + 1, sizeof *bins);
    AUTO(mem_freep) uint32_t *seen = mem_array(l->n + 100003, sizeof *seen);

    for (size_t i = 0; i < l->n_columns; i++) {
        struct learn_column *c = &l->columns[i];

        if (c->out)
            continue;
        patterns[i] = pattern(l, c, bins, seen);
        for (size_t k = 0; k < i && !c->out; k++)
            if (!l->columns[k].out && patterns[k] == patterns[i]) {
                screen_out(l, c, "duplicate", "says the same as %.*s",
                           STR_ARG(str_cut(l->columns[k].name, 80)));
                break;
            }
    }
}

static void screen_column(struct lesson *l, struct learn_column *c)
{
    const struct some all = {NULL, l->n}, first = {l->first, l->n_leads}; /* of each lead */
    struct variety v = variety(c, &all);

    tell_commas(l, c);
    if (constant(l, c, &v) || date(l, c, &v))
        return;
    v = variety(c, &first);
    (void)(unique_text(l, c, &v) || serial(l, c, &first, &v));
}

void screen(struct lesson *l)
{
    for (size_t i = 0; i < l->n_columns && !learn_stopped(l); i++)
        if (!l->columns[i].out)
            screen_column(l, &l->columns[i]);
    if (!learn_stopped(l))
        duplicates(l);
}
