/* score/expr.h - the language of `when` (design 1.2).
 *
 *     or < and < not < comparison;  == != < <= > >= in contains matches;  ( )
 *     "text" 'text' 12.5;  in ("a", "b");  event.type event.source event.property event.value
 *     event.time event.data.KEY lead.NAME score score.previous score.band
 *     probability probability.previous churn churn.previous
 *
 * Missing is null; any comparison with null is false. A numeric literal compares with a strictly
 * decimal string by value, and is false against any other string; two strings compare bytewise;
 * two variables by value when both are strictly decimal. `matches` is a case-insensitive glob,
 * `contains` a case-insensitive search. event.time is compared with a date text (parsed when
 * compiled) or Unix milliseconds. probability and churn are percents, null while no model says
 * them; theirs of the event before are 0 where none was said. Compiled once into an arena,
 * immutable afterwards, any thread; evaluating allocates nothing.
 */
#ifndef FUNNELD_SCORE_EXPR_H
#define FUNNELD_SCORE_EXPR_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/lead/event.h"
#include "funneld/lead/lead.h"

struct expr;

enum expr_uses { /* what an expression looks at */
                 EXPR_EVENT = 1 << 0,
                 EXPR_LEAD = 1 << 1,
                 EXPR_SCORE = 1 << 2,
};

/* What it is evaluated against. A rule sees no score. */
struct facts {
    const struct event *event; /* NULL: every event.* is null */
    const struct lead *lead;   /* NULL: every lead.* is null */
    int64_t score, previous;   /* tenths */
    enum band band;
    struct chance probability, churn;
    int64_t previous_probability, previous_churn; /* tenths of a percent */
};

struct expr_error {
    size_t column; /* from 0, in bytes of the text, for the caret */
    char text[160];
};

MUST_CHECK enum rc expr_compile(struct str text, unsigned allowed, struct arena *a,
                                const struct expr **ret, struct expr_error *error);
bool expr_true(const struct expr *e, const struct facts *f);
unsigned expr_uses(const struct expr *e);
/* Whether it looks at lead.NAME; whether a text of it is this one, as in event.type == "a.b". */
bool expr_names_lead(const struct expr *e, struct str name);
bool expr_says_text(const struct expr *e, struct str text);

/* A name alone, as in a template: its text, or missing. Numbers are written as 12.5 or 80. */
bool expr_name_known(struct str name, unsigned allowed);
struct str expr_name_value(struct str name, const struct facts *f, struct arena *a);
struct str tenths_text(int64_t tenths, struct arena *a); /* "12.5", "80" */

/* "text\n   ^ message" for an error, to be shown under the line. */
struct str expr_caret(struct str text, const struct expr_error *error, struct arena *a);

/* The same as a problem of the entry whose value was compiled: "message\n    text\n       ^". */
struct conf_problems;
struct conf_section;
struct conf_entry;
void expr_problem(struct conf_problems *problems, const struct conf_section *section,
                  const struct conf_entry *entry, const struct expr_error *error);

#endif
