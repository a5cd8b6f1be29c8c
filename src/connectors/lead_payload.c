/* connectors/lead_payload.c - a lead as one flat JSON object, and as a text.
 *
 * Others map these keys by hand, so none is ever renamed, left out or nested; what is not known is
 * null. A type of the event says what happened, whatever the route is called.
 */
#include "hook_priv.h"

#include <string.h>

enum { TEXT_POINTS = 2000, MESSAGE_POINTS = 4000 };

const char *lead_event(const struct parcel *p)
{
    static const char *const names[BAND_COUNT] = {
        [BAND_COLD] = "lead.cold", [BAND_WARM] = "lead.warm", [BAND_HOT] = "lead.hot"};
    const struct delivery_facts *f = &p->d.facts;

    return f->band == f->previous_band ? "lead.changed" : names[f->band];
}

/* JSON allows a NUL in a string; what receivers keep it in often does not. */
static struct str without_nul(struct str s, struct arena *a)
{
    if (!s.len || !memchr(s.at, '\0', s.len))
        return s;
    char *to = arena_alloc(a, s.len);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        if (s.at[i])
            to[n++] = s.at[i];
    return (struct str){to, n};
}

/* Texts that a sender made up are bounded: receivers have limits of their own. */
static void text(struct sbuf *b, const char *key, struct str value, struct arena *a)
{
    struct str clean = without_nul(value, a);

    json_kv(b, key, clean.len ? text_points(clean, TEXT_POINTS) : STR_NULL);
}

static void who(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    static const char *const properties[] = {"firstname", "lastname", "company",
                                             "jobtitle",  "phone",    "lifecyclestage"};

    text(b, "lead_id", p->lead_public_id, a);
    json_kv_id(b, "crm_id", p->lead->crm_id);
    text(b, "email", p->lead->email, a);
    text(b, "name", lead_name(p->lead, a), a);
    for (size_t i = 0; i < ARRAY_LEN(properties); i++)
        text(b, properties[i], lead_text(p->lead, properties[i]), a);
    text(b, "crm_url", p->crm_url, a);
}

static void score(struct sbuf *b, const struct delivery_facts *f, struct arena *a)
{
    json_kv_tenths(b, "score", f->score);
    json_kv_tenths(b, "previous_score", f->previous);
    json_kv_tenths(b, "fit", f->fit);
    json_kv_tenths(b, "engagement", f->engagement);
    json_kv_text(b, "band", band_name(f->band));
    json_kv_text(b, "previous_band", band_name(f->previous_band));
    text(b, "reasons", f->reasons, a);
}

void lead_payload(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    const struct delivery_facts *f = &p->d.facts;

    json_open(b, '{');
    json_kv(b, "id", p->public_id);
    json_kv_text(b, "event", lead_event(p));
    text(b, "route", p->d.route, a);
    json_kv_time(b, "occurred_at", f->event_time);
    who(b, p, a);
    score(b, f, a);
    text(b, "source", f->event_source, a);
    text(b, "source_event", f->event_type, a);
    text(b, "source_property", f->event_property, a);
    text(b, "source_value", f->event_value, a);
    json_close(b, '}');
}

struct str lead_message(const struct parcel *p, struct arena *a)
{
    return text_points(without_nul(message_text(p, a), a), MESSAGE_POINTS);
}
