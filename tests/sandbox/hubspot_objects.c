/* tests/sandbox/hubspot_objects.c - HubSpot's companies, deals and tickets that a test loads, and
 * the contacts that they are associated with. Answers come last input first: nobody may rely on an
 * order.
 */
#include "hubspot_crm.h"
#include "sandbox.h"

#include "funneld/base/clock.h"

#define OBJECTS      "/crm/v3/objects/"
#define ASSOCIATIONS "/crm/v4/associations/"

enum { OBJECTS_MAX = 20000, PAGE_MAX = 500 };

struct object {
    struct str kind, id, updated_at; /* kind: "deals" */
    struct field *properties;
    size_t n_properties;
    struct str *contacts;
    size_t n_contacts;
    bool archived;
};

static const char *const kinds[] = {"companies", "deals", "tickets"};

static struct arena memory;
static struct object *objects;
static size_t n_objects, cap_objects;

static struct object *find(struct str kind, struct str id)
{
    for (size_t i = 0; i < n_objects; i++)
        if (str_eq(objects[i].kind, kind) && str_eq(objects[i].id, id))
            return &objects[i];
    return NULL;
}

static bool is_kind(struct str kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_is(kind, kinds[i]))
            return true;
    return false;
}

static struct object *find_or_add(struct str kind, struct str id)
{
    struct object *found = find(kind, id);

    if (found)
        return found;
    if (n_objects == cap_objects) {
        cap_objects = cap_objects ? cap_objects * 2 : 64;
        objects = mem_grow(objects, cap_objects, sizeof(*objects));
    }
    objects[n_objects] =
        (struct object){.kind = arena_str(&memory, kind), .id = arena_str(&memory, id)};
    return &objects[n_objects++];
}

static void take_object(const json *order, struct object *o)
{
    const json *properties = json_get(order, "properties"), *whose = json_get(order, "contacts");
    struct str updated = json_string(json_get(order, "updatedAt"));
    char now[TIME_TEXT];

    time_text(clock_now_ms(), now);
    o->updated_at = arena_str(&memory, updated.len ? updated : str_of(now));
    o->archived = json_true(json_get(order, "archived"));
    o->n_properties = o->n_contacts = 0;
    o->properties = arena_array(&memory, json_count(properties) + 1, sizeof(*o->properties));
    for (const json *p = json_first(properties); p; p = json_next(p))
        o->properties[o->n_properties++] = (struct field){
            arena_str(&memory, json_name(p)), arena_str(&memory, json_scalar(p, &memory))};
    o->contacts = arena_array(&memory, json_count(whose) + 1, sizeof(*o->contacts));
    for (const json *c = json_first(whose); c; c = json_next(c))
        o->contacts[o->n_contacts++] = json_scalar(c, &memory);
}

bool hubspot_objects_load(const json *list, struct answer *ret)
{
    struct arena a AUTO(arena_free) = {0};

    for (const json *o = json_first(list); o; o = json_next(o)) {
        struct str kind = json_string(json_get(o, "kind")), id = json_scalar(json_get(o, "id"), &a);

        if (!id.len || !is_kind(kind) || n_objects >= OBJECTS_MAX) {
            answer_text(ret, 400,
                        "every object needs an id and a kind: companies, deals, tickets\n");
            return false;
        }
        take_object(o, find_or_add(kind, id));
    }
    return true;
}

static void write_record(struct sbuf *b, const struct object *o, const json *wanted)
{
    json_open(b, '{');
    json_kv(b, "id", o->id);
    json_key(b, "properties");
    json_open(b, '{');
    json_kv(b, "hs_object_id", o->id);
    for (const json *w = json_first(wanted); w; w = json_next(w)) {
        struct str value = STR_NULL;

        for (size_t i = 0; i < o->n_properties; i++)
            if (str_eq(o->properties[i].name, json_string(w)))
                value = o->properties[i].value;
        if (str_is(json_string(w), "hs_object_id"))
            continue;
        json_key_str(b, json_string(w));
        json_str(b, value);
    }
    json_close(b, '}');
    json_kv(b, "createdAt", o->updated_at);
    json_kv(b, "updatedAt", o->updated_at);
    json_key(b, "archived");
    json_bool(b, o->archived);
    json_close(b, '}');
}

/* As of a deal: a 500-page, ids as texts, each association with its types. */
static void write_contacts(struct sbuf *b, const struct object *o)
{
    json_open(b, '{');
    json_key(b, "from");
    json_open(b, '{');
    json_kv(b, "id", o->id);
    json_close(b, '}');
    json_key(b, "to");
    json_open(b, '[');
    for (size_t i = 0; i < o->n_contacts && i < PAGE_MAX; i++) {
        json_open(b, '{');
        json_key(b, "associationTypes");
        json_raw(b, STR("[{\"category\":\"HUBSPOT_DEFINED\",\"typeId\":3,\"label\":null}]"));
        json_kv(b, "toObjectId", o->contacts[i]);
        json_close(b, '}');
    }
    json_close(b, ']');
    if (o->n_contacts > PAGE_MAX) {
        json_key(b, "paging");
        json_raw(b, STR("{\"next\":{\"after\":\"NTAw\"}}"));
    }
    json_close(b, '}');
}

static void write_error(struct sbuf *b, const char *category, const char *sub, struct str id)
{
    json_open(b, '{');
    json_kv_text(b, "status", "error");
    json_kv_text(b, "category", category);
    if (sub)
        json_kv_text(b, "subCategory", sub);
    json_kv_text(b, "message", "it is not there");
    json_key(b, "context");
    json_open(b, '{');
    json_key(b, sub ? "fromObjectId" : "ids");
    json_open(b, '[');
    json_str(b, id);
    json_close(b, ']');
    json_close(b, '}');
    json_close(b, '}');
}

struct batch {
    const struct object **found;
    struct str *missing;
    size_t n_found, n_missing;
};

/* Of associations an object without any is missing as well. */
static struct batch look_up(const struct call *c, struct str kind, const json *inputs, bool whose)
{
    struct batch t = {0};

    t.found = arena_array(c->arena, json_count(inputs) + 1, sizeof(*t.found));
    t.missing = arena_array(c->arena, json_count(inputs) + 1, sizeof(*t.missing));
    for (const json *i = json_first(inputs); i; i = json_next(i)) {
        const struct object *o = find(kind, json_string(json_get(i, "id")));

        if (o && !o->archived && (!whose || o->n_contacts))
            t.found[t.n_found++] = o;
        else
            t.missing[t.n_missing++] = json_string(json_get(i, "id"));
    }
    return t;
}

static void answer_batch(const struct call *c, struct str kind, const json *request, bool whose,
                         struct answer *ret)
{
    struct batch t = look_up(c, kind, json_get(request, "inputs"), whose);
    struct sbuf *b = answer_json(ret, t.n_missing ? 207 : 200);

    json_open(b, '{');
    json_kv_text(b, "status", "COMPLETE");
    json_key(b, "results");
    json_open(b, '[');
    while (t.n_found) {
        if (whose)
            write_contacts(b, t.found[--t.n_found]);
        else
            write_record(b, t.found[--t.n_found], json_get(request, "properties"));
    }
    json_close(b, ']');
    if (t.n_missing) {
        json_kv_int(b, "numErrors", (int64_t)t.n_missing);
        json_key(b, "errors");
        json_open(b, '[');
        for (size_t i = 0; i < t.n_missing; i++)
            write_error(b, "OBJECT_NOT_FOUND",
                        whose ? "crm.associations.NO_ASSOCIATIONS_FOUND" : NULL, t.missing[i]);
        json_close(b, ']');
    }
    json_close(b, '}');
}

static void batch_read(const struct call *c, struct str kind, bool whose, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (!hubspot_body(c, &doc, ret))
        return;
    const char *wrong = hubspot_check_inputs(json_get(doc.root, "inputs"), c->arena);
    if (!wrong && whose && json_get(doc.root, "properties"))
        wrong = "Invalid input JSON: associations have no properties";
    if (wrong)
        hubspot_offence(ret, 400, "VALIDATION_ERROR", wrong);
    else
        answer_batch(c, kind, doc.root, whose, ret);
}

static void handle(const struct call *c, struct answer *ret)
{
    bool whose = str_starts(c->path, STR(ASSOCIATIONS));
    struct str rest = str_from(c->path, whose ? sizeof(ASSOCIATIONS) - 2 : sizeof(OBJECTS) - 2);
    struct str kind = STR_NULL;
    const struct hubspot_token *token = hubspot_token_of(c);

    if (!token)
        hubspot_offence(ret, 401, "INVALID_AUTHENTICATION",
                        "Authentication credentials not found.");
    else if (!hubspot_may(c, token, ret))
        return;
    else if (str_is(c->method, "POST") && path_next(&rest, c->arena, &kind) && is_kind(kind) &&
             str_is(rest, whose ? "/contacts/batch/read" : "/batch/read"))
        batch_read(c, kind, whose, ret);
    else
        hubspot_offence(ret, 404, "OBJECT_NOT_FOUND", "the sandbox does not have this call");
}

static bool owns(struct str path)
{
    return str_starts(path, STR(ASSOCIATIONS)) ||
           (str_starts(path, STR(OBJECTS)) && !str_starts(path, STR(OBJECTS "contacts")));
}

static void fail(int status, struct answer *ret)
{
    hubspot_refuse(ret, status, "INTERNAL_ERROR", "The sandbox was told to fail.");
}

static void dump(struct sbuf *b)
{
    json_open(b, '{');
    json_kv_int(b, "objects", (int64_t)n_objects);
    json_close(b, '}');
}

static void reset(void)
{
    n_objects = 0;
    arena_free(&memory);
    memory = (struct arena){0};
}

const struct service hubspot_objects_service = {
    .name = "hubspot_objects",
    .owns = owns,
    .handle = handle,
    .fail = fail,
    .dump = dump,
    .reset = reset,
};
