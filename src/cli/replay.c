/* cli/replay.c - stored events processed again, slice by slice, by the daemon or without one. */
#include "whatif.h"

#include <stdlib.h>

#include "funneld/app/control.h"
#include "funneld/model/served.h"
#include "funneld/pipeline/replay.h"

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* An id that is not there is a mistake, of which nothing is done. */
static int read_one_id(struct cli *cli, const char *word, int64_t *ret)
{
    struct arena a AUTO(arena_free) = {0};
    struct event_view e;
    int status = cli_id(cli, str_of(word), ret);

    if (status != DONE)
        return status;
    enum rc rc = read_event(cli->reader, *ret, &a, &e);
    if (rc == RC_NONE)
        return cli_fail(cli, "there is no event %.80s", word);
    return rc == RC_OK ? DONE : cli_fail_read(cli, rc);
}

static int read_ids(struct cli *cli, struct replay_filter *f)
{
    int64_t *ids = arena_array(&cli->arena, cli->args.n_words, sizeof *ids);
    size_t n = 0;
    int status = DONE;

    for (size_t i = 0; i < cli->args.n_words && status == DONE; i++)
        status = read_one_id(cli, cli->args.words[i], &ids[i]);
    qsort(ids, cli->args.n_words, sizeof *ids, by_number);
    for (size_t i = 0; i < cli->args.n_words; i++)
        if (!n || ids[i] != ids[n - 1])
            ids[n++] = ids[i];
    f->ids = ids;
    f->n_ids = n;
    return status;
}

static int read_state(const struct cli *cli, int *ret)
{
    static const char *const states[] = {"processed", "unprocessable", "unlinked"};

    *ret = -1;
    if (!cli_has(cli, ARG_STATE))
        return DONE;
    int status = cli_choice(cli, ARG_STATE, states, ARRAY_LEN(states));
    for (size_t i = 0; i < ARRAY_LEN(states) && status == DONE; i++)
        if (str_is(cli_value(cli, ARG_STATE), states[i]))
            *ret = (int)i;
    return status;
}

static int check_source(const struct cli *cli)
{
    const struct config *c = cli->config;
    struct arena a AUTO(arena_free) = {0};
    const char **names = arena_array(&a, c->n_sources + c->n_connectors, sizeof *names);
    size_t n = 0;

    if (!cli_has(cli, ARG_SOURCE))
        return DONE;
    for (size_t i = 0; i < c->n_sources; i++)
        names[n++] = arena_text(&a, c->sources[i].name);
    for (size_t i = 0; i < c->n_connectors; i++) /* an enriched event comes from a connector */
        if (c->connectors[i].type->enriches)
            names[n++] = arena_text(&a, c->connectors[i].name);
    return cli_choice(cli, ARG_SOURCE, names, n);
}

int replay_read_filter(struct cli *cli, struct replay_filter *f)
{
    int status = DONE;

    f->source = cli_value(cli, ARG_SOURCE);
    if (cli_has(cli, ARG_SINCE))
        status = cli_time(cli, ARG_SINCE, &f->since);
    if (status == DONE && cli_has(cli, ARG_UNTIL))
        status = cli_time(cli, ARG_UNTIL, &f->until);
    if (status == DONE && f->until && f->until < f->since)
        status = cli_usage(cli, "--until is before --since");
    if (status == DONE)
        status = read_state(cli, &f->state);
    if (status == DONE)
        status = check_source(cli);
    if (status == DONE)
        status = cli_lead_filter(cli, &f->lead);
    return status == DONE ? read_ids(cli, f) : status;
}

static int check_selection(const struct cli *cli)
{
    static const enum arg filters[] = {ARG_SINCE, ARG_UNTIL, ARG_STATE, ARG_SOURCE, ARG_LEAD};
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        n += cli_has(cli, filters[i]);
    if (cli_has(cli, ARG_LIMIT))
        return cli_usage(cli, "--limit goes with --config, for the leads that are printed");
    if (cli_has(cli, ARG_ALL) && (n || cli->args.n_words))
        return cli_usage(cli, "--all stands alone");
    if (cli->args.n_words && n)
        return cli_usage(cli, "either ids, or --since, --until, --state, --source and --lead");
    if (!cli->args.n_words && !n && !cli_has(cli, ARG_ALL))
        return cli_usage(cli, "which? Name ids, --since, --until, --state, --source, --lead or "
                              "--all");
    return DONE;
}

static enum rc by_daemon(struct cli *cli, struct replay *p, struct why *why)
{
    struct sbuf question AUTO(sbuf_free) = SBUF(4 << 20);
    struct json_doc doc AUTO(json_doc_free) = {0};

    replay_question(p, &question);
    enum rc rc =
        control_request(cli->config->control_socket, sbuf_str(&question), p->arena, &doc, why);
    return rc == RC_OK ? replay_answered(doc.root, p, why) : rc;
}

struct own_slice {
    const struct cli *cli;
    const struct models *models;
    struct replay *p;
};

static enum rc own_slice(struct store *st, void *arg, struct why *why)
{
    struct own_slice *s = arg;

    (void)why; /* the store's own words will do */
    return replay_in(st, &s->cli->config->rules, s->models, s->cli->now_ms, s->p);
}

/* *models: read with the first slice of our own. */
static enum rc one_slice(struct cli *cli, struct models **models, struct replay *p, struct why *why)
{
    enum rc rc = by_daemon(cli, p, why);

    if (rc != RC_NONE)
        return rc;
    why->text[0] = 0;
    rc = *models ? RC_OK : cli_models(cli, cli->reader, models, why);
    struct own_slice own = {cli, *models, p};
    return rc == RC_OK ? cli_change(cli, own_slice, &own, why) : rc;
}

/* All that the slices did. */
struct replayed {
    struct replay_sums sums;
    struct replay_queued *queued;
};

static void add_queued(struct replayed *o, const struct replay_queued *more, struct arena *a)
{
    for (; more; more = more->next) {
        struct replay_queued **q = &o->queued;

        while (*q && str_cmp((*q)->connector, more->connector) < 0)
            q = &(*q)->next;
        if (!*q || !str_eq((*q)->connector, more->connector)) {
            struct replay_queued *made = ARENA_NEW(a, struct replay_queued);

            *made = (struct replay_queued){.connector = arena_str(a, more->connector), .next = *q};
            *q = made;
        }
        (*q)->n += more->n;
    }
}

static enum rc all_slices(struct cli *cli, struct replay *p, struct replayed *o, struct why *why)
{
    struct models *models AUTO(models_dropp) = NULL;
    enum rc rc = RC_OK;

    while (rc == RC_OK && !p->done) {
        arena_reset(p->arena);
        rc = one_slice(cli, &models, p, why);
        if (rc != RC_OK)
            break;
        replay_add(&o->sums, &p->sums);
        add_queued(o, p->queued, &cli->arena);
        p->from = p->next;
    }
    return rc;
}

static void print_json(struct cli *cli, const struct replay *p, const struct replayed *o)
{
    json_open(&cli->out, '{');
    json_key(&cli->out, "dry_run");
    json_bool(&cli->out, p->dry_run);
    replay_sums_write(&o->sums, &cli->out);
    replay_queued_write(o->queued, &cli->out);
    json_close(&cli->out, '}');
    sbuf_char(&cli->out, '\n');
}

static void print_count(struct cli *cli, const char *label, int64_t n, const char *what)
{
    sbuf_printf(&cli->out, "%-12s %lld %s\n", label, (long long)n, what);
}

static void print_left_out(struct cli *cli, const struct replay_sums *s)
{
    if (s->erased)
        print_count(cli, "left out", s->erased, "erased");
    if (s->sourceless)
        print_count(cli, "left out", s->sourceless,
                    "of a source that is not in the configuration any more");
    if (s->unreadable)
        print_count(cli, "left out", s->unreadable,
                    "that the configuration makes no event of any more");
}

static void print_text(struct cli *cli, const struct replay *p, const struct replayed *o)
{
    const struct replay_sums *s = &o->sums;

    if (p->dry_run)
        sbuf_text(&cli->out, "a dry run: nothing was changed\n");
    print_count(cli, "events", s->taken, "take effect now");
    print_count(cli, "", s->left, "still have none");
    print_count(cli, "", s->asked, "that had one were asked again");
    print_left_out(cli, s);
    print_count(cli, "rules", s->fired, "times fired that had not");
    print_count(cli, "leads", s->leads, "changed, or to be told of");
    print_count(cli, "deliveries", s->deliveries, p->dry_run ? "would be queued" : "queued");
    for (const struct replay_queued *q = o->queued; q; q = q->next)
        sbuf_printf(&cli->out, "%-12s %lld for %.*s\n", "", (long long)q->n,
                    STR_ARG(printable(q->connector, &cli->arena)));
}

static int replay(struct cli *cli)
{
    struct arena slice AUTO(arena_free) = {0};
    struct replay p = {
        .arena = &slice, .again = cli_has(cli, ARG_AGAIN), .dry_run = cli_has(cli, ARG_DRY_RUN)};
    struct replayed o = {0};
    struct why why = {0};
    int status = check_selection(cli);

    if (status == DONE)
        status = cli_read(cli);
    if (status == DONE)
        status = replay_read_filter(cli, &p.filter);
    if (status != DONE)
        return status;
    enum rc rc = all_slices(cli, &p, &o, &why);
    if (cli_has(cli, ARG_JSON))
        print_json(cli, &p, &o);
    else
        print_text(cli, &p, &o);
    if (rc != RC_OK)
        return cli_fail(cli, "it ended here: %s; done again, it goes on from there",
                        why.text[0] ? why.text : rc_text(rc));
    return o.sums.failed ? cli_fail(cli, "%lld could not be processed again: see the log",
                                    (long long)o.sums.failed)
                         : DONE;
}

int cli_replay(struct cli *cli)
{
    return cli_has(cli, ARG_NEW_CONFIG) ? whatif(cli) : replay(cli);
}
