/* tests/sandbox/hubspot.c - HubSpot's CRM: contacts that a test loads, read singly or in batches.
 */
#include "hubspot_crm.h"

#include <inttypes.h>

#include "funneld/base/clock.h"

#define PREFIX "/crm/v3/objects/contacts"

/* In any ten seconds; the day's are never used up here. */
enum { CONTACTS_MAX = 200000, REQUESTS_MAX = 1000, INTERVAL_MS = 10000 };

struct arena hubspot_memory;
struct contact *contacts;
size_t n_contacts;
static size_t cap_contacts;
static int64_t n_answers;
static int64_t asked_at[REQUESTS_MAX];
static size_t n_asked;

struct contact *contact_find(struct str id)
{
    for (size_t i = 0; i < n_contacts; i++)
        if (str_eq(contacts[i].id, id))
            return &contacts[i];
    return NULL;
}

static struct contact *find_or_add(struct str id)
{
    struct contact *found = contact_find(id);

    if (found)
        return found;
    if (n_contacts == cap_contacts) {
        cap_contacts = cap_contacts ? cap_contacts * 2 : 64;
        contacts = mem_grow(contacts, cap_contacts, sizeof(*contacts));
    }
    contacts[n_contacts] = (struct contact){.id = arena_str(&hubspot_memory, id)};
    return &contacts[n_contacts++];
}

static void take_contact(const json *order, struct str id)
{
    const json *properties = json_get(order, "properties");
    struct contact *c = find_or_add(id);
    struct str updated = json_string(json_get(order, "updatedAt"));
    char now[TIME_TEXT];

    time_text(clock_now_ms(), now);
    c->updated_at = arena_str(&hubspot_memory, updated.len ? updated : str_of(now));
    struct str created = json_string(json_get(order, "createdAt"));
    c->created_at = created.len ? arena_str(&hubspot_memory, created) : c->updated_at;
    c->history = STR_NULL;
    if (json_get(order, "history")) {
        struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);

        json_node(&b, json_get(order, "history"));
        c->history = arena_str(&hubspot_memory, sbuf_str(&b));
    }
    c->archived = json_true(json_get(order, "archived"));
    c->poison = json_true(json_get(order, "poison"));
    c->n_properties = 0;
    c->properties =
        arena_array(&hubspot_memory, json_count(properties) + 1, sizeof(*c->properties));
    for (const json *p = json_first(properties); p; p = json_next(p))
        c->properties[c->n_properties++] =
            (struct field){arena_str(&hubspot_memory, json_name(p)),
                           arena_str(&hubspot_memory, json_scalar(p, &hubspot_memory))};
}

bool hubspot_contacts_load(const json *list, struct answer *ret)
{
    struct arena a = {0};

    for (const json *c = json_first(list); c; c = json_next(c)) {
        struct str id = json_scalar(json_get(c, "id"), &a);

        if (!id.len || n_contacts >= CONTACTS_MAX) {
            answer_text(ret, 400, "every contact needs an id\n");
            arena_free(&a);
            return false;
        }
        take_contact(c, id);
    }
    arena_free(&a);
    return true;
}

static void correlation(struct sbuf *b)
{
    json_key(b, "correlationId");
    sbuf_printf(b, "\"00000000-0000-4000-8000-%012" PRId64 "\"", ++n_answers);
}

void hubspot_refuse(struct answer *ret, int status, const char *category, const char *message)
{
    struct sbuf *b = answer_json(ret, status);

    json_open(b, '{');
    json_kv_text(b, "status", "error");
    json_kv_text(b, "message", message);
    correlation(b);
    json_kv_text(b, "category", category);
    json_close(b, '}');
}

void hubspot_offence(struct answer *ret, int status, const char *category, const char *message)
{
    hubspot_refuse(ret, status, category, message);
    offence("hubspot", "%s: %s", category, message);
}

struct str contact_value(const struct contact *c, struct str name)
{
    for (size_t i = 0; i < c->n_properties; i++)
        if (str_eq(c->properties[i].name, name))
            return c->properties[i].value;
    if (str_is(name, "hs_object_id"))
        return c->id;
    if (str_is(name, "createdate"))
        return c->created_at;
    return str_is(name, "lastmodifieddate") ? c->updated_at : STR_NULL;
}

static const struct str always[] = {
    {"createdate", 10}, {"hs_object_id", 12}, {"lastmodifieddate", 16}};

void contact_write(struct sbuf *b, const struct contact *c, const struct str *wanted, size_t n)
{
    json_open(b, '{');
    json_kv(b, "id", c->id);
    json_key(b, "properties");
    json_open(b, '{');
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        json_kv(b, always[i].at, contact_value(c, always[i]));
    for (size_t i = 0; i < n; i++) {
        bool twice = false;

        for (size_t k = 0; k < ARRAY_LEN(always); k++)
            twice |= str_eq(wanted[i], always[k]);
        for (size_t k = 0; k < i; k++)
            twice |= str_eq(wanted[i], wanted[k]);
        if (twice)
            continue;
        json_key_str(b, wanted[i]);
        json_str(b, contact_value(c, wanted[i]));
    }
    json_close(b, '}');
    json_kv(b, "createdAt", c->created_at);
    json_kv(b, "updatedAt", c->updated_at);
    json_key(b, "archived");
    json_bool(b, c->archived);
    json_close(b, '}');
}

struct str *hubspot_names(const json *list, struct arena *a, size_t *ret_n)
{
    struct str *names = arena_array(a, json_count(list) + 1, sizeof(*names));

    *ret_n = 0;
    for (const json *p = json_first(list); p; p = json_next(p))
        names[(*ret_n)++] = json_string(p);
    return names;
}

struct contact *contact_find_by(struct str key, struct str id)
{
    if (!key.len)
        return contact_find(id);
    for (size_t i = 0; i < n_contacts; i++)
        if (str_ieq(contact_value(&contacts[i], key), id))
            return &contacts[i];
    return NULL;
}

const char *hubspot_check_inputs(const json *inputs, struct arena *a)
{
    size_t n = 0;
    struct str *seen = arena_array(a, json_count(inputs) + 1, sizeof(*seen));

    if (json_type(inputs) != JSON_ARRAY || !json_count(inputs))
        return "Invalid input JSON: inputs is required";
    if (json_count(inputs) > HUBSPOT_BATCH_MAX)
        return "The maximum number of inputs supported in a batch request is 100";
    for (const json *i = json_first(inputs); i; i = json_next(i)) {
        struct str id = json_string(json_get(i, "id"));

        if (!id.len)
            return "Invalid input JSON: id must be a string";
        for (size_t k = 0; k < n; k++)
            if (str_eq(seen[k], id))
                return "Duplicate IDs found in batch input";
        seen[n++] = id;
    }
    return NULL;
}

static void write_missing(struct sbuf *b, const struct str *missing, size_t n)
{
    json_kv_int(b, "numErrors", 1);
    json_key(b, "errors");
    json_open(b, '[');
    json_open(b, '{');
    json_kv_text(b, "status", "error");
    json_kv_text(b, "category", "OBJECT_NOT_FOUND");
    json_kv_text(b, "message",
                 "Could not get some CONTACT objects, they may be deleted or not exist. Check that "
                 "ids are valid.");
    json_key(b, "context");
    json_open(b, '{');
    json_key(b, "ids");
    json_open(b, '[');
    for (size_t i = 0; i < n; i++)
        json_str(b, missing[i]);
    json_close(b, ']');
    json_close(b, '}');
    json_close(b, '}');
    json_close(b, ']');
}

/* Last input first: nobody may rely on the order. */
static void answer_batch(const struct call *c, const json *request, struct answer *ret)
{
    const json *inputs = json_get(request, "inputs");
    struct str key = json_string(json_get(request, "idProperty"));
    size_t n = 0, n_names, n_missing = 0;
    struct str *names = hubspot_names(json_get(request, "properties"), c->arena, &n_names);
    struct str *missing = arena_array(c->arena, json_count(inputs) + 1, sizeof(*missing));
    const struct contact **found = arena_array(c->arena, json_count(inputs) + 1, sizeof(*found));
    struct sbuf *b;
    char now[TIME_TEXT];

    for (const json *i = json_first(inputs); i; i = json_next(i)) {
        struct str id = json_string(json_get(i, "id"));
        const struct contact *one = contact_find_by(key, id);

        if (one && !one->archived)
            found[n++] = one;
        else
            missing[n_missing++] = id;
    }
    time_text(c->now_ms, now);
    b = answer_json(ret, n_missing ? 207 : 200);
    json_open(b, '{');
    json_kv_text(b, "status", "COMPLETE");
    json_key(b, "results");
    json_open(b, '[');
    while (n)
        contact_write(b, found[--n], names, n_names);
    json_close(b, ']');
    if (n_missing)
        write_missing(b, missing, n_missing);
    json_kv_text(b, "startedAt", now);
    json_kv_text(b, "completedAt", now);
    json_close(b, '}');
}

bool hubspot_body(const struct call *c, struct json_doc *doc, struct answer *ret)
{
    if (!call_type_is(c, "application/json")) {
        hubspot_offence(ret, 415, "VALIDATION_ERROR", "Content-Type must be application/json");
        return false;
    }
    if (json_parse(c->body, doc, NULL)) {
        hubspot_offence(ret, 400, "VALIDATION_ERROR", "Invalid input JSON");
        return false;
    }
    return true;
}

static void batch_read(const struct call *c, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const char *wrong;

    if (!hubspot_body(c, &doc, ret))
        return;
    wrong = hubspot_check_inputs(json_get(doc.root, "inputs"), c->arena);
    if (wrong)
        hubspot_offence(ret, 400, "VALIDATION_ERROR", wrong);
    else
        answer_batch(c, doc.root, ret);
}

static void read_one(const struct call *c, struct str id, struct answer *ret)
{
    const struct contact *one = contact_find_by(call_query(c, "idProperty"), id);
    struct str rest = call_query(c, "properties"), name;
    struct str *names;
    size_t n = 0;

    if (!rest.len)
        rest = STR("email,firstname,lastname");
    names = arena_array(c->arena, rest.len + 1, sizeof(*names)); /* more than there are commas */
    while (str_split(&rest, ',', &name))
        names[n++] = name;
    if (!one || one->archived)
        hubspot_refuse(ret, 404, "OBJECT_NOT_FOUND", "resource not found");
    else
        contact_write(answer_json(ret, 200), one, names, n);
}

static void limit_header(struct answer *ret, const struct call *c, const char *name, int64_t n)
{
    answer_header(ret, name, arena_printf(c->arena, "%" PRId64, n));
}

/* false: one too many in ten seconds. */
static bool count_request(const struct call *c, struct answer *ret)
{
    size_t kept = 0;

    for (size_t i = 0; i < n_asked; i++)
        if (asked_at[i] > c->now_ms - INTERVAL_MS)
            asked_at[kept++] = asked_at[i];
    n_asked = kept;
    if (n_asked == REQUESTS_MAX)
        return false;
    asked_at[n_asked++] = c->now_ms;
    limit_header(ret, c, "X-HubSpot-RateLimit-Daily", 250000);
    limit_header(ret, c, "X-HubSpot-RateLimit-Daily-Remaining", 249000);
    limit_header(ret, c, "X-HubSpot-RateLimit-Interval-Milliseconds", INTERVAL_MS);
    limit_header(ret, c, "X-HubSpot-RateLimit-Max", REQUESTS_MAX);
    limit_header(ret, c, "X-HubSpot-RateLimit-Remaining", (int64_t)(REQUESTS_MAX - n_asked));
    return true;
}

void hubspot_too_many(struct answer *ret, const char *policy)
{
    struct sbuf *b = answer_json(ret, 429);

    json_open(b, '{');
    json_kv_text(b, "status", "error");
    json_kv_text(b, "message", "You have reached your limit.");
    json_kv_text(b, "errorType", "RATE_LIMIT");
    correlation(b);
    json_kv_text(b, "policyName", policy);
    json_close(b, '}');
}

static void route(const struct call *c, struct answer *ret)
{
    struct str rest = str_from(c->path, sizeof(PREFIX) - 1), id; /* of a contact's path */
    bool post = str_is(c->method, "POST");

    if (call_is(c, "POST", HUBSPOT_TOKEN_INFO))
        hubspot_token_info(c, ret);
    else if (str_starts(c->path, STR(HUBSPOT_SCHEMAS "/")))
        hubspot_properties_handle(c, ret);
    else if (post && str_is(rest, "/batch/read"))
        batch_read(c, ret);
    else if (post && str_is(rest, "/batch/update"))
        hubspot_batch_update(c, ret);
    else if (call_is(c, "GET", PREFIX))
        hubspot_list(c, ret);
    else if (str_is(c->method, "GET") && path_next(&rest, c->arena, &id) && !rest.len)
        read_one(c, id, ret);
    else if (str_is(c->method, "PATCH") && path_next(&rest, c->arena, &id) && !rest.len)
        hubspot_update_one(c, id, ret);
    else
        hubspot_offence(ret, 404, "OBJECT_NOT_FOUND", "the sandbox does not have this call");
}

/* A search is counted by itself, and says nothing of limits. */
static void hubspot_handle(const struct call *c, struct answer *ret)
{
    bool search = call_is(c, "POST", PREFIX "/search");
    const struct hubspot_token *token = hubspot_token_of(c);

    if (!search && !count_request(c, ret)) {
        hubspot_too_many(ret, "TEN_SECONDLY_ROLLING");
        offence("hubspot", "more than %d requests in ten seconds", REQUESTS_MAX);
    } else if (!token) {
        hubspot_offence(ret, 401, "INVALID_AUTHENTICATION",
                        "Authentication credentials not found. This API supports OAuth 2.0.");
    } else if (hubspot_may(c, token, ret)) {
        if (search)
            hubspot_search(c, ret);
        else
            route(c, ret);
    }
}

static bool hubspot_owns(struct str path)
{
    return str_is(path, HUBSPOT_TOKEN_INFO) || str_starts(path, STR(PREFIX)) ||
           str_starts(path, STR(HUBSPOT_SCHEMAS "/"));
}

static void hubspot_fail(int status, struct answer *ret)
{
    if (status == 429)
        hubspot_too_many(ret, "TEN_SECONDLY_ROLLING");
    else
        hubspot_refuse(ret, status, "INTERNAL_ERROR", "The sandbox was told to fail.");
}

static void hubspot_dump(struct sbuf *b)
{
    json_open(b, '{');
    json_kv_int(b, "contacts", (int64_t)n_contacts);
    hubspot_dump_writes(b);
    json_close(b, '}');
}

static void hubspot_reset(void)
{
    n_contacts = n_asked = 0;
    hubspot_forget_writes();
    arena_free(&hubspot_memory);
    hubspot_memory = (struct arena){0};
}

const struct service hubspot_service = {
    .name = "hubspot",
    .owns = hubspot_owns,
    .handle = hubspot_handle,
    .fail = hubspot_fail,
    .dump = hubspot_dump,
    .reset = hubspot_reset,
};
