/* tests/sim/net_plan.c - see net_priv.h. */
#include "funneld/base/clock.h"
#include "net_priv.h"
#include "random.h"

struct net net;

const struct net_service net_services[SERVICES] = {
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
        return below(net_services[c->service].work_ms);
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
    c->status = net_services[c->service].refusal;
    c->text = str_of(net_services[c->service].refuses);
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

const char *net_plan(struct call *c, int64_t timeout, bool *ret_lost)
{
    enum turn turn = draw(net.moods[c->service]);

    if (c->service >= SERVICE_MAIL)
        turn = receivers_turn(c, turn);
    plan(c, turn, timeout);
    note_doubt(c, turn);
    *ret_lost = turn == TURN_ANSWER_LOST || turn == TURN_RESET;
    return turns[turn].name;
}
