/* tests/sim/hub_api.c - see hub.h. Strict: what is not documented is refused and counted. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "hub.h"
#include "story.h"

enum {
    INPUTS_MAX = 100,
    SEARCH_CHARACTERS = 3000,
    FILTERS_MAX = 6,
    PAGE_DEFAULT = 10,
    PAGE_MAX = 200,
    RESULTS_MAX = 10000,
    SEARCHES_PER_SECOND = 5,
    REQUESTS_PER_TEN_SECONDS = 100,
};

struct window { /* of the last requests; ring */
    int64_t at[REQUESTS_PER_TEN_SECONDS];
    size_t next;
};

static struct {
    struct window all, searches;
    int64_t refusals, searched, written;
} a;

struct request {
    struct str body;
    const json *root;
    int64_t now;
    struct sbuf *ret;
    struct arena *arena;
};

void hub_api_begin(void)
{
    memset(&a, 0, sizeof a);
}

int64_t hub_refusals(void)
{
    return a.refusals;
}

int64_t hub_searches(void)
{
    return a.searched;
}

int64_t hub_writes(void)
{
    return a.written;
}

static int refuse(const struct request *r, int status, const char *category, const char *message)
{
    a.refusals++;
    story("%lld the CRM answers %d: %s: %s", (long long)r->now, status, category, message);
    sbuf_printf(r->ret,
                "{\"status\":\"error\",\"message\":\"%s\",\"category\":\"%s\",\"policyName\":"
                "\"%s\"}",
                message, category, status == 429 ? "TEN_SECONDLY_ROLLING" : "");
    return status;
}

/* Whether one more is too many: `most` within `ms`. */
static bool is_too_many(struct window *w, size_t most, int64_t ms, int64_t now)
{
    size_t oldest = (w->next + REQUESTS_PER_TEN_SECONDS - most) % REQUESTS_PER_TEN_SECONDS;

    if (w->at[oldest] && w->at[oldest] > now - ms)
        return true;
    w->at[w->next] = now;
    w->next = (w->next + 1) % REQUESTS_PER_TEN_SECONDS;
    return false;
}

/* Records */

static void write_record(const struct request *r, const struct hub_record *x,
                         const struct hub_state *s, const json *names)
{
    char at[TIME_TEXT];

    time_text(s->modified_at, at);
    json_open(r->ret, '{');
    json_kv_id(r->ret, "id", x->id);
    json_key(r->ret, "properties");
    json_open(r->ret, '{');
    for (const json *n = json_first(names); n; n = json_next(n)) {
        int p = hub_property(x->kind, json_string(n));

        if (p >= 0)
            json_kv_text(r->ret, hub_properties[x->kind][p], s->values[p]);
    }
    json_kv_text(r->ret, x->kind == HUB_CONTACT ? "lastmodifieddate" : "hs_lastmodifieddate", at);
    json_close(r->ret, '}');
    json_kv_text(r->ret, "updatedAt", at);
    json_close(r->ret, '}');
}

static const char *check_inputs(const struct request *r)
{
    const json *inputs = json_get(r->root, "inputs");

    if (json_type(inputs) != JSON_ARRAY || !json_count(inputs) || json_count(inputs) > INPUTS_MAX)
        return "1 to 100 inputs";
    for (const json *i = json_first(inputs); i; i = json_next(i))
        if (!json_string(json_get(i, "id")).len)
            return "an input without its id as a text";
    return NULL;
}

static struct hub_record *record_of(enum hub_kind kind, const json *input)
{
    int64_t id;

    return str_int64(json_string(json_get(input, "id")), &id) ? hub_find(kind, id) : NULL;
}

/* What is known of the inputs that there are; the others are missing. */
static int answer_batch(const struct request *r, enum hub_kind kind,
                        void (*write)(const struct request *r, const struct hub_record *x))
{
    const char *wrong = check_inputs(r);

    if (wrong)
        return refuse(r, 400, "VALIDATION_ERROR", wrong);
    json_open(r->ret, '{');
    json_kv_text(r->ret, "status", "COMPLETE");
    json_key(r->ret, "results");
    json_open(r->ret, '[');
    for (const json *i = json_first(json_get(r->root, "inputs")); i; i = json_next(i)) {
        const struct hub_record *x = record_of(kind, i);

        if (x)
            write(r, x);
    }
    json_close(r->ret, ']');
    json_close(r->ret, '}');
    return 200;
}

static void write_properties(const struct request *r, const struct hub_record *x)
{
    write_record(r, x, &x->now, json_get(r->root, "properties"));
}

static void write_contacts(const struct request *r, const struct hub_record *x)
{
    int64_t contact;

    if (!hub_linked(x->kind, x->id, 0)) /* one without any is missing */
        return;
    json_open(r->ret, '{');
    json_key(r->ret, "from");
    json_open(r->ret, '{');
    json_kv_id(r->ret, "id", x->id);
    json_close(r->ret, '}');
    json_key(r->ret, "to");
    json_open(r->ret, '[');
    for (size_t i = 0; (contact = hub_linked(x->kind, x->id, i)) != 0; i++) {
        json_open(r->ret, '{');
        json_kv_int(r->ret, "toObjectId", contact);
        json_close(r->ret, '}');
    }
    json_close(r->ret, ']');
    json_close(r->ret, '}');
}

/* Writing: every change of a value is told, whoever made it. */

static void set(const struct request *r, struct hub_record *x, int property, struct str value)
{
    if (str_is(value, x->now.values[property]))
        return;
    hub_set(x, property, value, r->now);
    hub_tell(
        arena_printf(r->arena,
                     "\"subscriptionId\":1,\"appId\":2,\"portalId\":%d,\"occurredAt\":%" PRId64
                     ",\"subscriptionType\":\"contact.propertyChange\",\"objectId\":%" PRId64
                     ",\"changeSource\":\"INTEGRATION\",\"propertyName\":\"%s\","
                     "\"propertyValue\":\"%.60s\"",
                     HUB_PORTAL, r->now, x->id, hub_properties[x->kind][property],
                     strpbrk(x->now.values[property], "\"\\\n") ? "" : x->now.values[property]),
        0, r->now);
}

static const char *update_one(const struct request *r, const json *input)
{
    struct hub_record *x = record_of(HUB_CONTACT, input);

    for (const json *p = json_first(json_get(input, "properties")); x && p; p = json_next(p)) {
        int property = hub_property(HUB_CONTACT, json_name(p));

        if (property < 0 || json_type(p) != JSON_STRING)
            return "PROPERTY_DOESNT_EXIST";
        set(r, x, property, json_string(p));
    }
    a.written++;
    if (x)
        write_record(r, x, &x->now, NULL);
    return NULL;
}

static int batch_update(const struct request *r)
{
    const char *wrong = check_inputs(r);

    if (wrong)
        return refuse(r, 400, "VALIDATION_ERROR", wrong);
    json_open(r->ret, '{');
    json_kv_text(r->ret, "status", "COMPLETE");
    json_key(r->ret, "results");
    json_open(r->ret, '[');
    for (const json *i = json_first(json_get(r->root, "inputs")); i && !wrong; i = json_next(i))
        wrong = update_one(r, i);
    json_close(r->ret, ']');
    json_close(r->ret, '}');
    hub_send(r->now);
    if (!wrong)
        return 200;
    sbuf_reset(r->ret);
    return refuse(r, 400, "VALIDATION_ERROR", wrong);
}

/* The search: what changed, as the index has it */

static int64_t key_of(const struct hub_record *x, struct str property)
{
    return str_is(property, "hs_object_id") ? x->id : x->indexed.modified_at;
}

static bool is_date(enum hub_kind kind, struct str property)
{
    return str_is(property, kind == HUB_CONTACT ? "lastmodifieddate" : "hs_lastmodifieddate");
}

static bool passes(const struct hub_record *x, const json *filter)
{
    struct str operator= json_string(json_get(filter, "operator"));
    int64_t have = key_of(x, json_string(json_get(filter, "propertyName"))), want = 0;

    (void)str_int64(json_string(json_get(filter, "value")), &want);
    return str_is(operator, "EQ")   ? have == want
           : str_is(operator, "GT") ? have > want
                                    : have >= want;
}

static const char *check_search(const struct request *r, enum hub_kind kind)
{
    const json *groups = json_get(r->root, "filterGroups"), *sorts = json_get(r->root, "sorts");
    const json *filters = json_get(json_first(groups), "filters");

    if (r->body.len > SEARCH_CHARACTERS)
        return "more than 3,000 characters";
    if (json_count(groups) != 1 || !json_count(filters) || json_count(filters) > FILTERS_MAX)
        return "this search takes one group of 1 to 6 filters";
    if (json_count(sorts) > 1)
        return "one sort";
    for (const json *f = json_first(filters); f; f = json_next(f)) {
        struct str name = json_string(json_get(f, "propertyName"));
        int64_t value;

        if ((!is_date(kind, name) && !str_is(name, "hs_object_id")) ||
            !str_int64(json_string(json_get(f, "value")), &value))
            return "a filter that this search does not know";
    }
    return NULL;
}

static struct str sorted_by;

static int by_key(const void *left, const void *right)
{
    const struct hub_record *const *x = left, *const *y = right;
    int64_t p = key_of(*x, sorted_by), q = key_of(*y, sorted_by);

    return (p > q) - (p < q);
}

static size_t find(const struct request *r, enum hub_kind kind, const struct hub_record *ret[])
{
    const json *filters = json_get(json_first(json_get(r->root, "filterGroups")), "filters");
    size_t n = 0;

    for (size_t i = 0; hub_at(i); i++) {
        const struct hub_record *x = hub_at(i);
        bool fits = x->kind == kind && x->is_indexed;

        for (const json *f = json_first(filters); f; f = json_next(f))
            fits &= passes(x, f);
        if (fits)
            ret[n++] = x;
    }
    sorted_by = json_string(json_get(json_first(json_get(r->root, "sorts")), "propertyName"));
    qsort(ret, n, sizeof *ret, by_key);
    return n;
}

static int search(const struct request *r, enum hub_kind kind)
{
    static const struct hub_record *found[HUB_RECORDS];
    const char *wrong = check_search(r, kind);
    int64_t limit = PAGE_DEFAULT, after = 0;

    (void)json_int64(json_get(r->root, "limit"), &limit);
    (void)str_int64(json_string(json_get(r->root, "after")), &after);
    if (wrong)
        return refuse(r, 400, "VALIDATION_ERROR", wrong);
    if (limit < 1 || limit > PAGE_MAX || after < 0 || after + limit > RESULTS_MAX)
        return refuse(r, 400, "VALIDATION_ERROR", "200 a page, 10,000 in all");
    if (is_too_many(&a.searches, SEARCHES_PER_SECOND, SECONDS_MS, r->now))
        return refuse(r, 429, "RATE_LIMITS", "5 searches a second");
    hub_index(r->now);
    a.searched++;
    int64_t n = (int64_t)find(r, kind, found), end = after + limit < n ? after + limit : n;
    json_open(r->ret, '{');
    json_kv_int(r->ret, "total", n);
    json_key(r->ret, "results");
    json_open(r->ret, '[');
    for (int64_t i = after; i < end; i++)
        write_record(r, found[i], &found[i]->indexed, json_get(r->root, "properties"));
    json_close(r->ret, ']');
    if (end < n)
        sbuf_printf(r->ret, ",\"paging\":{\"next\":{\"after\":\"%" PRId64 "\"}}", end);
    json_close(r->ret, '}');
    return 200;
}

/* Which call it is */

static bool is_call(struct str path, const char *before, enum hub_kind kind, const char *behind)
{
    char wanted[100];

    (void)!snprintf(wanted, sizeof wanted, "%s%s%s", before, hub_plural[kind], behind);
    return str_is(path, wanted);
}

static int serve(const struct request *r, struct str path)
{
    for (int k = 0; k < HUB_KINDS; k++) {
        enum hub_kind kind = (enum hub_kind)k;

        if (is_call(path, "/crm/v3/objects/", kind, "/batch/read"))
            return answer_batch(r, kind, write_properties);
        if (is_call(path, "/crm/v3/objects/", kind, "/search"))
            return search(r, kind);
        if (kind && is_call(path, "/crm/v4/associations/", kind, "/contacts/batch/read"))
            return answer_batch(r, kind, write_contacts);
    }
    if (str_is(path, "/crm/v3/objects/contacts/batch/update"))
        return batch_update(r);
    return refuse(r, 404, "NOT_FOUND", "no such call");
}

int hub_serve(struct str method, struct str path, struct str body, int64_t now, struct sbuf *ret,
              struct arena *arena)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct request r = {.body = body, .now = now, .ret = ret, .arena = arena};

    if (!str_is(method, "POST") || json_parse(body, &doc, NULL))
        return refuse(&r, 400, "VALIDATION_ERROR", "a POST of JSON");
    if (is_too_many(&a.all, REQUESTS_PER_TEN_SECONDS, 10 * SECONDS_MS, now))
        return refuse(&r, 429, "RATE_LIMITS", "100 requests in ten seconds");
    r.root = doc.root;
    return serve(&r, path);
}
