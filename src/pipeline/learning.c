/* pipeline/learning.c - from the store to a training set.
 *
 * First some leads are looked at, evenly chosen: which properties are filled, what leads do most,
 * how many rows a lead gives. Then all, or as many as there is room for, become rows. Two passes
 * over the leads cost less than keeping what will not be wanted.
 */
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "learning_priv.h"

enum {
    PROPERTIES_MOST = 200,
    KINDS_MOST = 30,
    RULES_MOST = 60,
    LEADS_LOOKED_AT = 5000,
    LEADS_SPAN = 20000,
    LEADS_AT_ONCE = 500,
    ROWS_MOST = 200000,
    CELLS_MOST = 24 * 1000 * 1000,
    NAMES_MOST = 10000, /* properties that are looked at at all */
    LIVE_ONE_IN = 10,   /* of a kind's events, or it is none of today */
};

struct study {
    struct learning *l;
    struct reader *reader;
    struct lead_past past;
    int64_t *leads;
    size_t n_leads;
    struct texts properties, kinds;
    int64_t looked, useful; /* rows of the leads that were looked at */
    struct rows *rows, *recent;
};

static enum rc list_leads(struct study *s)
{
    int64_t ids[LEADS_AT_ONCE], after = 0;
    bool end = false;
    size_t cap = 0;
    enum rc rc = RC_OK;

    while (rc == RC_OK && !end) {
        size_t n = 0;

        rc = read_leads_heard_of(s->reader, 0, LEADS_SPAN, LEADS_AT_ONCE, &after, ids, &n, &end);
        if (rc == RC_OK && s->n_leads + n > cap) {
            cap = 2 * (s->n_leads + n);
            s->leads = mem_grow(s->leads, cap, sizeof *s->leads);
        }
        if (rc == RC_OK && n)
            memcpy(&s->leads[s->n_leads], ids, n * sizeof *ids);
        s->n_leads += rc == RC_OK ? n : 0;
    }
    s->l->leads = (int64_t)s->n_leads;
    return rc;
}

static bool is_stopped(const struct learning *l)
{
    return l->stop && atomic_load(l->stop);
}

/* The i-th of `of` leads that are chosen evenly. */
static int64_t lead_at(const struct study *s, size_t i, size_t of)
{
    return s->leads[i * s->n_leads / of];
}

static enum rc each_lead(struct study *s, size_t of, double from, double to,
                         void (*done)(struct study *s, int64_t lead))
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < of && rc == RC_OK; i++) {
        int64_t lead = lead_at(s, i, of);

        if (is_stopped(s->l))
            return RC_CLOSED;
        rc = lead_past_read(&s->past, lead);
        if (rc == RC_OK)
            done(s, lead);
        rc = rc == RC_NONE ? RC_OK : rc;
        if (s->l->progress && (i % 64 == 0 || i + 1 == of))
            s->l->progress(s->l->self, from + (to - from) * (double)(i + 1) / (double)of);
    }
    return rc;
}

/* The first pass */

static void see_filled(void *self, const struct lead_view *v, size_t n)
{
    struct study *s = self;

    (void)n; /* whatever its outcome: it is what there is when a lead is served */
    for (size_t i = 0; i < v->lead->n_properties && s->properties.n < NAMES_MOST; i++)
        if (v->lead->properties[i].value.len)
            texts_add(&s->properties, v->lead->properties[i].name, &s->l->arena)->n++;
}

static void see_kind(void *self, const struct event *e, struct str kind)
{
    struct study *s = self;

    if (s->kinds.n == NAMES_MOST)
        return;
    struct counted *c = texts_add(&s->kinds, kind, &s->l->arena);
    c->n++;
    c->live += !e->imported;
}

static void count_useful(struct study *s, int64_t lead)
{
    (void)lead;
    s->looked++;
    for (size_t i = 0; i < s->past.n; i++)
        s->useful += s->past.snapshots[i].outcome == OUTCOME_NO ||
                     s->past.snapshots[i].outcome == OUTCOME_YES;
}

static enum rc first_pass(struct study *s)
{
    size_t of = s->n_leads < LEADS_LOOKED_AT ? s->n_leads : LEADS_LOOKED_AT;

    s->past.snapshot = see_filled;
    s->past.acted = see_kind;
    enum rc rc = each_lead(s, of, 0, of < s->n_leads ? 0.1 : 0.5, count_useful);
    s->past.acted = NULL;
    return rc;
}

/* Columns */

static int most_first(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;

    return x->n != y->n ? (x->n < y->n ? 1 : -1) : str_cmp(x->text, y->text);
}

/* The most frequent ones first. Nothing can be added afterwards. */
static void sort(struct texts *t)
{
    if (t->n)
        qsort(t->items, t->n, sizeof *t->items, most_first);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void leave_out(struct learning *l, struct str name, const char *reason)
{
    l->left_out[l->n_left_out++] = (struct left_out){name, str_of(reason)};
}

static bool is_ours(const struct rules *r, struct str name)
{
    for (size_t i = 0; i < r->n_connectors; i++) {
        const struct connector *c = &r->connectors[i];

        if (c->type->writes && c->type->writes(c->settings, name))
            return true;
    }
    return str_starts(name, STR("funneld_"));
}

static bool must_not_be_learnt(struct learning *l, struct str name)
{
    if (is_ours(l->rules, name))
        leave_out(l, name, "funneld writes it");
    else if (expr_names_lead(l->goal->when, name))
        leave_out(l, name, "the goal itself is told by it");
    else
        return false;
    return true;
}

static bool is_of_goal(const struct learning *l, struct str kind)
{
    return is_ours(l->rules, kind) || expr_names_lead(l->goal->when, kind) ||
           expr_says_text(l->goal->when, kind);
}

/* The CRM's history has more than what comes in: leads of today would seem to do nothing. */
static bool is_of_the_past(struct learning *l, const struct counted *kind)
{
    if (kind->live * LIVE_ONE_IN >= kind->n)
        return false;
    leave_out(l, arena_printf(&l->arena, "@event.%.*s", STR_ARG(kind->text)),
              "leads of today do not show it: it came by import");
    return true;
}

struct names {
    struct str *items;
    size_t n;
};

static void add_properties(struct study *s, struct names *names)
{
    struct learning *l = s->l;
    size_t first = names->n;

    sort(&s->properties);
    for (size_t i = 0; i < s->properties.n && names->n - first < PROPERTIES_MOST; i++)
        if (s->properties.items[i].text.at[0] != '@' &&
            !must_not_be_learnt(l, s->properties.items[i].text))
            names->items[names->n++] = s->properties.items[i].text;
    qsort(&names->items[first], names->n - first, sizeof *names->items, by_name);
}

static void add_derived(struct names *names, const char *of, struct str name,
                        const char *const ends[], size_t n, struct arena *a)
{
    for (size_t i = 0; i < n; i++)
        names->items[names->n++] = arena_printf(a, "@%s.%.*s.%s", of, STR_ARG(name), ends[i]);
}

static void add_kinds(struct study *s, struct names *names)
{
    static const char *const ends[] = {"count.7d", "count.30d", "count.90d", "days"};
    size_t first = names->n;

    sort(&s->kinds);
    for (size_t i = 0; i < s->kinds.n && names->n - first < KINDS_MOST * ARRAY_LEN(ends); i++)
        if (!is_of_goal(s->l, s->kinds.items[i].text) && !is_of_the_past(s->l, &s->kinds.items[i]))
            add_derived(names, "event", s->kinds.items[i].text, ends, ARRAY_LEN(ends),
                        &s->l->arena);
    qsort(&names->items[first], names->n - first, sizeof *names->items, by_name);
}

static void add_rules(const struct study *s, struct names *names)
{
    static const char *const ends[] = {"count.30d", "days"};
    const struct scorecard *card = &s->l->rules->scorecard;
    size_t first = names->n;

    for (size_t i = 0; i < card->n_rules && names->n - first < RULES_MOST * ARRAY_LEN(ends); i++)
        if (card->rules[i].engagement)
            add_derived(names, "rule", card->rules[i].name, ends, ARRAY_LEN(ends), &s->l->arena);
}

static void choose_columns(struct study *s)
{
    static const struct str others[] = {
        {"@fit", 4}, {"@engagement", 11}, {"@source", 7}, {"@age.days", 9}};
    size_t most = PROPERTIES_MOST + KINDS_MOST * 4 + RULES_MOST * 2 + ARRAY_LEN(others);
    struct names names = {.items = arena_array(&s->l->arena, most, sizeof *names.items)};

    s->l->left_out =
        arena_array(&s->l->arena, s->properties.n + s->kinds.n + 1, sizeof *s->l->left_out);
    add_properties(s, &names);
    add_kinds(s, &names);
    add_rules(s, &names);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        names.items[names.n++] = others[i];
    s->rows = rows_new(names.items, names.n, &s->l->arena);
    s->recent = rows_new(names.items, names.n, &s->l->arena);
    if (s->l->max_rows > CELLS_MOST / names.n)
        s->l->max_rows = CELLS_MOST / names.n;
}

/* The second pass */

static void see_row(void *self, const struct lead_view *v, size_t n)
{
    struct study *s = self;

    rows_put(s->rows, n, v);
}

static void keep_row(struct study *s, int64_t lead, size_t i)
{
    const struct learning *l = s->l;
    const struct snapshot *at = &s->past.snapshots[i];
    bool known = at->outcome == OUTCOME_NO || at->outcome == OUTCOME_YES;
    bool recent = at->at > l->now_ms - LEARNING_RECENT_DAYS * DAYS_MS;

    if (known && rows_count(s->rows) < l->max_rows)
        rows_keep(s->rows, s->rows, i, at, (uint32_t)lead);
    if (recent && at->outcome != OUTCOME_BEFORE && rows_count(s->recent) < l->max_rows)
        rows_keep(s->recent, s->rows, i, at, (uint32_t)lead);
}

static void keep_rows(struct study *s, int64_t lead)
{
    struct learning *l = s->l;
    bool reached = false, any = false;

    l->sampled++;
    l->cut += s->past.cut;
    l->too_long += s->past.too_long;
    l->others += (int64_t)s->past.n_others;
    for (size_t i = 0; i < s->past.n; i++) {
        const struct snapshot *at = &s->past.snapshots[i];

        l->censored += at->outcome == OUTCOME_OPEN;
        reached |= at->outcome == OUTCOME_BEFORE;
        any |= at->outcome != OUTCOME_BEFORE;
        keep_row(s, lead, i);
    }
    l->reached += (reached && !any) || s->past.reached_first;
}

static enum rc second_pass(struct study *s)
{
    double expected = s->looked ? (double)s->useful / (double)s->looked * (double)s->n_leads : 0;
    size_t of = s->n_leads;

    if (expected * 1.05 > (double)s->l->max_rows)
        of = (size_t)((double)s->n_leads * (double)s->l->max_rows / (expected * 1.05));
    s->past.snapshot = see_row;
    s->l->unread = 0; /* those of the first pass are met again */
    return each_lead(s, of, of < s->n_leads ? 0.1 : 0.5, 1, keep_rows);
}

static enum rc study(struct study *s)
{
    enum rc rc = read_purged(s->reader, &s->l->purged_at);

    if (rc == RC_OK)
        rc = list_leads(s);
    if (rc == RC_OK)
        rc = first_pass(s);
    if (rc != RC_OK)
        return rc;
    choose_columns(s);
    return second_pass(s);
}

struct passed_over {
    struct learning *l;
    struct str *names;
    size_t n;
};

static void pass_over(void *self, struct str name)
{
    struct passed_over *p = self;

    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->names[i], name))
            return;
    p->names[p->n++] = name;
    leave_out(p->l, name, "it has too many different texts");
}

static void make_tables(struct study *s)
{
    struct learning *l = s->l;
    struct passed_over p = {.l = l,
                            .names = arena_array(&l->arena, PROPERTIES_MOST + 1, sizeof *p.names)};

    rows_pass_over(s->rows, pass_over, &p);
    rows_pass_over(s->recent, pass_over, &p);
    rows_table(s->rows, p.names, p.n, &l->set);
    rows_table(s->recent, p.names, p.n, &l->recent);
}

enum rc learning_read(struct learning *l, struct reader *r)
{
    struct study s = {.l = l, .reader = r, .past = {.l = l, .reader = r}};

    if (!l->max_rows)
        l->max_rows = ROWS_MOST;
    s.past.self = &s;
    enum rc rc = study(&s);
    if (s.rows)
        make_tables(&s);
    l->rows = s.rows;
    l->recent_rows = s.recent;
    arena_free(&s.past.arena);
    texts_free(&s.properties);
    texts_free(&s.kinds);
    free(s.leads);
    return rc;
}

void learning_free(struct learning *l)
{
    rows_free(l->rows);
    rows_free(l->recent_rows);
    l->rows = l->recent_rows = NULL;
    l->set = l->recent = (struct training_set){0};
    arena_free(&l->arena);
}
