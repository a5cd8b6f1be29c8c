/* app/training.c - see training.h.
 *
 *     what became of the leads -> how the model in use does -> a challenger, where one is due ->
 *     what of the two is used from now on
 */
#include "training.h"

#include <math.h>

#include "funneld/app/model.h"
#include "funneld/base/clock.h"
#include "funneld/model/contest.h"
#include "funneld/observe/log.h"
#include "funneld/observe/metrics.h"
#include "funneld/pipeline/watch.h"
#include "scheduler_priv.h"

/* A model as it is kept. */
struct kept {
    int64_t id; /* 0: none */
    struct model *model;
    struct str name; /* in the arena of the look */
};

struct look {
    const struct training *t;
    enum model_goal goal;
    struct kept champion;
    struct learning past;
    struct drift_report report;
    struct arena arena;
    struct why why;
};

static enum rc failed(struct look *k, enum rc rc)
{
    return why_fail(rc, &k->why, "%s", reader_error(k->t->reader));
}

static enum rc read_kept(struct look *k, int64_t id, struct kept *ret)
{
    struct arena a AUTO(arena_free) = {0};
    struct model_record r;
    enum rc rc = read_model(k->t->reader, id, &a, &r);

    if (rc != RC_OK)
        return failed(k, rc);
    rc = model_read(r.trees, r.sidecar, &ret->model, &k->why);
    if (rc == RC_OK) {
        ret->id = id;
        ret->name = arena_str(&k->arena, r.name);
    }
    return rc;
}

static enum rc read_champion(struct look *k)
{
    int64_t id = 0;
    enum rc rc = read_model_at(k->t->reader, (int)k->goal, k->t->now_ms, &id);

    if (rc == RC_NONE)
        return RC_OK;
    if (rc != RC_OK)
        return failed(k, rc);
    return id ? read_kept(k, id, &k->champion) : RC_OK;
}

static enum rc read_past(struct look *k)
{
    const struct goal *goal = &k->t->config->goals.of[k->goal];

    k->past = (struct learning){.rules = &k->t->config->rules,
                                .goal = goal,
                                .horizon_ms = goal->horizon_ms,
                                .now_ms = k->t->now_ms,
                                .stop = k->t->stop};
    enum rc rc = learning_read(&k->past, k->t->reader);
    return rc == RC_OK || rc == RC_CLOSED ? rc : failed(k, rc);
}

static void count_drift(const struct look *k)
{
    struct str name = k->champion.name;
    const struct drift_report *r = &k->report;

    for (size_t i = 0; i < model_card(k->champion.model)->n_inputs; i++)
        metric_set(metric(METRIC_MODEL_PSI, name, model_input_name(k->champion.model, i)),
                   r->psi[i]);
    metric_set(metric(METRIC_MODEL_MATURED, name, STR_NULL), (double)r->matured.n);
    metric_set(metric(METRIC_MODEL_PREDICTED, name, STR_NULL), r->predicted);
    metric_set(metric(METRIC_MODEL_OBSERVED, name, STR_NULL), r->observed);
    metric_set(metric(METRIC_MODEL_ECE, name, STR_NULL), r->matured.ece);
    metric_set(metric(METRIC_MODEL_DRIFT, name, STR_NULL), (double)r->verdict);
}

static void watch(struct look *k)
{
    watch_model(k->champion.model, &k->past, &k->arena, &k->report);
    bool bad = k->report.verdict >= DRIFT_WATCH;
    count_drift(k);
    log_write(bad ? LOG_WARN : LOG_INFO, bad ? "model.drifts" : "model.holds",
              L_STR("model", k->champion.name), L_TEXT("goal", goal_name(k->goal)),
              L_TEXT("status", drift_verdict_name(k->report.verdict)),
              L_STR("reason", k->report.reason), L_END);
}

/* What app/model.h does within a transaction, as a chore of its own. */
struct chore {
    command_fn *fn;
    void *arg;
};

static enum rc in_transaction(struct store *st, void *arg, struct why *why)
{
    const struct chore *c = arg;
    enum rc rc = store_begin(st);

    if (rc == RC_OK)
        rc = c->fn(st, c->arg, why);
    return scheduler_commit(st, rc, why);
}

/* name: of the model; missing for none. */
static enum rc put_in_use(struct look *k, command_fn *fn, void *arg, struct str name,
                          struct str reason)
{
    struct chore c = {fn, arg};
    enum rc rc = daemon_chore(k->t->daemon, in_transaction, &c, &k->why);

    if (rc != RC_OK)
        return rc;
    atomic_store(&k->t->daemon->models_changed, true);
    log_write(LOG_WARN, "model.changed", L_TEXT("goal", goal_name(k->goal)),
              L_STR("model", name.at ? name : STR("none: rules alone")), L_STR("reason", reason),
              L_END);
    return RC_OK;
}

/* The next version of the one in use. */
static struct str challenger_name(const struct look *k)
{
    return k->champion.model ? k->champion.name : str_of(goal_name(k->goal));
}

static enum rc challenger_wins(struct look *k, const struct contest *c)
{
    struct model *m = NULL;
    enum rc rc = model_read(c->challenger.trees, c->challenger.sidecar, &m, &k->why);

    if (rc != RC_OK)
        return rc;
    struct model_adding adding = {.model = m,
                                  .trees = c->challenger.trees,
                                  .sidecar = c->challenger.sidecar,
                                  .name = challenger_name(k),
                                  .use = USE_ALWAYS,
                                  .now_ms = clock_now_ms()};
    rc = put_in_use(k, model_add, &adding, adding.name, c->reason);
    model_drop(m);
    return rc;
}

/* *ret_won: it has taken over. */
static enum rc challenge(struct look *k, bool *ret_won)
{
    const struct model_card *card = k->champion.model ? model_card(k->champion.model) : NULL;
    const struct train_options o = {.name = challenger_name(k),
                                    .goal = k->goal,
                                    .horizon_ms = k->past.horizon_ms,
                                    .trained_at = k->t->now_ms,
                                    .threads = 1,
                                    .stop = k->t->stop};
    double known = card ? (double)(card->trained_at - card->horizon_ms) : 0;
    struct contest c;
    enum rc rc = model_contest(&k->past.set, k->champion.model, known, &o, &k->arena, &c, &k->why);

    if (rc == RC_NONE || rc == RC_INVALID) { /* nothing can be learnt yet */
        log_write(LOG_INFO, "model.no_contest", L_TEXT("goal", goal_name(k->goal)),
                  L_TEXT("reason", k->why.text), L_END);
        return RC_OK;
    }
    if (rc != RC_OK)
        return rc;
    log_write(LOG_INFO, "model.contest", L_TEXT("goal", goal_name(k->goal)),
              L_STR("reason", c.reason), L_END);
    *ret_won = c.won;
    return c.won ? challenger_wins(k, &c) : RC_OK;
}

/* The model before this one, if it would have done better than none. */
static enum rc fall_back(struct look *k)
{
    struct kept before = {0};
    struct drift_report report = {.verdict = DRIFT_ACT};
    struct model_choosing choice = {
        .goal = (int)k->goal, .now_ms = clock_now_ms(), .reason = STR("drift")};
    int64_t id = 0;
    enum rc rc = read_model_before(k->t->reader, (int)k->goal, &id);

    if (rc == RC_OK && id && id != k->champion.id)
        rc = read_kept(k, id, &before);
    if (rc == RC_OK && before.model)
        watch_model(before.model, &k->past, &k->arena, &report);
    if (rc == RC_OK || rc == RC_NONE) {
        bool helps = report.verdict != DRIFT_ACT && report.matured.n >= DRIFT_MIN_MATURED;

        choice.id = helps ? before.id : 0;
        rc = put_in_use(k, model_choose, &choice, helps ? before.name : STR_NULL, k->report.reason);
    }
    model_drop(before.model);
    return rc;
}

static enum rc act(struct look *k)
{
    bool won = false;
    enum rc rc = RC_OK;

    if (k->t->config->model.on_drift == ON_DRIFT_WARN)
        return RC_OK;
    if (k->t->config->model.on_drift == ON_DRIFT_RETRAIN)
        rc = challenge(k, &won);
    return rc == RC_OK && !won ? fall_back(k) : rc;
}

struct newest {
    int goal;
    int64_t at;
};

static void see_model(void *self, const struct model_record *m)
{
    struct newest *n = self;

    if (m->goal == n->goal && m->created_at > n->at)
        n->at = m->created_at;
}

/* Since the newest model, or the last contest, as far as this process knows. */
static enum rc is_due(struct look *k, bool *ret)
{
    int64_t every = k->t->config->model.retrain_ms, last = k->t->contests[k->goal];
    struct newest n = {.goal = (int)k->goal};
    enum rc rc = every ? read_models(k->t->reader, see_model, &n) : RC_OK;

    if (rc != RC_OK)
        return failed(k, rc);
    *ret = every && k->t->now_ms >= (n.at > last ? n.at : last) + every;
    if (*ret)
        k->t->contests[k->goal] = k->t->now_ms;
    return RC_OK;
}

static enum rc look(struct look *k)
{
    bool due = false, won = false;
    enum rc rc = read_champion(k);

    if (rc == RC_OK)
        rc = is_due(k, &due);
    if (rc != RC_OK || (!k->champion.model && !due))
        return rc;
    rc = read_past(k);
    if (rc == RC_OK && k->champion.model)
        watch(k);
    if (rc == RC_OK && due)
        rc = challenge(k, &won);
    if (rc == RC_OK && !won && k->report.verdict == DRIFT_ACT)
        rc = act(k);
    return rc;
}

void training_look(const struct training *t, enum model_goal goal)
{
    struct look k = {.t = t, .goal = goal};
    enum rc rc = look(&k);

    if (rc != RC_OK && rc != RC_CLOSED)
        log_write(LOG_WARN, "model.look_failed", L_TEXT("goal", goal_name(goal)), L_WHY(&k.why),
                  L_END);
    learning_free(&k.past);
    model_drop(k.champion.model);
    arena_free(&k.arena);
}
