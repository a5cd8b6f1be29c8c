/* tests/sim/net.c - see net.h. */
#include "net.h"

#include <assert.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/base/url.h"
#include "oracle_priv.h"
#include "random.h"
#include "story.h"

enum { CALLS = 256, ANSWER_MAX = 1 << 20 };

struct call {
    bool used, waits; /* waits: the daemon is to hear the answer */
    void *tag;
    struct arena arena;
    enum service service;
    struct str method, path, query, body;
    const char *command; /* of a mail: what the reply is to */
    size_t doubts;
    bool jumped, repeatable;
    int64_t serve_at, answer_at; /* INT64_MAX: never, done */
    enum http_fate fate;
    int status; /* of the answer; 0: what the service says */
    int64_t retry_after_ms;
    struct str text;
};

static struct {
    uint64_t chance;
    int64_t now;
    struct call calls[CALLS];
    struct call *taken; /* its answer is being read */
    enum net_mood moods[SERVICES];
    bool refused[SERVICES];
    size_t ends, doubts[DELIVERIES];
    enum { GOES_ON, PAUSED_SOON, PAUSED } paused[SERVICES];
} net;

static int64_t lost;

/* work_ms: how long a service may work on a request whose answer nobody gets. */
static const struct {
    const char *name, *host;
    serve *serve;
    int64_t work_ms;
    int refusal;
    const char *refuses;
} services[SERVICES] = {
    [SERVICE_SLACK] = {"slack", "slack.com", slack_serve, 4000, 200,
                       "{\"ok\":false,\"error\":\"no_text\"}"},
    [SERVICE_HOOK] = {"hook", "hooks.slack.com", hook_serve, 4000, 404, "no_service"},
    [SERVICE_NOTION] = {"notion", "api.notion.com", notion_serve, 4000, 403,
                        "{\"object\":\"error\",\"status\":403,\"code\":\"restricted_resource\","
                        "\"message\":\"no\"}"},
    [SERVICE_SHEETS] = {"sheets", "sheets.googleapis.com", sheets_serve, 180 * SECONDS_MS, 403,
                        "{\"error\":{\"code\":403,\"message\":\"The caller does not have "
                        "permission\",\"status\":\"PERMISSION_DENIED\"}}"},
    [SERVICE_CRM] = {"crm", "api.hubapi.com", crm_serve, 4000, 403,
                     "{\"status\":\"error\",\"message\":\"no scope\",\"category\":"
                     "\"MISSING_SCOPES\"}"},
    [SERVICE_CHAT] = {"chat", "chat.example.com", chat_serve, 4000, 200,
                      "{\"ok\":false,\"error\":\"no_text\"}"},
    [SERVICE_GRID] = {"grid", "grid.example.com", grid_serve, 180 * SECONDS_MS, 403,
                      "{\"error\":{\"code\":403,\"message\":\"The caller does not have "
                      "permission\",\"status\":\"PERMISSION_DENIED\"}}"},
    [SERVICE_MAIL] = {"mail", "mail.example.com:587", mail_serve, 4000, 550,
                      "550 5.1.1 nobody here is called so"},
    [SERVICE_HTTP] = {"warehouse", "warehouse.example.com", http_serve, 4000, 413, "no"},
    [SERVICE_ZAPS] = {"zaps", "hooks.zapier.com", zap_serve, 4000, 413, "no"},
};

static int64_t below(int64_t n)
{
    return (int64_t)random_below(&net.chance, (uint64_t)(n > 0 ? n : 1));
}

static void forget(struct call *c)
{
    arena_free(&c->arena);
    *c = (struct call){0};
}

/* Plans */

enum turn {
    TURN_DONE,
    TURN_DONE_LATE,
    TURN_UNSENT,
    TURN_LOST,
    TURN_ANSWER_LOST,
    TURN_RESET,
    TURN_QUOTA,
    TURN_UNAVAILABLE,
    TURN_BAD_GATEWAY,
    TURN_GARBLED,
    TURN_REFUSED,
    TURNS
};

enum served { NEVER, SOON, LATE };
enum heard { AFTERWARDS, SOMETIME, AT_ONCE, AT_TIMEOUT };

/* When the service does it, and what is heard of it when. */
static const struct {
    const char *name;
    enum http_fate fate;
    enum served served;
    enum heard heard;
    int status; /* 0: as the service says */
    const char *text;
} turns[TURNS] = {
    [TURN_DONE] = {"done", HTTP_ANSWERED, SOON, AFTERWARDS, 0, NULL},
    [TURN_DONE_LATE] = {"late", HTTP_ANSWERED, LATE, SOMETIME, 0, NULL},
    [TURN_UNSENT] = {"unsent", HTTP_NOT_SENT, NEVER, AT_ONCE, 0, NULL},
    [TURN_LOST] = {"lost", HTTP_UNKNOWN, NEVER, AT_TIMEOUT, 0, NULL},
    [TURN_ANSWER_LOST] = {"done, answer lost", HTTP_UNKNOWN, LATE, AT_TIMEOUT, 0, NULL},
    [TURN_RESET] = {"reset", HTTP_UNKNOWN, LATE, AT_ONCE, 0, NULL},
    [TURN_QUOTA] = {"429", HTTP_ANSWERED, NEVER, AT_ONCE, 429, NULL},
    [TURN_UNAVAILABLE] = {"503", HTTP_ANSWERED, NEVER, AT_ONCE, 503, "<html>try later</html>"},
    [TURN_BAD_GATEWAY] = {"502 but done", HTTP_ANSWERED, LATE, AT_ONCE, 502, "<html>oops</html>"},
    [TURN_GARBLED] = {"garbled", HTTP_ANSWERED, SOON, AFTERWARDS, 200, "{\"o"},
    [TURN_REFUSED] = {"refused", HTTP_ANSWERED, NEVER, AT_ONCE, 0, NULL}, /* the service's words */
};

static const uint8_t weights[NET_MOODS][TURNS] = {
    [NET_PERFECT] = {1},
    [NET_WELL] = {90, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    [NET_FLAKY] = {30, 8, 8, 8, 9, 9, 7, 7, 8, 6, 0},
    [NET_DOWN] = {0, 0, 6, 2, 0, 0, 0, 3, 0, 0, 0},
    [NET_LOSES] = {50, 0, 0, 0, 40, 10},
    [NET_REFUSES] = {4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6},
};

static enum turn draw(enum net_mood mood)
{
    int64_t sum = 0;
    int turn = 0;

    for (int i = 0; i < TURNS; i++)
        sum += weights[mood][i];
    for (int64_t at = below(sum); at >= weights[mood][turn]; turn++)
        at -= weights[mood][turn];
    return (enum turn)turn;
}

/* From now; what may be repeated is never done after what came later. */
static int64_t served_in(const struct call *c, enum served served)
{
    if (served == LATE && !c->repeatable)
        return below(services[c->service].work_ms);
    return 5 + below(200);
}

static int64_t heard_in(enum heard heard, int64_t served_in, int64_t timeout)
{
    switch (heard) {
    case AFTERWARDS:
        return served_in + 5 + below(50);
    case SOMETIME:
        return served_in + below(timeout - served_in);
    case AT_ONCE:
        return below(500);
    case AT_TIMEOUT:
        break;
    }
    return timeout;
}

static void refuse(struct call *c)
{
    c->status = services[c->service].refusal;
    c->text = str_of(services[c->service].refuses);
    net.refused[c->service] = true;
    if (c->service == SERVICE_SLACK && c->repeatable)
        slack_blind();
    if (c->service == SERVICE_CHAT && c->repeatable)
        chat_blind();
}

/* Receivers say by the status alone what became of a message. A mail server speaks otherwise: to
 * each command, and no proxy answers for it. */
static enum turn receivers_turn(struct call *c, enum turn turn)
{
    if (c->service == SERVICE_MAIL)
        c->command = turn == TURN_UNAVAILABLE                     ? ""
                     : turn == TURN_QUOTA || turn == TURN_REFUSED ? "RCPT"
                                                                  : ".";
    if (c->service == SERVICE_MAIL && turn == TURN_BAD_GATEWAY)
        return TURN_RESET;
    return turn == TURN_GARBLED ? TURN_DONE : turn;
}

static void in_mail_words(struct call *c, enum turn turn)
{
    if (turn == TURN_QUOTA || turn == TURN_UNAVAILABLE) {
        c->status = turn == TURN_QUOTA ? 450 : 421;
        c->text = STR("4.3.2 later, please");
        c->retry_after_ms = -1;
    }
}

static void plan(struct call *c, enum turn turn, int64_t timeout)
{
    int64_t serve_in = served_in(c, turns[turn].served);

    if (turns[turn].heard == SOMETIME && serve_in >= timeout)
        serve_in = timeout / 2;
    c->serve_at = turns[turn].served == NEVER ? INT64_MAX : net.now + serve_in;
    c->answer_at = net.now + heard_in(turns[turn].heard, serve_in, timeout);
    c->fate = turns[turn].fate;
    c->status = turns[turn].status;
    c->text = str_of(turns[turn].text);
    c->retry_after_ms = -1;
    if (turn == TURN_QUOTA && below(3))
        c->retry_after_ms = (1 + below(120)) * SECONDS_MS;
    if (turn == TURN_REFUSED)
        refuse(c);
    if (c->service == SERVICE_MAIL)
        in_mail_words(c, turn);
}

/* Whether what is sent twice is no fault of the sender: nobody heard what became of the first. */
static size_t *doubts_of(const struct call *c)
{
    const struct exchange x = {.method = c->method, .body = c->body};
    static size_t none;
    struct str id, database;
    int64_t n;

    none = 0;
    if (c->service < SERVICE_MAIL || !message_id(&x, &id) || !str_split(&id, '-', &database) ||
        !str_int64(id, &n) || n <= 0 || n >= DELIVERIES)
        return &none;
    return &net.doubts[n];
}

static void note_doubt(struct call *c, enum turn turn)
{
    size_t *doubts = doubts_of(c);

    c->doubts = *doubts + net.ends;
    *doubts += turns[turn].fate == HTTP_UNKNOWN || turn == TURN_BAD_GATEWAY;
}

/* The transport */

static bool find_service(struct str host, enum service *ret)
{
    for (int s = 0; s < SERVICES; s++)
        if (str_is(host, services[s].host)) {
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
        broken("%s is asked, and its connector is paused", services[c->service].name);
    if (c->service == SERVICE_ZAPS && !oracle_may_post(zap_of(c->path)))
        broken("hook %d is asked, and its subscription has ended", zap_of(c->path));
    enum turn turn = draw(net.moods[c->service]);
    if (c->service >= SERVICE_MAIL)
        turn = receivers_turn(c, turn);
    plan(c, turn, call->timeout_ms);
    note_doubt(c, turn);
    lost += !c->repeatable && (turn == TURN_ANSWER_LOST || turn == TURN_RESET);
    story("%lld net: %s %s %.*s: %s", (long long)net.now, services[c->service].name,
          call->request->method, (int)(c->path.len < 60 ? c->path.len : 60), c->path.at,
          turns[turn].name);
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

    services[c->service].serve(&x);
    if (!c->repeatable)
        story("%lld %s did %s %.*s", (long long)c->serve_at, services[c->service].name,
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
