/* app/model_store.c - models in the store: added, chosen, rolled back, loaded. */
#include "funneld/app/model.h"

#include "funneld/base/clock.h"

static const char *const uses[] = {
    [USE_NEVER] = "never", [USE_WHEN_FIRST] = "when first", [USE_ALWAYS] = "always"};

const char *model_use_name(enum model_use u)
{
    return uses[u];
}

bool model_use_find(struct str name, enum model_use *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(uses); i++)
        if (str_is(name, uses[i])) {
            *ret = (enum model_use)i;
            return true;
        }
    return false;
}

/* Whether the model that was added is used from now on. */
static enum rc is_wanted(struct store *st, const struct model_adding *m, bool fits, bool *ret)
{
    int64_t id = 0;

    *ret = m->use == USE_ALWAYS;
    if (m->use != USE_WHEN_FIRST || !m->added.usable || !fits)
        return RC_OK;
    enum rc rc = read_model_at(store_reader(st), m->added.goal, INT64_MAX, &id);
    *ret = rc == RC_NONE;
    return rc == RC_NONE ? RC_OK : rc;
}

enum rc model_add(struct store *st, void *adding, struct why *why)
{
    struct model_adding *m = adding;
    const struct model_card *card = model_card(m->model);

    if (card->trained_at > m->now_ms + (int64_t)DAYS_MS)
        return why_fail(RC_INVALID, why, "the sidecar: \"trained_at_ms\" is in the future");
    if (m->name.at && !model_name_ok(m->name))
        return why_fail(RC_INVALID, why, "name: at most 64 characters, without a colon");
    m->added = (struct model_record){
        .name = m->name.at ? m->name : card->name,
        .goal = card->goal,
        .created_at = m->now_ms,
        .usable = card->usable,
        .trees = m->trees,
        .sidecar = m->sidecar,
    };
    bool wanted = false, fits = false;
    enum rc rc = model_inputs_check(m->model, why);
    if (rc == RC_OK)
        rc = model_inputs_known(store_reader(st), m->model, &fits, &m->unknown);
    if (rc == RC_OK)
        rc = store_model_add(st, &m->added);
    if (rc == RC_OK)
        rc = is_wanted(st, m, fits, &wanted);
    if (rc == RC_OK && wanted)
        rc = store_model_use(st, m->added.goal, m->added.id, m->now_ms, STR("activated"));
    m->added.active = wanted;
    return rc;
}

static enum rc tell(enum rc rc, const struct model_choosing *c, struct why *why)
{
    return rc == RC_NONE ? why_fail(rc, why, "there is no model %lld for %s", (long long)c->id,
                                    goal_name((enum model_goal)c->goal))
                         : rc;
}

enum rc model_choose(struct store *st, void *choosing, struct why *why)
{
    const struct model_choosing *c = choosing;

    return tell(store_model_use(st, c->goal, c->id, c->now_ms, c->reason), c, why);
}

enum rc model_fall_back(struct store *st, void *choosing, struct why *why)
{
    const struct model_choosing *c = choosing;

    return tell(store_model_back(st, c->goal, c->id, c->now_ms, c->reason), c, why);
}

enum rc model_roll_back(struct store *st, void *choosing, struct why *why)
{
    struct model_choosing *c = choosing;
    enum rc rc = read_model_before(store_reader(st), c->goal, &c->id);

    if (rc == RC_NONE)
        return why_fail(rc, why, "there is no model for %s that it could go back to",
                        goal_name((enum model_goal)c->goal));
    return rc == RC_OK ? model_fall_back(st, c, why) : rc;
}

enum rc models_load(struct reader *r, int goal, struct model **ret, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct model_record record;
    int64_t id = 0;
    enum rc rc = read_model_at(r, goal, INT64_MAX, &id);

    if (rc == RC_OK)
        rc = read_model(r, id, &a, &record);
    if (rc != RC_OK)
        return rc;
    rc = model_read(record.trees, record.sidecar, ret, why);
    return rc == RC_OK ? rc
                       : why_wrap(rc, why, "model %.*s:%lld", STR_ARG(record.name),
                                  (long long)record.version);
}

enum rc models_in_use(struct reader *r, struct models **ret, struct why *why)
{
    struct served goals[GOAL_COUNT] = {0};
    enum rc rc = RC_OK;

    for (int g = 0; g < GOAL_COUNT && rc == RC_OK; g++) {
        rc = models_load(r, g, &goals[g].model, why);
        if (rc == RC_NONE || rc == RC_INVALID)
            rc = RC_OK;
    }
    if (rc == RC_OK)
        *ret = models_new(goals);
    for (int g = 0; g < GOAL_COUNT; g++)
        model_drop(goals[g].model);
    return rc;
}
