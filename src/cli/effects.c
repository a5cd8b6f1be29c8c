/* cli/effects.c - an event's effects: its lead right before it and right after it. */
#include "effects.h"

#include "funneld/pipeline/past.h"
#include "past.h"

struct search {
    struct cli *cli;
    const struct event_view *wanted;
    struct rules rules; /* the configuration's, with the scorecard of then */
    struct past past;
    struct lead before;
    struct arena scratch; /* one event */
    bool found, unread;
};

static int64_t taken_at(const struct event_view *e)
{
    return e->replayed_at ? e->replayed_at : e->received_at;
}

/* Its properties are changed in place by what follows. */
static struct lead snapshot(const struct lead *l, struct arena *a)
{
    struct lead copy = *l;

    copy.properties = arena_array(a, l->n_properties, sizeof *copy.properties);
    for (size_t i = 0; i < l->n_properties; i++)
        copy.properties[i] = l->properties[i];
    return copy;
}

static void score_now(struct past *p, int64_t at)
{
    p->at = at;
    p->scored = false;
    past_score(p);
}

static void look(void *self, const struct event_view *v)
{
    struct search *s = self;
    struct past *p = &s->past;
    bool wanted = v->id == s->wanted->id;
    struct event e;

    if (s->found)
        return;
    s->found = wanted;
    arena_reset(&s->scratch);
    enum rc rc = stored_event(&s->rules, v, &s->scratch, &e);
    if (rc != RC_OK || e.state != EVENT_PROCESSED) {
        s->unread |= wanted;
        return;
    }
    past_opens(p, &e, v->id);
    if (wanted && p->at) /* before its first event there was no lead */
        score_now(p, taken_at(v));
    if (wanted)
        s->before = snapshot(&p->lead, &s->cli->arena);
    past_event(p, &e, v->id, PAST_PASSES);
    if (wanted)
        score_now(p, taken_at(v));
}

static struct str value_of(const struct lead *l, struct str name)
{
    for (size_t i = 0; i < l->n_properties; i++)
        if (str_eq(l->properties[i].name, name))
            return l->properties[i].value.len ? l->properties[i].value : STR_NULL;
    return STR_NULL;
}

static void compare(const struct search *s, struct effects *ret)
{
    const struct lead *after = &s->past.lead;
    struct property_change *changes =
        arena_array(&s->cli->arena, after->n_properties, sizeof *changes);
    size_t n = 0;

    for (size_t i = 0; i < after->n_properties; i++) {
        struct str name = after->properties[i].name;
        struct property_change c = {name, value_of(&s->before, name), value_of(after, name)};

        if (!str_eq(c.before, c.after))
            changes[n++] = c;
    }
    ret->properties = changes;
    ret->n_properties = n;
    ret->score_before = s->before.score;
    ret->score_after = after->score;
    ret->band_before = s->before.band;
    ret->band_after = after->band;
}

/* Also what fired when it was replayed later. */
static void pick_fired(const struct search *s, const struct ledger_row *rows, size_t n,
                       struct effects *ret)
{
    struct ledger_row *own = arena_array(&s->cli->arena, n, sizeof *own);
    size_t n_own = 0;

    for (size_t i = 0; i < n; i++)
        if (rows[i].event == s->wanted->id)
            own[n_own++] = rows[i];
    ret->fired = own;
    ret->n_fired = n_own;
}

/* What counted by then. */
static size_t booked_by(const struct ledger_row *rows, size_t n, int64_t at, struct ledger_row *ret)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (rows[i].received_at <= at)
            ret[kept++] = rows[i];
    return kept;
}

static enum rc go_through(struct search *s, const struct lead *now, struct effects *ret)
{
    struct cli *cli = s->cli;
    int64_t at = taken_at(s->wanted), purged = 0;
    struct ledger_row *rows = NULL;
    size_t n = 0;
    enum rc rc = read_ledger(cli->reader, now, INT64_MAX, &cli->arena, &rows, &n);

    if (rc == RC_OK)
        rc = read_purged(cli->reader, &purged);
    if (rc != RC_OK)
        return rc;
    pick_fired(s, rows, n, ret);
    struct ledger_row *known = arena_array(&cli->arena, n, sizeof *known);
    size_t n_known = booked_by(rows, n, at, known);
    past_begin(&s->past, &s->rules, now, purged, known, n_known, &cli->arena);
    rc = read_lead_history(cli->reader, now->id, INT64_MAX, look, s);
    arena_free(&s->scratch);
    return rc;
}

static int search(struct cli *cli, const struct event_view *e, const struct lead *now,
                  struct effects *ret, const char **ret_unknown)
{
    struct search s = {.cli = cli, .wanted = e, .rules = cli->config->rules};
    const struct scorecard *card;
    int status = past_scorecard(cli, taken_at(e), &card);

    if (status != DONE)
        return status;
    s.rules.scorecard = *card;
    enum rc rc = go_through(&s, now, ret);
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    if (!s.found || s.unread)
        *ret_unknown = "not known: the configuration does not have its source any more, or reads "
                       "it in another way";
    else
        compare(&s, ret);
    return DONE;
}

int effects_of(struct cli *cli, const struct event_view *e, struct effects *ret,
               const char **ret_unknown)
{
    struct lead now;

    *ret = (struct effects){0};
    *ret_unknown = NULL;
    if (e->state != EVENT_PROCESSED || !e->lead) {
        *ret_unknown = "none: it changed no lead";
        return DONE;
    }
    enum rc rc = read_lead(cli->reader, e->lead, &cli->arena, &now);
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    if (now.erased) {
        *ret_unknown = "not known any more: the lead was erased";
        return DONE;
    }
    return search(cli, e, &now, ret, ret_unknown);
}
