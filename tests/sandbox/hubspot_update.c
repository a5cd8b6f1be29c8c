/* tests/sandbox/hubspot_update.c - values into contacts, and the properties that there are.
 *
 * A property that nobody made is refused, and so is a value that its type does not take. Whoever
 * names each input (objectWriteTraceId) is told of each; others lose the whole batch.
 */
#include "hubspot_crm.h"

#include "funneld/base/clock.h"

enum { PROPERTIES_MAX = 256, WRITES_MAX = 100000, VALUE_MAX = 65536 };

struct property {
    struct str name, type;
};

static const struct property of_hubspot[] = {
    {{"email", 5}, {"string", 6}},          {{"firstname", 9}, {"string", 6}},
    {{"lastname", 8}, {"string", 6}},       {{"company", 7}, {"string", 6}},
    {{"phone", 5}, {"string", 6}},          {{"jobtitle", 8}, {"string", 6}},
    {{"lifecyclestage", 14}, {"string", 6}}};

static const struct {
    const char *kind, *name, *type;
} of_objects[] = {
    {"companies", "name", "string"},
    {"companies", "domain", "string"},
    {"companies", "industry", "string"},
    {"companies", "numberofemployees", "number"},
    {"deals", "dealname", "string"},
    {"deals", "dealstage", "enumeration"},
    {"deals", "amount", "number"},
    {"deals", "pipeline", "enumeration"},
    {"deals", "closedate", "datetime"},
    {"tickets", "subject", "string"},
    {"tickets", "hs_pipeline_stage", "enumeration"},
    {"tickets", "hs_ticket_priority", "enumeration"},
};

static struct property made[PROPERTIES_MAX];
static size_t n_made;
static struct write {
    struct str id, property, value;
} * writes;
static size_t n_writes;
static int64_t n_updates;

static const struct property *property_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(of_hubspot); i++)
        if (str_eq(of_hubspot[i].name, name))
            return &of_hubspot[i];
    for (size_t i = 0; i < n_made; i++)
        if (str_eq(made[i].name, name))
            return &made[i];
    return NULL;
}

static bool takes(const struct property *p, struct str value)
{
    int64_t at;
    double number;

    if (!value.len)
        return true; /* it is cleared */
    if (str_is(p->type, "number"))
        return str_decimal(value, &number);
    if (str_is(p->type, "datetime"))
        return time_parse(value, &at) || str_int64(value, &at);
    return value.len <= VALUE_MAX;
}

/* NULL: all are good. */
static const char *check_values(const json *properties, const char **ret_category)
{
    *ret_category = "VALIDATION_ERROR";
    if (json_type(properties) != JSON_OBJECT || !json_count(properties))
        return "Invalid input JSON: properties is required";
    for (const json *v = json_first(properties); v; v = json_next(v)) {
        const struct property *p = property_find(json_name(v));

        if (!p)
            return "Property values were not valid: [{\"isValid\":false,\"message\":\"Property "
                   "does not exist\",\"error\":\"PROPERTY_DOESNT_EXIST\"}]";
        if (json_type(v) != JSON_STRING)
            return "Invalid input JSON: a value must be a string";
        if (!takes(p, json_string(v)))
            return "Property values were not valid: the value is not of the property's type";
    }
    return NULL;
}

static void note_write(struct str id, struct str property, struct str value)
{
    if (!writes)
        writes = mem_array(WRITES_MAX, sizeof *writes);
    if (n_writes < WRITES_MAX)
        writes[n_writes++] = (struct write){id, property, value};
}

static void put_value(struct contact *c, struct str name, struct str value)
{
    size_t i = 0;

    while (i < c->n_properties && !str_eq(c->properties[i].name, name))
        i++;
    if (i == c->n_properties) {
        struct field *more = arena_array(&hubspot_memory, i + 1, sizeof *more);

        for (size_t k = 0; k < i; k++)
            more[k] = c->properties[k];
        c->properties = more;
        c->n_properties++;
    }
    c->properties[i] =
        (struct field){arena_str(&hubspot_memory, name), arena_str(&hubspot_memory, value)};
    note_write(c->id, c->properties[i].name, c->properties[i].value);
}

static void put_values(const struct call *call, struct contact *c, const json *properties)
{
    char now[TIME_TEXT];

    for (const json *v = json_first(properties); v; v = json_next(v))
        put_value(c, json_name(v), json_string(v));
    time_text(call->now_ms, now);
    c->updated_at = arena_str(&hubspot_memory, str_of(now));
}

/* What is wrong with the batch as a whole. */
static const char *check_batch(const json *inputs, struct arena *a)
{
    const char *wrong = hubspot_check_inputs(inputs, a), *category;

    for (const json *i = json_first(inputs); i && !wrong; i = json_next(i)) {
        const struct contact *c = contact_find(json_string(json_get(i, "id")));
        const char *value_wrong = check_values(json_get(i, "properties"), &category);

        if (c && c->poison)
            return "Property values were not valid: the whole batch is refused";
        if (value_wrong && str_find(str_of(value_wrong), STR("PROPERTY_DOESNT_EXIST")))
            return value_wrong;
        if (value_wrong && !json_string(json_get(i, "objectWriteTraceId")).len)
            return value_wrong;
    }
    return wrong;
}

static void write_error(struct sbuf *b, const char *category, const char *message, struct str id)
{
    json_open(b, '{');
    json_kv_text(b, "status", "error");
    json_kv_text(b, "category", category);
    json_kv_text(b, "message", message);
    json_key(b, "context");
    json_open(b, '{');
    json_key(b, str_is(str_of(category), "OBJECT_NOT_FOUND") ? "ids" : "objectWriteTraceId");
    json_open(b, '[');
    json_str(b, id);
    json_close(b, ']');
    json_close(b, '}');
    json_close(b, '}');
}

/* One input: into results or into errors. */
static void update_input(const struct call *c, const json *input, struct sbuf *results,
                         struct sbuf *errors, int64_t *n_errors)
{
    struct contact *one = contact_find(json_string(json_get(input, "id")));
    const json *properties = json_get(input, "properties");
    const char *category = "OBJECT_NOT_FOUND", *wrong = "resource not found";
    size_t n;

    if (one && !one->archived)
        wrong = check_values(properties, &category);
    if (wrong) {
        write_error(errors, category, wrong, json_string(json_get(input, "id")));
        ++*n_errors;
        return;
    }
    put_values(c, one, properties);
    struct str *names = arena_array(c->arena, json_count(properties) + 1, sizeof *names);
    n = 0;
    for (const json *v = json_first(properties); v; v = json_next(v))
        names[n++] = json_name(v);
    contact_write(results, one, names, n);
}

static void answer_update(const struct call *c, const json *inputs, struct answer *ret)
{
    struct sbuf results AUTO(sbuf_free) = SBUF(ANSWER_MAX),
                        errors AUTO(sbuf_free) = SBUF(ANSWER_MAX);
    int64_t n_errors = 0;

    json_open(&results, '[');
    json_open(&errors, '[');
    for (const json *i = json_first(inputs); i; i = json_next(i))
        update_input(c, i, &results, &errors, &n_errors);
    json_close(&results, ']');
    json_close(&errors, ']');
    struct sbuf *b = answer_json(ret, n_errors ? 207 : 200);
    json_open(b, '{');
    json_kv_text(b, "status", "COMPLETE");
    json_key(b, "results");
    json_raw(b, sbuf_str(&results));
    if (n_errors) {
        json_kv_int(b, "numErrors", n_errors);
        json_key(b, "errors");
        json_raw(b, sbuf_str(&errors));
    }
    json_close(b, '}');
}

void hubspot_batch_update(const struct call *c, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (!hubspot_body(c, &doc, ret))
        return;
    const json *inputs = json_get(doc.root, "inputs");
    const char *wrong = check_batch(inputs, c->arena);
    n_updates++;
    if (wrong)
        hubspot_refuse(ret, 400, "VALIDATION_ERROR", wrong);
    else
        answer_update(c, inputs, ret);
}

void hubspot_update_one(const struct call *c, struct str id, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct contact *one = contact_find_by(call_query(c, "idProperty"), id);
    const char *category, *wrong;

    if (!hubspot_body(c, &doc, ret))
        return;
    n_updates++;
    const json *properties = json_get(doc.root, "properties");
    wrong = check_values(properties, &category);
    if (!one || one->archived)
        hubspot_refuse(ret, 404, "OBJECT_NOT_FOUND", "resource not found");
    else if (wrong)
        hubspot_refuse(ret, 400, category, wrong);
    else {
        put_values(c, one, properties);
        contact_write(answer_json(ret, 200), one, NULL, 0);
    }
}

/* Properties */

static void write_property(struct sbuf *b, const struct property *p)
{
    json_open(b, '{');
    json_kv(b, "name", p->name);
    json_kv(b, "type", p->type);
    json_close(b, '}');
}

static void create_property(const struct call *c, struct answer *ret)
{
    static const char *const required[] = {"groupName", "name", "label", "type", "fieldType"};
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (!hubspot_body(c, &doc, ret))
        return;
    for (size_t i = 0; i < ARRAY_LEN(required); i++)
        if (!json_string(json_get(doc.root, required[i])).len) {
            hubspot_offence(ret, 400, "VALIDATION_ERROR", "a required field is missing");
            return;
        }
    struct str name = json_string(json_get(doc.root, "name"));
    if (property_find(name)) {
        hubspot_refuse(ret, 409, "CONFLICT", "A property with this name already exists");
    } else if (n_made < PROPERTIES_MAX) {
        made[n_made] =
            (struct property){arena_str(&hubspot_memory, name),
                              arena_str(&hubspot_memory, json_string(json_get(doc.root, "type")))};
        write_property(answer_json(ret, 201), &made[n_made++]);
    }
}

static void tell_property(struct str kind, struct str name, struct answer *ret)
{
    const struct property *p = str_is(kind, "contacts") ? property_find(name) : NULL;
    struct property of_object;

    for (size_t i = 0; i < ARRAY_LEN(of_objects); i++)
        if (str_is(kind, of_objects[i].kind) && str_is(name, of_objects[i].name)) {
            of_object = (struct property){name, str_of(of_objects[i].type)};
            p = &of_object;
        }
    if (p)
        write_property(answer_json(ret, 200), p);
    else
        hubspot_refuse(ret, 404, "OBJECT_NOT_FOUND", "the property does not exist");
}

void hubspot_properties_handle(const struct call *c, struct answer *ret)
{
    struct str rest = str_from(c->path, sizeof(HUBSPOT_SCHEMAS) - 1), kind, name;
    bool known = path_next(&rest, c->arena, &kind);

    if (known && str_is(c->method, "POST") && str_is(kind, "contacts") && !rest.len) {
        create_property(c, ret);
    } else if (known && str_is(c->method, "GET") && path_next(&rest, c->arena, &name) &&
               !rest.len) {
        tell_property(kind, name, ret);
    } else {
        hubspot_offence(ret, 404, "OBJECT_NOT_FOUND", "the sandbox does not have this call");
    }
}

void hubspot_dump_writes(struct sbuf *b)
{
    json_kv_int(b, "updates", n_updates);
    json_key(b, "writes");
    json_open(b, '[');
    for (size_t i = 0; i < n_writes; i++) {
        json_open(b, '{');
        json_kv(b, "id", writes[i].id);
        json_kv(b, "property", writes[i].property);
        json_kv(b, "value", writes[i].value);
        json_close(b, '}');
    }
    json_close(b, ']');
}

void hubspot_forget_writes(void)
{
    n_writes = n_made = 0;
    n_updates = 0;
}
