/* ingest/source.c - the list of senders' kinds, and what they have in common. */
#include "funneld/ingest/source.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "ingest_priv.h"

const struct source_type *const source_types[] = {&hubspot_source, &zapier_source, &http_source,
                                                  &workflow_source, &slack_source};
const size_t n_source_types = ARRAY_LEN(source_types);

/* In the order of bytes: event_type_index searches by halves. */
const char *const known_event_types[] = {
    "company.associationChange",
    "company.creation",
    "company.deletion",
    "company.merge",
    "company.propertyChange",
    "company.restore",
    "contact.associationChange",
    "contact.creation",
    "contact.deletion",
    "contact.merge",
    "contact.privacyDeletion",
    "contact.propertyChange",
    "contact.restore",
    "conversation.creation",
    "conversation.deletion",
    "conversation.newMessage",
    "conversation.privacyDeletion",
    "conversation.propertyChange",
    "deal.associationChange",
    "deal.creation",
    "deal.deletion",
    "deal.merge",
    "deal.propertyChange",
    "deal.restore",
    "event.completed",
    "line_item.associationChange",
    "line_item.creation",
    "line_item.deletion",
    "line_item.merge",
    "line_item.propertyChange",
    "line_item.restore",
    "object.associationChange",
    "object.creation",
    "object.deletion",
    "object.merge",
    "object.propertyChange",
    "object.restore",
    "product.creation",
    "product.deletion",
    "product.merge",
    "product.propertyChange",
    "product.restore",
    "ticket.associationChange",
    "ticket.creation",
    "ticket.deletion",
    "ticket.merge",
    "ticket.propertyChange",
    "ticket.restore",
};
const size_t n_known_event_types = ARRAY_LEN(known_event_types);

size_t event_type_index(struct str type)
{
    size_t low = 0, high = n_known_event_types;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(str_of(known_event_types[middle]), type);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return n_known_event_types;
}

struct str source_path(const struct source *s)
{
    return ((const struct source_common *)s->settings)->path;
}

enum refusal refuse(enum refusal r, struct why *why, const char *fmt, ...)
{
    va_list args;

    if (!why)
        return r;
    va_start(args, fmt);
    (void)!vsnprintf(why->text, sizeof why->text, fmt, args); /* a why is cut, never overrun */
    va_end(args);
    return r;
}

int64_t event_time(int64_t own, int64_t received_at)
{
    return own > received_at + EVENT_AHEAD_MS ? received_at : own;
}

/* A sender signs the path as it stands, so one that needs escapes could never be trusted. */
static bool is_plain_path(struct str path)
{
    if (!str_starts(path, STR("/")))
        return false;
    for (size_t i = 0; i < path.len; i++)
        if (path.at[i] <= ' ' || path.at[i] > '~' || strchr("?#%\\\"<>", path.at[i]))
            return false;
    return true;
}

void check_common(const struct source_common *common, struct str secret,
                  const struct conf_section *section, struct conf_problems *problems)
{
    if (common->path.at && !is_plain_path(common->path))
        conf_problem(problems, section, conf_find(section, "path"),
                     "a path such as /webhooks/name, without query and escapes",
                     "\"%.*s\" is not a path that can be posted to", STR_ARG(common->path));
    if (secret.at && !secret.len)
        conf_problem(problems, section, conf_find(section, "secret"),
                     "an empty secret would let anybody in", "the secret is empty");
}

enum header_state header_get(const struct raw_request *r, const char *name, struct str *ret)
{
    size_t count = 0;

    *ret = r->header(r->self, name, &count);
    if (!count)
        *ret = STR_NULL;
    return count == 0 ? HEADER_MISSING : count == 1 ? HEADER_ONCE : HEADER_REPEATED;
}

bool media_type_is_json(struct str content_type)
{
    struct str type;

    if (!str_split(&content_type, ';', &type))
        return false;
    type = str_trim(type);
    if (str_ieq(type, STR("application/json")))
        return true;
    const size_t before = sizeof "application/" - 1, after = sizeof "+json" - 1;
    return type.len > before + after &&
           str_ieq((struct str){type.at, before}, STR("application/")) &&
           str_ieq(str_from(type, type.len - after), STR("+json"));
}

bool media_type_is_form(struct str content_type)
{
    struct str type;

    return str_split(&content_type, ';', &type) &&
           str_ieq(str_trim(type), STR("application/x-www-form-urlencoded"));
}

bool source_takes(const struct source *s, struct str content_type)
{
    return media_type_is_json(content_type) ||
           (s && s->type->takes_forms && media_type_is_form(content_type));
}

struct request_facts request_facts(const struct source *s, const struct raw_request *r,
                                   struct arena *a)
{
    struct request_facts facts = {
        .source = arena_str(a, s->name),
        .request_id = arena_str(a, r->request_id),
        .received_at = r->received_at,
    };

    return facts;
}

void event_init(struct event *e, const struct request_facts *facts, struct str body,
                struct arena *a)
{
    *e = (struct event){
        .source = facts->source,
        .type = STR(""),
        .state = EVENT_PROCESSED,
        .effect = EFFECT_NONE,
        .occurred_at = facts->received_at,
        .received_at = facts->received_at,
        .request_id = facts->request_id,
        .body = arena_str(a, body),
    };
}

void event_odd(struct event *e, const char *reason)
{
    e->state = EVENT_UNPROCESSABLE;
    e->reason = str_of(reason);
    e->effect = EFFECT_NONE;
    e->n_properties = 0;
    e->n_merged = 0;
    e->object = OBJECT_NONE;
    e->association = (struct association){0};
    e->contacts = (struct contact_list){0};
    e->n_facts = 0;
    e->portal_id = e->object_id = e->merge_into = 0;
}
