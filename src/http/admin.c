/* admin.c - the admin listener: health for machines and people, metrics. */
#include "funneld/base/clock.h"
#include "funneld/base/crypto.h"
#include "funneld/observe/health.h"
#include "server_priv.h"

static void live(struct request *r)
{
    answer_content(r, health_render(HEALTH_LIVE, clock_now_ms(), &r->content), "application/json");
}

static void ready(struct request *r)
{
    answer_content(r, health_render(HEALTH_READY, clock_now_ms(), &r->content), "application/json");
}

static void detailed(struct request *r)
{
    answer_content(r, health_render(HEALTH_DETAILED, clock_now_ms(), &r->content),
                   "application/health+json");
}

static void metrics(struct request *r)
{
    const struct http_ports *ports = &r->listener->server->ports;

    if (ports->before_metrics)
        ports->before_metrics(ports->self);
    metrics_render(&r->content);
    answer_content(r, 200, "text/plain; version=0.0.4; charset=utf-8");
}

static const struct {
    const char *path;
    void (*serve)(struct request *);
} pages[] = {
    {"/livez", live},
    {"/readyz", ready},
    {"/healthz", detailed},
    {"/metrics", metrics},
};

static bool may_see(const struct request *r)
{
    struct str token = r->set->sites.admin->token;
    size_t n;
    struct str sent = request_header(r, "Authorization", &n);
    const size_t scheme = sizeof("Bearer ") - 1;

    if (!token.len)
        return true;
    if (n != 1 || sent.len < scheme || !str_ieq((struct str){sent.at, scheme}, STR("Bearer ")))
        return false;
    return crypto_equal(str_trim(str_from(sent, scheme)), token);
}

void admin_route(struct request *r)
{
    if (r->reply)
        return;
    if (!may_see(r)) {
        r->reply = REPLY_TOKEN;
        return;
    }
    r->reply = REPLY_NOT_FOUND;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (!str_is(r->path, pages[i].path))
            continue;
        r->reply = REPLY_METHOD;
        r->allow = "GET, HEAD";
        if (request_is(r, "GET") || request_is(r, "HEAD"))
            pages[i].serve(r);
    }
}
