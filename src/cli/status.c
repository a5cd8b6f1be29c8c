/* cli/status.c - one screen: health, queue of each connector, rates. */
#include "cli_priv.h"

#include "funneld/app/control.h"
#include "funneld/base/clock.h"
#include "funneld/base/json.h"

enum { RATE_WINDOW_MS = 5 * 60 * 1000, RATE_ROWS = 10000, ANSWER_MAX = 1 << 20 };

/* The newest events of the window, as many as are looked at. */
struct rate {
    int64_t n, oldest;
};

static void count_event(void *self, const struct event_view *e)
{
    struct rate *r = self;

    r->n++;
    r->oldest = e->received_at;
}

/* In a flood only the newest rows are read: the rate is theirs, over the time they took. */
static void print_rate(struct cli *cli)
{
    struct rate r = {0};
    int64_t window = RATE_WINDOW_MS;
    const struct list_filter f = {.since = cli->now_ms - window, .limit = RATE_ROWS};

    if (read_events(cli->reader, &f, count_event, &r) != RC_OK) {
        (void)cli_fail_read(cli, RC_IO); /* the screen is still worth showing */
        return;
    }
    if (r.n == RATE_ROWS)
        window = cli->now_ms > r.oldest ? cli->now_ms - r.oldest : 1;
    sbuf_printf(&cli->out, "events      %lld in the last %s, %.2f/s\n", (long long)r.n,
                show_duration(window, &cli->arena).at, (double)r.n * SECONDS_MS / (double)window);
}

static void print_bands(struct cli *cli)
{
    int64_t bands[BAND_COUNT];

    if (read_bands(cli->reader, bands) != RC_OK) {
        (void)cli_fail_read(cli, RC_IO);
        return;
    }
    sbuf_printf(&cli->out, "leads       %lld hot, %lld warm, %lld cold\n",
                (long long)bands[BAND_HOT], (long long)bands[BAND_WARM],
                (long long)bands[BAND_COLD]);
}

static struct str done_in(struct cli *cli, const json *connector, int64_t depth)
{
    int64_t eta = 0;

    if (!depth || !json_int64(json_get(connector, "eta_seconds"), &eta))
        return STR_NULL;
    return show_duration(eta * SECONDS_MS, &cli->arena);
}

static struct str trouble(const json *connector)
{
    if (json_true(json_get(connector, "paused")))
        return STR("paused");
    return json_true(json_get(connector, "circuit_open")) ? STR("failing: see the log") : STR_NULL;
}

static void print_queue(struct cli *cli, const json *connectors)
{
    static const struct text_column columns[] = {{"CONNECTOR", 0, false}, {"TYPE", 0, false},
                                                 {"WAITING", 0, true},    {"OLDEST", 0, true},
                                                 {"DONE IN", 0, true},    {"", 0, false}};
    struct text_table t = TABLE(&cli->arena, columns);

    for (const json *k = json_first(connectors); k; k = json_next(k)) {
        int64_t depth = 0, oldest = 0;

        if (!json_int64(json_get(k, "depth"), &depth) ||
            !json_int64(json_get(k, "oldest_seconds"), &oldest))
            continue;
        table_cell(&t, json_string(json_get(k, "name")));
        table_cell(&t, json_string(json_get(k, "type")));
        table_int(&t, depth);
        table_cell(&t, depth ? show_duration(oldest * SECONDS_MS, &cli->arena) : STR_NULL);
        table_cell(&t, done_in(cli, k, depth));
        table_cell(&t, trouble(k));
    }
    sbuf_char(&cli->out, '\n');
    table_print(&t, &cli->out);
}

static void print_models(struct cli *cli, const json *status)
{
    const json *models = json_get(status, "models");
    int64_t version = 0, percent = 0;

    for (const json *m = json_first(models); m; m = json_next(m))
        if (json_int64(json_get(m, "version"), &version))
            sbuf_printf(&cli->out, "%-12s%.*s:%lld\n",
                        printable(json_string(json_get(m, "goal")), &cli->arena).at,
                        STR_ARG(printable(json_string(json_get(m, "name")), &cli->arena)),
                        (long long)version);
    if (json_int64(json_get(status, "rescored_percent"), &percent))
        sbuf_printf(&cli->out, "rescoring   %lld %% of all leads\n", (long long)percent);
}

static void print_screen(struct cli *cli, const json *status)
{
    struct arena *a = &cli->arena;
    const json *config = json_get(status, "config");
    struct str loaded_at = json_string(json_get(config, "loaded_at"));
    int64_t uptime = 0, loaded = 0;

    sbuf_printf(&cli->out, "status      %.*s\n",
                STR_ARG(printable(json_string(json_get(status, "status")), a)));
    sbuf_printf(&cli->out, "version     %.*s\n",
                STR_ARG(printable(json_string(json_get(status, "version")), a)));
    if (json_int64(json_get(status, "uptime_seconds"), &uptime) && uptime)
        sbuf_printf(&cli->out, "up for      %s\n", show_duration(uptime * SECONDS_MS, a).at);
    if (time_parse(loaded_at, &loaded))
        sbuf_printf(&cli->out, "config      of %s UTC%s\n", show_time(loaded, a).at,
                    json_true(json_get(config, "ok")) ? "" : "; the last reload failed");
    if (cli->reader) {
        print_rate(cli);
        print_bands(cli);
    }
    print_models(cli, status);
    print_queue(cli, json_get(status, "connectors"));
}

/* The daemon's answer; without a daemon, what the database says. */
static int ask(struct cli *cli, struct sbuf *own, struct str *ret)
{
    struct why why = {0};
    enum rc rc = control_ask(cli->config->control_socket, STR("{\"command\":\"status\"}"),
                             &cli->arena, ret, &why);

    if (rc == RC_OK)
        return DONE;
    (void)cli_fail(cli, "%s", why.text); /* FAILED, below */
    status_write(cli->config, cli->reader, false, cli->now_ms, own);
    *ret = sbuf_str(own);
    return FAILED;
}

int cli_status(struct cli *cli)
{
    struct sbuf own AUTO(sbuf_free) = SBUF(ANSWER_MAX);
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct why why = {0};
    struct str text;
    int status = cli_load(cli);

    if (status != DONE)
        return status;
    /* A database that cannot be read only makes the screen shorter. */
    rc_ignored(reader_open(arena_text(&cli->arena, cli->config->store.path), &cli->reader, NULL));
    status = ask(cli, &own, &text);
    if (json_parse(text, &doc, &why))
        return cli_fail(cli, "the daemon's answer is not JSON: %s", why.text);
    struct str error = json_string(json_get(doc.root, "error"));
    if (error.at)
        return cli_fail(cli, "%.*s", STR_ARG(error));
    if (cli_has(cli, ARG_JSON))
        sbuf_printf(&cli->out, "%.*s\n", STR_ARG(text));
    else
        print_screen(cli, doc.root);
    return status == DONE && str_is(json_string(json_get(doc.root, "status")), "pass") ? DONE
                                                                                       : FAILED;
}
