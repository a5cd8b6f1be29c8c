/* connectors/lead_payload.c - a lead as one flat JSON object, and as a text.
 *
 * Others map these keys by hand, so none is ever renamed, left out or nested; what is not known is
 * null. A type of the event says what happened, whatever the route is called.
 */
#include "hook_priv.h"

enum { TEXT_POINTS = 2000, MESSAGE_POINTS = 4000 };

const char *lead_event(const struct parcel *p)
{
    static const char *const names[BAND_COUNT] = {
        [BAND_COLD] = "lead.cold", [BAND_WARM] = "lead.warm", [BAND_HOT] = "lead.hot"};
    const struct delivery_facts *f = &p->d.facts;

    return f->band == f->previous_band ? "lead.changed" : names[f->band];
}

/* Texts that a sender made up are bounded: receivers have limits of their own. */
static void text(struct sbuf *b, const char *key, struct str value)
{
    json_kv(b, key, value.len ? text_points(value, TEXT_POINTS) : STR_NULL);
}

static void who(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    static const char *const properties[] = {"firstname", "lastname", "company",
                                             "jobtitle",  "phone",    "lifecyclestage"};

    text(b, "lead_id", p->lead_public_id);
    json_kv_id(b, "crm_id", p->lead->crm_id);
    text(b, "email", p->lead->email);
    text(b, "name", lead_name(p->lead, a));
    for (size_t i = 0; i < ARRAY_LEN(properties); i++)
        text(b, properties[i], lead_text(p->lead, properties[i]));
    text(b, "crm_url", p->crm_url);
}

static void chance(struct sbuf *b, const char *key, const struct chance *c)
{
    json_key(b, key);
    if (c->known)
        json_num(b, (double)c->tenths / 10);
    else
        json_null(b);
}

static void score(struct sbuf *b, const struct delivery_facts *f)
{
    json_kv_tenths(b, "score", f->score);
    json_kv_tenths(b, "previous_score", f->previous);
    json_kv_tenths(b, "fit", f->fit);
    json_kv_tenths(b, "engagement", f->engagement);
    json_kv_text(b, "band", band_name(f->band));
    json_kv_text(b, "previous_band", band_name(f->previous_band));
    text(b, "reasons", f->reasons);
    chance(b, "probability", &f->probability);
    text(b, "probability_reasons", f->chance_reasons);
    chance(b, "churn", &f->churn);
    text(b, "churn_reasons", f->churn_reasons);
}

void lead_payload(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    const struct delivery_facts *f = &p->d.facts;

    json_open(b, '{');
    json_kv(b, "id", p->public_id);
    json_kv_text(b, "event", lead_event(p));
    text(b, "route", p->d.route);
    json_kv_time(b, "occurred_at", f->event_time);
    who(b, p, a);
    score(b, f);
    text(b, "source", f->event_source);
    text(b, "source_event", f->event_type);
    text(b, "source_property", f->event_property);
    text(b, "source_value", f->event_value);
    json_close(b, '}');
}

struct str lead_message(const struct parcel *p, struct arena *a)
{
    return text_points(message_text(p, ESCAPE_CHAT, a), MESSAGE_POINTS);
}
