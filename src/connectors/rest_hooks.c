/* connectors/rest_hooks.c - whoever subscribed to the route, each by a delivery of its own.
 *
 * The addresses are a third party's. What may be subscribed is said by `allow`; that a name leads
 * to no machine of ours is seen when it is connected to (guarded), not before.
 */
#include "hook_priv.h"

#include <string.h>

#include "funneld/base/address.h"
#include "funneld/base/url.h"

enum { BODY_MAX = 256 * 1024, TARGET_MAX = 2048, HOST_MAX = 253, HTTPS_PORT = 443 };

struct rest_hooks {
    struct connector_common common; /* url is missing: there is none */
    struct str_list allow;
    int64_t max, on_ambiguous;
};

static const struct option rest_hooks_options[] = {
    {.key = "allow",
     .type = OPTION_LIST,
     .offset = offsetof(struct rest_hooks, allow),
     .fallback = "hooks.zapier.com",
     .min = 1,
     .max = 100,
     .help = "hosts (HOST or HOST:PORT) that may be subscribed; * is every one on the Internet"},
    {.key = "max_subscriptions",
     .type = OPTION_INT,
     .offset = offsetof(struct rest_hooks, max),
     .fallback = "1000",
     .min = 1,
     .max = 100000,
     .help = "of all routes together"},
    HOOK_DOUBT_OPTION(struct rest_hooks),
    CONNECTOR_PACE(struct rest_hooks, "30s", "4", "20/s", "0", "14d", "2s", "15m"),
};

static const struct section_spec rest_hooks_spec = {
    .kind = "connector",
    .type = "rest_hooks",
    .named = true,
    .options = rest_hooks_options,
    .n_options = ARRAY_LEN(rest_hooks_options),
    .size = sizeof(struct rest_hooks),
    .help = "everyone who subscribed to the route at /hooks; needs [server] hooks_token",
};

/* Loopback by name, or an address: what is written leads there, whatever a name server says. */
static bool is_fixed(struct str host)
{
    struct in6_addr address;

    return host_is_loopback(host) || address_of_text(host, &address);
}

/* An entry of `allow`; port 0: 443, or any of a fixed host. */
static bool entry_parse(struct str entry, struct str *ret_host, uint16_t *ret_port)
{
    struct in6_addr address;
    const char *colon = str_chr(entry, ':');
    bool bare6 = colon && address_of_text(entry, &address);

    *ret_port = 0;
    if (entry.at[0] != '[' && (!colon || bare6)) {
        *ret_host = entry;
        return true;
    }
    if (entry.at[0] == '[' && entry.at[entry.len - 1] == ']') {
        *ret_host = (struct str){entry.at + 1, entry.len - 2};
        return address_of_text(*ret_host, &address);
    }
    return host_port_parse(entry, ret_host, ret_port, NULL) == RC_OK && ret_host->len && *ret_port;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static bool is_name(struct str host)
{
    for (size_t i = 0; i < host.len; i++)
        if (!is_name_char(host.at[i]))
            return false;
    return host.len > 0 && host.len <= HOST_MAX;
}

static void rest_hooks_check(const void *settings, const struct conf_section *section,
                             struct conf_problems *problems)
{
    const struct rest_hooks *s = settings;

    for (size_t i = 0; i < s->allow.n; i++) {
        struct str entry = s->allow.items[i], host;
        uint16_t port;

        if (str_is(entry, "*") ||
            (entry_parse(entry, &host, &port) && (is_name(host) || is_fixed(host))))
            continue;
        conf_problem(problems, section, conf_find(section, "allow"),
                     "as in hooks.zapier.com, hooks.example.com:8443", "\"%.*s\" is no host",
                     STR_ARG(str_cut(entry, 60)));
    }
}

/* Exactly this host, at its port. */
static bool is_listed(const struct rest_hooks *s, const struct url *u)
{
    for (size_t i = 0; i < s->allow.n; i++) {
        struct str host;
        uint16_t port;

        if (!entry_parse(s->allow.items[i], &host, &port) || !str_ieq(host, u->host))
            continue;
        if (port ? port == u->port : u->port == HTTPS_PORT || is_fixed(u->host))
            return true;
    }
    return false;
}

static bool is_open(const struct rest_hooks *s)
{
    for (size_t i = 0; i < s->allow.n; i++)
        if (str_is(s->allow.items[i], "*"))
            return true;
    return false;
}

static bool ends_in_a_number(struct str host)
{
    struct str rest = host, label = STR("");

    while (str_split(&rest, '.', &label))
        ;
    return label.len && label.at[0] >= '0' && label.at[0] <= '9';
}

/* A name of the public tree: no address in any of the forms that resolvers take for one, nothing
 * that only this network knows. */
static bool is_public_name(struct str host)
{
    static const char *const inside[] = {".localhost", ".local", ".internal", ".home.arpa",
                                         ".localdomain"};

    if (!is_name(host) || !str_chr(host, '.') || str_ends(host, STR(".")) || ends_in_a_number(host))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(inside); i++)
        if (str_ends(host, str_of(inside[i])))
            return false;
    return true;
}

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] >= 0x80 || text.at[i] == '\\')
            return false;
    return true;
}

static enum rc admit(const struct rest_hooks *s, const struct url *u, struct why *why)
{
    bool listed = is_listed(s, u);

    if (str_is(u->scheme, "http") && !(listed && host_is_loopback(u->host)))
        return why_fail(RC_INVALID, why, "the address must begin with https://");
    if (listed)
        return RC_OK;
    if (!is_open(s))
        return why_fail(RC_INVALID, why,
                        "this host may not be subscribed; see `allow` of the connector");
    if (u->port != HTTPS_PORT)
        return why_fail(RC_INVALID, why, "the address must be at port 443");
    if (!is_public_name(u->host))
        return why_fail(RC_INVALID, why, "the address must be that of a host on the Internet");
    return RC_OK;
}

static struct str canonical(const struct url *u, struct arena *a)
{
    bool six = str_chr(u->host, ':');
    uint16_t usual = str_is(u->scheme, "http") ? 80 : HTTPS_PORT;
    struct str port = u->port == usual ? STR("") : arena_printf(a, ":%u", u->port);

    return arena_printf(a, "%.*s://%s%.*s%s%.*s%.*s", STR_ARG(u->scheme), six ? "[" : "",
                        STR_ARG(u->host), six ? "]" : "", STR_ARG(port), STR_ARG(u->target));
}

enum rc rest_hooks_target(const void *settings, struct str text, struct arena *a, struct str *ret,
                          struct why *why)
{
    struct url u;

    if (text.len > TARGET_MAX)
        return why_fail(RC_INVALID, why, "the address is longer than %d bytes", TARGET_MAX);
    if (!is_plain(text))
        return why_fail(RC_INVALID, why, "the address holds a character that none may hold");
    enum rc rc = url_parse(text, &u, why);
    if (rc)
        return rc;
    u.host = text_lower(u.host, a);
    rc = admit(settings, &u, why);
    if (rc == RC_OK)
        *ret = canonical(&u, a);
    return rc;
}

int64_t rest_hooks_max(const void *settings)
{
    return ((const struct rest_hooks *)settings)->max;
}

bool rest_hooks_is_trial(struct str target)
{
    return str_is(target, "https://hooks.zapier.com/fake-subscription-url");
}

void rest_hooks_payload(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    lead_payload(b, p, a);
}

static enum rc rest_hooks_build(struct job *job, struct http_request *ret, struct why *why)
{
    const struct rest_hooks *s = job->settings;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    struct str target = STR_NULL;
    struct url u;
    enum rc rc = hook_begin(job, s->on_ambiguous, why);

    if (rc)
        return rc;
    if (!job->parcels[0].target.len)
        return why_fail(RC_INVALID, why, "the subscription is not there any more");
    rc = rest_hooks_target(s, job->parcels[0].target, job->arena, &target, why);
    if (rc == RC_OK)
        rc = url_parse(target, &u, why);
    if (rc)
        return rc;
    *ret = (struct http_request){
        .method = "POST", .url = target, .guarded = !is_fixed(u.host), .secret_url = true};
    lead_payload(&b, &job->parcels[0], job->arena);
    return request_body(ret, &b, "application/json; charset=utf-8", job->arena, why);
}

#define ENDED "; the subscription has ended"

static const struct hook_status rest_hooks_statuses[] = {
    {404, HOOK_MISSING, ENDED},
    {410, HOOK_GONE, ENDED},
    {413, HOOK_DEAD, "; the message is too large for it"},
    {429, HOOK_THROTTLE, ""},
    {502, HOOK_THROTTLE, ""},
    {504, HOOK_THROTTLE, ""},
};

/* One of many who is throttled lets none of the others wait. */
static enum judged rest_hooks_judge(struct job *job, const struct http_response *r)
{
    return hook_judge(job, r, rest_hooks_statuses, ARRAY_LEN(rest_hooks_statuses),
                      HOOK_REST_NOBODY);
}

static enum rc rest_hooks_probe_next(struct probe *p, struct http_request *ret, struct why *why)
{
    (void)ret;
    (void)why;
    probe_find(p, FINDING_NOT_ASKED, STR("subscriptions"),
               STR("whoever subscribes brings an address along, and hears of the next "
                   "lead"));
    return RC_NONE;
}

const struct connector_type rest_hooks_connector = {
    .name = "rest_hooks",
    .spec = &rest_hooks_spec,
    .max_batch = 1,
    .explains = true,
    .routable = true,
    .subscribed = true,
    .check = rest_hooks_check,
    .build = rest_hooks_build,
    .judge = rest_hooks_judge,
    .probe_next = rest_hooks_probe_next, /* asks nothing */
};
