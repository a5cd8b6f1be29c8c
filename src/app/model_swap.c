/* app/model_swap.c - which models serve: loaded at the start and on SIGHUP, swapped when another
 * one is put in use.
 *
 * The writer holds what it asks, and whoever rescores holds the same; the main thread keeps a
 * reference to what is in service now. The writer swaps between transactions: no event waits.
 */
#include "daemon_priv.h"

#include "funneld/app/model.h"
#include "funneld/observe/log.h"
#include "funneld/observe/metrics.h"
#include "scheduler.h"

static void show(const struct served *s, double value)
{
    char version[INT64_TEXT];

    if (s->model)
        metric_set(metric(METRIC_MODEL_INFO, s->name, str_of_int64(s->version, version)), value);
}

static void in_service(struct daemon *d, struct models *next)
{
    for (int g = 0; g < GOAL_COUNT && d->models; g++)
        show(&d->models->goals[g], 0);
    for (int g = 0; g < GOAL_COUNT; g++)
        show(&next->goals[g], 1);
    pthread_mutex_lock(&d->overview_lock);
    struct models *before = d->models;
    d->models = next;
    pthread_mutex_unlock(&d->overview_lock);
    if (before)
        ref_drop(&before->ref);
}

/* To the writer, and then to all. What it does not take now it is offered again. */
static enum rc hand_over(struct daemon *d, const struct served goals[GOAL_COUNT], struct why *why)
{
    struct models *next = models_new(goals);

    (void)ref_take(&next->ref); /* the writer's */
    enum rc rc = daemon_command(d, COMMAND_MODELS, next, NULL, NULL, why);
    if (rc == RC_OK) {
        in_service(d, next);
        if (d->scheduler)
            scheduler_rescore(d->scheduler);
        return rc;
    }
    atomic_store(&d->models_changed, true);
    ref_drop(&next->ref);
    ref_drop(&next->ref);
    return why_wrap(rc, why, "the old model serves until the writer takes the new one");
}

static void serving_now(const struct daemon *d, struct served ret[GOAL_COUNT])
{
    for (int g = 0; g < GOAL_COUNT; g++)
        ret[g] = d->models ? d->models->goals[g] : (struct served){0};
}

/* What the store calls the one that is in use. */
static enum rc describe(struct daemon *d, enum model_goal goal, struct arena *a, struct served *s)
{
    struct model_record record;
    enum rc rc = read_model_at(d->overview_reader, goal, INT64_MAX, &s->id);

    if (rc == RC_OK)
        rc = read_model_card(d->overview_reader, s->id, a, &record);
    if (rc != RC_OK)
        return rc;
    s->name = record.name;
    s->version = record.version;
    return RC_OK;
}

static enum rc describe_now(struct daemon *d, enum model_goal goal, struct arena *a,
                            struct served *s)
{
    pthread_mutex_lock(&d->overview_lock);
    enum rc rc = describe(d, goal, a, s);
    pthread_mutex_unlock(&d->overview_lock);
    return rc;
}

/* The lock is for the store alone: a big model takes its time. */
static enum rc load(struct daemon *d, struct arena *a, struct served *s, struct why *why)
{
    struct model_record m;

    pthread_mutex_lock(&d->overview_lock);
    enum rc rc = read_model(d->overview_reader, s->id, a, &m);
    pthread_mutex_unlock(&d->overview_lock);
    return rc == RC_OK ? model_read(m.trees, m.sidecar, &s->model, why) : rc;
}

enum rc daemon_model_swap(struct daemon *d, enum model_goal goal, struct model *m, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct served goals[GOAL_COUNT], next = {.model = m};
    enum rc rc = RC_OK;

    if (m)
        rc = describe_now(d, goal, &a, &next);
    if (rc != RC_OK) /* it serves under the name that it has itself */
        next.name = model_card(m)->name;
    serving_now(d, goals);
    goals[goal] = next;
    rc = hand_over(d, goals, why);
    model_drop(m);
    return rc;
}

/* *s becomes what the store has in use; false: it is that already, or cannot be read. */
static bool take_from_store(struct daemon *d, enum model_goal goal, struct arena *a,
                            struct served *s)
{
    struct served next = {0};
    struct why why = {0};
    enum rc rc = describe_now(d, goal, a, &next);

    if (rc == RC_NONE) {
        bool was = s->model != NULL;

        *s = (struct served){0};
        return was;
    }
    if (rc == RC_OK && s->model && s->id == next.id)
        return false;
    if (rc == RC_OK)
        rc = load(d, a, &next, &why);
    if (rc == RC_OK) {
        *s = next;
        return true;
    }
    log_write(LOG_ERROR, "model.unreadable", L_TEXT("goal", goal_name(goal)), L_WHY(&why),
              L_TEXT("hint", s->model ? "the old one stays in service" : "rules alone decide"),
              L_END);
    return false;
}

static void tell_service(enum model_goal goal, const struct served *s)
{
    log_write(LOG_INFO, "model.serves", L_TEXT("goal", goal_name(goal)), L_STR("name", s->name),
              L_INT("version", s->version), L_END);
}

void daemon_models_load(struct daemon *d)
{
    struct arena a AUTO(arena_free) = {0};
    struct served goals[GOAL_COUNT];
    bool fresh[GOAL_COUNT], any = !d->models;
    struct why why = {0};

    serving_now(d, goals);
    for (int g = 0; g < GOAL_COUNT; g++) {
        fresh[g] = take_from_store(d, (enum model_goal)g, &a, &goals[g]);
        any |= fresh[g];
    }
    enum rc rc = any ? hand_over(d, goals, &why) : RC_OK;
    if (rc != RC_OK)
        log_write(LOG_ERROR, "model.rejected", L_WHY(&why),
                  L_TEXT("hint", "it is tried again by itself"), L_END);
    for (int g = 0; g < GOAL_COUNT; g++)
        if (fresh[g] && goals[g].model) {
            if (rc == RC_OK)
                tell_service((enum model_goal)g, &goals[g]);
            model_drop(goals[g].model); /* struct models has a reference of its own */
        }
}
