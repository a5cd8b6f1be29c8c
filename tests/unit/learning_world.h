/* tests/unit/learning_world.h - a store with leads whose past is to be learnt from. */
#ifndef FUNNELD_TESTS_LEARNING_WORLD_H
#define FUNNELD_TESTS_LEARNING_WORLD_H

#include <math.h>

#include "funneld/pipeline/import.h"
#include "funneld/pipeline/learning.h"
#include "pipeline_world.h"
#include "imported_fixture.h"

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

#define GOAL "[goal conversion]\nwhen = lead.stage == \"won\"\nhorizon = 30d\n"
#define CONF PLAIN_CONF GOAL

static MAYBE const struct goal *goal_of(struct pipeline *p)
{
    const struct config *c = (const struct config *)p->rules->owner;

    return &c->goals.of[GOAL_CONVERSION];
}

/* As things stand now. */
static MAYBE struct learning learn(struct pipeline *p, size_t max_rows)
{
    struct learning l = {.rules = p->rules,
                         .goal = goal_of(p),
                         .horizon_ms = goal_of(p)->horizon_ms,
                         .now_ms = p->now,
                         .max_rows = max_rows};

    OK(learning_read(&l, p->w->reader));
    return l;
}

static MAYBE const struct column *column(const struct learning *l, const char *name)
{
    for (size_t i = 0; i < l->set.table.n_columns; i++)
        if (str_is(l->set.table.columns[i].name, name))
            return &l->set.table.columns[i];
    return NULL;
}

static MAYBE struct str text_at(const struct learning *l, const char *name, size_t row)
{
    const struct column *c = column(l, name);

    assert_non_null(c);
    assert_true(row < l->set.table.n_rows);
    return c->texts[row];
}

static MAYBE double number_at(const struct learning *l, const char *name, size_t row)
{
    const struct column *c = column(l, name);

    assert_non_null(c);
    assert_true(row < l->set.table.n_rows);
    return c->numbers[row];
}

static MAYBE const char *why_left_out(const struct learning *l, const char *name)
{
    for (size_t i = 0; i < l->n_left_out; i++)
        if (str_is(l->left_out[i].name, name))
            return l->left_out[i].reason.at;
    return NULL;
}

/* As `import` does it, by the daemon. */
static MAYBE struct intake import_one(struct pipeline *p, const struct imported *i)
{
    struct event *e = ARENA_NEW(&p->w->arena, struct event);
    struct why why = {0};

    if (imported_made(STR("import"), i, p->now, &p->w->arena, e, &why))
        fail_msg("%s", why.text);
    e->request_id = STR("import-1");
    struct intake in = {.events = e, .n = 1};
    run(p, &in.work, WORK_INTAKE);
    OK(p->rc);
    return in;
}

#endif
