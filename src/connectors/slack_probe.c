/* connectors/slack_probe.c - does the token work, has it the scopes, is the bot in the channel?
 *
 *     TOKEN -> HISTORY -> (no scope for it: CHANNEL) -> OWNER -> done
 *
 * auth.test takes any token and tells its scopes in a header. Of the channel the history is read,
 * one message of it, because that is what looking before repeating needs; a token without that
 * scope may still be told of the channel itself. Whether it may post there only posting shows.
 */
#include "slack_priv.h"

#include "funneld/base/url.h"

enum { URL_MAX = 1024, BODY_MAX = 16 };

enum stage { TOKEN, HISTORY, CHANNEL, OWNER, END };

enum told { LACKS, HAS, UNTOLD };

/* Of the token. */
struct known {
    enum told posts_anywhere;
};

static const char scopes_header[] = "X-OAuth-Scopes";

/* Whoever this is, nobody has the address: what counts is whether Slack looks. */
#define NOBODY "nobody@funneld.invalid"

static struct str channel(const struct probe *p)
{
    const struct slack *s = p->job.settings;

    return arena_printf(p->arena, "channel %.*s", STR_ARG(s->channel));
}

static enum rc ask(struct probe *p, const char *what, struct str value, struct http_request *ret,
                   struct why *why)
{
    const struct slack *s = p->job.settings;
    struct sbuf url AUTO(sbuf_free) = SBUF(URL_MAX);

    sbuf_add(&url, s->common.url);
    sbuf_printf(&url, "/api/%s", what);
    url_encode(&url, value);
    *ret = (struct http_request){.method = "GET", .repeatable = true};
    request_bearer(ret, s->token, p->arena);
    return url_seal(&url, p->arena, &ret->url, why);
}

static enum rc ask_about_token(struct probe *p, struct http_request *ret, struct why *why)
{
    static const char *const kept[] = {scopes_header};
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    enum rc rc = ask(p, "auth.test", STR(""), ret, why);

    if (rc)
        return rc;
    ret->method = "POST";
    ret->keep = kept;
    ret->n_keep = ARRAY_LEN(kept);
    sbuf_text(&b, "{}");
    return request_body(ret, &b, "application/json; charset=utf-8", p->arena, why);
}

static bool is_direct(const struct slack *s)
{
    return slack_is_user(s->channel) || str_starts(s->channel, STR("D"));
}

static void go_on(struct probe *p)
{
    const struct slack *s = p->job.settings;

    p->stage = p->stage == TOKEN ? HISTORY : p->stage < OWNER ? OWNER : END;
    if (p->stage == HISTORY && is_direct(s)) {
        probe_find(p, FINDING_NOT_ASKED, channel(p),
                   STR("a conversation with one person opens when it is written to"));
        p->stage = OWNER;
    }
    if (p->stage == OWNER && !s->mention_owner)
        p->stage = END;
}

enum rc slack_probe_next(struct probe *p, struct http_request *ret, struct why *why)
{
    const struct slack *s = p->job.settings;

    if (s->webhook.len)
        return probe_hook_next(p, s->webhook, ret);
    p->about = p->stage == TOKEN   ? STR("token")
               : p->stage == OWNER ? STR("scope users:read.email")
                                   : channel(p);
    switch (p->stage) {
    case TOKEN:
        return ask_about_token(p, ret, why);
    case HISTORY:
        return ask(p, "conversations.history?limit=1&channel=", s->channel, ret, why);
    case CHANNEL:
        return ask(p, "conversations.info?channel=", s->channel, ret, why);
    case OWNER:
        return ask(p, "users.lookupByEmail?email=", STR(NOBODY), ret, why);
    default:
        return RC_NONE;
    }
}

/* One of "chat:write,channels:history", of which some may be missing at the end. */
static enum told has_scope(struct str scopes, const char *wanted)
{
    bool cut = scopes.len >= HTTP_MAX_KEPT_LEN, whole = scopes.len && !cut;
    struct str one;

    while (str_split(&scopes, ',', &one))
        if (str_is(str_trim(one), wanted) && (scopes.len || !cut))
            return HAS;
    return whole ? LACKS : UNTOLD;
}

static void find_scope_to_post(struct probe *p, struct str scopes)
{
    struct str what = STR("scope chat:write");
    enum told posts = has_scope(scopes, "chat:write");

    if (posts == HAS)
        probe_find(p, FINDING_WORKS, what, STR_NULL);
    else if (posts == UNTOLD)
        probe_find(p, FINDING_NOT_KNOWN, what,
                   STR("Slack does not say which scopes the token has, or not of all; the first "
                       "message shows it"));
    else
        probe_find(
            p, FINDING_FAILS, what,
            arena_printf(p->arena,
                         "the token has it not (it has: %.*s); add it to the app under OAuth "
                         "& Permissions and install the app anew",
                         STR_ARG(str_cut(scopes, 300))));
}

static void take_token(struct probe *p, const struct http_response *r, const json *answer)
{
    struct str team = str_cut(json_string(json_get(answer, "team")), 100);
    struct str user = str_cut(json_string(json_get(answer, "user")), 100);
    struct str scopes = http_kept(r, scopes_header);
    struct known *known = ARENA_NEW(p->arena, struct known);

    probe_find(p, FINDING_WORKS, p->about,
               team.len ? arena_printf(p->arena, "of %.*s in the workspace %.*s", STR_ARG(user),
                                       STR_ARG(team))
                        : STR_NULL);
    known->posts_anywhere = has_scope(scopes, "chat:write.public");
    p->scratch = known;
    find_scope_to_post(p, scopes);
    go_on(p);
}

/* Without being a member. */
static enum told posts_anywhere(const struct probe *p)
{
    const struct known *known = p->scratch;

    return known->posts_anywhere;
}

static void find_no_history(struct probe *p, const json *answer)
{
    const struct slack *s = p->job.settings;
    struct str needed = str_cut(json_string(json_get(answer, "needed")), 100);
    struct str what = needed.len ? arena_printf(p->arena, "scope %.*s", STR_ARG(needed))
                                 : STR("scope channels:history");

    if (s->on_ambiguous == SLACK_DOUBT_LOOK)
        probe_find(p, FINDING_FAILS, what,
                   arena_printf(p->arena,
                                "without it nobody sees whether a message arrived: %.*s; or set "
                                "on_ambiguous = resend",
                                STR_ARG(slack_reason(answer, p->arena))));
    p->stage = CHANNEL;
}

/* A bot with chat:write.public posts where it is no member, but reads nothing there. */
static void find_outside(struct probe *p)
{
    const struct slack *s = p->job.settings;

    if (s->on_ambiguous == SLACK_DOUBT_LOOK)
        probe_find(p, FINDING_FAILS, p->about,
                   STR("the app may post there, but is no member and cannot see whether a message "
                       "arrived: invite it, or set on_ambiguous = resend"));
    else
        probe_find(p, FINDING_WORKS, p->about, STR("the app posts there without being a member"));
    go_on(p);
}

static void find_perhaps_outside(struct probe *p)
{
    probe_find(p, FINDING_NOT_KNOWN, p->about,
               STR("the app is no member, and Slack does not say whether it has the scope "
                   "chat:write.public, without which it cannot post there: invite it"));
    go_on(p);
}

static void find_channel_unknown(struct probe *p)
{
    probe_find(p, FINDING_NOT_KNOWN, p->about,
               STR("Slack tells of a channel with the scope channels:history or "
                   "channels:read only"));
    go_on(p);
}

/* What passes by itself is no fault of the token's or the channel's. */
static struct str refusal(const struct probe *p, const json *answer)
{
    struct str code = json_string(json_get(answer, "error"));
    const struct slack_class_verdict *v = slack_verdict_of(slack_class_of(code));
    struct str said = slack_reason(answer, p->arena);

    if (v->broken || !v->verdict || v->verdict == VERDICT_DEAD)
        return said;
    return arena_printf(p->arena, "%.*s; %.*s", STR_ARG(said),
                        STR_ARG(probe_when(v->pause_ms, p->arena)));
}

static void take_refusal(struct probe *p, const struct http_response *r, const json *answer)
{
    const struct slack *s = p->job.settings;
    struct str code = json_string(json_get(answer, "error"));
    bool outside = p->stage == HISTORY && str_is(code, "not_in_channel");

    if (!code.len) {
        probe_odd(p, r);
    } else if (p->stage == OWNER && str_is(code, "users_not_found")) {
        probe_find(p, FINDING_WORKS, p->about, STR_NULL);
        go_on(p);
    } else if (p->stage == HISTORY && slack_is_about_scope(code)) {
        find_no_history(p, answer);
    } else if (outside && posts_anywhere(p) == HAS) {
        find_outside(p);
    } else if (outside && posts_anywhere(p) == UNTOLD && s->on_ambiguous != SLACK_DOUBT_LOOK) {
        find_perhaps_outside(p);
    } else if (p->stage == CHANNEL && slack_is_about_scope(code)) {
        find_channel_unknown(p);
    } else {
        probe_find(p, FINDING_FAILS, p->about, refusal(p, answer));
        p->over = p->stage == TOKEN;
        go_on(p);
    }
}

/* In the words that posting would end in. */
static void find_channel(struct probe *p, const char *code)
{
    struct str said = STR_NULL;

    if (code)
        said = arena_printf(p->arena, "%s%s", code,
                            slack_verdict_of(slack_class_of(str_of(code)))->advice);
    probe_find(p, code ? FINDING_FAILS : FINDING_WORKS, p->about, said);
    go_on(p);
}

static void take_success(struct probe *p, const struct http_response *r, const json *answer)
{
    const json *about = json_get(answer, "channel");

    if (p->stage == TOKEN)
        take_token(p, r, answer);
    else if (p->stage != CHANNEL)
        find_channel(p, NULL);
    else if (json_true(json_get(about, "is_archived")))
        find_channel(p, "is_archived");
    else if (json_true(json_get(about, "is_member")) || posts_anywhere(p) == HAS)
        find_channel(p, NULL);
    else if (posts_anywhere(p) == UNTOLD)
        find_perhaps_outside(p);
    else
        find_channel(p, "not_in_channel");
}

void slack_probe_take(struct probe *p, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct slack *s = p->job.settings;

    if (s->webhook.len)
        probe_hook_take(p, "webhook");
    else if (!answer_object(r, &doc) || !json_get(doc.root, "ok"))
        probe_odd(p, r);
    else if (json_true(json_get(doc.root, "ok")))
        take_success(p, r, doc.root);
    else
        take_refusal(p, r, doc.root);
}
