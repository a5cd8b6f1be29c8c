/* tests/unit/scorecard_world.h - a scorecard from text, a lead, ledger rows. */
#ifndef FUNNELD_TESTS_SCORECARD_WORLD_H
#define FUNNELD_TESTS_SCORECARD_WORLD_H

#include "cm.h"
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/score/scorecard.h"

static const char sales[] =
    "[score]\n"
    "warm = 40\n"
    "hot  = 80\n"
    "\n"
    "[group engagement]\n"
    "max = 60\n"
    "\n"
    "[group mixed]\n"
    "max = 10\n"
    "\n"
    "[rule demo-request]\n"
    "when      = event.property == \"demo_requested\" and event.value == \"true\"\n"
    "points    = 35\n"
    "half_life = 30d\n"
    "group     = engagement\n"
    "\n"
    "[rule visited_pricing]\n"
    "when      = event.property == \"hs_analytics_last_url\"\n"
    "    and event.value contains \"/pricing\"\n"
    "points    = 8\n"
    "half_life = 14d\n"
    "max       = 20\n"
    "group     = engagement\n"
    "\n"
    "[rule job-title]\n"
    "when   = lead.jobtitle matches \"*head*\" or lead.jobtitle matches \"*vp*\"\n"
    "points = 20\n"
    "why    = decides about budgets\n"
    "\n"
    "[rule free-address]\n"
    "when   = lead.email matches \"*@gmail.com\"\n"
    "points = -10.5\n";

struct world {
    struct arena arena;
    struct conf conf;
    struct conf_problems problems;
    struct scorecard card;
};

static void world_free(struct world *w)
{
    arena_free(&w->arena);
}

static void build(struct world *w, struct str text)
{
    *w = (struct world){0};
    conf_problems_init(&w->problems, &w->arena);
    if (conf_read_text(STR("test.conf"), text, &w->arena, &w->conf, &w->problems))
        assert_true(w->problems.n > 0);
    scorecard_build(&w->conf, &w->arena, &w->card, &w->problems);
}

static void build_sound(struct world *w, struct str text)
{
    build(w, text);
    for (const struct conf_problem *p = w->problems.first; p; p = p->next)
        fail_msg("%.*s:%d: %.*s", STR_ARG(p->file), p->line, STR_ARG(p->message));
}

static struct property properties[] = {
    {.name = {"email", 5}, .value = {"ada@gmail.com", 13}},
    {.name = {"jobtitle", 8}, .value = {"VP Engines", 10}},
};
static const struct lead vp = {.properties = properties, .n_properties = 2};
__attribute__((unused)) static const struct lead nobody = {0};

#define NOW (INT64_C(1767225600000)) /* 2026-01-01 */
enum { MAX_ROWS = 64 };

__attribute__((unused)) static struct ledger_row row(const char *rule, int64_t points,
                                                     int64_t half_life, int64_t age)
{
    return (struct ledger_row){.event = 1,
                               .rule = str_of(rule),
                               .why = str_of(rule),
                               .points = points,
                               .half_life_ms = half_life,
                               .max = INT64_MAX,
                               .occurred_at = NOW - age};
}

#endif
