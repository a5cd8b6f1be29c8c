/* route/delivery.c - the words of a delivery, and the facts it keeps as JSON. */
#include "funneld/route/delivery.h"

#include <math.h>

#include "funneld/base/json.h"
#include "funneld/route/route.h"

const struct str route_enrichment = {"enrichment", sizeof "enrichment" - 1};
const struct str route_catch_up = {"catch-up", sizeof "catch-up" - 1};
const struct str route_import = {"import", sizeof "import" - 1};

const char *delivery_state_name(enum delivery_state s)
{
    static const char *const names[DELIVERY_STATE_COUNT] = {
        [DELIVERY_PENDING] = "pending",       [DELIVERY_HELD] = "held",
        [DELIVERY_DELIVERED] = "delivered",   [DELIVERY_DEAD] = "dead",
        [DELIVERY_SUPERSEDED] = "superseded", [DELIVERY_CANCELLED] = "cancelled",
    };

    return names[s];
}

static const struct {
    const char *key;
    size_t offset;
} tenths[] = {
    {"score", offsetof(struct delivery_facts, score)},
    {"previous", offsetof(struct delivery_facts, previous)},
    {"fit", offsetof(struct delivery_facts, fit)},
    {"engagement", offsetof(struct delivery_facts, engagement)},
};

static const struct {
    const char *key;
    size_t offset;
} texts[] = {
    {"reasons", offsetof(struct delivery_facts, reasons)},
    {"event_source", offsetof(struct delivery_facts, event_source)},
    {"event_type", offsetof(struct delivery_facts, event_type)},
    {"event_property", offsetof(struct delivery_facts, event_property)},
    {"event_value", offsetof(struct delivery_facts, event_value)},
};

/* Only there where it is known: most have no model. */
static const struct {
    const char *key;
    size_t offset;
} chances[] = {
    {"probability", offsetof(struct delivery_facts, probability)},
    {"churn", offsetof(struct delivery_facts, churn)},
};

/* Only where it is more than nothing. */
static const struct {
    const char *key;
    size_t offset;
} chances_before[] = {
    {"previous_probability", offsetof(struct delivery_facts, previous_probability)},
    {"previous_churn", offsetof(struct delivery_facts, previous_churn)},
};

static const struct {
    const char *key;
    size_t offset;
} words[] = {
    {"chance_reasons", offsetof(struct delivery_facts, chance_reasons)},
    {"churn_reasons", offsetof(struct delivery_facts, churn_reasons)},
};

static const char band_key[] = "band", before_key[] = "previous_band", time_key[] = "event_time";

static void chances_to_json(const struct delivery_facts *f, struct sbuf *b)
{
    const char *base = (const char *)f;

    for (size_t i = 0; i < ARRAY_LEN(chances); i++) {
        const struct chance *c = (const struct chance *)(base + chances[i].offset);

        if (c->known)
            json_kv_tenths(b, chances[i].key, c->tenths);
    }
    for (size_t i = 0; i < ARRAY_LEN(chances_before); i++) {
        int64_t before = *(const int64_t *)(base + chances_before[i].offset);

        if (before)
            json_kv_tenths(b, chances_before[i].key, before);
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct str text = *(const struct str *)(base + words[i].offset);

        if (text.at)
            json_kv(b, words[i].key, text);
    }
}

void facts_to_json(const struct delivery_facts *f, struct sbuf *b)
{
    const char *base = (const char *)f;

    json_open(b, '{');
    for (size_t i = 0; i < ARRAY_LEN(tenths); i++)
        json_kv_tenths(b, tenths[i].key, *(const int64_t *)(base + tenths[i].offset));
    json_kv_text(b, band_key, band_name(f->band));
    json_kv_text(b, before_key, band_name(f->previous_band));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        json_kv(b, texts[i].key, *(const struct str *)(base + texts[i].offset));
    json_kv_int(b, time_key, f->event_time);
    chances_to_json(f, b);
    json_close(b, '}');
}

static bool band_of(struct str name, enum band *ret)
{
    for (int b = 0; b < BAND_COUNT; b++)
        if (str_is(name, band_name((enum band)b))) {
            *ret = (enum band)b;
            return true;
        }
    return false;
}

static bool tenths_of(const json *node, int64_t *ret)
{
    double value;

    if (!json_number(node, &value) || fabs(value) > 1e14) /* beyond, tenths are not exact */
        return false;
    *ret = llround(value * 10);
    return true;
}

static bool text_of(const json *node, struct arena *a, struct str *ret)
{
    if (json_type(node) != JSON_STRING && json_type(node) != JSON_NULL)
        return false;
    *ret = arena_str(a, json_string(node));
    return true;
}

/* Missing: *ret stays as it is. */
static enum rc percent_of(const json *root, const char *key, int64_t *ret, struct why *why)
{
    const json *node = json_get(root, key);
    int64_t percent = *ret;

    if (node && (!tenths_of(node, &percent) || percent < 0 || percent > 1000))
        return why_fail(RC_INVALID, why, "\"%s\" is not a percentage", key);
    *ret = percent;
    return RC_OK;
}

static enum rc read_chances(const json *root, struct arena *a, struct delivery_facts *ret,
                            struct why *why)
{
    char *base = (char *)ret;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < ARRAY_LEN(chances) && rc == RC_OK; i++) {
        struct chance *c = (struct chance *)(base + chances[i].offset);

        c->known = json_get(root, chances[i].key) != NULL;
        rc = percent_of(root, chances[i].key, &c->tenths, why);
    }
    for (size_t i = 0; i < ARRAY_LEN(chances_before) && rc == RC_OK; i++)
        rc = percent_of(root, chances_before[i].key, (int64_t *)(base + chances_before[i].offset),
                        why);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const json *node = json_get(root, words[i].key);

        if (node && !text_of(node, a, (struct str *)(base + words[i].offset)))
            return why_fail(RC_INVALID, why, "\"%s\" is not a text", words[i].key);
    }
    return RC_OK;
}

static enum rc read_facts(const json *root, struct arena *a, struct delivery_facts *ret,
                          struct why *why)
{
    char *base = (char *)ret;

    for (size_t i = 0; i < ARRAY_LEN(tenths); i++)
        if (!tenths_of(json_get(root, tenths[i].key), (int64_t *)(base + tenths[i].offset)))
            return why_fail(RC_INVALID, why, "\"%s\" is not a number", tenths[i].key);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (!text_of(json_get(root, texts[i].key), a, (struct str *)(base + texts[i].offset)))
            return why_fail(RC_INVALID, why, "\"%s\" is not a text", texts[i].key);
    if (!band_of(json_string(json_get(root, band_key)), &ret->band))
        return why_fail(RC_INVALID, why, "\"%s\" is not a band", band_key);
    if (!json_get(root, before_key)) /* older ones do not say it: nothing to announce */
        ret->previous_band = ret->band;
    else if (!band_of(json_string(json_get(root, before_key)), &ret->previous_band))
        return why_fail(RC_INVALID, why, "\"%s\" is not a band", before_key);
    if (!json_int64(json_get(root, time_key), &ret->event_time))
        return why_fail(RC_INVALID, why, "\"%s\" is not a time", time_key);
    return read_chances(root, a, ret, why);
}

enum rc facts_from_json(struct str text, struct arena *a, struct delivery_facts *ret,
                        struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct delivery_facts facts = {0};

    if (json_parse(text, &doc, why))
        return why_wrap(RC_INVALID, why, "the facts of a delivery");
    if (read_facts(doc.root, a, &facts, why))
        return why_wrap(RC_INVALID, why, "the facts of a delivery");
    *ret = facts;
    return RC_OK;
}
