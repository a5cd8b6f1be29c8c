/* cli/shape.c - the JSON of events, leads, deliveries and scores, fixed to the name of a field. */
#include "shape.h"

static void event_fields(const struct event_view *e, struct sbuf *b)
{
    json_kv_id(b, "id", e->id);
    json_kv(b, "source", e->source);
    json_kv(b, "type", e->type);
    json_kv_id(b, "lead", e->lead);
    json_kv_time(b, "occurred_at", e->occurred_at);
    json_kv_time(b, "received_at", e->received_at);
    json_kv(b, "request_id", e->request_id);
    json_kv_text(b, "state", event_state_name(e->state));
    json_kv(b, "reason", e->reason);
}

void shape_event(const struct event_view *e, struct sbuf *b)
{
    json_open(b, '{');
    event_fields(e, b);
    json_close(b, '}');
}

/* In one line. Strings hold no raw line ends, so that those are only between tokens. */
static void embed(struct str body, struct sbuf *b)
{
    size_t from = b->len;

    json_raw(b, str_trim(body));
    for (size_t i = from; i < b->len; i++)
        if (b->at[i] == '\n' || b->at[i] == '\r')
            b->at[i] = ' ';
}

/* Exactly as it was sent where it is JSON (long numbers stay as they are); null: erased. */
static void write_body(struct str body, struct sbuf *b)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    json_key(b, "body");
    if (body.at && json_parse(body, &doc, NULL) == RC_OK)
        embed(body, b);
    else
        json_str(b, body);
}

static void delivery_fields(const struct delivery *d, struct sbuf *b)
{
    json_kv_id(b, "id", d->id);
    json_kv_id(b, "event", d->event);
    json_kv_id(b, "lead", d->lead > 0 ? d->lead : 0);
    json_kv(b, "route", d->route);
    json_kv(b, "connector", d->connector);
    json_kv_text(b, "state", delivery_state_name(d->state));
    json_kv_int(b, "attempts", d->attempts);
    json_kv_time(b, "due_at", d->due_at);
    json_kv_time(b, "done_at", d->done_at);
    json_kv(b, "reason", d->reason);
    json_kv(b, "remote_id", d->remote_id);
}

static void write_attempt(const struct attempt_view *t, struct sbuf *b)
{
    json_open(b, '{');
    json_kv_time(b, "at", t->started_at);
    json_key(b, "status");
    if (t->status)
        json_int(b, t->status);
    else
        json_null(b); /* no answer came */
    json_kv_text(b, "verdict", attempt_verdict_name(t->verdict));
    json_kv(b, "detail", t->detail);
    json_kv_time(b, "ended_at", t->ended_at);
    json_kv(b, "answer", t->answer);
    json_close(b, '}');
}

static void write_history(const struct attempt_view *attempts, size_t n, struct sbuf *b)
{
    json_key(b, "history");
    json_open(b, '[');
    for (size_t i = 0; i < n; i++)
        write_attempt(&attempts[i], b);
    json_close(b, ']');
}

static void write_properties_changed(const struct effects *f, struct sbuf *b)
{
    json_key(b, "properties");
    json_open(b, '[');
    for (size_t i = 0; i < f->n_properties; i++) {
        json_open(b, '{');
        json_kv(b, "name", f->properties[i].name);
        json_kv(b, "before", f->properties[i].before);
        json_kv(b, "after", f->properties[i].after);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_fired(const struct effects *f, struct sbuf *b)
{
    json_key(b, "rules");
    json_open(b, '[');
    for (size_t i = 0; i < f->n_fired; i++) {
        json_open(b, '{');
        json_kv(b, "rule", f->fired[i].rule);
        json_kv_tenths(b, "points", f->fired[i].points);
        json_kv(b, "why", f->fired[i].why);
        json_kv_time(b, "fired_at", f->fired[i].received_at);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_effects(const struct effects *f, struct sbuf *b)
{
    json_key(b, "effects");
    if (!f) {
        json_null(b);
        return;
    }
    json_open(b, '{');
    write_properties_changed(f, b);
    write_fired(f, b);
    json_kv_tenths(b, "score_before", f->score_before);
    json_kv_tenths(b, "score_after", f->score_after);
    json_kv_text(b, "band_before", band_name(f->band_before));
    json_kv_text(b, "band_after", band_name(f->band_after));
    json_close(b, '}');
}

void shape_event_whole(const struct event_view *e, const struct effects *effects,
                       const struct delivery_receipt *deliveries, size_t n, struct sbuf *b)
{
    json_open(b, '{');
    event_fields(e, b);
    json_kv(b, "signature", e->signature);
    json_kv_time(b, "committed_at", e->committed_at);
    json_kv_time(b, "replayed_at", e->replayed_at);
    write_body(e->body, b);
    json_kv_text(b, "body_sha256", e->body_sha256[0] ? e->body_sha256 : NULL);
    write_effects(effects, b);
    json_key(b, "deliveries");
    json_open(b, '[');
    for (size_t i = 0; i < n; i++) {
        const struct delivery_receipt *r = &deliveries[i];

        json_open(b, '{');
        delivery_fields(&r->d, b);
        json_kv(b, "link", r->link);
        write_history(r->attempts, r->n_attempts, b);
        json_close(b, '}');
    }
    json_close(b, ']');
    json_close(b, '}');
}

static void write_properties(const struct lead *l, struct sbuf *b)
{
    json_key(b, "properties");
    json_open(b, '{');
    for (size_t i = 0; i < l->n_properties; i++) {
        const struct property *p = &l->properties[i];

        json_key_str(b, p->name);
        json_open(b, '{');
        json_kv(b, "value", p->value.len ? p->value : STR_NULL);
        json_kv_time(b, "at", p->at);
        json_close(b, '}');
    }
    json_close(b, '}');
}

static void write_chance(struct sbuf *b, const char *key, const struct chance *c)
{
    json_key(b, key);
    if (c->known)
        json_num(b, (double)c->tenths / 10);
    else
        json_null(b);
}

void shape_lead(const struct lead *l, struct sbuf *b)
{
    json_open(b, '{');
    json_kv_id(b, "id", l->id);
    json_kv_id(b, "portal_id", l->portal_id);
    json_kv_id(b, "crm_id", l->crm_id);
    json_kv(b, "email", l->email);
    json_kv_tenths(b, "score", l->score);
    json_kv_text(b, "band", band_name(l->band));
    json_kv_tenths(b, "fit", l->fit);
    json_kv_tenths(b, "engagement", l->engagement);
    write_chance(b, "probability", &l->probability);
    write_chance(b, "churn", &l->churn);
    json_kv_text(b, "state", lead_state_name(l->state));
    json_kv_id(b, "merged_into", l->merged_into);
    write_properties(l, b);
    json_close(b, '}');
}

void shape_delivery(const struct delivery *d, struct sbuf *b)
{
    json_open(b, '{');
    delivery_fields(d, b);
    json_close(b, '}');
}

void shape_delivery_whole(const struct delivery *d, const struct attempt_view *attempts, size_t n,
                          struct sbuf *b)
{
    json_open(b, '{');
    delivery_fields(d, b);
    write_history(attempts, n, b);
    json_close(b, '}');
}

static void write_line(const struct score_line *l, struct sbuf *b)
{
    json_open(b, '{');
    json_kv(b, "rule", l->rule);
    json_kv_text(b, "part", l->part == PART_FIT ? "fit" : "engagement");
    json_kv(b, "group", l->group);
    json_kv_tenths(b, "points", l->points);
    json_kv_tenths(b, "worth", l->worth);
    json_kv_time(b, "occurred_at", l->occurred_at);
    json_kv_id(b, "event", l->event);
    json_kv(b, "why", l->why);
    json_close(b, '}');
}

void shape_score(int64_t lead, int64_t at, const struct verdict_score *v, struct str models,
                 struct sbuf *b)
{
    json_open(b, '{');
    json_kv_id(b, "lead", lead);
    json_kv_time(b, "at", at);
    json_kv_tenths(b, "score", v->score);
    json_kv_text(b, "band", band_name(v->band));
    json_kv_tenths(b, "fit", v->fit);
    json_kv_tenths(b, "engagement", v->engagement);
    json_key(b, "lines");
    json_open(b, '[');
    for (size_t i = 0; i < v->n_lines; i++)
        write_line(&v->lines[i], b);
    json_close(b, ']');
    json_key(b, "models");
    json_raw(b, models);
    json_close(b, '}');
}
