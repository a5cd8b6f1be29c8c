/* score/evaluate.c - what a lead is worth at a moment: lines that add up, and their caps.
 *
 * This runs once for every event, so without an arena it takes no memory: sums are kept on the
 * stack, and lines are added up as if they were printed, so that both ways agree.
 */
#include <math.h>
#include <stdlib.h>

#include "funneld/score/scorecard.h"
#include "scorecard_priv.h"

struct sums {
    const struct scorecard *card;
    struct arena *arena; /* NULL: no lines */
    struct verdict_score *v;
    int64_t rules[SCORE_MAX_RULES]; /* by index; lines before caps */
    int64_t groups[SCORE_MAX_GROUPS];
    bool engaged[SCORE_MAX_GROUPS]; /* has a line of engagement */
};

static void add_line(struct sums *s, size_t group, const struct score_line *line)
{
    if (!line->worth)
        return;
    if (line->part == PART_FIT)
        s->v->fit += line->worth;
    else
        s->v->engagement += line->worth;
    if (group != NOT_FOUND) {
        s->groups[group] += line->worth;
        s->engaged[group] |= line->part == PART_ENGAGEMENT;
    }
    if (s->v->lines)
        s->v->lines[s->v->n_lines++] = *line;
}

static void add_fit(struct sums *s, const struct lead *lead)
{
    const struct facts facts = {.lead = lead};

    for (size_t i = 0; i < s->card->n_rules; i++) {
        const struct rule *r = &s->card->rules[i];

        if (r->engagement || !r->when || !expr_true(r->when, &facts))
            continue;
        s->rules[i] += r->points;
        add_line(s, r->group_at,
                 &(struct score_line){.rule = r->name,
                                      .group = r->group,
                                      .part = PART_FIT,
                                      .points = r->points,
                                      .worth = r->points,
                                      .why = r->why});
    }
}

/* In doubles, because a sender may date an event anywhere. */
int64_t ledger_worth(const struct ledger_row *row, int64_t at)
{
    double age = (double)at - (double)row->occurred_at;

    if (row->half_life_ms <= 0 || age <= 0)
        return row->points;
    return llround((double)row->points * exp2(-age / (double)row->half_life_ms));
}

size_t scorecard_rule(const struct scorecard *c, struct str name)
{
    size_t low = 0, high = c->n_rules;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(c->rules[c->by_name[middle]].name, name);

        if (order == 0)
            return c->by_name[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NOT_FOUND;
}

/* Returns how many rows belong to rules that are gone. */
static size_t add_rows(struct sums *s, const struct ledger_row *rows, size_t n, int64_t at)
{
    size_t gone = 0, rule = NOT_FOUND;

    for (size_t i = 0; i < n; i++) {
        const struct ledger_row *row = &rows[i];
        size_t group_at;
        int64_t worth = ledger_worth(row, at);
        struct str group = row->group;

        if (i == 0 || !str_eq(row->rule, rows[i - 1].rule))
            rule = scorecard_rule(s->card, row->rule);
        if (rule == NOT_FOUND) {
            gone++;
            group_at = scorecard_group(s->card, group);
        } else {
            s->rules[rule] += worth;
            group = s->card->rules[rule].group;
            group_at = s->card->rules[rule].group_at;
        }
        add_line(s, group_at,
                 &(struct score_line){.rule = row->rule,
                                      .group = group,
                                      .part = PART_ENGAGEMENT,
                                      .points = row->points,
                                      .worth = worth,
                                      .occurred_at = row->occurred_at,
                                      .event = row->event,
                                      .why = row->why});
    }
    return gone;
}

static void add_rule_cap(struct sums *s, struct score_line line, int64_t sum, int64_t max,
                         size_t group)
{
    if (sum <= max)
        return;
    line.cap = true;
    line.points = line.worth = max - sum;
    if (s->arena)
        line.why = arena_printf(s->arena, "cap of rule %.*s", STR_ARG(line.rule));
    add_line(s, group, &line);
}

static void cap_rules(struct sums *s)
{
    for (size_t i = 0; i < s->card->n_rules; i++) {
        const struct rule *r = &s->card->rules[i];
        const struct score_line line = {
            .rule = r->name, .group = r->group, .part = r->engagement ? PART_ENGAGEMENT : PART_FIT};

        add_rule_cap(s, line, s->rules[i], r->max, r->group_at);
    }
}

static bool seen_before(const struct ledger_row *rows, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_eq(rows[k].rule, rows[i].rule))
            return true;
    return false;
}

static void cap_gone_rule(struct sums *s, const struct gone_rule *g)
{
    const struct score_line line = {.rule = g->name, .group = g->group, .part = PART_ENGAGEMENT};

    add_rule_cap(s, line, g->sum, g->max, scorecard_group(s->card, g->group));
}

void gone_rule_take(struct gone_rule *g, const struct ledger_row *row)
{
    if (row->max > g->max)
        g->max = row->max;
    if (row->occurred_at >= g->newest) {
        g->newest = row->occurred_at;
        g->group = row->group;
    }
}

/* Rules that are gone have no room of their own: the first row of each adds up all of them. */
static void cap_gone(struct sums *s, const struct ledger_row *rows, size_t n, int64_t at)
{
    for (size_t i = 0; i < n; i++) {
        struct gone_rule g = gone_rule_of(rows[i].rule);

        if (scorecard_rule(s->card, g.name) != NOT_FOUND || seen_before(rows, i))
            continue;
        for (size_t k = i; k < n; k++) {
            if (!str_eq(rows[k].rule, g.name))
                continue;
            g.sum += ledger_worth(&rows[k], at);
            gone_rule_take(&g, &rows[k]);
        }
        cap_gone_rule(s, &g);
    }
}

static void cap_groups(struct sums *s)
{
    for (size_t i = 0; i < s->card->n_groups; i++) {
        const struct group *g = &s->card->groups[i];
        struct score_line line = {
            .group = g->name, .part = s->engaged[i] ? PART_ENGAGEMENT : PART_FIT, .cap = true};

        if (s->groups[i] <= g->max)
            continue;
        line.points = line.worth = g->max - s->groups[i];
        if (s->arena)
            line.why = arena_printf(s->arena, "cap of group %.*s", STR_ARG(g->name));
        add_line(s, i, &line);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct score_line *x = a, *y = b;

    if (x->occurred_at != y->occurred_at)
        return x->occurred_at < y->occurred_at ? -1 : 1;
    if (x->event != y->event)
        return x->event < y->event ? -1 : 1;
    return str_cmp(x->rule, y->rule);
}

/* As far as it is used. */
static void begin_sums(struct sums *s, const struct score_base *from)
{
    for (size_t i = 0; i < s->card->n_rules; i++)
        s->rules[i] = from ? from->rules[i] : 0;
    for (size_t i = 0; i < s->card->n_groups; i++) {
        s->groups[i] = from ? from->groups[i] : 0;
        s->engaged[i] = from && from->engaged[i];
    }
    s->v->engagement = from ? from->engagement : 0;
}

static void evaluate(const struct scorecard *c, const struct score_base *base,
                     const struct lead *lead, const struct ledger_row *rows, size_t n_rows,
                     int64_t at, struct arena *a, struct verdict_score *ret)
{
    struct verdict_score v = {0};
    struct sums s;

    s.card = c;
    s.arena = a;
    s.v = &v;
    begin_sums(&s, base);
    if (a) /* a line and a cap for every rule and row */
        v.lines = arena_array(a, 2 * (c->n_rules + n_rows) + c->n_groups, sizeof *v.lines);

    add_fit(&s, lead);
    size_t n_fit = v.n_lines;
    size_t gone = add_rows(&s, rows, n_rows, at);
    if (v.n_lines > n_fit)
        qsort(v.lines + n_fit, v.n_lines - n_fit, sizeof *v.lines, by_time);
    cap_rules(&s);
    if (gone)
        cap_gone(&s, rows, n_rows, at);
    for (size_t i = 0; base && i < base->n_gone; i++)
        cap_gone_rule(&s, &base->gone[i]);
    cap_groups(&s);
    v.score = v.fit + v.engagement;
    v.band = scorecard_band(c, v.score);
    *ret = v;
}

void scorecard_evaluate(const struct scorecard *c, const struct lead *lead,
                        const struct ledger_row *rows, size_t n_rows, int64_t at, struct arena *a,
                        struct verdict_score *ret)
{
    evaluate(c, NULL, lead, rows, n_rows, at, a, ret);
}

void scorecard_evaluate_from(const struct scorecard *c, const struct score_base *base,
                             const struct lead *lead, struct verdict_score *ret)
{
    evaluate(c, base, lead, NULL, 0, 0, NULL, ret);
}

void scorecard_fire(const struct scorecard *c, const struct facts *f,
                    void (*fired)(void *self, const struct rule *rule), void *self)
{
    for (size_t i = 0; i < c->n_rules; i++)
        if (c->rules[i].engagement && expr_true(c->rules[i].when, f))
            fired(self, &c->rules[i]);
}

enum band scorecard_band(const struct scorecard *c, int64_t score)
{
    if (score >= c->hot)
        return BAND_HOT;
    return score >= c->warm ? BAND_WARM : BAND_COLD;
}
