/* cli/lists.c - events, leads, deliveries: lists with filters, newest first. */
#include "lists.h"

#include <string.h>

#include "shape.h"

static const char *const event_states[] = {"processed", "unprocessable", "unlinked"};
static const char *const lead_states[] = {"active", "deleted", "merged"};
static const char *const delivery_states[] = {"pending", "held",       "delivered",
                                              "dead",    "superseded", "cancelled"};

/* One of the three lists. */
struct list {
    const char *const *states;
    size_t n_states;
    const struct text_column *columns;
    size_t n_columns;
    /* Reads by the filter and adds each row to the answer. */
    enum rc (*read)(struct cli *cli, const struct list_filter *f, struct text_table *t,
                    size_t *ret_n);
    int (*show)(struct cli *cli, struct str id);
};

/* What a callback of the store needs. */
struct listing {
    struct cli *cli;
    struct text_table *table; /* NULL: JSON, a line each */
    size_t n;
};

static void end_line(struct listing *l)
{
    sbuf_char(&l->cli->out, '\n');
    cli_flush(l->cli);
}

static void list_event(void *self, const struct event_view *e)
{
    struct listing *l = self;
    struct text_table *t = l->table;

    l->n++;
    if (!t) {
        shape_event(e, &l->cli->out);
        end_line(l);
        return;
    }
    table_id(t, e->id);
    table_cell(t, show_time(e->received_at, t->arena));
    table_cell(t, e->source);
    table_cell(t, e->type);
    table_id(t, e->lead);
    table_cell(t, str_of(event_state_name(e->state)));
    table_cell(t, e->reason);
}

static void list_lead(void *self, const struct lead *lead)
{
    struct listing *l = self;
    struct text_table *t = l->table;
    struct str crm = STR_NULL;

    l->n++;
    if (!t) {
        shape_lead(lead, &l->cli->out);
        end_line(l);
        return;
    }
    if (lead->crm_id)
        crm = arena_printf(t->arena, "%lld:%lld", (long long)lead->portal_id,
                           (long long)lead->crm_id);
    table_id(t, lead->id);
    table_cell(t, show_time(lead->created_at, t->arena));
    table_cell(t, lead_name(lead, t->arena));
    table_cell(t, lead->email);
    table_cell(t, crm);
    table_cell(t, show_tenths(lead->score, t->arena));
    table_cell(t, str_of(band_name(lead->band)));
    table_cell(t, str_of(lead_state_name(lead->state)));
}

static void list_delivery(void *self, const struct delivery *d)
{
    struct listing *l = self;
    struct text_table *t = l->table;

    l->n++;
    if (!t) {
        shape_delivery(d, &l->cli->out);
        end_line(l);
        return;
    }
    table_id(t, d->id);
    table_id(t, d->event);
    table_id(t, d->lead > 0 ? d->lead : 0);
    table_cell(t, d->route);
    table_cell(t, d->connector);
    table_cell(t, str_of(delivery_state_name(d->state)));
    table_int(t, d->attempts);
    table_cell(t, show_time(d->done_at ? 0 : d->due_at, t->arena));
    table_cell(t, show_time(d->done_at, t->arena));
    table_cell(t, d->reason);
}

static enum rc read_event_list(struct cli *cli, const struct list_filter *f, struct text_table *t,
                               size_t *ret_n)
{
    struct listing l = {cli, t, 0};
    enum rc rc = read_events(cli->reader, f, list_event, &l);

    *ret_n = l.n;
    return rc;
}

/* `--lead` leaves one at most: it has been found already. */
static enum rc read_lead_list(struct cli *cli, const struct list_filter *f, struct text_table *t,
                              size_t *ret_n)
{
    struct listing l = {cli, t, 0};
    enum rc rc;

    if (f->lead) {
        struct lead lead;

        rc = read_lead(cli->reader, f->lead, &cli->arena, &lead);
        if (rc == RC_OK && (!f->after || lead.id < f->after) && lead.created_at >= f->since &&
            (!f->state.at || str_is(f->state, lead_state_name(lead.state))))
            list_lead(&l, &lead);
    } else {
        rc = read_leads(cli->reader, f, list_lead, &l);
    }
    *ret_n = l.n;
    return rc;
}

static enum rc read_delivery_list(struct cli *cli, const struct list_filter *f,
                                  struct text_table *t, size_t *ret_n)
{
    struct listing l = {cli, t, 0};
    enum rc rc = read_deliveries(cli->reader, f, list_delivery, &l);

    *ret_n = l.n;
    return rc;
}

static const struct text_column event_columns[] = {
    {"EVENT", 0, true}, {"RECEIVED (UTC)", 0, false}, {"SOURCE", 24, false}, {"TYPE", 40, false},
    {"LEAD", 0, true},  {"STATE", 0, false},          {"REASON", 60, false},
};
static const struct text_column lead_columns[] = {
    {"LEAD", 0, true}, {"SINCE (UTC)", 0, false}, {"NAME", 32, false}, {"EMAIL", 40, false},
    {"CRM", 0, false}, {"SCORE", 0, true},        {"BAND", 0, false},  {"STATE", 0, false},
};
static const struct text_column delivery_columns[] = {
    {"DELIVERY", 0, true},    {"EVENT", 0, true},    {"LEAD", 0, true},  {"ROUTE", 24, false},
    {"CONNECTOR", 24, false}, {"STATE", 0, false},   {"TRIES", 0, true}, {"DUE (UTC)", 0, false},
    {"DONE (UTC)", 0, false}, {"REASON", 60, false},
};

#define LIST_OF(kind)                                                                              \
    .states = kind##_states, .n_states = ARRAY_LEN(kind##_states), .columns = kind##_columns,      \
    .n_columns = ARRAY_LEN(kind##_columns), .read = read_##kind##_list, .show = show_##kind

static const struct list event_list = {LIST_OF(event)};
static const struct list lead_list = {LIST_OF(lead)};
static const struct list delivery_list = {LIST_OF(delivery)};

/* A name that the configuration does not have may still stand in old rows. When there are none,
 * it was a mistake. */
static int check_name(struct cli *cli, enum arg arg)
{
    const struct config *c = cli->config;
    const char **names = arena_array(&cli->arena, c->n_sources + c->n_connectors, sizeof *names);
    size_t n = 0;

    if (!cli_has(cli, arg))
        return DONE;
    for (size_t i = 0; i < c->n_sources && arg == ARG_SOURCE; i++)
        names[n++] = arena_text(&cli->arena, c->sources[i].name);
    for (size_t i = 0; i < c->n_connectors; i++) /* an enriched event comes from a connector */
        if (arg == ARG_CONNECTOR || c->connectors[i].type->enriches)
            names[n++] = arena_text(&cli->arena, c->connectors[i].name);
    return cli_choice(cli, arg, names, n);
}

static int read_filter(struct cli *cli, const struct list *list, struct list_filter *f)
{
    int status = DONE;

    *f = (struct list_filter){.limit = 50,
                              .state = cli_value(cli, ARG_STATE),
                              .connector = cli_value(cli, ARG_CONNECTOR),
                              .route = cli_value(cli, ARG_ROUTE),
                              .reason = cli_value(cli, ARG_REASON),
                              .source = cli_value(cli, ARG_SOURCE)};
    if (cli_has(cli, ARG_LIMIT) &&
        (!str_int64(cli_value(cli, ARG_LIMIT), &f->limit) || f->limit < 1 || f->limit > 10000000))
        return cli_usage(cli, "--limit %.80s is not a number from 1 to 10000000",
                         cli->args.values[ARG_LIMIT]);
    if (f->state.at)
        status = cli_choice(cli, ARG_STATE, list->states, list->n_states);
    if (status == DONE && cli_has(cli, ARG_SINCE))
        status = cli_time(cli, ARG_SINCE, &f->since);
    if (status == DONE && cli_has(cli, ARG_AFTER))
        status = cli_id(cli, cli_value(cli, ARG_AFTER), &f->after);
    return status == DONE ? cli_lead_filter(cli, &f->lead) : status;
}

static int print_list(struct cli *cli, const struct list *list)
{
    struct text_table t = {
        .columns = list->columns, .n_columns = list->n_columns, .arena = &cli->arena};
    bool people = !cli_has(cli, ARG_JSON);
    struct list_filter f;
    size_t n = 0;
    int status = read_filter(cli, list, &f);

    if (status != DONE)
        return status;
    enum rc rc = list->read(cli, &f, people ? &t : NULL, &n);
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    if (!n) {
        status = check_name(cli, ARG_CONNECTOR);
        if (status == DONE)
            status = check_name(cli, ARG_SOURCE);
        if (status == DONE && people)
            cli_note(cli, "there are none");
    }
    table_print(&t, &cli->out);
    return status;
}

static int list_or_show(struct cli *cli, const struct list *list)
{
    static const uint64_t filters = TAKES(LIMIT) | TAKES(AFTER) | TAKES(SINCE) | TAKES(STATE) |
                                    TAKES(LEAD) | TAKES(CONNECTOR) | TAKES(SOURCE) | TAKES(ROUTE) |
                                    TAKES(REASON);
    const struct args *args = &cli->args;

    if (args->n_words && strcmp(args->words[0], "show") != 0)
        return cli_usage(cli, "unexpected argument %.80s; did you mean: show %.80s", args->words[0],
                         args->words[0]);
    if (args->n_words == 1)
        return cli_usage(cli, "show what? %s", cli->command->arguments);
    for (size_t i = 0; i < ARG_COUNT && args->n_words; i++)
        if (args->values[i] && filters & UINT64_C(1) << i)
            return cli_usage(cli, "--%s is for lists, not for show", arg_specs[i].name);
    int status = cli_read(cli);
    if (status != DONE)
        return status;
    return args->n_words ? list->show(cli, str_of(args->words[1])) : print_list(cli, list);
}

int cli_events(struct cli *cli)
{
    return list_or_show(cli, &event_list);
}

int cli_leads(struct cli *cli)
{
    return list_or_show(cli, &lead_list);
}

int cli_deliveries(struct cli *cli)
{
    return list_or_show(cli, &delivery_list);
}
