/* score/scorecard.h - rules, groups, bands; what a lead is worth at a moment, line by line.
 *
 * Pure. Points and sums are int64 tenths, so that what is printed is what is added. A rule that
 * uses event.* is engagement: each firing is a ledger row that a later configuration does not
 * touch. A rule without is fit: it holds while true. Immutable once built; any thread.
 */
#ifndef FUNNELD_SCORE_SCORECARD_H
#define FUNNELD_SCORE_SCORECARD_H

#include "funneld/config/conf.h"
#include "funneld/score/expr.h"

struct rule {
    struct str name, group; /* group may be missing */
    size_t group_at;        /* index of it; SIZE_MAX: none */
    struct str why;         /* in words, for reasons */
    const struct expr *when;
    bool engagement;
    int64_t points;       /* tenths, may be negative */
    int64_t half_life_ms; /* 0: never decays; engagement only */
    int64_t max;          /* tenths; INT64_MAX: none */
};

struct group {
    struct str name;
    int64_t max;
};

enum bands {
    BANDS_POINTS,
    BANDS_PROBABILITY, /* warm and hot are percents of what the model says */
    BANDS_QUARTILE,    /* warm: the upper half of the leads that the model learnt from, hot: the
                          best quarter */
};

struct scorecard {
    const struct rule *rules;
    size_t n_rules;
    const struct group *groups;
    size_t n_groups;
    int64_t warm, hot;     /* tenths */
    enum bands bands;      /* by points while no model is in use */
    const size_t *by_name; /* indexes of rules, sorted by their names */
    struct str text;       /* the [score], [group] and [rule] sections in canonical form: the rule
                              set as it is kept beside past scores; conf_read_text reads it back */
};

extern const struct section_spec score_spec, group_spec, rule_spec;

/* Builds from every [score], [group] and [rule] section of conf; problems are added. */
void scorecard_build(const struct conf *conf, struct arena *a, struct scorecard *ret,
                     struct conf_problems *problems);

/* One firing of an engagement rule, as stored. */
struct ledger_row {
    int64_t event;
    struct str rule, group, why;
    int64_t points, half_life_ms, max; /* as they were when it fired */
    int64_t occurred_at, received_at;
};

/* Decayed to `at` and rounded to a tenth, half away from zero; later firings are not decayed. */
int64_t ledger_worth(const struct ledger_row *row, int64_t at);

enum score_part { PART_FIT, PART_ENGAGEMENT };

struct score_line {
    struct str rule;  /* missing for the cap of a group */
    struct str group; /* may be missing */
    enum score_part part;
    int64_t points, worth; /* tenths; worth is decayed and rounded to a tenth */
    int64_t occurred_at;   /* 0 for fit and caps */
    int64_t event;         /* 0 for fit and caps */
    struct str why;        /* "demo request", "visited pricing", "cap of group engagement" */
    bool cap;
};

struct verdict_score {
    int64_t score, fit, engagement; /* score = fit + engagement = sum of worth over all lines */
    enum band band;
    struct score_line *lines; /* in arena; NULL when only sums were asked for */
    size_t n_lines;
};

/* The rules of the scorecard that fire for this event; calls back for each. */
void scorecard_fire(const struct scorecard *c, const struct facts *f,
                    void (*fired)(void *self, const struct rule *rule), void *self);

/* The score at `at`: rows decayed to `at` (later ones are not decayed), fit rules against the
 * lead. With an arena also the lines: fit in the order of the rules, engagement by occurred_at,
 * caps of rules, caps of groups; what is worth 0.0 by now has none.
 *
 * Points, half-life and words of a row are those of its firing. What caps it is the scorecard of
 * now: max and group of the rule by that name; where that is gone, the greatest max of its rows
 * and each row's own group. A group that is gone caps nothing. The cap of a group that mixes both
 * parts is taken from engagement as soon as one of its lines is engagement. */
void scorecard_evaluate(const struct scorecard *c, const struct lead *lead,
                        const struct ledger_row *rows, size_t n_rows, int64_t at, struct arena *a,
                        struct verdict_score *ret);

/* By points. */
enum band scorecard_band(const struct scorecard *c, int64_t score);

/* The strongest reasons in words, all firings of a rule in one: "demo request +35, visited pricing
 * (3x) +24.5, uses a free address -10"; at most n, caps left out, empty when there is none. The
 * verdict must have its lines. */
struct str score_reasons(const struct verdict_score *v, size_t n, struct arena *a);

#endif
