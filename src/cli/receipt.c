/* cli/receipt.c - an event's receipt: what it was, what it did, who was told, how that went. */
#include "effects.h"
#include "lists.h"

#include <string.h>

struct receipt {
    struct event_view e;
    struct effects effects;
    const char *unknown; /* why there are no effects; NULL: there are */
    struct delivery_receipt *deliveries;
    size_t n;
};

/* "668d797c-76fa-..." without its dashes. */
static struct str notion_link(const struct connector *c, const struct delivery *d,
                              const struct lead *l, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(512);
    struct str link = STR_NULL;

    (void)c;
    (void)l;
    sbuf_text(&b, "https://www.notion.so/");
    for (size_t i = 0; i < d->remote_id.len; i++)
        if (d->remote_id.at[i] != '-')
            sbuf_char(&b, d->remote_id.at[i]);
    return sbuf_seal(&b, a, &link) == RC_OK ? link : STR_NULL;
}

static struct str hubspot_link(const struct connector *c, const struct delivery *d,
                               const struct lead *l, struct arena *a)
{
    (void)d;
    return hubspot_contact_url(c->settings, l->portal_id, l->crm_id, a);
}

static const struct {
    const char *type;
    struct str (*link)(const struct connector *c, const struct delivery *d, const struct lead *l,
                       struct arena *a);
} links[] = {{"notion", notion_link}, {"hubspot", hubspot_link}};

/* To what was made there, where its id alone tells. */
static enum rc link_to(struct cli *cli, struct delivery_receipt *r)
{
    const struct connector *c = config_connector(cli->config, r->d.connector);
    struct lead lead;

    if (!c || !r->d.remote_id.len)
        return RC_OK;
    enum rc rc = read_lead(cli->reader, r->d.lead, &cli->arena, &lead);
    if (rc != RC_OK)
        return rc == RC_NONE ? RC_OK : rc;
    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        if (strcmp(links[i].type, c->type->name) == 0)
            r->link = links[i].link(c, &r->d, &lead, &cli->arena);
    return RC_OK;
}

static enum rc collect(struct cli *cli, struct receipt *r)
{
    struct delivery_rows rows = {.cli = cli};
    const struct list_filter f = {.event = r->e.id, .limit = INT64_MAX};
    enum rc rc = read_deliveries(cli->reader, &f, keep_delivery, &rows);

    r->deliveries = arena_array(&cli->arena, rows.n, sizeof *r->deliveries);
    for (size_t i = 0; i < rows.n && rc == RC_OK; i++) {
        struct delivery_receipt *d = &r->deliveries[r->n++];

        d->d = rows.items[i];
        rc = read_attempts(cli->reader, d->d.id, &cli->arena, &d->attempts, &d->n_attempts);
        if (rc == RC_OK)
            rc = link_to(cli, d);
    }
    return rc;
}

static void print_properties(struct cli *cli, const struct effects *f)
{
    static const struct text_column columns[] = {
        {"PROPERTY", 40, false}, {"BEFORE", 40, false}, {"AFTER", 40, false}};
    struct text_table t = TABLE(&cli->arena, columns);

    for (size_t i = 0; i < f->n_properties; i++) {
        table_cell(&t, f->properties[i].name);
        table_cell(&t, f->properties[i].before);
        table_cell(&t, f->properties[i].after);
    }
    if (f->n_properties)
        sbuf_char(&cli->out, '\n');
    table_print(&t, &cli->out);
}

static void print_fired(struct cli *cli, const struct effects *f)
{
    static const struct text_column columns[] = {
        {"RULE", 32, false}, {"POINTS", 0, true}, {"FIRED (UTC)", 0, false}, {"WHY", 60, false}};
    struct text_table t = TABLE(&cli->arena, columns);

    for (size_t i = 0; i < f->n_fired; i++) {
        table_cell(&t, f->fired[i].rule);
        table_cell(&t, show_tenths(f->fired[i].points, &cli->arena));
        table_cell(&t, show_time(f->fired[i].received_at, &cli->arena));
        table_cell(&t, f->fired[i].why);
    }
    if (f->n_fired)
        sbuf_char(&cli->out, '\n');
    table_print(&t, &cli->out);
}

static void print_effects(struct cli *cli, const struct receipt *r)
{
    const struct effects *f = &r->effects;
    struct arena *a = &cli->arena;

    if (r->unknown) {
        show_field(cli, "effects", str_of(r->unknown));
        return;
    }
    show_field(cli, "score",
               arena_printf(a, "%s (%s), before %s (%s)", show_tenths(f->score_after, a).at,
                            band_name(f->band_after), show_tenths(f->score_before, a).at,
                            band_name(f->band_before)));
    print_properties(cli, f);
    print_fired(cli, f);
}

static void print_deliveries(struct cli *cli, const struct receipt *r)
{
    static const struct text_column columns[] = {
        {"DELIVERY", 0, true}, {"ROUTE", 24, false},  {"CONNECTOR", 24, false},
        {"STATE", 0, false},   {"TRIES", 0, true},    {"DONE (UTC)", 0, false},
        {"REMOTE", 80, false}, {"REASON", 60, false},
    };
    struct text_table t = TABLE(&cli->arena, columns);

    for (size_t i = 0; i < r->n; i++) {
        const struct delivery *d = &r->deliveries[i].d;

        table_id(&t, d->id);
        table_cell(&t, d->route);
        table_cell(&t, d->connector);
        table_cell(&t, str_of(delivery_state_name(d->state)));
        table_int(&t, d->attempts);
        table_cell(&t, show_time(d->done_at, &cli->arena));
        table_cell(&t, r->deliveries[i].link.at ? r->deliveries[i].link : d->remote_id);
        table_cell(&t, d->reason);
    }
    sbuf_text(&cli->out, r->n ? "\n" : "\nno deliveries\n");
    table_print(&t, &cli->out);
}

static void print_attempts(struct cli *cli, const struct receipt *r)
{
    static const struct text_column columns[] = {
        {"DELIVERY", 0, true}, {"ATTEMPT (UTC)", 0, false}, {"TOOK", 0, true},
        {"STATUS", 0, true},   {"VERDICT", 0, false},       {"DETAIL", 120, false},
    };
    struct text_table t = TABLE(&cli->arena, columns);

    for (size_t i = 0; i < r->n; i++) {
        for (size_t k = 0; k < r->deliveries[i].n_attempts; k++) {
            table_id(&t, r->deliveries[i].d.id);
            show_attempt(&t, &r->deliveries[i].attempts[k]);
        }
    }
    if (t.n_cells)
        sbuf_char(&cli->out, '\n');
    table_print(&t, &cli->out);
}

static void print_receipt(struct cli *cli, const struct receipt *r)
{
    const struct event_view *e = &r->e;

    show_id(cli, "event", e->id);
    show_field(cli, "type", e->type);
    show_field(cli, "source", e->source);
    show_field(cli, "signature", e->signature);
    show_id(cli, "lead", e->lead);
    show_at(cli, "occurred", e->occurred_at);
    show_at(cli, "received", e->received_at);
    show_at(cli, "committed", e->committed_at);
    show_at(cli, "replayed", e->replayed_at);
    show_field(cli, "request", e->request_id);
    show_field(cli, "state", str_of(event_state_name(e->state)));
    show_field(cli, "reason", e->reason);
    show_field(cli, "body sha256", str_of(e->body_sha256));
    show_field(cli, "body", e->body.at ? e->body : STR("(erased)"));
    print_effects(cli, r);
    print_deliveries(cli, r);
    print_attempts(cli, r);
}

static void keep_id(void *self, const struct event_view *e)
{
    *(int64_t *)self = e->id;
}

/* Ids rise, so that one which is not there, among those that were given, was purged. */
static int not_there(struct cli *cli, int64_t id)
{
    const struct list_filter newest_one = {.limit = 1};
    int64_t purged = 0, newest = 0;
    enum rc rc = read_purged(cli->reader, &purged);

    if (rc == RC_OK)
        rc = read_events(cli->reader, &newest_one, keep_id, &newest);
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    if (purged && id < newest)
        return cli_fail(cli,
                        "there is no event %lld any more: those received up to %s UTC were purged "
                        "([store] retention)",
                        (long long)id, show_time(purged, &cli->arena).at);
    return cli_fail(cli, "there is no event %lld", (long long)id);
}

int show_event(struct cli *cli, struct str text)
{
    struct receipt r = {0};
    int64_t id;
    int status = cli_id(cli, text, &id);

    if (status != DONE)
        return status;
    enum rc rc = read_event(cli->reader, id, &cli->arena, &r.e);
    if (rc == RC_NONE)
        return not_there(cli, id);
    if (rc == RC_OK)
        rc = collect(cli, &r);
    if (rc != RC_OK)
        return cli_fail_read(cli, rc);
    status = effects_of(cli, &r.e, &r.effects, &r.unknown);
    if (status != DONE)
        return status;
    if (!cli_has(cli, ARG_JSON)) {
        print_receipt(cli, &r);
        return DONE;
    }
    shape_event_whole(&r.e, r.unknown ? NULL : &r.effects, r.deliveries, r.n, &cli->out);
    sbuf_char(&cli->out, '\n');
    return DONE;
}
