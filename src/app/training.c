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
    struct training *t;
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

/* A model is held against what it foresees: what came within its own horizon. */
static int64_t horizon_of(const struct look *k, const struct kept *m)
{
    int64_t own = m->model ? model_card(m->model)->horizon_ms : 0;

    return own ? own : k->t->config->goals.of[k->goal].horizon_ms;
}

static enum rc read_past(struct look *k)
{
    const struct goal *goal = &k->t->config->goals.of[k->goal];

    k->past = (struct learning){.rules = &k->t->config->rules,
                                .goal = goal,
                                .horizon_ms = horizon_of(k, &k->champion),
                                .now_ms = k->t->now_ms,
                                .stop = k->t->stop};
    enum rc rc = learning_read(&k->past, k->t->reader);
    return rc == RC_OK || rc == RC_CLOSED ? rc : failed(k, rc);
}

static void set(enum metric m, struct str name, double value)
{
    metric_set(metric(m, name, STR_NULL), value);
}

/* What is not in use any more says nothing. */
static void forget(const struct looked *was)
{
    for (size_t i = 0; i < model_card(was->model)->n_inputs; i++)
        metric_set(metric(METRIC_MODEL_PSI, was->name, model_input_name(was->model, i)), 0);
    set(METRIC_MODEL_MATURED, was->name, 0);
    set(METRIC_MODEL_DRIFT, was->name, DRIFT_UNKNOWN);
}

void looked_drop(struct looked *l)
{
    model_drop(l->model);
    arena_free(&l->arena);
    *l = (struct looked){0};
}

static void remember(struct look *k)
{
    struct looked *last = &k->t->looked[k->goal];

    if (last->model && last->id != k->champion.id)
        forget(last);
    looked_drop(last);
    if (!k->champion.model)
        return;
    *last = (struct looked){.id = k->champion.id, .model = model_take(k->champion.model)};
    last->name = arena_str(&last->arena, k->champion.name);
}

static void count_drift(const struct look *k)
{
    const struct drift_report *r = &k->report;
    struct str name = k->champion.name;

    for (size_t i = 0; i < model_card(k->champion.model)->n_inputs; i++)
        metric_set(metric(METRIC_MODEL_PSI, name, model_input_name(k->champion.model, i)),
                   r->psi[i]);
    set(METRIC_MODEL_MATURED, name, (double)r->n_leads);
    set(METRIC_MODEL_DRIFT, name, (double)r->verdict);
    if (!r->n_leads)
        return;
    set(METRIC_MODEL_PREDICTED, name, r->predicted);
    set(METRIC_MODEL_OBSERVED, name, r->observed);
    set(METRIC_MODEL_ECE, name, r->matured.ece);
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

/* What app/model.h does within a transaction, as a chore of its own; unless somebody chose another
 * model while this one was looked at. */
struct chore {
    command_fn *fn;
    void *arg;
    int goal;
    int64_t instead_of; /* 0: of none */
};

static enum rc still_in_use(struct store *st, const struct chore *c, struct why *why)
{
    int64_t id = 0;
    enum rc rc = read_model_at(store_reader(st), c->goal, INT64_MAX, &id);

    if (rc != RC_OK && rc != RC_NONE)
        return rc;
    return id == c->instead_of ? RC_OK : why_fail(RC_EXISTS, why, "another was chosen meanwhile");
}

static enum rc in_transaction(struct store *st, void *arg, struct why *why)
{
    const struct chore *c = arg;
    enum rc rc = store_begin(st);

    if (rc == RC_OK)
        rc = still_in_use(st, c, why);
    if (rc == RC_OK)
        rc = c->fn(st, c->arg, why);
    if (rc == RC_EXISTS) {
        store_rollback(st);
        return rc;
    }
    return scheduler_commit(st, rc, why);
}

/* name: of the model; missing for none. */
static enum rc put_in_use(struct look *k, command_fn *fn, void *arg, struct str name,
                          struct str reason)
{
    struct chore c = {fn, arg, (int)k->goal, k->champion.id};
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
    double since = card ? (double)card->trained_at : 0;
    struct contest c;
    enum rc rc = model_contest(&k->past.set, k->champion.model, since, &o, &k->arena, &c, &k->why);

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

/* Whether it would have done better than none, by as many outcomes as it takes to say so. */
static bool would_help(struct look *k, const struct kept *before)
{
    struct drift_report r;

    if (horizon_of(k, before) != k->past.horizon_ms)
        return false;
    watch_model(before->model, &k->past, &k->arena, &r);
    return r.verdict != DRIFT_ACT && r.n_leads >= DRIFT_MIN_MATURED;
}

/* NULL: there is none, or it cannot be read, or it is no better. */
static enum rc find_before(struct look *k, struct kept *ret)
{
    int64_t id = 0;
    enum rc rc = read_model_before(k->t->reader, (int)k->goal, &id);

    if (rc != RC_OK && rc != RC_NONE)
        return failed(k, rc);
    if (rc == RC_NONE || !id || id == k->champion.id)
        return RC_OK;
    if (read_kept(k, id, ret) != RC_OK) {
        log_write(LOG_WARN, "model.unreadable", L_TEXT("goal", goal_name(k->goal)), L_WHY(&k->why),
                  L_END);
        return RC_OK;
    }
    if (would_help(k, ret))
        return RC_OK;
    model_drop(ret->model);
    *ret = (struct kept){0};
    return RC_OK;
}

/* To the model before this one, or to rules alone. */
static enum rc fall_back(struct look *k)
{
    struct kept before = {0};
    enum rc rc = find_before(k, &before);
    struct model_choosing choice = {
        .id = before.id, .goal = (int)k->goal, .now_ms = clock_now_ms(), .reason = STR("drift")};

    if (rc == RC_OK)
        rc = put_in_use(k, model_fall_back, &choice, before.name, k->report.reason);
    model_drop(before.model);
    return rc;
}

/* tried: a challenger of today has lost. */
static enum rc act(struct look *k, bool tried)
{
    bool won = false;
    enum rc rc = RC_OK;

    if (k->t->config->model.on_drift == ON_DRIFT_WARN)
        return RC_OK;
    if (k->t->config->model.on_drift == ON_DRIFT_RETRAIN && !tried)
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

    if (rc == RC_OK) {
        remember(k);
        rc = is_due(k, &due);
    }
    if (rc != RC_OK || (!k->champion.model && !due))
        return rc;
    rc = read_past(k);
    if (rc == RC_OK && k->champion.model)
        watch(k);
    if (rc == RC_OK && due)
        rc = challenge(k, &won);
    if (rc == RC_OK && !won && k->report.verdict == DRIFT_ACT)
        rc = act(k, due);
    return rc;
}

void training_look(struct training *t, enum model_goal goal)
{
    struct look k = {.t = t, .goal = goal};
    enum rc rc = look(&k);

    if (rc == RC_EXISTS)
        log_write(LOG_INFO, "model.kept", L_TEXT("goal", goal_name(goal)), L_WHY(&k.why), L_END);
    else if (rc != RC_OK && rc != RC_CLOSED)
        log_write(LOG_WARN, "model.look_failed", L_TEXT("goal", goal_name(goal)), L_WHY(&k.why),
                  L_END);
    learning_free(&k.past);
    model_drop(k.champion.model);
    arena_free(&k.arena);
}
