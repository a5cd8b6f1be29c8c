/* cli/past.c - rebuilding a lead from its events and a scorecard from its text. */
#include "past.h"

#include <string.h>

#include "funneld/lead/activity.h"
#include "funneld/pipeline/past.h"

struct rebuild {
    struct cli *cli;
    struct lead *lead;
    struct activity *activity; /* counted as well */
    struct arena scratch;      /* one event at a time */
    size_t erased, sourceless, unreadable;
};

static void take(struct rebuild *r, const struct event *e)
{
    struct str kind;

    (void)lead_fold(r->lead, e, &r->cli->arena); /* older news change nothing */
    if (event_activity(&r->cli->config->rules, e, &kind))
        activity_add(r->activity, kind, e->occurred_at, &r->cli->arena);
}

static void fold(void *self, const struct event_view *e)
{
    struct rebuild *r = self;
    struct event event;

    if (!e->body.at) {
        r->erased++;
        return;
    }
    arena_reset(&r->scratch);
    enum rc rc = stored_event(&r->cli->config->rules, e, &r->scratch, &event);
    if (rc == RC_NONE)
        r->sourceless++;
    else if (rc != RC_OK)
        r->unreadable++;
    else if (!event.object && /* or else it is of an object: what it means to the lead comes next */
             !is_own_echo(r->cli->config->connectors, r->cli->config->n_connectors, &event))
        take(r, &event);
}

static void note_left_out(const struct rebuild *r)
{
    const struct {
        size_t n;
        const char *why;
    } notes[] = {
        {r->erased, "erased"},
        {r->sourceless, "of a source that is not in the configuration any more"},
        {r->unreadable, "what is stored cannot be read any more"},
    };

    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        if (notes[i].n)
            cli_note(r->cli, "%zu event%s left out of the lead's properties: %s", notes[i].n,
                     notes[i].n == 1 ? " is" : "s are", notes[i].why);
}

static enum rc rebuild(struct rebuild *r, int64_t lead, int64_t at)
{
    enum rc rc = read_lead_history(r->cli->reader, lead, at, fold, r);

    arena_free(&r->scratch);
    return rc;
}

static const struct property *find(const struct lead *l, struct str name)
{
    for (size_t i = 0; i < l->n_properties; i++)
        if (str_eq(l->properties[i].name, name))
            return &l->properties[i];
    return NULL;
}

static bool is_by(const struct property *p, const struct property *event)
{
    return event && memcmp(&event->key, &p->key, sizeof p->key) == 0;
}

/* First set, as far as events are kept, after the time that is asked for: it may have had another
 * value before. */
static void note_unknown(struct cli *cli, const struct lead *then, const struct lead *kept)
{
    for (size_t i = 0; i < kept->n_properties; i++)
        if (!find(then, kept->properties[i].name))
            cli_note(cli, "what %.*s was then is not known: older events were purged",
                     STR_ARG(str_cut(kept->properties[i].name, 80)));
}

/* What was set by events that are purged, and by none since, was so at that time as well. */
static enum rc add_purged(struct cli *cli, const struct lead *now, int64_t at, struct lead *lead)
{
    struct lead kept = {.id = now->id};
    struct rebuild r = {
        .cli = cli, .lead = &kept, .activity = activity_read(STR_NULL, &cli->arena)};
    enum rc rc = rebuild(&r, now->id, INT64_MAX);

    for (size_t i = 0; i < now->n_properties && rc == RC_OK; i++) {
        const struct property *p = &now->properties[i];

        if (p->at <= at && !is_by(p, find(&kept, p->name)))
            (void)lead_put(lead, p->name, p->value, p->at, &p->key, &cli->arena);
    }
    if (rc == RC_OK)
        note_unknown(cli, lead, &kept);
    return rc;
}

/* The past goes back to what retention has left. */
static int within_retention(struct cli *cli, int64_t at, bool *ret_purged)
{
    int64_t purged = 0;
    enum rc rc = read_purged(cli->reader, &purged);

    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    *ret_purged = purged > 0;
    if (!purged || at > purged)
        return DONE;
    return cli_fail(cli,
                    "events up to %s UTC were purged ([store] retention): what was known before "
                    "then cannot be rebuilt",
                    show_time(purged, &cli->arena).at);
}

int past_lead(struct cli *cli, const struct lead *now, int64_t at, struct lead *ret)
{
    struct lead lead = {
        .id = now->id,
        .portal_id = now->portal_id,
        .crm_id = now->crm_id,
        .created_at = now->created_at,
        .source = now->source,
    };
    struct rebuild r = {
        .cli = cli, .lead = &lead, .activity = activity_read(STR_NULL, &cli->arena)};
    bool purged = false;
    int status = within_retention(cli, at, &purged);

    if (status != DONE)
        return status;
    enum rc rc = rebuild(&r, now->id, at);
    if (rc == RC_OK && purged)
        rc = add_purged(cli, now, at, &lead);
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    note_left_out(&r);
    lead.activity = activity_write(r.activity, &cli->arena);
    *ret = lead;
    return DONE;
}

int past_scorecard(struct cli *cli, int64_t at, const struct scorecard **ret)
{
    struct arena *a = &cli->arena;
    struct scorecard *card = ARENA_NEW(a, struct scorecard);
    struct conf_problems problems;
    struct conf conf = {0};
    struct str text;
    enum rc rc = read_ruleset(cli->reader, at, a, &text);

    *ret = &cli->config->scorecard;
    if (rc == RC_NONE) {
        cli_note(cli, "no rule set is known from that time: the present one is used");
        return DONE;
    }
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    conf_problems_init(&problems, a);
    if (conf_read_text(STR("rule set of that time"), text, a, &conf, &problems) == RC_OK)
        scorecard_build(&conf, a, card, &problems);
    if (problems.n)
        return cli_fail(cli, "the rule set of that time cannot be read any more: line %d: %.*s",
                        problems.first->line, STR_ARG(problems.first->message));
    *ret = card;
    return DONE;
}
