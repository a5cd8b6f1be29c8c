/* hooks.c - subscribing and unsubscribing, as REST hooks of Zapier's do it.
 *
 * Whoever unsubscribes hears that it went well, also where there is nothing: nobody there reads a
 * failure, and what is left over would stay for ever.
 */
#include "hooks_priv.h"

#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/base/crypto.h"
#include "funneld/base/json.h"
#include "funneld/base/url.h"
#include "funneld/observe/log.h"
#include "server_priv.h"

enum { TOKEN_BYTES = 16, DETAIL_MAX = 2048, QUERY_NAME_MAX = 256 };

void hook_free(struct hook *h)
{
    if (!h)
        return;
    sbuf_free(&h->out);
    arena_free(&h->arena);
    free(h);
}

static struct hook *hook_new(struct request *r)
{
    r->hook = mem_alloc(sizeof *r->hook);
    r->hook->out.max = SAMPLE_MAX;
    return r->hook;
}

static void refuse(struct request *r, enum reply reply, struct str detail)
{
    r->reply = reply;
    r->detail = detail;
}

/* Who asks */

static struct str bearer(struct str header)
{
    const struct str scheme = STR("Bearer ");

    if (header.len < scheme.len || !str_ieq((struct str){header.at, scheme.len}, scheme))
        return STR_NULL;
    return str_trim(str_from(header, scheme.len));
}

/* One of the two headers, once. */
static bool may_ask(const struct request *r)
{
    size_t n_bearer, n_key;
    struct str sent = bearer(request_header(r, "Authorization", &n_bearer));
    struct str key = str_trim(request_header(r, "X-Api-Key", &n_key));

    if (n_bearer + n_key != 1)
        return false;
    return crypto_equal(n_key ? key : sent, r->set->sites.server->hooks_token);
}

/* Which route */

static const struct connector *connector_named(const struct sites *s, struct str name)
{
    for (size_t i = 0; i < s->n_connectors; i++)
        if (str_eq(s->connectors[i].name, name))
            return &s->connectors[i];
    return NULL;
}

/* The one of the route's connectors that delivers to subscribers; NULL: none does. */
static const struct connector *subscribed_of(const struct sites *s, const struct route *route)
{
    for (size_t i = 0; i < route->to.n; i++) {
        const struct connector *c = connector_named(s, route->to.items[i]);

        if (c && c->type->subscribed)
            return c;
    }
    return NULL;
}

/* By name; without one, the only route there is. NULL: *ret_known lists those that there are. */
static const struct route *find_route(const struct sites *s, struct str name, struct sbuf *known)
{
    const struct route *only = NULL;
    size_t n = 0;

    for (size_t i = 0; s->routes && i < s->routes->n; i++) {
        const struct route *r = &s->routes->items[i];

        if (!subscribed_of(s, r))
            continue;
        if (str_eq(r->name, name))
            return r;
        sbuf_printf(known, "%s%.*s", n++ ? ", " : "", STR_ARG(r->name));
        only = r;
    }
    return !name.at && n == 1 ? only : NULL;
}

static const struct route *wanted_route(struct request *r, struct str name)
{
    struct sbuf known AUTO(sbuf_free) = SBUF(DETAIL_MAX);
    const struct route *route = find_route(&r->set->sites, name, &known);
    struct str names = known.failed ? STR("too many to name") : sbuf_str(&known);

    if (!route && name.at)
        refuse(r, REPLY_HOOK,
               arena_printf(&r->arena, "There is no route %.*s to subscribe to. There are: %.*s.",
                            STR_ARG(str_cut(name, 100)), STR_ARG(names)));
    else if (!route)
        refuse(r, REPLY_HOOK,
               arena_printf(&r->arena, "Name a route in \"event\" or \"route\". There are: %.*s.",
                            STR_ARG(names)));
    return route;
}

/* Answers, once it is committed */

static void answer_id(struct request *r, int status, struct str id)
{
    json_open(&r->content, '{');
    json_kv(&r->content, "id", id);
    json_close(&r->content, '}');
    answer_content(r, status, "application/json");
}

static void subscribed(struct request *r)
{
    struct hook *h = r->hook;

    if (h->full) {
        refuse(r, REPLY_FULL, STR_NULL);
        return;
    }
    log_write(LOG_INFO, h->fresh ? "hook.subscribed" : "hook.renewed", L_TEXT("req", r->id),
              L_STR("subscription", h->s.token), L_STR("route", h->s.route), L_END);
    answer_id(r, 201, h->s.token);
}

static void unsubscribed(struct request *r)
{
    struct hook *h = r->hook;

    for (size_t i = 0; i < h->n_cancelled; i++)
        metric_add(metric(METRIC_DELIVERIES, h->cancelled[i], STR("cancelled")), 1);
    if (h->s.id)
        log_write(LOG_INFO, "hook.unsubscribed", L_TEXT("req", r->id),
                  L_STR("subscription", h->s.token), L_INT("cancelled", (int64_t)h->n_cancelled),
                  L_END);
    answer_id(r, 200, h->s.token);
}

static void sampled(struct request *r)
{
    sbuf_add(&r->content, sbuf_str(&r->hook->out));
    answer_content(r, 200, "application/json");
}

/* In the writer's thread; again when the group is done again */

static void count_cancelled(void *self, struct str connector)
{
    struct hook *h = self;

    h->cancelled = arena_more(&h->arena, h->cancelled, h->n_cancelled, &h->cap_cancelled,
                              sizeof *h->cancelled);
    h->cancelled[h->n_cancelled++] = arena_str(&h->arena, connector);
}

static enum rc subscribe(struct store *st, void *hook, struct why *why)
{
    struct hook *h = hook;
    int64_t n = 0;

    (void)why;
    enum rc rc = store_subscribe(st, &h->arena, &h->s, &h->fresh);
    if (rc == RC_OK)
        rc = read_subscription_count(store_reader(st), &n);
    h->full = rc == RC_OK && h->fresh && n > rest_hooks_max(h->connector->settings);
    if (h->full)
        rc = store_subscription_end(st, h->s.id, h->s.created_at, count_cancelled, h);
    return rc;
}

static enum rc unsubscribe(struct store *st, void *hook, struct why *why)
{
    struct hook *h = hook;

    (void)why;
    h->n_cancelled = 0;
    enum rc rc = store_unsubscribe(st, h->s.token, h->s.created_at, count_cancelled, h);
    h->s.id = rc == RC_OK;
    return rc == RC_NONE ? RC_OK : rc;
}

static void ask(struct request *r, command_fn *fn, void (*conclude)(struct request *))
{
    r->command =
        (struct command){.work.kind = WORK_COMMAND, .kind = COMMAND_CALL, .fn = fn, .arg = r->hook};
    r->conclude = conclude;
    wait_for_commit(r, clock_mono_us());
}

/* POST /hooks */

static struct str url_of(const json *body)
{
    static const char *const keys[] = {"hookUrl", "target_url", "targetUrl", "url"};
    struct str url = STR_NULL;

    for (size_t i = 0; i < ARRAY_LEN(keys) && !url.at; i++)
        url = json_string(json_get(body, keys[i]));
    return url;
}

static struct str route_of(const json *body)
{
    struct str route = json_string(json_get(body, "route"));

    return route.at ? route : json_string(json_get(body, "event"));
}

/* A subscription of our own paths would go in circles. */
static bool is_ours(const struct request *r, struct str target)
{
    struct url ours, theirs;

    return r->set->sites.server->public_url.len &&
           url_parse(r->set->sites.server->public_url, &ours, NULL) == RC_OK &&
           url_parse(target, &theirs, NULL) == RC_OK && str_ieq(ours.host, theirs.host) &&
           ours.port == theirs.port;
}

static struct str new_token(struct arena *a)
{
    uint8_t bytes[TOKEN_BYTES];
    char *text = arena_alloc(a, 2 * TOKEN_BYTES + 1);

    random_bytes(bytes, sizeof bytes);
    hex_encode(bytes, sizeof bytes, text);
    return str_of(text);
}

static bool take_target(struct request *r, struct str url)
{
    struct hook *h = r->hook;
    struct why why = {0};

    if (!url.at)
        refuse(r, REPLY_HOOK, STR("Send the address to deliver to as \"target_url\"."));
    else if (rest_hooks_target(h->connector->settings, url, &h->arena, &h->s.target, &why))
        refuse(r, REPLY_HOOK, arena_str(&r->arena, str_of(why.text)));
    else if (is_ours(r, h->s.target))
        refuse(r, REPLY_HOOK, STR("The address is that of this service itself."));
    return !r->reply;
}

static void read_subscription_request(struct request *r, const json *body)
{
    struct hook *h = hook_new(r);
    const struct route *route = wanted_route(r, route_of(body));

    if (!route)
        return;
    h->connector = subscribed_of(&r->set->sites, route);
    h->s.route = arena_str(&h->arena, route->name);
    h->s.token = new_token(&h->arena);
    h->s.created_at = clock_now_ms();
    if (!take_target(r, url_of(body)))
        return;
    if (rest_hooks_is_trial(h->s.target))
        answer_id(r, 201, h->s.token);
    else
        ask(r, subscribe, subscribed);
}

static void finish_subscribe(struct request *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str body = {r->body ? r->body : "", r->body_len};

    if (json_parse(body, &doc, &r->why) || json_type(doc.root) != JSON_OBJECT)
        refuse(r, REPLY_HOOK, STR("The body must be a JSON object."));
    else
        read_subscription_request(r, doc.root);
}

/* DELETE /hooks/{id} */

static void finish_unsubscribe(struct request *r)
{
    struct hook *h = hook_new(r);

    h->s.token = arena_str(&h->arena, str_from(r->path, sizeof "/hooks/" - 1));
    h->s.created_at = clock_now_ms();
    ask(r, unsubscribe, unsubscribed);
}

/* GET /hooks/sample?route=NAME */

/* As it stands in the query; missing: of any route. */
static struct str asked_route(const struct request *r)
{
    struct str query = str_from(r->target, r->path.len + 1), pair, value = STR_NULL;

    if (r->target.len <= r->path.len)
        return STR_NULL;
    while (str_split(&query, '&', &pair))
        if (str_starts(pair, STR("route=")) || str_starts(pair, STR("event=")))
            value = str_from(pair, sizeof "route=" - 1);
    return value;
}

static void finish_sample(struct request *r)
{
    struct hook *h = hook_new(r);
    struct str asked = asked_route(r);
    struct sbuf name AUTO(sbuf_free) = SBUF(QUERY_NAME_MAX);

    if (!url_decode(&name, asked) || name.failed || !str_is_utf8(sbuf_str(&name))) {
        refuse(r, REPLY_HOOK, STR("The query does not name a route."));
        return;
    }
    h->route = asked.at ? arena_str(&h->arena, name.len ? sbuf_str(&name) : STR("")) : STR_NULL;
    h->crm = r->set->sites.crm;
    ask(r, hooks_sample, sampled);
}

/* Paths */

static const struct page {
    const char *path; /* ends in '/': what follows is an id */
    const char *method, *allow;
    void (*finish)(struct request *);
} pages[] = {
    {"/hooks", "POST", "POST", finish_subscribe},
    {"/hooks/sample", "GET", "GET, HEAD", finish_sample},
    {"/hooks/", "DELETE", "DELETE", finish_unsubscribe},
};

static const struct page *page_of(const struct request *r)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct str path = str_of(pages[i].path);

        if (str_ends(path, STR("/")) ? str_starts(r->path, path) : str_eq(r->path, path))
            return &pages[i];
    }
    return NULL;
}

/* "sample" is a page of its own, and an id only to whoever deletes. */
static const struct page *page_for(const struct request *r)
{
    const struct page *p = page_of(r);

    return p && p->finish == finish_sample && request_is(r, "DELETE") ? p + 1 : p;
}

static bool takes(const struct page *p, const struct request *r)
{
    return request_is(r, p->method) || (p->finish == finish_sample && request_is(r, "HEAD"));
}

bool hooks_route(struct request *r)
{
    const struct page *p = page_for(r);

    if (!p)
        return false;
    r->allow = p->allow;
    if (!r->set->sites.server->hooks_token.len)
        r->reply = REPLY_NOT_FOUND;
    else if (!may_ask(r))
        r->reply = REPLY_HOOKS_TOKEN;
    else if (!takes(p, r))
        r->reply = REPLY_METHOD;
    else if (p->finish == finish_subscribe)
        r->reply = judge_head(r);
    else if (atomic_load_explicit(&r->listener->server->draining, memory_order_relaxed))
        r->reply = REPLY_SHUTDOWN;
    return true;
}

void hooks_finish(struct request *r)
{
    page_for(r)->finish(r);
}
