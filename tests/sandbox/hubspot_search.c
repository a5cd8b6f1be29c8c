/* tests/sandbox/hubspot_search.c - contacts by filters, in order, a page at a time. */
#include <stdlib.h>

#include "funneld/base/clock.h"
#include "hubspot_crm.h"

enum {
    BODY_MAX = 3000, /* characters */
    GROUPS_MAX = 5,
    FILTERS_MAX = 6,
    FILTERS_IN_ALL = 18,
    PAGE_MAX = 200,
    PAGE_DEFAULT = 10,
    RESULTS_MAX = 10000,
    PER_SECOND = 5,
};

static int64_t searched_at[PER_SECOND];
static size_t n_searched;

static bool one_too_many(int64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < n_searched; i++)
        if (searched_at[i] > now_ms - SECONDS_MS)
            searched_at[kept++] = searched_at[i];
    n_searched = kept;
    if (n_searched == PER_SECOND)
        return true;
    searched_at[n_searched++] = now_ms;
    return false;
}

/* Times, ids and numbers as what they are; anything else has no order. */
static bool as_number(struct str s, int64_t *ret)
{
    return str_int64(s, ret) || time_parse(s, ret);
}

static bool compare(struct str have, const json *filter)
{
    struct str want = json_string(json_get(filter, "value"));
    struct str operator= json_string(json_get(filter, "operator"));
    int64_t a, b;

    if (!as_number(have, &a) || !as_number(want, &b))
        return str_is(operator, "EQ") && str_ieq(have, want);
    return (str_is(operator, "EQ") && a == b) || (str_is(operator, "GT") && a > b) ||
           (str_is(operator, "GTE") && a >= b) || (str_is(operator, "LT") && a < b) ||
           (str_is(operator, "LTE") && a <= b);
}

static bool fits(const struct contact *c, const json *groups)
{
    for (const json *g = json_first(groups); g; g = json_next(g)) {
        bool all = true;

        for (const json *f = json_first(json_get(g, "filters")); f; f = json_next(f))
            all &= compare(contact_value(c, json_string(json_get(f, "propertyName"))), f);
        if (all)
            return true;
    }
    return !json_count(groups);
}

static const char *check_filters(const json *groups)
{
    static const char *const operators[] = {"EQ", "GT", "GTE", "LT", "LTE"};
    size_t in_all = 0;

    if (json_count(groups) > GROUPS_MAX)
        return "at most 5 filter groups";
    for (const json *g = json_first(groups); g; g = json_next(g)) {
        size_t n = json_count(json_get(g, "filters"));

        in_all += n;
        if (!n || n > FILTERS_MAX || in_all > FILTERS_IN_ALL)
            return "1 to 6 filters in a group, 18 in all";
        for (const json *f = json_first(json_get(g, "filters")); f; f = json_next(f)) {
            bool known = false;

            for (size_t i = 0; i < ARRAY_LEN(operators); i++)
                known |= str_is(json_string(json_get(f, "operator")), operators[i]);
            if (!known || !json_string(json_get(f, "propertyName")).len ||
                !json_string(json_get(f, "value")).len)
                return "a filter is propertyName, operator and value, all strings";
        }
    }
    return NULL;
}

static const char *check_search(const struct call *c, const json *q, int64_t *ret_limit,
                                int64_t *ret_after)
{
    const json *limit = json_get(q, "limit"), *after = json_get(q, "after");
    const json *sort = json_first(json_get(q, "sorts"));

    *ret_limit = PAGE_DEFAULT;
    *ret_after = 0;
    if (code_points(c->body) > BODY_MAX)
        return "the request is longer than 3,000 characters";
    if (json_count(json_get(q, "sorts")) > 1 ||
        (sort && (!json_string(json_get(sort, "propertyName")).len ||
                  !json_string(json_get(sort, "direction")).len)))
        return "one sort, of propertyName and direction";
    if (limit && (!json_int64(limit, ret_limit) || *ret_limit < 1 || *ret_limit > PAGE_MAX))
        return "a page holds 1 to 200";
    if (after &&
        (!json_int64(after, ret_after) || *ret_after < 0 || *ret_after + *ret_limit > RESULTS_MAX))
        return "there are 10,000 results at most";
    return check_filters(json_get(q, "filterGroups"));
}

static struct str sorted_by;

static int by_value(const void *left, const void *right)
{
    const struct contact *a = *(const struct contact *const *)left;
    const struct contact *b = *(const struct contact *const *)right;
    int64_t x = 0, y = 0;

    (void)as_number(contact_value(a, sorted_by), &x);
    (void)as_number(contact_value(b, sorted_by), &y);
    return x < y ? -1 : x > y;
}

static void answer_page(const struct call *c, const json *q, const struct contact **found, size_t n,
                        int64_t limit, int64_t after, struct answer *ret)
{
    size_t n_names, end = (size_t)(after + limit) < n ? (size_t)(after + limit) : n;
    struct str *names = hubspot_names(json_get(q, "properties"), c->arena, &n_names);
    struct sbuf *b = answer_json(ret, 200);

    json_open(b, '{');
    json_kv_int(b, "total", (int64_t)n);
    json_key(b, "results");
    json_open(b, '[');
    for (size_t i = (size_t)after; i < end; i++)
        contact_write(b, found[i], names, n_names);
    json_close(b, ']');
    if (end < n) {
        json_key(b, "paging");
        json_open(b, '{');
        json_key(b, "next");
        json_open(b, '{');
        json_kv_id(b, "after", (int64_t)end);
        json_close(b, '}');
        json_close(b, '}');
    }
    json_close(b, '}');
}

void hubspot_search(const struct call *c, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    int64_t limit, after;
    size_t n = 0;

    if (one_too_many(c->now_ms)) {
        hubspot_too_many(ret, "SECONDLY");
        offence("hubspot", "more than %d searches in a second", PER_SECOND);
        return;
    }
    if (!hubspot_body(c, &doc, ret))
        return;
    const char *wrong = check_search(c, doc.root, &limit, &after);
    if (wrong) {
        hubspot_offence(ret, 400, "VALIDATION_ERROR", wrong);
        return;
    }
    const struct contact **found = arena_array(c->arena, n_contacts + 1, sizeof(*found));
    for (size_t i = 0; i < n_contacts; i++)
        if (!contacts[i].archived && fits(&contacts[i], json_get(doc.root, "filterGroups")))
            found[n++] = &contacts[i];
    sorted_by = json_string(json_path(doc.root, "sorts.0.propertyName"));
    if (sorted_by.len)
        qsort(found, n, sizeof *found, by_value);
    answer_page(c, doc.root, found, n, limit, after, ret);
}
