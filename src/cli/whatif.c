/* cli/whatif.c - what another configuration would have done: a diff by lead and by connector. */
#include "whatif.h"

#include "funneld/base/clock.h"
#include "funneld/base/json.h"
#include "funneld/model/served.h"
#include "funneld/pipeline/past.h"

enum { LEADS_AT_ONCE = 256, LEADS_SPAN = 5000, SHOWN = 50 };
#define PERIOD_MS (30 * DAYS_MS)

enum { BEFORE, AFTER, SIDES };

/* Who heard of one event; of one lead's, how often more by one side than by the other. */
struct heard {
    struct str route, connector;
    int64_t n[SIDES]; /* told by one side alone */
    struct heard *next;
};

/* All deliveries to one connector. */
struct total {
    struct str connector;
    int64_t n[SIDES], alone[SIDES];
    struct total *next;
};

struct whatif {
    struct cli *cli;
    struct config *changed;
    struct replay_filter filter;
    int64_t at; /* as of when scores are compared */
    const struct rules *rules[SIDES];
    struct models *models; /* that are in use now */
    struct total *totals;
    struct text_table *table; /* NULL: JSON */
    int64_t leads, differ, shown, limit;
    size_t sourceless, unreadable;
    /* One lead */
    struct arena arena, scratch; /* for it, for one of its events */
    struct lead lead;
    struct past past[SIDES];
    struct heard *heard;
    enum { NOTHING_YET, ASKED } asked;
    /* One event */
    int side;
    struct heard *now;
};

static struct total *total_of(struct whatif *w, struct str connector)
{
    struct total **t = &w->totals;

    while (*t && str_cmp((*t)->connector, connector) < 0)
        t = &(*t)->next;
    if (!*t || !str_eq((*t)->connector, connector)) {
        struct total *made = ARENA_NEW(&w->cli->arena, struct total);

        *made = (struct total){.connector = connector, .next = *t}; /* a configuration's own text */
        *t = made;
    }
    return *t;
}

static struct heard *find(struct heard **list, struct arena *a, struct str route,
                          struct str connector)
{
    while (*list && !(str_eq((*list)->route, route) && str_eq((*list)->connector, connector)))
        list = &(*list)->next;
    if (!*list) {
        *list = ARENA_NEW(a, struct heard);
        **list = (struct heard){.route = route, .connector = connector};
    }
    return *list;
}

static void hears(void *self, const struct route *route)
{
    struct whatif *w = self;

    for (size_t i = 0; i < route->to.n; i++)
        find(&w->now, &w->scratch, route->name, route->to.items[i])->n[w->side]++;
}

/* What both tell is no difference. */
static void compare(struct whatif *w)
{
    for (const struct heard *h = w->now; h; h = h->next) {
        struct total *t = total_of(w, h->connector);

        for (int i = 0; i < SIDES; i++) {
            int64_t alone = h->n[i] > h->n[!i] ? h->n[i] - h->n[!i] : 0;

            t->n[i] += h->n[i];
            t->alone[i] += alone;
            if (alone)
                find(&w->heard, &w->arena, h->route, h->connector)->n[i] += alone;
        }
    }
}

static bool is_in_period(const struct whatif *w, const struct event_view *v)
{
    const struct replay_filter *f = &w->filter;

    return v->received_at >= f->since && (!f->source.at || str_eq(f->source, v->source));
}

/* By one configuration; what it cannot read did not happen to it. In the period the new one reads
 * for itself what was sent. */
static void happens(struct whatif *w, const struct event_view *v, bool counts)
{
    struct past *p = &w->past[w->side];
    struct event e;
    enum rc rc = counts && w->side == AFTER ? stored_event_anew(w->rules[AFTER], v, &w->scratch, &e)
                                            : stored_event(w->rules[w->side], v, &w->scratch, &e);

    if (rc == RC_OK && e.state != EVENT_PROCESSED)
        rc = RC_INVALID;
    if (rc != RC_OK) {
        w->sourceless += rc == RC_NONE && v->body.at && w->side == BEFORE;
        w->unreadable += rc == RC_INVALID && w->side == BEFORE;
        return;
    }
    past_event(p, &e, v->id, counts ? PAST_ANEW : PAST_PASSES);
    if (counts)
        past_routes(p, &e, hears, w);
}

static void event_seen_by_both(void *self, const struct event_view *v)
{
    struct whatif *w = self;
    bool counts = is_in_period(w, v);

    arena_reset(&w->scratch);
    w->now = NULL;
    for (w->side = 0; w->side < SIDES; w->side++)
        happens(w, v, counts);
    if (!counts)
        return;
    w->asked = ASKED;
    compare(w);
}

static int64_t score_at(struct whatif *w, int side)
{
    struct past *p = &w->past[side];

    p->at = w->at;
    p->scored = false;
    past_score(p);
    return p->lead.score;
}

static void write_heard(const struct whatif *w, int side, const char *key, struct sbuf *b)
{
    json_key(b, key);
    json_open(b, '[');
    for (const struct heard *h = w->heard; h; h = h->next) {
        if (!h->n[side])
            continue;
        json_open(b, '{');
        json_kv(b, "route", h->route);
        json_kv(b, "connector", h->connector);
        json_kv_int(b, "deliveries", h->n[side]);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void lead_to_json(struct whatif *w)
{
    const struct lead *before = &w->past[BEFORE].lead, *after = &w->past[AFTER].lead;
    struct sbuf *b = &w->cli->out;

    json_open(b, '{');
    json_kv_id(b, "lead", w->lead.id);
    json_kv(b, "email", w->lead.email);
    json_kv_tenths(b, "score_before", before->score);
    json_kv_tenths(b, "score_after", after->score);
    json_kv_text(b, "band_before", band_name(before->band));
    json_kv_text(b, "band_after", band_name(after->band));
    write_heard(w, AFTER, "gained", b);
    write_heard(w, BEFORE, "lost", b);
    json_close(b, '}');
    sbuf_char(b, '\n');
    cli_flush(w->cli);
}

static struct str changes_in_words(const struct whatif *w, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);
    struct str words;

    for (const struct heard *h = w->heard; h; h = h->next)
        for (int side = SIDES; side-- > 0;)
            if (h->n[side])
                sbuf_printf(&b, "%s%s%lld %.*s to %.*s", b.len ? ", " : "",
                            side == AFTER ? "+" : "-", (long long)h->n[side], STR_ARG(h->route),
                            STR_ARG(h->connector));
    return sbuf_seal(&b, a, &words) == RC_OK ? words : STR("too many to list: see --json");
}

static void lead_to_table(struct whatif *w)
{
    const struct lead *before = &w->past[BEFORE].lead, *after = &w->past[AFTER].lead;
    struct text_table *t = w->table;
    struct arena *a = t->arena;

    if (w->shown++ >= w->limit)
        return;
    table_id(t, w->lead.id);
    table_cell(t, lead_name(&w->lead, a));
    table_cell(t, show_tenths(before->score, a));
    table_cell(t, show_tenths(after->score, a));
    table_cell(t, before->band == after->band ? str_of(band_name(before->band))
                                              : arena_printf(a, "%s -> %s", band_name(before->band),
                                                             band_name(after->band)));
    table_cell(t, w->heard ? changes_in_words(w, a) : STR(""));
}

static void conclude(struct whatif *w)
{
    int64_t before = score_at(w, BEFORE), after = score_at(w, AFTER);

    w->leads++;
    if (before == after && w->past[BEFORE].lead.band == w->past[AFTER].lead.band && !w->heard)
        return;
    w->differ++;
    if (w->table)
        lead_to_table(w);
    else
        lead_to_json(w);
}

static enum rc begin(struct whatif *w, int64_t id)
{
    struct reader *r = w->cli->reader;
    struct ledger_row *rows = NULL;
    int64_t purged = 0;
    size_t n = 0;
    enum rc rc = read_lead(r, id, &w->arena, &w->lead);

    if (rc == RC_OK)
        rc = read_ledger(r, &w->lead, INT64_MAX, &w->arena, &rows, &n);
    if (rc == RC_OK)
        rc = read_purged(r, &purged);
    for (int i = 0; i < SIDES && rc == RC_OK; i++) {
        past_begin(&w->past[i], w->rules[i], &w->lead, purged, rows, n, &w->arena);
        w->past[i].models = models_any(w->models) ? w->models : NULL;
    }
    return rc;
}

static enum rc one_lead(struct whatif *w, int64_t id)
{
    arena_reset(&w->arena);
    w->heard = NULL;
    w->asked = NOTHING_YET;
    enum rc rc = begin(w, id);
    if (rc == RC_NONE)
        return RC_OK; /* gone since it was listed */
    if (rc == RC_OK)
        rc = read_lead_history(w->cli->reader, id, w->at, event_seen_by_both, w);
    if (rc == RC_OK && w->asked == ASKED)
        conclude(w);
    return rc;
}

static enum rc all_leads(struct whatif *w)
{
    int64_t ids[LEADS_AT_ONCE], after = 0;
    bool end = false;
    enum rc rc = RC_OK;

    if (w->filter.lead)
        return one_lead(w, w->filter.lead);
    while (rc == RC_OK && !end) {
        size_t n = 0;

        rc = read_leads_heard_of(w->cli->reader, w->filter.since, LEADS_SPAN, LEADS_AT_ONCE, &after,
                                 ids, &n, &end);
        for (size_t i = 0; i < n && rc == RC_OK; i++)
            rc = one_lead(w, ids[i]);
    }
    return rc;
}

static void totals_to_json(const struct whatif *w)
{
    struct sbuf *b = &w->cli->out;

    for (const struct total *t = w->totals; t; t = t->next) {
        json_open(b, '{');
        json_kv(b, "connector", t->connector);
        json_kv_int(b, "before", t->n[BEFORE]);
        json_kv_int(b, "after", t->n[AFTER]);
        json_kv_int(b, "gained", t->alone[AFTER]);
        json_kv_int(b, "lost", t->alone[BEFORE]);
        json_close(b, '}');
        sbuf_char(b, '\n');
    }
}

static void print_totals(struct whatif *w)
{
    static const struct text_column columns[] = {
        {"CONNECTOR", 24, false}, {"BEFORE", 0, true}, {"AFTER", 0, true},
        {"GAINED", 0, true},      {"LOST", 0, true},
    };
    struct text_table t = TABLE(&w->cli->arena, columns);

    for (const struct total *c = w->totals; c; c = c->next) {
        table_cell(&t, c->connector);
        table_int(&t, c->n[BEFORE]);
        table_int(&t, c->n[AFTER]);
        table_int(&t, c->alone[AFTER]);
        table_int(&t, c->alone[BEFORE]);
    }
    table_print(&t, &w->cli->out);
}

static void print_text(struct whatif *w)
{
    struct cli *cli = w->cli;
    struct arena *a = &cli->arena;

    sbuf_printf(&cli->out,
                "events received from %s to %s UTC: %lld of %lld leads would be another\n",
                show_time(w->filter.since, a).at, show_time(w->at, a).at, (long long)w->differ,
                (long long)w->leads);
    if (w->totals)
        sbuf_text(&cli->out, "\ndeliveries, had the configuration been this one\n");
    print_totals(w);
    if (w->differ)
        sbuf_char(&cli->out, '\n');
    table_print(w->table, &cli->out);
    if (w->shown > w->limit)
        sbuf_printf(&cli->out, "and %lld more: --limit, or --json for all\n",
                    (long long)(w->shown - w->limit));
}

static int check_usage(const struct cli *cli)
{
    static const enum arg others[] = {ARG_STATE, ARG_ALL, ARG_AGAIN};

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (cli_has(cli, others[i]))
            return cli_usage(cli, "--%s does not go with --config", arg_specs[others[i]].name);
    if (cli->args.n_words)
        return cli_usage(cli, "--config looks at a period: --since, --until, --source, --lead");
    return DONE;
}

static int load_changed(struct whatif *w)
{
    struct sbuf text AUTO(sbuf_free) = SBUF(1 << 20);
    struct cli *cli = w->cli;

    w->changed = config_load(cli->args.values[ARG_NEW_CONFIG], cli->now_ms);
    w->rules[BEFORE] = &cli->config->rules;
    w->rules[AFTER] = &w->changed->rules;
    if (!w->changed->problems.n)
        return DONE;
    config_problems_text(w->changed, &text);
    return cli_usage(cli, "that configuration cannot be used:\n%.*s", STR_ARG(sbuf_str(&text)));
}

static int read_period(struct whatif *w)
{
    struct cli *cli = w->cli;
    int status = replay_read_filter(cli, &w->filter);

    w->limit = SHOWN;
    if (status == DONE && cli_has(cli, ARG_LIMIT) &&
        (!str_int64(cli_value(cli, ARG_LIMIT), &w->limit) || w->limit < 1 || w->limit > 10000000))
        status = cli_usage(cli, "--limit %.80s is not a number from 1 to 10000000",
                           cli->args.values[ARG_LIMIT]);
    w->at = w->filter.until ? w->filter.until : cli->now_ms;
    if (!cli_has(cli, ARG_SINCE))
        w->filter.since = w->at - PERIOD_MS;
    return status;
}

static int load_models(struct whatif *w)
{
    struct why why = {0};

    return cli_models(w->cli, w->cli->reader, &w->models, &why) ? cli_fail(w->cli, "%s", why.text)
                                                                : DONE;
}

static void note_left_out(const struct whatif *w)
{
    if (w->sourceless)
        cli_note(w->cli,
                 "%zu events are left out: their source is not in the configuration any "
                 "more",
                 w->sourceless);
    if (w->unreadable)
        cli_note(w->cli, "%zu events are left out: what is stored cannot be read any more",
                 w->unreadable);
}

static int run(struct whatif *w)
{
    int status = check_usage(w->cli);

    if (status == DONE)
        status = cli_read(w->cli);
    if (status == DONE)
        status = load_changed(w);
    if (status == DONE)
        status = read_period(w);
    if (status == DONE)
        status = load_models(w);
    if (status != DONE)
        return status;
    enum rc rc = all_leads(w);
    if (rc != RC_OK)
        return cli_fail_read(w->cli, rc);
    if (w->table)
        print_text(w);
    else
        totals_to_json(w);
    note_left_out(w);
    return DONE;
}

int whatif(struct cli *cli)
{
    static const struct text_column columns[] = {
        {"LEAD", 0, true},  {"NAME", 32, false}, {"SCORE", 0, true},
        {"AFTER", 0, true}, {"BAND", 0, false},  {"DELIVERIES", 80, false},
    };
    struct text_table t = TABLE(&cli->arena, columns);
    struct whatif w = {.cli = cli, .table = cli_has(cli, ARG_JSON) ? NULL : &t};
    int status = run(&w);

    arena_free(&w.arena);
    arena_free(&w.scratch);
    models_dropp(&w.models);
    if (w.changed)
        ref_drop(&w.changed->ref);
    return status;
}
