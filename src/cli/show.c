/* cli/show.c - one lead or delivery whole, with all that proves what became of it. */
#include "lists.h"

#include <string.h>

#include "shape.h"

/* The store's slices end with its callback: everything is copied. */
void keep_delivery(void *self, const struct delivery *d)
{
    struct delivery_rows *rows = self;
    struct arena *a = &rows->cli->arena;

    rows->items = arena_more(a, rows->items, rows->n, &rows->cap, sizeof *rows->items);
    struct delivery *kept = &rows->items[rows->n++];
    *kept = *d;
    kept->route = arena_str(a, d->route);
    kept->connector = arena_str(a, d->connector);
    kept->reason = arena_str(a, d->reason);
    kept->remote_id = arena_str(a, d->remote_id);
    kept->facts = (struct delivery_facts){0}; /* no list shows them */
}

void show_field(struct cli *cli, const char *label, struct str value)
{
    if (value.len)
        sbuf_printf(&cli->out, "%-12s %.*s\n", label, STR_ARG(printable(value, &cli->arena)));
}

void show_id(struct cli *cli, const char *label, int64_t id)
{
    if (id)
        show_field(cli, label, arena_printf(&cli->arena, "%lld", (long long)id));
}

void show_at(struct cli *cli, const char *label, int64_t at)
{
    if (at)
        show_field(cli, label, arena_printf(&cli->arena, "%s UTC", show_time(at, &cli->arena).at));
}

static void print_properties(struct cli *cli, const struct lead *l)
{
    static const struct text_column columns[] = {
        {"PROPERTY", 40, false}, {"VALUE", 80, false}, {"AT (UTC)", 0, false}};
    struct text_table t = TABLE(&cli->arena, columns);

    for (size_t i = 0; i < l->n_properties; i++) {
        table_cell(&t, l->properties[i].name);
        table_cell(&t, l->properties[i].value.len ? l->properties[i].value : STR_NULL);
        table_cell(&t, show_time(l->properties[i].at, &cli->arena));
    }
    sbuf_text(&cli->out, l->n_properties ? "\n" : "\nno properties\n");
    table_print(&t, &cli->out);
}

static void show_chance(struct cli *cli, const char *label, const struct chance *c)
{
    if (c->known)
        show_field(cli, label,
                   arena_printf(&cli->arena, "%s %%", show_tenths(c->tenths, &cli->arena).at));
}

static void print_lead(struct cli *cli, const struct lead *l)
{
    struct arena *a = &cli->arena;

    show_id(cli, "lead", l->id);
    show_field(cli, "name", lead_name(l, a));
    show_field(cli, "email", l->email);
    if (l->crm_id)
        show_field(cli, "crm",
                   arena_printf(a, "%lld:%lld", (long long)l->portal_id, (long long)l->crm_id));
    show_field(cli, "state",
               arena_printf(a, "%s%s", lead_state_name(l->state), l->erased ? ", erased" : ""));
    show_id(cli, "merged into", l->merged_into);
    show_field(cli, "score",
               arena_printf(a, "%s (%s) = fit %s + engagement %s", show_tenths(l->score, a).at,
                            band_name(l->band), show_tenths(l->fit, a).at,
                            show_tenths(l->engagement, a).at));
    show_chance(cli, "probability", &l->probability);
    show_chance(cli, "churn", &l->churn);
    show_at(cli, "since", l->created_at);
    show_at(cli, "enriched", l->enriched_at);
    print_properties(cli, l);
}

int show_lead(struct cli *cli, struct str text)
{
    struct lead l;
    int status = cli_find_lead(cli, text, &l);

    if (status != DONE)
        return status;
    if (!cli_has(cli, ARG_JSON)) {
        print_lead(cli, &l);
        return DONE;
    }
    shape_lead(&l, &cli->out);
    sbuf_char(&cli->out, '\n');
    return DONE;
}

void show_attempt(struct text_table *t, const struct attempt_view *at)
{
    table_cell(t, show_time(at->started_at, t->arena));
    table_cell(t, show_duration(at->ended_at - at->started_at, t->arena));
    table_id(t, at->status);
    table_cell(t, str_of(attempt_verdict_name(at->verdict)));
    table_cell(t, at->detail);
}

static void print_attempts(struct cli *cli, const struct attempt_view *attempts, size_t n)
{
    static const struct text_column columns[] = {
        {"ATTEMPT (UTC)", 0, false}, {"TOOK", 0, true},      {"STATUS", 0, true},
        {"VERDICT", 0, false},       {"DETAIL", 120, false},
    };
    struct text_table t = TABLE(&cli->arena, columns);

    for (size_t i = 0; i < n; i++)
        show_attempt(&t, &attempts[i]);
    sbuf_text(&cli->out, n ? "\n" : "\nno attempts yet\n");
    table_print(&t, &cli->out);
}

/* What the service said where it ended, in a line of its own for each. */
static void print_answers(struct cli *cli, const struct attempt_view *attempts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (attempts[i].answer.len)
            sbuf_printf(&cli->out, "\nanswer of %s UTC, as far as it is kept:\n%.*s\n",
                        show_time(attempts[i].started_at, &cli->arena).at,
                        STR_ARG(printable(attempts[i].answer, &cli->arena)));
}

static void print_delivery(struct cli *cli, const struct delivery *d)
{
    struct arena *a = &cli->arena;

    show_id(cli, "delivery", d->id);
    show_field(cli, "shown as",
               arena_printf(a, "%s-%lld", reader_database_id(cli->reader), (long long)d->id));
    show_id(cli, "event", d->event);
    show_id(cli, "lead", d->lead > 0 ? d->lead : 0);
    show_field(cli, "route", d->route);
    show_field(cli, "connector", d->connector);
    show_field(cli, "state", str_of(delivery_state_name(d->state)));
    show_field(cli, "reason", d->reason);
    show_field(cli, "score then",
               arena_printf(a, "%s (%s), before %s", show_tenths(d->facts.score, a).at,
                            band_name(d->facts.band), show_tenths(d->facts.previous, a).at));
    show_field(cli, "reasons", d->facts.reasons);
    show_chance(cli, "probability", &d->facts.probability);
    show_chance(cli, "churn", &d->facts.churn);
    show_at(cli, "queued", d->created_at);
    show_at(cli, d->done_at ? "was due" : "due", d->due_at);
    show_at(cli, "in doubt", d->open_attempt_at);
    show_at(cli, "done", d->done_at);
    show_field(cli, "remote id", d->remote_id);
}

int show_delivery(struct cli *cli, struct str text)
{
    struct attempt_view *attempts = NULL;
    struct delivery d;
    size_t n = 0;
    int64_t id;
    int status = cli_id(cli, text, &id);

    if (status != DONE)
        return status;
    enum rc rc = read_delivery(cli->reader, id, &cli->arena, &d);
    if (rc == RC_NONE)
        return cli_fail(cli, "there is no delivery %.*s", STR_ARG(text));
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    rc = read_attempts(cli->reader, id, &cli->arena, &attempts, &n);
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    if (!cli_has(cli, ARG_JSON)) {
        print_delivery(cli, &d);
        print_attempts(cli, attempts, n);
        print_answers(cli, attempts, n);
        return DONE;
    }
    shape_delivery_whole(&d, attempts, n, &cli->out);
    sbuf_char(&cli->out, '\n');
    return DONE;
}
