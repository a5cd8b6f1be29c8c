/* sites.c - prepares what the listeners work by, once per start and reload. */
#include "sites_priv.h"

#include <stdlib.h>

static const int codes[SITE_CODES] = {200, 400, 401, 405, 411, 413, 415, 503};
static const char *const code_labels[SITE_CODES] = {"200", "400", "401", "405",
                                                    "411", "413", "415", "503"};
static const char *const labels[REJECTED_COUNT] = {
#define X(name, label) [REJECTED_##name] = label,
    REJECTED_LIST(X)
#undef X
};

const char *rejected_label(enum rejected r)
{
    return labels[r];
}

static void site_init(struct site *site, const struct source *source)
{
    site->source = source;
    site->path = source_path(source);
    for (size_t i = 0; i < REJECTED_COUNT; i++)
        site->rejected[i] = metric(METRIC_REQUESTS_REJECTED, source->name, str_of(labels[i]));
    for (size_t i = 0; i < SITE_CODES; i++)
        site->seconds[i] = metric(METRIC_REQUEST_SECONDS, source->name, str_of(code_labels[i]));
    if (source->type->signed_at)
        site->skew = metric(METRIC_CLOCK_SKEW, source->name, STR_NULL);
}

static void site_set_destroy(struct ref *ref)
{
    struct site_set *set = (struct site_set *)ref;
    ref_drop(set->sites.owner);
    free(set->items);
    free(set->trusted);
    free(set);
}

static enum rc trusted_init(struct site_set *set, const struct str_list *list, struct why *why)
{
    set->trusted = mem_array(list->n, sizeof(*set->trusted));
    for (size_t i = 0; i < list->n; i++)
        if (!network_parse(list->items[i], &set->trusted[set->n_trusted++]))
            return why_fail(RC_INVALID, why, "trusted_proxies: \"%.*s\" is no network",
                            STR_ARG(list->items[i]));
    return RC_OK;
}

enum rc site_set_new(const struct sites *sites, struct site_set **ret, struct why *why)
{
    struct site_set *set = mem_alloc(sizeof(*set));
    ref_init(&set->ref, site_set_destroy);
    set->sites = *sites;
    if (sites->owner)
        ref_take(sites->owner);
    enum rc rc = trusted_init(set, &sites->server->trusted_proxies, why);
    if (rc) {
        site_set_drop(set);
        return rc;
    }
    set->items = mem_array(sites->n_sources, sizeof(*set->items));
    for (size_t i = 0; i < sites->n_sources; i++)
        site_init(&set->items[set->n++], &sites->sources[i]);
    *ret = set;
    return RC_OK;
}

void site_set_drop(struct site_set *set)
{
    if (set)
        ref_drop(&set->ref);
}

const struct site *site_find(const struct site_set *set, struct str path)
{
    for (size_t i = 0; i < set->n; i++)
        if (str_eq(set->items[i].path, path))
            return &set->items[i];
    return NULL;
}

struct series *site_seconds(const struct site *site, int status)
{
    for (size_t i = 0; i < SITE_CODES; i++)
        if (codes[i] == status)
            return site->seconds[i];
    return NULL;
}
