/* hooks_sample.c - what subscribers are sent, by the example of what was said last. */
#include <inttypes.h>

#include "funneld/base/json.h"
#include "hooks_priv.h"

static bool is_news(const struct hook *h, const struct delivery *d)
{
    if (d->state == DELIVERY_CANCELLED)
        return false;
    for (size_t i = 0; i < h->n_samples; i++)
        if (h->events[i] == d->event)
            return false;
    return true;
}

/* The same fact went to several connectors: once is enough. */
static void pick(void *self, const struct delivery *d)
{
    struct hook *h = self;

    if (h->n_samples == SAMPLES || !is_news(h, d))
        return;
    h->samples[h->n_samples] = d->id;
    h->events[h->n_samples++] = d->event;
}

static struct str public_id(struct reader *r, int64_t id, struct arena *a)
{
    return arena_printf(a, "%s-%" PRId64, reader_database_id(r), id);
}

/* What cannot be read is left out: a sample is no promise. */
static enum rc write_one(struct hook *h, struct reader *r, int64_t id)
{
    struct parcel p = {0};
    struct lead lead;
    enum rc rc = read_delivery(r, id, &h->arena, &p.d);

    if (rc == RC_OK)
        rc = read_lead(r, p.d.lead, &h->arena, &lead);
    if (rc == RC_NONE || rc == RC_INVALID || (rc == RC_OK && lead.erased))
        return RC_OK;
    if (rc)
        return rc;
    p.lead = &lead;
    p.public_id = public_id(r, p.d.id, &h->arena);
    p.lead_public_id = public_id(r, lead.id, &h->arena);
    if (h->crm && lead.crm_id)
        p.crm_url = hubspot_contact_url(h->crm->settings, lead.portal_id, lead.crm_id, &h->arena);
    rest_hooks_payload(&h->out, &p, &h->arena);
    return RC_OK;
}

enum rc hooks_sample(struct store *st, void *hook, struct why *why)
{
    struct hook *h = hook;
    struct reader *r = store_reader(st);
    const struct list_filter newest = {
        .limit = SAMPLE_LOOKS, .span = SAMPLE_SPAN, .route = h->route, .told = true};

    (void)why;
    h->n_samples = 0;
    sbuf_reset(&h->out);
    enum rc rc = read_deliveries(r, &newest, pick, h);
    json_open(&h->out, '[');
    for (size_t i = 0; i < h->n_samples && rc == RC_OK; i++)
        rc = write_one(h, r, h->samples[i]);
    json_close(&h->out, ']');
    return rc;
}
