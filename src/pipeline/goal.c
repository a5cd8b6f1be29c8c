/* pipeline/goal.c - from the [goal] sections to conditions of an outcome. */
#include "funneld/pipeline/goal.h"

#include "funneld/base/clock.h"

#define CONVERSION "lead.lifecyclestage == \"customer\" or lead.deal_stage matches \"*closedwon*\""

struct goal_settings {
    struct str when, among;
    int64_t horizon_ms;
};

static const struct option goal_options[] = {
    {"when", OPTION_TEXT, offsetof(struct goal_settings, when), CONVERSION, 0, 0, NULL, 0, NULL,
     "it has happened with the first event after which this is true"},
    {"among", OPTION_TEXT, offsetof(struct goal_settings, among), NULL, 0, 0, NULL, 0,
     "lead.lifecyclestage in (\"lead\", \"opportunity\")",
     "learnt from and foreseen of leads while this is true of them; without it, of all"},
    {"horizon", OPTION_DURATION, offsetof(struct goal_settings, horizon_ms), "90d", DAYS_MS,
     3650 * DAYS_MS, NULL, 0, NULL, "a chance is that of this time to come"},
};

const struct section_spec goal_spec = {
    .kind = "goal",
    .named = true,
    .options = goal_options,
    .n_options = ARRAY_LEN(goal_options),
    .size = sizeof(struct goal_settings),
    .help = "what a model foresees: conversion, which is this where there is no section, and churn",
};

struct condition {
    const char *key;
    struct str text;
    unsigned uses;
};

/* NULL: it is none, and the problem is told. */
static const struct expr *compile(const struct conf_section *s, struct condition c, struct arena *a,
                                  struct conf_problems *problems)
{
    const struct conf_entry *entry = s ? conf_find(s, c.key) : NULL;
    const struct expr *e = NULL;
    struct expr_error error;

    if (entry && entry->broken)
        return NULL;
    if (expr_compile(c.text, c.uses, a, &e, &error) && entry)
        expr_problem(problems, s, entry, &error);
    return e;
}

static void compile_when(const struct conf_section *s, struct str text, struct arena *a,
                         struct goal *g, struct conf_problems *problems)
{
    const struct condition c = {"when", text, EXPR_EVENT | EXPR_LEAD};

    g->text = text;
    g->when = compile(s, c, a, problems);
}

static void compile_among(const struct conf_section *s, struct str text, struct arena *a,
                          struct goal *g, struct conf_problems *problems)
{
    const struct condition c = {"among", text, EXPR_LEAD};

    if (!conf_find(s, "among"))
        return;
    g->among_text = text;
    g->among = compile(s, c, a, problems);
}

static void build(struct conf_section *s, enum model_goal which, struct arena *a, struct goals *ret,
                  struct conf_problems *problems)
{
    struct goal_settings settings = {0};

    conf_bind(s, &goal_spec, &settings, a, problems);
    ret->of[which].horizon_ms = settings.horizon_ms;
    compile_among(s, settings.among, a, &ret->of[which], problems);
    if (which == GOAL_CHURN && !conf_find(s, "when"))
        conf_problem(problems, s, NULL, "as in: when = lead.plan == \"cancelled\"",
                     "when is missing: what churn is differs from house to house");
    else
        compile_when(s, settings.when, a, &ret->of[which], problems);
}

static bool find_goal(struct str name, enum model_goal *ret)
{
    for (int g = 0; g < GOAL_COUNT; g++)
        if (str_is(name, goal_name((enum model_goal)g))) {
            *ret = (enum model_goal)g;
            return true;
        }
    return false;
}

static void build_section(struct conf_section *s, struct arena *a, struct goals *ret,
                          struct conf_problems *problems)
{
    enum model_goal which;

    if (find_goal(s->name, &which))
        build(s, which, a, ret, problems);
    else
        conf_problem(problems, s, NULL, "there are [goal conversion] and [goal churn]",
                     "there is no goal %.*s", STR_ARG(s->name));
}

void goals_build(const struct conf *conf, struct arena *a, struct goals *ret,
                 struct conf_problems *problems)
{
    struct goal_settings standard = {0};

    *ret = (struct goals){0};
    for (size_t i = 0; i < conf->n_sections; i++)
        if (str_is(conf->sections[i].kind, "goal"))
            build_section(&conf->sections[i], a, ret, problems);
    if (conf_section_find(conf, "goal", goal_name(GOAL_CONVERSION)))
        return;
    conf_defaults(&goal_spec, &standard, a);
    ret->of[GOAL_CONVERSION].horizon_ms = standard.horizon_ms;
    compile_when(NULL, standard.when, a, &ret->of[GOAL_CONVERSION], problems);
}

bool goal_among(const struct goal *g, const struct lead *lead)
{
    const struct facts facts = {.lead = lead};

    return !g->among || expr_true(g->among, &facts);
}

unsigned goals_among(const struct goals *goals, const struct lead *lead)
{
    unsigned ret = 0;

    for (int g = 0; g < GOAL_COUNT; g++)
        if (goal_among(&goals->of[g], lead))
            ret |= goal_bit((enum model_goal)g);
    return ret;
}
