/* ingest/fact.c - the canonical form of a fact and its hash.
 *
 * Every value starts with its kind and its length or count, so that no text can imitate the
 * border between two values; members stand in the order of their names; at the top level a null
 * member counts as a missing one. Numbers are written as json_scalar writes them (1.0 and 1 are the
 * same); a number of more than 15 digits reaches us as text and is the same fact as that text.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ingest_priv.h"

/* Named members of one object, in order. */
struct member {
    struct str name, text; /* text: instead of the node */
    const json *node;
};

/* For arrays and objects: a length without bytes to follow. */
static void put_count(struct sbuf *b, char kind, size_t count)
{
    sbuf_char(b, kind);
    sbuf_int(b, (int64_t)count);
    sbuf_char(b, ':');
}

static void put(struct sbuf *b, char kind, struct str text)
{
    put_count(b, kind, text.len);
    sbuf_add(b, text);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static bool is_ignored(struct str name, const char *const *ignored)
{
    for (; ignored && *ignored; ignored++)
        if (str_is(name, *ignored))
            return true;
    return false;
}

static void put_node(struct sbuf *b, const json *node, struct arena *a);

static void put_members(struct sbuf *b, struct member *members, size_t n, struct arena *a)
{
    qsort(members, n, sizeof *members, by_name);
    put_count(b, 'o', n);
    for (size_t i = 0; i < n; i++) {
        put(b, 'k', members[i].name);
        if (members[i].text.at)
            put(b, 's', members[i].text);
        else
            put_node(b, members[i].node, a);
    }
}

static bool is_left_out(const json *m, const struct fact_rules *rules)
{
    return rules && (json_type(m) == JSON_NULL || is_ignored(json_name(m), rules->ignored));
}

/* Rules are for the top level only; NULL below it. */
static void put_object(struct sbuf *b, const json *object, const struct fact_rules *rules,
                       struct arena *a)
{
    struct member *members = arena_array(a, json_count(object) + 1, sizeof *members);
    size_t n = 0;

    for (const json *m = json_first(object); m; m = json_next(m))
        if (!is_left_out(m, rules))
            members[n++] = (struct member){.name = json_name(m), .node = m};
    if (rules && rules->type.at)
        members[n++] = (struct member){.name = rules->type_key, .text = rules->type};
    put_members(b, members, n, a);
}

/* Depth is at most 64: base/json saw to it. */
static void put_node(struct sbuf *b, const json *node, struct arena *a)
{
    switch (json_type(node)) {
    case JSON_NULL:
        put(b, 'z', STR(""));
        break;
    case JSON_BOOL:
        put(b, 'b', json_true(node) ? STR("1") : STR("0"));
        break;
    case JSON_NUMBER:
        put(b, 'n', json_scalar(node, a));
        break;
    case JSON_STRING:
        put(b, 's', json_string(node));
        break;
    case JSON_ARRAY:
        put_count(b, 'a', json_count(node));
        for (const json *c = json_first(node); c; c = json_next(c))
            put_node(b, c, a);
        break;
    case JSON_OBJECT:
        put_object(b, node, NULL, a);
        break;
    }
}

void fact_hash(const json *node, const struct fact_rules *rules, struct arena *a,
               uint8_t ret[SHA256_LEN])
{
    /* No real ceiling: the form is at most a few times the size of a body that has one. */
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 4);

    put(&b, 'd', str_of(rules->domain));
    put(&b, 'd', rules->scope);
    if (json_type(node) == JSON_OBJECT)
        put_object(&b, node, rules, a);
    else
        put_node(&b, node, a);
    assert(!b.failed);
    const struct str form = sbuf_str(&b);
    sha256(&form, 1, ret);
}

void fact_hash_text(const char *domain, struct str scope, struct str text, uint8_t ret[SHA256_LEN])
{
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 4);

    put(&b, 'd', str_of(domain));
    put(&b, 'd', scope);
    put(&b, 's', text);
    assert(!b.failed);
    const struct str form = sbuf_str(&b);
    sha256(&form, 1, ret);
}
