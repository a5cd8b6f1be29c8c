/* model/inputs.c - the names of what a model takes, and what they are of a lead at a moment. */
#include "funneld/model/inputs.h"

#include <math.h>

#include "funneld/base/clock.h"

enum what {
    WHAT_NOTHING, /* no lead has it */
    WHAT_PROPERTY,
    WHAT_EVENT_COUNT,
    WHAT_EVENT_DAYS,
    WHAT_RULE_COUNT,
    WHAT_RULE_DAYS,
    WHAT_FIT,
    WHAT_ENGAGEMENT,
    WHAT_SOURCE,
    WHAT_AGE,
};

struct lead_input {
    enum what what;
    struct str key; /* of a property or rule */
    uint32_t hash;  /* of an event's kind */
    size_t window;  /* of a count: index of windows */
    size_t rule;    /* index of lead_inputs.rules */
};

enum { WINDOWS = 3, RULES_MAX = 500 };
static const int windows[WINDOWS] = {7, 30, 90};

struct lead_inputs {
    struct lead_input *inputs;
    size_t n;
    struct str *rules; /* that any input asks about, each once */
    size_t n_rules;
};

/* How often a rule fired in each of the windows, and when it did last; 0: never. */
struct fired {
    double counts[WINDOWS];
    int64_t last;
};

static bool take_front(struct str *s, struct str front)
{
    if (!str_starts(*s, front))
        return false;
    *s = str_from(*s, front.len);
    return true;
}

static bool take_end(struct str *s, struct str end)
{
    if (s->len <= end.len || !str_ends(*s, end))
        return false;
    s->len -= end.len;
    return true;
}

/* KIND.count.30d or KIND.days */
static bool parse_counted(struct str *name, size_t *ret_window, bool *ret_days)
{
    static const struct str ends[WINDOWS] = {
        {".count.7d", 9}, {".count.30d", 10}, {".count.90d", 10}};

    *ret_days = take_end(name, STR(".days"));
    if (*ret_days)
        return true;
    for (size_t i = 0; i < WINDOWS; i++)
        if (take_end(name, ends[i])) {
            *ret_window = i;
            return true;
        }
    return false;
}

static struct lead_input parse_derived(struct str name)
{
    static const struct {
        const char *name;
        enum what what;
    } plain[] = {{"fit", WHAT_FIT},
                 {"engagement", WHAT_ENGAGEMENT},
                 {"source", WHAT_SOURCE},
                 {"age.days", WHAT_AGE}};
    struct lead_input in = {.what = WHAT_NOTHING};
    bool days;

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (str_is(name, plain[i].name))
            return (struct lead_input){.what = plain[i].what};
    bool event = take_front(&name, STR("event."));
    if ((!event && !take_front(&name, STR("rule."))) || !parse_counted(&name, &in.window, &days))
        return in;
    in.what = event ? (days ? WHAT_EVENT_DAYS : WHAT_EVENT_COUNT)
                    : (days ? WHAT_RULE_DAYS : WHAT_RULE_COUNT);
    in.key = name;
    in.hash = activity_hash(name);
    return in;
}

static struct lead_input parse(struct str name)
{
    if (take_front(&name, STR("@")))
        return parse_derived(name);
    return (struct lead_input){.what = WHAT_PROPERTY, .key = name};
}

static bool is_rule(const struct lead_input *in)
{
    return in->what == WHAT_RULE_COUNT || in->what == WHAT_RULE_DAYS;
}

static void add_firing(struct fired *f, int64_t occurred_at, int64_t at)
{
    if (occurred_at > at)
        return;
    for (size_t i = 0; i < WINDOWS; i++)
        f->counts[i] += at - occurred_at < windows[i] * (int64_t)DAYS_MS;
    if (occurred_at > f->last)
        f->last = occurred_at;
}

static double days_since(int64_t then, int64_t at)
{
    double days = (double)(at - then) / (double)DAYS_MS;

    return days > 0 ? days : 0;
}

static struct cell text_cell(struct str text)
{
    return (struct cell){text, NAN};
}

static struct cell number_cell(double number)
{
    return (struct cell){STR_NULL, number};
}

static double event_number(const struct lead_input *in, const struct lead_view *v)
{
    if (!v->activity)
        return NAN;
    return in->what == WHAT_EVENT_DAYS
               ? activity_recency(v->activity, in->hash, v->at)
               : (double)activity_count(v->activity, in->hash, v->at, windows[in->window]);
}

static double rule_number(const struct lead_input *in, const struct fired *f, int64_t at)
{
    if (in->what == WHAT_RULE_COUNT)
        return f->counts[in->window];
    return f->last ? days_since(f->last, at) : NAN;
}

static struct cell cell_of(const struct lead_input *in, const struct lead_view *v,
                           const struct fired *f)
{
    switch (in->what) {
    case WHAT_PROPERTY:
        return text_cell(lead_get(v->lead, in->key));
    case WHAT_EVENT_COUNT:
    case WHAT_EVENT_DAYS:
        return number_cell(event_number(in, v));
    case WHAT_RULE_COUNT:
    case WHAT_RULE_DAYS:
        return number_cell(rule_number(in, f, v->at));
    case WHAT_FIT:
        return number_cell((double)v->lead->fit / 10);
    case WHAT_ENGAGEMENT:
        return number_cell((double)v->lead->engagement / 10);
    case WHAT_SOURCE:
        return text_cell(v->lead->source);
    case WHAT_AGE:
        return number_cell(v->lead->created_at ? days_since(v->lead->created_at, v->at) : NAN);
    case WHAT_NOTHING:
        break;
    }
    return number_cell(NAN);
}

bool lead_input_is_known(struct str name)
{
    return parse(name).what != WHAT_NOTHING;
}

bool lead_input_counted(struct str name, struct str *ret_key, int *ret_days)
{
    const struct lead_input in = parse(name);
    bool counts = in.what == WHAT_EVENT_COUNT || in.what == WHAT_RULE_COUNT;

    if (!counts && in.what != WHAT_EVENT_DAYS && in.what != WHAT_RULE_DAYS)
        return false;
    *ret_key = in.key;
    *ret_days = counts ? windows[in.window] : 0;
    return true;
}

static size_t rule_index(struct lead_inputs *all, struct str rule)
{
    for (size_t i = 0; i < all->n_rules; i++)
        if (str_eq(all->rules[i], rule))
            return i;
    if (all->n_rules == RULES_MAX) /* more than any configuration has */
        return RULES_MAX;
    all->rules[all->n_rules] = rule;
    return all->n_rules++;
}

struct lead_inputs *lead_inputs_named(const struct str names[], size_t n, struct arena *a)
{
    struct lead_inputs *all = ARENA_NEW(a, struct lead_inputs);

    all->n = n;
    all->inputs = arena_array(a, n, sizeof *all->inputs);
    all->rules = arena_array(a, n, sizeof *all->rules);
    for (size_t i = 0; i < n; i++) {
        struct lead_input *in = &all->inputs[i];

        *in = parse(names[i]);
        if (is_rule(in) && (in->rule = rule_index(all, in->key)) == RULES_MAX)
            *in = (struct lead_input){.what = WHAT_NOTHING};
    }
    return all;
}

struct lead_inputs *lead_inputs_new(const struct model *m, struct arena *a)
{
    size_t n = model_card(m)->n_inputs;
    struct str *names = arena_array(a, n, sizeof *names);

    for (size_t i = 0; i < n; i++)
        names[i] = model_input_name(m, i);
    return lead_inputs_named(names, n, a);
}

/* One walk through the firings, however many inputs ask about them. */
static void count_rules(const struct lead_inputs *all, const struct lead_view *v,
                        struct fired ret[])
{
    for (size_t i = 0; i < v->n_rows; i++)
        for (size_t k = 0; k < all->n_rules; k++)
            if (str_eq(v->rows[i].rule, all->rules[k])) {
                add_firing(&ret[k], v->rows[i].occurred_at, v->at);
                break;
            }
}

void lead_cells(const struct lead_inputs *all, const struct lead_view *v, struct cell ret[])
{
    struct fired fired[RULES_MAX];

    for (size_t i = 0; i < all->n_rules; i++)
        fired[i] = (struct fired){0};
    count_rules(all, v, fired);
    for (size_t i = 0; i < all->n; i++)
        ret[i] = cell_of(&all->inputs[i], v, &fired[all->inputs[i].rule]);
}
