/* tests/sim/daemon_asked.c - what is asked of the daemon: commands, and requests of senders. */
#include <stdlib.h>

#include "daemon_priv.h"
#include "disk.h"
#include "funneld/app/control.h"
#include "net.h"
#include "oracle.h"
#include "request.h"
#include "story.h"

struct sent {         /* a request that waits for its commit */
    struct intake in; /* first */
    struct arena arena;
    struct request_plan plan;
    int64_t received_at;
    int64_t number;
};

static void obeyed(struct work *work)
{
    work->mail.weight = 0;
}

/* By command, as `funneld pause` and POST /hooks do. */

static enum rc call(command_fn *fn, void *arg)
{
    struct command c = {.work = {.mail.weight = 1, .kind = WORK_COMMAND, .done = obeyed},
                        .kind = COMMAND_CALL,
                        .fn = fn,
                        .arg = arg};
    enum rc rc = daemon_submit(NULL, &c.work);

    while (rc == RC_OK && c.work.mail.weight)
        (void)daemon_commit();
    return rc == RC_OK ? c.work.rc : rc;
}

void daemon_hold(enum service s, bool paused)
{
    const struct str name = str_of(connector_names[s]);
    struct pause p = {.names = &name, .n = 1, .paused = paused};
    enum rc rc = call(pause_connectors, &p);

    story("%lld %s %s: %s", (long long)d.now, paused ? "pause" : "resume", connector_names[s],
          rc_text(rc));
    if (disk_ended() || rc != RC_OK) {
        oracle_paused(true);
        return;
    }
    net_pause(s, paused);
    deliverer_probe(d.deliverer);
}

static enum rc subscribe(struct store *st, void *arg, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    int hook = *(const int *)arg;
    bool fresh;
    struct subscription s = {
        .token = arena_printf(&a, "t%d", hook),
        .route = STR("page"),
        .target = arena_printf(&a, "https://hooks.zapier.com/hooks/standard/%d", hook),
        .created_at = wall(),
    };

    (void)why;
    return store_subscribe(st, &a, &s, &fresh);
}

void daemon_subscribe(int hook)
{
    enum rc rc = call(subscribe, &hook);

    story("%lld hook %d subscribes: %s", (long long)d.now, hook, rc_text(rc));
    oracle_subscribed(hook);
}

/* Requests */

static void request_done(struct work *work)
{
    struct sent *s = (struct sent *)(void *)work;
    const struct answer answer = {.facts = s->plan.facts,
                                  .n = s->plan.n,
                                  .accepted = work->rc == RC_OK,
                                  .fresh = s->in.accepted,
                                  .duplicates = s->in.duplicates,
                                  .unprocessable = s->in.unprocessable,
                                  .received_at = s->received_at};

    if (!disk_ended()) {
        story("%lld request %lld: %s", (long long)d.now, (long long)s->number, rc_text(work->rc));
        oracle_answered(&answer);
    }
    arena_free(&s->arena);
    free(s);
}

static struct str body_of(const struct request_plan *plan, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    bool alone = plan->n == 1 && fact_get(plan->facts[0])->kind == FACT_FORM;
    struct str body = STR("");

    sbuf_text(&b, alone ? "" : "[");
    for (size_t i = 0; i < plan->n; i++) {
        sbuf_text(&b, i ? ", " : "");
        sbuf_add(&b, fact_tell(plan->facts[i], ++d.serial, a));
    }
    sbuf_text(&b, alone ? "" : "]");
    return sbuf_seal(&b, a, &body) ? STR("") : body;
}

/* Signed by the sender's clock, which is right. */
static enum refusal receive(struct sent *s, const struct source *source)
{
    struct why why = {0};
    struct request r = request_signed(source, "v3", body_of(&s->plan, &s->arena), d.now, &s->arena);

    r.raw.received_at = wall();
    r.raw.request_id = arena_printf(&s->arena, "r%lld", (long long)s->number);
    if (s->plan.bad_signature)
        r.headers[1].value = arena_printf(&s->arena, "%.*sx", STR_ARG(r.headers[1].value));
    enum refusal refusal = source->type->verify(source, request_raw(&r), &s->arena, &why);
    if (!refusal)
        refusal =
            source->type->decode(source, request_raw(&r), &s->arena, &s->in.events, &s->in.n, &why);
    return refusal;
}

static const struct source *source_for(const struct request_plan *plan)
{
    bool form = fact_get(plan->facts[0])->kind == FACT_FORM;

    return config_source(variant_config(d.variant), form ? STR("zapier") : STR("hubspot"));
}

bool daemon_request(const struct request_plan *plan)
{
    struct sent *s;

    if (!d.runs)
        return false;
    s = mem_alloc(sizeof *s);
    s->plan = *plan;
    s->number = ++d.requests;
    s->received_at = wall();
    enum refusal refusal = receive(s, source_for(plan));
    story("%lld request %lld of %zu: %s", (long long)d.now, (long long)s->number, plan->n,
          refusal ? "refused" : "taken");
    if (plan->bad_signature && !refusal)
        broken("a request with a broken signature was let in");
    if (!plan->bad_signature && refusal && refusal != REFUSED_TIMESTAMP)
        broken("a good request was refused (%d)", (int)refusal);
    s->in.work = (struct work){.kind = WORK_INTAKE, .done = request_done};
    s->in.work.mail.weight = EVENT_WEIGHT * (s->in.n + 1);
    if (!refusal && daemon_submit(NULL, &s->in.work) == RC_OK)
        return true;
    arena_free(&s->arena);
    free(s);
    return false;
}
