/* tests/unit/served_world.h - a writer that has models to ask. */
#ifndef FUNNELD_TESTS_SERVED_WORLD_H
#define FUNNELD_TESTS_SERVED_WORLD_H

#include "funneld/model/served.h"
#include "pipeline_world.h"
#include "tiny_model.h"

/* Who asked for a demo is worth 4 in log-odds, whose company is Acme 2; nobody is at -2. */
static MAYBE struct model *demo_model(void)
{
    static const struct tiny_input inputs[] = {
        {.name = "@event.demo_requested.count.30d", .weight = 4},
        {.name = "company", .level = "acme", .weight = 2},
    };

    return tiny_model(GOAL_CONVERSION, "demo", -2, inputs, ARRAY_LEN(inputs));
}

/* The older, the likelier to leave: half after 10 days. */
static MAYBE struct model *age_model(void)
{
    static const struct tiny_input inputs[] = {{.name = "@age.days", .weight = 0.1}};

    return tiny_model(GOAL_CHURN, "age", -1, inputs, 1);
}

/* Who is foreseen to leave. */
#define AMONG_WON "[goal churn]\nwhen = lead.stage == \"left\"\namong = lead.stage == \"won\"\n"

/* Either may be NULL; both belong to the struct models then. */
static MAYBE struct models *models_of(struct model *conversion, struct model *churn)
{
    const struct served goals[GOAL_COUNT] = {
        [GOAL_CONVERSION] = {.model = conversion, .id = 1, .version = 3},
        [GOAL_CHURN] = {.model = churn, .id = 2, .version = 1},
    };
    struct models *m = models_new(goals);

    model_drop(conversion);
    model_drop(churn);
    return m;
}

static MAYBE void use_models(struct pipeline *p, struct model *conversion, struct model *churn)
{
    struct command c = {.kind = COMMAND_MODELS, .arg = models_of(conversion, churn)};

    run(p, &c.work, WORK_COMMAND);
    OK(p->rc);
}

#define CHANCE(chance, wanted)                                                                     \
    do {                                                                                           \
        assert_true((chance).known);                                                               \
        assert_int_equal((chance).tenths, wanted);                                                 \
    } while (0)

#endif
