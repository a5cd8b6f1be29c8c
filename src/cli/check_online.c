/* cli/check_online.c - check --online: what the services say of the connectors. */
#include "check_online.h"

#include "funneld/base/clock.h"
#include "funneld/base/json.h"
#include "funneld/deliver/prober.h"
#include "funneld/model/model.h"

static bool stands_in(const struct str_list *names, struct str name)
{
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(names->items[i], name))
            return true;
    return false;
}

static struct str_list routes_to(struct cli *cli, struct str connector)
{
    const struct config *c = cli->config;
    struct str *names = arena_array(&cli->arena, c->routes.n + 1, sizeof *names);
    struct str_list ret = {.items = names};

    for (size_t i = 0; i < c->routes.n; i++)
        if (stands_in(&c->routes.items[i].to, connector))
            names[ret.n++] = c->routes.items[i].name;
    return ret;
}

static bool enriches(const struct cli *cli, struct str connector)
{
    for (size_t i = 0; i < cli->config->n_sources; i++)
        if (str_eq(cli->config->sources[i].enrich_with, connector))
            return true;
    return false;
}

/* Where there is no database yet, there is no model either. */
static bool is_served(struct reader *r, enum model_goal goal)
{
    int64_t id;

    return r && read_model_at(r, goal, INT64_MAX, &id) == RC_OK;
}

static void note_models(const struct cli *cli, struct probe probes[])
{
    struct arena a AUTO(arena_free) = {0};
    struct reader *r = NULL;
    struct why why = {0};

    if (reader_open(arena_text(&a, cli->config->store.path), &r, &why) != RC_OK)
        r = NULL;
    for (size_t i = 0; i < cli->config->n_connectors; i++) {
        probes[i].says_probability = is_served(r, GOAL_CONVERSION);
        probes[i].says_churn = is_served(r, GOAL_CHURN);
    }
    reader_close(r);
}

const struct probe *cli_ask_services(struct cli *cli)
{
    const struct config *c = cli->config;
    struct probe *probes = arena_array(&cli->arena, c->n_connectors + 1, sizeof *probes);
    struct transport transport;
    struct why why = {0};

    for (size_t i = 0; i < c->n_connectors; i++)
        probes[i] = (struct probe){.connector = &c->connectors[i],
                                   .arena = &cli->arena,
                                   .routes = routes_to(cli, c->connectors[i].name),
                                   .enriches = enriches(cli, c->connectors[i].name),
                                   .create = cli_has(cli, ARG_CREATE)};
    note_models(cli, probes);
    if (curl_transport_new(&transport, &why)) {
        (void)cli_fail(cli, "the services cannot be asked: %s", why.text);
        return NULL;
    }
    probe_all(&transport, clock_now_ms, probes, c->n_connectors);
    transport.free(transport.self);
    return probes;
}

static size_t count(const struct cli *cli, const struct probe probes[], enum finding_state state)
{
    size_t n = 0;

    for (size_t i = 0; i < cli->config->n_connectors; i++)
        for (size_t k = 0; k < probes[i].n; k++)
            n += probes[i].findings[k].state == state;
    return n;
}

bool cli_services_fail(const struct cli *cli, const struct probe probes[])
{
    return count(cli, probes, FINDING_FAILS) > 0;
}

/* "7 work, 1 fails, 2 were not asked, 1 is not known" */
static void print_sum(struct cli *cli, const struct probe probes[])
{
    size_t works = count(cli, probes, FINDING_WORKS), fails = count(cli, probes, FINDING_FAILS);
    size_t created = count(cli, probes, FINDING_CREATED);
    size_t not_asked = count(cli, probes, FINDING_NOT_ASKED);
    size_t not_known = count(cli, probes, FINDING_NOT_KNOWN);
    struct sbuf *out = &cli->out;

    sbuf_printf(out, "\n%zu work%s", works, works == 1 ? "s" : "");
    if (created)
        sbuf_printf(out, ", %zu %s created", created, created == 1 ? "was" : "were");
    sbuf_printf(out, ", %zu fail%s", fails, fails == 1 ? "s" : "");
    if (not_asked)
        sbuf_printf(out, ", %zu %s not asked", not_asked, not_asked == 1 ? "was" : "were");
    if (not_known)
        sbuf_printf(out, ", %zu %s not known", not_known, not_known == 1 ? "is" : "are");
    sbuf_text(out, "\n");
}

void cli_print_services(struct cli *cli, const struct probe probes[])
{
    static const struct text_column columns[] = {
        {"CONNECTOR", 0, false}, {"WHAT", 0, false}, {"STATE", 0, false}, {"DETAIL", 0, false}};
    struct text_table t = TABLE(&cli->arena, columns);

    for (size_t i = 0; i < cli->config->n_connectors; i++)
        for (size_t k = 0; k < probes[i].n; k++) {
            const struct finding *f = &probes[i].findings[k];

            table_cell(&t, probes[i].connector->name);
            table_cell(&t, f->what);
            table_cell(&t, str_of(finding_state_name(f->state)));
            table_cell(&t, f->detail.at ? f->detail : STR(""));
        }
    sbuf_printf(&cli->out, "\n%s", t.n_cells ? "" : "no connectors: there is nobody to ask\n");
    table_print(&t, &cli->out);
    if (t.n_cells)
        print_sum(cli, probes);
}

static void write_finding(const struct probe *p, const struct finding *f, struct sbuf *b)
{
    json_open(b, '{');
    json_kv(b, "connector", p->connector->name);
    json_kv_text(b, "type", p->connector->type->name);
    json_kv(b, "what", f->what);
    json_key(b, "ok");
    if (f->state == FINDING_WORKS || f->state == FINDING_CREATED || f->state == FINDING_FAILS)
        json_bool(b, f->state != FINDING_FAILS);
    else
        json_null(b);
    json_kv_text(b, "state", finding_state_name(f->state));
    json_kv(b, "detail", f->detail);
    json_close(b, '}');
}

void cli_write_services(struct cli *cli, const struct probe probes[])
{
    json_key(&cli->out, "online");
    json_open(&cli->out, '[');
    for (size_t i = 0; probes && i < cli->config->n_connectors; i++)
        for (size_t k = 0; k < probes[i].n; k++)
            write_finding(&probes[i], &probes[i].findings[k], &cli->out);
    json_close(&cli->out, ']');
}
