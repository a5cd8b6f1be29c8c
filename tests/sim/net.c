/* tests/sim/net.c - see net.h. */
#include "net_priv.h"

#include <assert.h>
#include <string.h>

#include "funneld/base/url.h"
#include "story.h"

static int64_t lost;

static void forget(struct call *c)
{
    arena_free(&c->arena);
    *c = (struct call){0};
}

/* The transport */

static bool find_service(struct str host, enum service *ret)
{
    for (int s = 0; s < SERVICES; s++)
        if (str_is(host, net_services[s].host)) {
            *ret = (enum service)s;
            return true;
        }
    *ret = SERVICE_SHEETS; /* Google's tokens come from another host */
    return str_is(host, "oauth2.googleapis.com");
}

static struct call *free_call(void)
{
    for (int i = 0; i < CALLS; i++)
        if (!net.calls[i].used)
            return &net.calls[i];
    assert(!"more requests are under way than there is room for");
    return NULL;
}

/* https://host/path?query, or smtp:// */
static void read_url(struct call *c, struct str url)
{
    struct str rest = arena_str(&c->arena, url);
    rest = str_from(rest, (size_t)(str_find(rest, STR("://")) + 3 - rest.at));
    const char *slash = str_chr(rest, '/');
    struct str host = {rest.at, (size_t)(slash - rest.at)};
    bool known = find_service(host, &c->service);

    assert(known);
    (void)known;
    c->query = str_from(rest, host.len);
    if (!str_split(&c->query, '?', &c->path))
        c->path = STR("/");
}

static enum rc start(void *self, const struct transport_call *call, struct why *why)
{
    struct call *c = free_call();

    (void)self;
    (void)why;
    *c = (struct call){.used = true, .waits = true, .tag = call->tag};
    read_url(c, call->request->url);
    c->method = arena_str(&c->arena, str_of(call->request->method));
    c->body = arena_str(&c->arena, call->request->body);
    c->repeatable = call->request->repeatable;
    if (net.paused[c->service] == PAUSED)
        broken("%s is asked, and its connector is paused", net_services[c->service].name);
    if (c->service == SERVICE_ZAPS && !oracle_may_post(zap_of(c->path)))
        broken("hook %d is asked, and its subscription has ended", zap_of(c->path));
    bool unheard = false;
    const char *turn = net_plan(c, call->timeout_ms, &unheard);
    lost += !c->repeatable && unheard;
    story("%lld net: %s %s %.*s: %s", (long long)net.now, net_services[c->service].name,
          call->request->method, (int)(c->path.len < 60 ? c->path.len : 60), c->path.at, turn);
    return RC_OK;
}

static struct call *next_answer(void)
{
    struct call *next = NULL;

    for (int i = 0; i < CALLS; i++) {
        struct call *c = &net.calls[i];

        if (c->used && c->waits && c->answer_at <= net.now &&
            (!next || c->answer_at < next->answer_at))
            next = c;
    }
    return next;
}

/* One that is still to be done lives on without its sender. */
static void let_go(struct call *c)
{
    c->waits = false;
    c->answer_at = INT64_MAX;
    if (c->serve_at == INT64_MAX)
        forget(c);
}

static bool take(void *self, struct transport_result *ret)
{
    (void)self;
    if (net.taken)
        let_go(net.taken);
    struct call *c = net.taken = next_answer();
    if (!c)
        return false;
    *ret = (struct transport_result){c->tag,
                                     {.fate = c->fate,
                                      .status = c->fate == HTTP_ANSWERED ? c->status : 0,
                                      .body = c->text,
                                      .command = c->command,
                                      .retry_after_ms = c->retry_after_ms,
                                      .error = STR("the line broke")}};
    return true;
}

static void no_wait(void *self, int timeout_ms)
{
    (void)self;
    (void)timeout_ms;
}

static void no_wake(void *self)
{
    (void)self;
}

const struct transport *net_transport(void)
{
    static const struct transport transport = {
        .start = start, .take = take, .wait = no_wait, .wake = no_wake};

    return &transport;
}

/* Time */

static void serve_call(struct call *c)
{
    struct sbuf answer AUTO(sbuf_free) = SBUF(ANSWER_MAX);
    struct exchange x = {.now = c->serve_at,
                         .method = c->method,
                         .path = c->path,
                         .query = c->query,
                         .body = c->body,
                         .jumped = c->jumped,
                         .doubts = c->doubts,
                         .arena = &c->arena,
                         .answer = &answer};

    net_services[c->service].serve(&x);
    if (!c->repeatable)
        story("%lld %s did %s %.*s", (long long)c->serve_at, net_services[c->service].name,
              c->method.at, (int)(c->path.len < 60 ? c->path.len : 60), c->path.at);
    c->serve_at = INT64_MAX;
    if (!c->status) {
        c->status = x.status;
        c->text = arena_str(&c->arena, sbuf_str(&answer));
    }
    if (!c->waits)
        forget(c);
}

static struct call *next_to_serve(int64_t now)
{
    struct call *next = NULL;

    for (int i = 0; i < CALLS; i++) {
        struct call *c = &net.calls[i];

        if (c->used && c->serve_at <= now && (!next || c->serve_at < next->serve_at))
            next = c;
    }
    return next;
}

int64_t net_run(int64_t now)
{
    int64_t at = INT64_MAX;

    net.now = now;
    for (struct call *c; (c = next_to_serve(now));)
        serve_call(c);
    for (int i = 0; i < CALLS; i++) {
        const struct call *c = &net.calls[i];
        int64_t soonest = c->answer_at < c->serve_at ? c->answer_at : c->serve_at;

        if (c->used && c != net.taken && soonest < at)
            at = soonest;
    }
    return at;
}

bool net_has_answers(void)
{
    struct call *c = next_answer();

    return c && c != net.taken;
}

void net_hang_up(void)
{
    net.taken = NULL;
    net.ends++;
    for (int i = 0; i < CALLS; i++)
        if (net.calls[i].used)
            let_go(&net.calls[i]);
}

void net_clock_jumped(void)
{
    for (int i = 0; i < CALLS; i++)
        net.calls[i].jumped |= net.calls[i].used && net.calls[i].serve_at != INT64_MAX;
}

void net_set_mood(enum service s, enum net_mood mood)
{
    net.moods[s] = mood;
}

/* What is under way may end. */
void net_pause(enum service s, bool paused)
{
    net.paused[s] = paused ? PAUSED_SOON : GOES_ON;
}

bool net_is_paused(enum service s)
{
    return net.paused[s] != GOES_ON;
}

void net_idle(void)
{
    for (int s = 0; s < SERVICES; s++)
        if (net.paused[s] == PAUSED_SOON)
            net.paused[s] = PAUSED;
}

int64_t net_lost(void)
{
    return lost;
}

bool net_has_refused(enum service s)
{
    return net.refused[s];
}

void net_end(void)
{
    for (int i = 0; i < CALLS; i++)
        if (net.calls[i].used)
            forget(&net.calls[i]);
    net.taken = NULL;
}

void net_begin(uint64_t seed)
{
    net_end();
    net.chance = seed;
    net.now = 0;
    net.ends = 0;
    memset(net.doubts, 0, sizeof net.doubts);
    for (int s = 0; s < SERVICES; s++) {
        net.moods[s] = NET_WELL;
        net.refused[s] = false;
        net.paused[s] = GOES_ON;
    }
}
