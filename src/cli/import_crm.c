/* cli/import_crm.c - `import --crm`: all contacts of a CRM, page by page, with the history of their
 * properties where it can be had.
 *
 * Each version of a property is an event of its own at its own time, so that any date of the past
 * can be rebuilt; what the record is now is one more. Versions that we were told of when they
 * happened are passed over, or what they are worth would count twice. The place behind a page is
 * kept together with it, so that an import that was interrupted goes on there.
 */
#include <stdlib.h>
#include <string.h>

#include "funneld/app/catch_up.h"
#include "funneld/base/clock.h"
#include "funneld/deliver/pages.h"
#include "funneld/pipeline/import.h"
#include "funneld/pipeline/past.h"
#include "import.h"
#include "progress.h"

enum { FAILURES_MOST = 8 };

struct crm_import {
    struct cli *cli;
    const struct connector *connector;
    struct import_sender sender;
    struct import_end end;
    struct import_place place;
    int64_t portal;
    struct arena arena; /* one contact at a time */
    struct progress progress;
};

/* A lead's changes that we were told of */

struct heard_of {
    struct crm_import *i;
    struct version *items;
    size_t n, cap;
};

static void see_told(void *self, const struct event_view *v)
{
    struct heard_of *t = self;
    struct arena *a = &t->i->arena;
    struct event e;

    if (v->state != EVENT_PROCESSED || str_eq(v->type, imported_type) ||
        stored_event(&t->i->cli->config->rules, v, a, &e) != RC_OK || !e.property.at || e.object)
        return;
    t->items = arena_more(a, t->items, t->n, &t->cap, sizeof *t->items);
    t->items[t->n++] =
        (struct version){arena_str(a, e.property), arena_str(a, e.value), e.occurred_at};
}

static int by_version(const void *a, const void *b)
{
    const struct version *x = a, *y = b;

    if (x->at != y->at)
        return x->at > y->at ? 1 : -1;
    return str_cmp(x->name, y->name);
}

static enum rc read_told(struct crm_import *i, const struct record *r, struct heard_of *ret)
{
    struct lead lead;

    *ret = (struct heard_of){.i = i};
    enum rc rc = read_lead_by_crm(i->sender.reader, i->portal, r->crm_id, &i->arena, &lead);
    if (rc == RC_OK)
        rc = read_lead_history(i->sender.reader, lead.id, INT64_MAX, see_told, ret);
    if (ret->n)
        qsort(ret->items, ret->n, sizeof *ret->items, by_version);
    return rc == RC_NONE ? RC_OK : rc;
}

/* The first that is of this time or later. */
static size_t first_told(const struct heard_of *t, int64_t at)
{
    size_t low = 0, high = t->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->items[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* UNVERIFIED: that a webhook and the history have the same millisecond. Close by, the value has to
 * be the same as well. */
static bool is_told(const struct heard_of *t, const struct version *v)
{
    for (size_t i = first_told(t, v->at - IMPORT_ALIKE_MS);
         i < t->n && t->items[i].at <= v->at + IMPORT_ALIKE_MS; i++)
        if (str_eq(t->items[i].name, v->name) &&
            (t->items[i].at == v->at || str_eq(t->items[i].value, v->value)))
            return true;
    return false;
}

static int64_t first_time(const struct record *r)
{
    int64_t first = r->created_at ? r->created_at : r->updated_at;

    for (size_t i = 0; i < r->n_versions; i++)
        if (r->versions[i].at < first)
            first = r->versions[i].at;
    return first;
}

static enum rc send_versions(struct crm_import *i, const struct record *r,
                             const struct heard_of *told, struct imported *event, struct why *why)
{
    struct version *sorted = arena_array(&i->arena, r->n_versions + 1, sizeof *sorted);
    enum rc rc = RC_OK;

    if (r->n_versions)
        memcpy(sorted, r->versions, r->n_versions * sizeof *sorted);
    qsort(sorted, r->n_versions, sizeof *sorted, by_version);
    for (size_t k = 0; k < r->n_versions && rc == RC_OK; k++) {
        if (is_told(told, &sorted[k]))
            continue;
        event->at = sorted[k].at;
        event->property = sorted[k].name;
        event->value = sorted[k].value;
        rc = import_send(&i->sender, event, why);
    }
    return rc;
}

static void keep_filled(const struct record *r, struct arena *a, struct imported *ret)
{
    struct field *fields = arena_array(a, r->n_properties + 1, sizeof *fields);

    for (size_t k = 0; k < r->n_properties; k++)
        if (r->properties[k].value.len)
            fields[ret->n_properties++] = r->properties[k];
    ret->properties = fields;
}

/* Its versions, then what it is now. */
static enum rc send_contact(struct crm_import *i, const struct record *r, struct why *why)
{
    struct imported event = {
        .portal_id = i->portal, .crm_id = r->crm_id, .first_at = first_time(r)};
    struct heard_of told;

    arena_reset(&i->arena);
    enum rc rc = read_told(i, r, &told);
    if (rc != RC_OK)
        return why_fail(rc, why, "%s", reader_error(i->sender.reader));
    rc = send_versions(i, r, &told, &event, why);
    if (rc != RC_OK)
        return rc;
    event.property = event.value = STR_NULL;
    event.at = r->updated_at;
    keep_filled(r, &i->arena, &event);
    return import_send(&i->sender, &event, why);
}

static void show(struct crm_import *i)
{
    struct arena a AUTO(arena_free) = {0};

    progress_show(&i->progress, -1,
                  arena_printf(&a, "%lld contacts", (long long)i->place.contacts).at);
}

static enum rc took(void *self, const struct outcome *page, struct why *why)
{
    struct crm_import *i = self;
    enum rc rc = RC_OK;

    for (size_t k = 0; k < page->n_recovered && rc == RC_OK; k++) {
        rc = send_contact(i, &page->recovered[k], why);
        if (rc == RC_TOOBIG) { /* one that no batch has room for */
            cli_note(i->cli, "contact %lld is too big and left out",
                     (long long)page->recovered[k].crm_id);
            i->end.odd++;
            rc = RC_OK;
        }
    }
    if (rc != RC_OK)
        return rc;
    if (page->without_history && !i->end.without_history)
        cli_note(i->cli, "%.*s: a page came without the history of its contacts, which was refused",
                 STR_ARG(i->connector->name));
    i->end.without_history += page->without_history ? (int64_t)page->n_recovered : 0;
    i->end.rows += (int64_t)page->n_recovered;
    i->place.contacts += (int64_t)page->n_recovered;
    i->place.place = page->remote_id;
    i->place.changed_at = i->cli->now_ms;
    show(i);
    return import_flush(&i->sender, &i->place, why);
}

static void rests(void *self, int64_t ms, struct str reason)
{
    struct crm_import *i = self;
    struct arena a AUTO(arena_free) = {0};

    progress_end(&i->progress);
    cli_note(i->cli, "%.*s: goes on in %.*s", STR_ARG(reason), STR_ARG(show_duration(ms, &a)));
}

static int find_connector(struct crm_import *i)
{
    struct cli *cli = i->cli;
    const struct config *c = cli->config;
    struct str name = cli->args.n_words ? str_of(cli->args.words[0]) : STR_NULL;

    i->connector = name.at ? config_connector(c, name) : c->crm;
    if (!i->connector && name.at)
        return cli_usage(cli, "there is no connector %.*s in the configuration",
                         STR_ARG(str_cut(name, 80)));
    if (!i->connector)
        return cli_usage(cli, "the configuration has no [connector NAME] of type hubspot");
    if (!i->connector->type->enriches)
        return cli_usage(cli, "[connector %.*s] of type %s is no CRM", STR_ARG(i->connector->name),
                         i->connector->type->name);
    return DONE;
}

static int find_portal(struct crm_import *i)
{
    enum rc rc = catch_up_portal(i->sender.reader, i->connector->settings, &i->portal);

    if (rc != RC_OK)
        return cli_fail(i->cli, "reading the store: %s", reader_error(i->sender.reader));
    if (i->portal)
        return DONE;
    return cli_fail(i->cli,
                    "it is not clear which HubSpot account [connector %.*s] is for: set its "
                    "`portal`",
                    STR_ARG(i->connector->name));
}

static int find_place(struct crm_import *i)
{
    struct cli *cli = i->cli;
    enum rc rc = cli_has(cli, ARG_AGAIN)
                     ? RC_NONE
                     : read_import(i->sender.reader, i->connector->name, &cli->arena, &i->place);

    if (rc != RC_OK && rc != RC_NONE)
        return cli_fail(cli, "reading the store: %s", reader_error(i->sender.reader));
    if (rc == RC_OK)
        cli_note(cli, "goes on behind the %lld contacts of %.*s UTC; --again begins anew",
                 (long long)i->place.contacts,
                 STR_ARG(show_time(i->place.changed_at, &cli->arena)));
    i->place.connector = i->connector->name;
    return DONE;
}

static int read_pages(struct crm_import *i)
{
    const struct pages pages = {.connector = i->connector,
                                .route = route_import,
                                .place = i->place.place,
                                .took = took,
                                .rests = rests,
                                .self = i,
                                .failures_most = FAILURES_MOST,
                                .shared_by = i->sender.store ? 1 : 2}; /* with a daemon */
    struct transport transport;
    struct why why = {0};

    if (curl_transport_new(&transport, &why))
        return cli_fail(i->cli, "the CRM cannot be asked: %s", why.text);
    i->progress = progress_begin("import");
    enum rc rc = pages_read(&transport, clock_now_ms, &pages, &why);
    transport.free(transport.self);
    progress_end(&i->progress);
    import_print(i->cli, &i->sender, &i->end);
    if (rc == RC_OK)
        return i->end.odd || i->sender.sums.unprocessable ? FAILED : DONE;
    return cli_fail(i->cli, "it ended here: %s; done again, it goes on from there",
                    why.text[0] ? why.text : rc_text(rc));
}

static int run(struct crm_import *i)
{
    struct why why = {0};
    int status = cli_load(i->cli);

    if (status == DONE)
        status = find_connector(i);
    if (status != DONE)
        return status;
    i->sender.source = i->connector->name;
    if (import_open(&i->sender, &why))
        return cli_fail(i->cli, "%s", why.text);
    status = find_portal(i);
    if (status == DONE)
        status = find_place(i);
    return status == DONE ? read_pages(i) : status;
}

int import_crm(struct cli *cli)
{
    struct crm_import i = {.cli = cli, .sender = {.cli = cli}};
    int status = run(&i);

    import_close(&i.sender);
    arena_free(&i.arena);
    return status;
}
