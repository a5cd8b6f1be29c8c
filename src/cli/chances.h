/* cli/chances.h - what the models of a time say of a lead, and the part that each input has in it.
 */
#ifndef FUNNELD_CLI_CHANCES_H
#define FUNNELD_CLI_CHANCES_H

#include "cli_priv.h"
#include "funneld/model/inputs.h"

struct chance_part {
    struct str input, value; /* value missing: the lead had none */
    double log_odds, points; /* points: of 100 */
};

struct told_chance {
    enum model_goal goal;
    struct str name; /* of the model */
    int64_t version;
    double probability, base;  /* base: of a lead of which nothing is known */
    struct chance_part *parts; /* the strongest first */
    size_t n;
    double quartiles[3];
};

/* By the models that served at v->at: one for each goal that had any and is foreseen of such a
 * lead. */
int chances_of(struct cli *cli, const struct lead_view *v, struct told_chance ret[GOAL_COUNT],
               size_t *ret_n);
/* Of a lead with that score, where bands are by probability; else by points. */
enum band chances_band(const struct told_chance told[], size_t n, const struct scorecard *card,
                       int64_t score);
void chances_shape(const struct told_chance told[], size_t n, struct sbuf *b); /* a JSON array */
void chances_print(struct cli *cli, const struct told_chance told[], size_t n);

#endif
