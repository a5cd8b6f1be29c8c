/* pipeline/learning_table.c - rows as columns that grow, each text kept once. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learning_priv.h"

/* Longer ones are prose, which no two leads share; so are columns with more texts than that many
 * that are no numbers. And what all columns have together has an end: a past has as many leads as
 * it likes. */
enum { TEXT_MOST = 255, SLOTS_FIRST = 256, WORDS_MOST = 20000, TEXTS_MOST = 2000000 };

static uint64_t hash(struct str s)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.at[i]) * UINT64_C(1099511628211);
    return h ^ h >> 32;
}

static uint32_t *slot_of(const struct texts *t, struct str text)
{
    size_t i = (size_t)hash(text) & (t->n_slots - 1);

    while (t->slots[i] && !str_eq(t->items[t->slots[i] - 1].text, text))
        i = (i + 1) & (t->n_slots - 1);
    return &t->slots[i];
}

/* At most half of the slots are taken, so that there always is an empty one. */
static void more_slots(struct texts *t)
{
    free(t->slots);
    t->n_slots = t->n_slots ? t->n_slots * 2 : SLOTS_FIRST;
    t->slots = mem_array(t->n_slots, sizeof *t->slots);
    for (size_t i = 0; i < t->n; i++)
        *slot_of(t, t->items[i].text) = (uint32_t)i + 1;
}

struct counted *texts_add(struct texts *t, struct str text, struct arena *a)
{
    if (2 * (t->n + 1) > t->n_slots)
        more_slots(t);
    uint32_t *slot = slot_of(t, text);
    if (!*slot) {
        if (t->n == t->cap) {
            t->cap = t->cap ? t->cap * 2 : SLOTS_FIRST;
            t->items = mem_grow(t->items, t->cap, sizeof *t->items);
        }
        t->items[t->n++] = (struct counted){.text = arena_str(a, text)};
        *slot = (uint32_t)t->n;
    }
    return &t->items[*slot - 1];
}

void texts_free(struct texts *t)
{
    free(t->items);
    free(t->slots);
    *t = (struct texts){0};
}

struct growing {
    bool is_number;   /* derived columns are, but for the source */
    bool passed_over; /* it has too many texts */
    struct str *texts;
    double *numbers;
    struct texts seen;
    size_t words; /* of those, what is no number */
};

struct rows {
    struct arena *arena;
    const struct str *names;
    struct lead_inputs *inputs;
    struct growing *columns;
    struct cell *put; /* rows that may be dropped, one behind the other */
    size_t n_columns, n, cap;
    bool *positive;
    double *time, *known_at;
    uint32_t *group;
    size_t n_texts; /* of all columns */
};

struct rows *rows_new(const struct str names[], size_t n, struct arena *a)
{
    struct rows *r = mem_alloc(sizeof *r);

    r->arena = a;
    r->names = names;
    r->n_columns = n;
    r->inputs = lead_inputs_named(names, n, a);
    r->columns = mem_array(n + 1, sizeof *r->columns);
    r->put = mem_array(n * LEARNING_AGES + 1, sizeof *r->put);
    for (size_t i = 0; i < n; i++)
        r->columns[i].is_number = names[i].at[0] == '@' && !str_is(names[i], "@source");
    return r;
}

void rows_put(struct rows *r, size_t place, const struct lead_view *v)
{
    lead_cells(r->inputs, v, &r->put[place * r->n_columns]);
}

/* Each once, of rows that are kept. */
static struct str keep_text(struct rows *r, struct growing *c, struct str text)
{
    size_t known = c->seen.n;
    double number;

    if (!text.len || c->passed_over)
        return STR_NULL;
    text = texts_add(&c->seen, str_cut(text, TEXT_MOST), r->arena)->text;
    if (c->seen.n > known) {
        r->n_texts++;
        c->words += !str_decimal(text, &number);
        c->passed_over = c->words > WORDS_MOST || r->n_texts > TEXTS_MOST;
    }
    return text;
}

static void grow(struct rows *r)
{
    r->cap = r->cap ? r->cap * 2 : 1024;
    r->positive = mem_grow(r->positive, r->cap, sizeof *r->positive);
    r->time = mem_grow(r->time, r->cap, sizeof *r->time);
    r->known_at = mem_grow(r->known_at, r->cap, sizeof *r->known_at);
    r->group = mem_grow(r->group, r->cap, sizeof *r->group);
    for (size_t i = 0; i < r->n_columns; i++) {
        struct growing *c = &r->columns[i];

        if (c->is_number)
            c->numbers = mem_grow(c->numbers, r->cap, sizeof *c->numbers);
        else
            c->texts = mem_grow(c->texts, r->cap, sizeof *c->texts);
    }
}

void rows_keep(struct rows *r, const struct rows *put, size_t place, const struct snapshot *s,
               uint32_t group)
{
    if (r->n == r->cap)
        grow(r);
    for (size_t i = 0; i < r->n_columns; i++) {
        const struct cell *c = &put->put[place * r->n_columns + i];

        if (r->columns[i].is_number)
            r->columns[i].numbers[r->n] = c->number;
        else
            r->columns[i].texts[r->n] = keep_text(r, &r->columns[i], c->text);
    }
    r->positive[r->n] = s->outcome == OUTCOME_YES;
    r->time[r->n] = (double)s->at;
    r->known_at[r->n] = (double)s->known_at;
    r->group[r->n++] = group;
}

size_t rows_count(const struct rows *r)
{
    return r->n;
}

void rows_pass_over(struct rows *r, void (*passed)(void *self, struct str name), void *self)
{
    for (size_t i = 0; i < r->n_columns; i++)
        if (r->columns[i].passed_over)
            passed(self, r->names[i]);
}

static bool is_among(const struct str names[], size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

void rows_table(const struct rows *r, const struct str without[], size_t n,
                struct training_set *ret)
{
    struct column *columns = arena_array(r->arena, r->n_columns + 1, sizeof *columns);
    size_t n_columns = 0;

    for (size_t i = 0; i < r->n_columns; i++)
        if (!is_among(without, n, r->names[i]))
            columns[n_columns++] = (struct column){.name = r->names[i],
                                                   .texts = r->columns[i].texts,
                                                   .numbers = r->columns[i].numbers};
    *ret = (struct training_set){
        .table = {.columns = columns, .n_columns = n_columns, .n_rows = r->n},
        .positive = r->positive,
        .time = r->time,
        .time_is_ms = true,
        .known_at = r->known_at,
        .group = r->group,
    };
}

void rows_free(struct rows *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_columns; i++) {
        free(r->columns[i].texts);
        free(r->columns[i].numbers);
        texts_free(&r->columns[i].seen);
    }
    free(r->columns);
    free(r->put);
    free(r->positive);
    free(r->time);
    free(r->known_at);
    free(r->group);
    free(r);
}
