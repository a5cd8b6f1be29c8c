/* score/expr_name.c - the names an expression or a template may say, and what they stand for. */
#include <stdlib.h>

#include "expr_priv.h"
#include "funneld/base/clock.h"
#include "funneld/config/conf.h"

static const struct known {
    const char *text; /* ends in '.' where any key may follow */
    unsigned uses;
    enum value_kind kind;
} known[] = {
    [NAME_EVENT_TYPE] = {"event.type", EXPR_EVENT, VALUE_TEXT},
    [NAME_EVENT_SOURCE] = {"event.source", EXPR_EVENT, VALUE_TEXT},
    [NAME_EVENT_PROPERTY] = {"event.property", EXPR_EVENT, VALUE_TEXT},
    [NAME_EVENT_VALUE] = {"event.value", EXPR_EVENT, VALUE_TEXT},
    [NAME_EVENT_TIME] = {"event.time", EXPR_EVENT, VALUE_TIME},
    [NAME_EVENT_DATA] = {"event.data.", EXPR_EVENT, VALUE_TEXT},
    [NAME_LEAD] = {"lead.", EXPR_LEAD, VALUE_TEXT},
    [NAME_SCORE] = {"score", EXPR_SCORE, VALUE_NUMBER},
    [NAME_PREVIOUS] = {"score.previous", EXPR_SCORE, VALUE_NUMBER},
    [NAME_BAND] = {"score.band", EXPR_SCORE, VALUE_TEXT},
    [NAME_PROBABILITY] = {"probability", EXPR_SCORE, VALUE_NUMBER},
    [NAME_PROBABILITY_BEFORE] = {"probability.previous", EXPR_SCORE, VALUE_NUMBER},
    [NAME_CHURN] = {"churn", EXPR_SCORE, VALUE_NUMBER},
    [NAME_CHURN_BEFORE] = {"churn.previous", EXPR_SCORE, VALUE_NUMBER},
};

unsigned name_uses(enum name_id id)
{
    return known[id].uses;
}

enum value_kind name_kind(enum name_id id)
{
    return known[id].kind;
}

static bool find(struct str text, struct name *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct str k = str_of(known[i].text);
        bool open = k.at[k.len - 1] == '.';

        if (open ? text.len > k.len && str_starts(text, k) : str_eq(text, k)) {
            *ret = (struct name){(enum name_id)i, open ? str_from(text, k.len) : STR_NULL};
            return true;
        }
    }
    return false;
}

/* A word in capitals, or one of other languages. */
static const char *word_hint(struct str text)
{
    static const struct {
        const char *word, *hint;
    } hints[] = {
        {"and", "write and in lower case"},
        {"or", "write or in lower case"},
        {"not", "write not in lower case"},
        {"in", "write in in lower case"},
        {"contains", "write contains in lower case"},
        {"matches", "write matches in lower case"},
        {"true", "text goes in quotes: \"true\""},
        {"false", "text goes in quotes: \"false\""},
        {"null", "whether lead.x is missing: not lead.x matches \"*\""},
        {"like", "use matches, with * and ?"},
        {"is", "use == to compare"},
        {"event", "write event.type, event.value, event.data.KEY ..."},
        {"event.data", "write event.data.KEY"},
        {"event.data.", "write event.data.KEY"},
        {"lead", "write lead.NAME, for example lead.email"},
        {"lead.", "write lead.NAME, for example lead.email"},
    };

    for (size_t i = 0; i < ARRAY_LEN(hints); i++)
        if (str_ieq(text, str_of(hints[i].word)))
            return hints[i].hint;
    return NULL;
}

static enum rc unknown(struct str text, unsigned allowed, size_t column, struct expr_error *error)
{
    const char *names[ARRAY_LEN(known)], *hint = word_hint(text), *near;
    struct str shown = str_cut(text, 40), event = STR("event.");
    size_t n = 0;

    if (!error)
        return RC_INVALID;
    if (hint)
        return expr_fail(error, column, "%s", hint);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].uses & allowed)
            names[n++] = known[i].text;
    near = conf_nearest(text, names, n);
    if (near)
        return expr_fail(error, column, "unknown name %.*s; did you mean %s?", STR_ARG(shown),
                         near);
    if (str_starts(text, event))
        return expr_fail(error, column, "unknown name %.*s; a key of the event is event.data.%.*s",
                         STR_ARG(shown), STR_ARG(str_from(shown, event.len)));
    if (!str_chr(text, '.'))
        return expr_fail(error, column,
                         "unknown name %.*s; a property is lead.%.*s, text goes in quotes",
                         STR_ARG(shown), STR_ARG(shown));
    return expr_fail(error, column,
                     "unknown name %.*s; known are event.type .source .property .value .time "
                     ".data.KEY, lead.NAME%s",
                     STR_ARG(shown), allowed & EXPR_SCORE ? ", score" : "");
}

enum rc name_parse(struct str text, unsigned allowed, size_t column, struct name *ret,
                   struct expr_error *error)
{
    struct name found;

    if (!find(text, &found))
        return unknown(text, allowed, column, error);
    unsigned uses = name_uses(found.id);
    if (!(uses & allowed) && uses == EXPR_SCORE)
        return expr_fail(error, column, "a rule may not use %.*s: rules are what %s", STR_ARG(text),
                         found.id < NAME_PROBABILITY ? "makes the score" : "the model looks at");
    if (!(uses & allowed))
        return expr_fail(error, column, "%.*s cannot be used here", STR_ARG(str_cut(text, 40)));
    *ret = found;
    return RC_OK;
}

static struct str data_get(const struct event *e, struct str key)
{
    for (size_t i = 0; i < e->n_data; i++)
        if (str_eq(e->data[i].name, key))
            return e->data[i].value;
    return STR_NULL;
}

/* A lead that a form made has its address as identity, not as a property. */
static struct str lead_text(const struct lead *l, struct str name)
{
    struct str text = lead_get(l, name);

    return !text.at && str_eq(name, STR("email")) ? l->email : text;
}

static struct value text_value(struct str text)
{
    return (struct value){.kind = text.at ? VALUE_TEXT : VALUE_NULL, .text = text};
}

static struct value tenths_value(int64_t tenths)
{
    return (struct value){.kind = VALUE_NUMBER, .number = (double)tenths / 10};
}

static struct value chance_value(const struct chance *c)
{
    return c->known ? tenths_value(c->tenths) : (struct value){.kind = VALUE_NULL};
}

static int64_t number_tenths(enum name_id id, const struct facts *f)
{
    switch (id) {
    case NAME_PREVIOUS:
        return f->previous;
    case NAME_PROBABILITY:
        return f->probability.tenths;
    case NAME_PROBABILITY_BEFORE:
        return f->previous_probability;
    case NAME_CHURN:
        return f->churn.tenths;
    case NAME_CHURN_BEFORE:
        return f->previous_churn;
    default:
        return f->score;
    }
}

static struct value event_value(const struct name *name, const struct event *e)
{
    switch (name->id) {
    case NAME_EVENT_TYPE:
        return text_value(e->type);
    case NAME_EVENT_SOURCE:
        return text_value(e->source);
    case NAME_EVENT_PROPERTY:
        return text_value(e->property);
    case NAME_EVENT_VALUE:
        return text_value(e->value);
    case NAME_EVENT_TIME:
        return (struct value){.kind = VALUE_TIME, .number = (double)e->occurred_at};
    default:
        return text_value(data_get(e, name->key));
    }
}

struct value name_value(const struct name *name, const struct facts *f)
{
    switch (name->id) {
    case NAME_LEAD:
        return text_value(f->lead ? lead_text(f->lead, name->key) : STR_NULL);
    case NAME_SCORE:
    case NAME_PREVIOUS:
    case NAME_PROBABILITY_BEFORE:
    case NAME_CHURN_BEFORE:
        return tenths_value(number_tenths(name->id, f));
    case NAME_BAND:
        return text_value(str_of(band_name(f->band)));
    case NAME_PROBABILITY:
        return chance_value(&f->probability);
    case NAME_CHURN:
        return chance_value(&f->churn);
    default:
        return f->event ? event_value(name, f->event) : text_value(STR_NULL);
    }
}

bool expr_name_known(struct str name, unsigned allowed)
{
    struct name parsed;

    return name_parse(name, allowed, 0, &parsed, NULL) == RC_OK;
}

struct str tenths_text(int64_t tenths, struct arena *a)
{
    const char *sign = tenths < 0 ? "-" : "";
    long long whole = llabs(tenths / 10), rest = llabs(tenths % 10);

    return rest ? arena_printf(a, "%s%lld.%lld", sign, whole, rest)
                : arena_printf(a, "%s%lld", sign, whole);
}

struct str expr_name_value(struct str name, const struct facts *f, struct arena *a)
{
    char text[TIME_TEXT];
    struct name parsed;

    if (name_parse(name, EXPR_EVENT | EXPR_LEAD | EXPR_SCORE, 0, &parsed, NULL))
        return STR_NULL;
    struct value v = name_value(&parsed, f);
    switch (v.kind) {
    case VALUE_TEXT:
        return v.text;
    case VALUE_NUMBER:
        return tenths_text(number_tenths(parsed.id, f), a);
    case VALUE_TIME:
        time_text(f->event->occurred_at, text);
        return arena_str(a, str_of(text));
    default:
        return STR_NULL;
    }
}
