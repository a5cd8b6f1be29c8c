/* tests/sim/check_receivers.c - who subscribed, and what stands in which thread. */
#include "queue_priv.h"
#include "story.h"

/* Who is subscribed at the end heard of every page since; who is gone is subscribed no more. */
static void check_subscriptions(void)
{
    const struct people *p = queue.people;
    const struct subscribed *s;

    for (size_t i = 0; (s = subscription_at(i)) != NULL; i++) {
        if (s->is_there && zap_has_said_so(s->hook))
            broken("hook %d has said 410, and is subscribed", s->hook);
        for (size_t t = 0; t < p->n_told && s->is_there; t++) {
            size_t n = 0;

            if (!is_of_subscribers(&p->told[t]) || p->told[t].event <= s->after)
                continue;
            for (size_t k = 0; k < queue.n; k++)
                n += queue.items[k].target == s->id && queue.items[k].event == p->told[t].event;
            if (n != 1)
                broken("subscription %lld: %zu deliveries of event %lld", (long long)s->id, n,
                       (long long)p->told[t].event);
        }
    }
}

/* In a thread stands what is told of one person alone, and it begins with such a message. */
static void check_threads(const struct posts *posts)
{
    const struct people *p = queue.people;

    for (size_t i = 0; i < posts->n; i++) {
        const struct item *item = item_of(posts->items[i].delivery), *first = NULL;
        size_t n = 0;

        for (size_t k = 0; k < posts->n && posts->items[i].parent; k++)
            if (posts->items[k].place == posts->items[i].parent) {
                first = item_of(posts->items[k].delivery);
                n++;
            }
        if (posts->items[i].parent && item && (n != 1 || !first || whose(first) != whose(item)) &&
            !p->at[item->told->person].in_merge)
            broken("delivery %lld stands in the thread of another", (long long)item->id);
    }
}

/* What is posted, is posted to the address that subscribed. */
static void check_places(const struct posts *posts)
{
    for (size_t i = 0; i < posts->n; i++) {
        const struct item *item = item_of(posts->items[i].delivery);
        const struct subscribed *s;

        for (size_t k = 0; item && (s = subscription_at(k)) != NULL; k++)
            if (s->hook == posts->items[i].place && s->id != item->target)
                broken("delivery %lld was posted to hook %d", (long long)item->id, s->hook);
    }
}

void check_receivers(void)
{
    check_threads(chat_posts());
    check_subscriptions();
    check_places(zap_posts());
}
