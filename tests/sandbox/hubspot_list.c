/* tests/sandbox/hubspot_list.c - HubSpot's list of all contacts, a page at a time, with the history
 * of their properties where it is wanted.
 */
#include "hubspot_crm.h"

#include <stdlib.h>

enum { LIMIT_MAX = 100, HISTORY_LIMIT_MAX = 50 };

static struct str *split(struct str list, struct arena *a, size_t *ret_n)
{
    struct str *names = arena_array(a, list.len + 1, sizeof(*names)), name;

    *ret_n = 0;
    while (list.len && str_split(&list, ',', &name))
        names[(*ret_n)++] = name;
    return names;
}

struct list_query {
    int64_t limit, after;
    struct str *names, *with_history;
    size_t n_names, n_with_history;
};

/* NULL: it is a good one. */
static const char *read_query(const struct call *c, struct list_query *q)
{
    struct str limit = call_query(c, "limit"), after = call_query(c, "after");

    *q = (struct list_query){.limit = 10};
    q->names = split(call_query(c, "properties"), c->arena, &q->n_names);
    q->with_history = split(call_query(c, "propertiesWithHistory"), c->arena, &q->n_with_history);
    if (limit.at && (!str_int64(limit, &q->limit) || q->limit < 1))
        return "limit must be a number greater than 0";
    if (q->limit > (q->n_with_history ? HISTORY_LIMIT_MAX : LIMIT_MAX))
        return q->n_with_history ? "The maximum limit is 50 when propertiesWithHistory is requested"
                                 : "The maximum limit is 100";
    if (after.at && (!str_int64(after, &q->after) || q->after < 0))
        return "after is not a valid paging cursor";
    return NULL;
}

static int by_id(const void *a, const void *b)
{
    int64_t x = 0, y = 0;

    (void)str_int64((*(const struct contact *const *)a)->id, &x);
    (void)str_int64((*(const struct contact *const *)b)->id, &y);
    return (x > y) - (x < y);
}

/* Newest first. One that no test gave has been so since the record was made. */
static void write_versions(struct sbuf *b, const struct contact *c, struct str name,
                           struct arena *a)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str value = contact_value(c, name);
    const json *given = NULL;

    if (c->history.len && json_parse(c->history, &doc, NULL) == RC_OK)
        given = json_get(doc.root, arena_text(a, name));
    json_key_str(b, name);
    json_open(b, '[');
    for (const json *v = json_first(given); v; v = json_next(v))
        json_node(b, v);
    if (!given && value.len) {
        json_open(b, '{');
        json_kv(b, "value", value);
        json_kv(b, "timestamp", c->created_at);
        json_kv_text(b, "sourceType", "CRM_UI");
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_one(struct sbuf *b, const struct contact *c, const struct list_query *q,
                      struct arena *a)
{
    struct sbuf one AUTO(sbuf_free) = SBUF(1 << 20);

    contact_write(&one, c, q->names, q->n_names);
    if (!q->n_with_history) {
        json_raw(b, sbuf_str(&one));
        return;
    }
    one.len--; /* the record goes on */
    sbuf_text(&one, ",\"propertiesWithHistory\":{");
    struct sbuf history AUTO(sbuf_free) = SBUF(1 << 20);
    json_open(&history, '{');
    for (size_t i = 0; i < q->n_with_history; i++)
        write_versions(&history, c, q->with_history[i], a);
    json_close(&history, '}');
    sbuf_add(&one, str_from(sbuf_str(&history), 1));
    sbuf_char(&one, '}');
    json_raw(b, sbuf_str(&one));
}

static void write_next(struct sbuf *b, struct str id)
{
    json_key(b, "paging");
    json_open(b, '{');
    json_key(b, "next");
    json_open(b, '{');
    json_kv(b, "after", id);
    json_kv_text(b, "link", "https://api.hubapi.com/crm/v3/objects/contacts?after=...");
    json_close(b, '}');
    json_close(b, '}');
}

/* Those whose ids are greater than `after`. */
static void answer_list(const struct call *c, const struct list_query *q, struct answer *ret)
{
    const struct contact **sorted = arena_array(c->arena, n_contacts + 1, sizeof(*sorted));
    struct sbuf *b = answer_json(ret, 200);
    size_t n = 0, i;
    int64_t id = 0;

    for (i = 0; i < n_contacts; i++)
        if (!contacts[i].archived && str_int64(contacts[i].id, &id) && id > q->after)
            sorted[n++] = &contacts[i];
    qsort(sorted, n, sizeof *sorted, by_id);
    json_open(b, '{');
    json_key(b, "results");
    json_open(b, '[');
    for (i = 0; i < n && (int64_t)i < q->limit; i++)
        write_one(b, sorted[i], q, c->arena);
    json_close(b, ']');
    if (i < n)
        write_next(b, sorted[i - 1]->id);
    json_close(b, '}');
}

void hubspot_list(const struct call *c, struct answer *ret)
{
    struct list_query q;
    const char *wrong = read_query(c, &q);

    if (wrong)
        hubspot_offence(ret, 400, "VALIDATION_ERROR", wrong);
    else
        answer_list(c, &q, ret);
}
