/* connectors/probe.c - what all probes have in common: no answer, an answer that puts us off, and
 * those that can only be connected to.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "connectors_priv.h"
#include "funneld/base/clock.h"

enum { QUESTIONS_MAX = 500 }; /* more properties than anybody reads */

static const char *const state_names[] = {
    [FINDING_WORKS] = "works",         [FINDING_CREATED] = "created",
    [FINDING_FAILS] = "fails",         [FINDING_NOT_ASKED] = "not asked",
    [FINDING_NOT_KNOWN] = "not known", [FINDING_NOT_USED] = "not used",
};

const char *finding_state_name(enum finding_state s)
{
    return state_names[s];
}

void probe_begin(struct probe *p)
{
    const struct connector_type *type = p->connector->type;

    p->parcel = (struct parcel){.lead = &p->lead, .lead_public_id = STR(""), .public_id = STR("")};
    p->job = (struct job){.settings = p->connector->settings,
                          .session = type->session_size ? mem_alloc(type->session_size) : NULL,
                          .parcels = &p->parcel,
                          .outcomes = &p->outcome,
                          .n = 1,
                          .arena = p->arena};
}

void probe_end(struct probe *p)
{
    if (p->job.session && p->connector->type->session_free)
        p->connector->type->session_free(p->job.session);
    free(p->job.session);
    p->job.session = NULL;
}

void probe_find(struct probe *p, enum finding_state state, struct str what, struct str detail)
{
    p->findings = arena_more(p->arena, p->findings, p->n, &p->cap, sizeof *p->findings);
    p->findings[p->n++] = (struct finding){what, state, detail};
}

static void find_too_many(struct probe *p)
{
    probe_find(p, FINDING_NOT_ASKED, p->about,
               arena_printf(p->arena,
                            "%d questions were asked, and more never are: neither about this nor "
                            "about what comes behind it",
                            QUESTIONS_MAX));
}

enum rc probe_next(struct probe *p, struct http_request *ret, struct why *why)
{
    enum rc rc = RC_NONE;

    p->job.now_ms = p->now_ms;
    p->optional = false;
    if (!p->over)
        rc = p->connector->type->probe_next(p, ret, why);
    if (rc == RC_OK && p->questions++ == QUESTIONS_MAX) {
        find_too_many(p);
        rc = RC_NONE;
    }
    p->over = rc != RC_OK;
    if (rc != RC_OK && rc != RC_NONE)
        probe_find(p, FINDING_FAILS, p->about, arena_str(p->arena, str_of(why->text)));
    return rc;
}

static const char *const advices[] = {
    [TROUBLE_OTHER] = "",
    [TROUBLE_NAME] = "; check the host in the connector's address, and this machine's name server",
    [TROUBLE_CONNECT] = "; check host and port of the connector's address, and whether a firewall "
                        "lets this machine out",
    [TROUBLE_TIME] = "; check the connector's address, and whether a firewall lets this machine "
                     "out; or give it more time with `timeout`",
    [TROUBLE_TLS] = "; check whether TLS is spoken at the connector's address and port",
    [TROUBLE_CERTIFICATE] = "; check the host in the connector's address; a certificate of your "
                            "own needs its root in `ca_file`",
    [TROUBLE_ROOTS] = "; check the connector's `ca_file`",
};

static void take_silence(struct probe *p, const struct http_response *r)
{
    probe_find(p, FINDING_FAILS, STR("connection"),
               arena_printf(p->arena, "%.*s%s", STR_ARG(r->error), advices[r->trouble]));
}

struct str probe_when(int64_t wait_ms, struct arena *a)
{
    if (wait_ms <= 0)
        return STR("try again in a minute");
    return arena_printf(a, "try again in %" PRId64 " s", (wait_ms + 999) / SECONDS_MS);
}

/* What any web service may say, whatever was asked. */
static bool take_trouble(struct probe *p, const struct http_response *r)
{
    struct str said = http_reason(r, p->arena);

    if (r->command || !r->status) /* of a mail, of a connection */
        return false;
    if (r->status == 429 || r->status == 529)
        probe_find(p, FINDING_FAILS, p->about,
                   arena_printf(p->arena, "it was asked too much just now; %.*s (%.*s)",
                                STR_ARG(probe_when(r->retry_after_ms, p->arena)), STR_ARG(said)));
    else if (status_is_temporary(r->status))
        probe_find(p, FINDING_FAILS, p->about,
                   arena_printf(p->arena, "the service itself has trouble; %.*s (%.*s)",
                                STR_ARG(probe_when(r->retry_after_ms, p->arena)), STR_ARG(said)));
    else if (r->status >= 300 && r->status < 400)
        probe_find(p, FINDING_FAILS, p->about, redirect_reason(r, p->arena));
    else
        return false;
    return true;
}

void probe_take(struct probe *p, const struct http_response *r)
{
    p->job.now_ms = p->now_ms;
    if (!p->optional && r->fate != HTTP_ANSWERED)
        take_silence(p, r);
    else if (p->optional || !take_trouble(p, r)) {
        p->connector->type->probe_take(p, r);
        return;
    }
    p->over = true;
}

bool probe_refused(struct probe *p)
{
    const struct outcome *o = &p->outcome;

    if (o->verdict == VERDICT_NONE || o->verdict == VERDICT_DELIVERED || o->verdict == VERDICT_MORE)
        return false;
    bool passes = !p->job.broken && o->verdict != VERDICT_DEAD;
    probe_find(p, FINDING_FAILS, p->about,
               passes ? arena_printf(p->arena, "%.*s; %.*s", STR_ARG(o->reason),
                                     STR_ARG(probe_when(p->job.pause_ms, p->arena)))
                      : o->reason);
    return p->over = true;
}

void probe_connect(struct probe *p, struct str url, struct http_request *ret)
{
    p->about = STR("connection");
    *ret = (struct http_request){
        .method = "GET", .url = url, .only_connects = true, .repeatable = true, .secret_url = true};
}

void probe_odd(struct probe *p, const struct http_response *r)
{
    probe_find(p, FINDING_FAILS, p->about,
               arena_printf(p->arena,
                            "what answers is not the service: check the connector's `url` (%.*s)",
                            STR_ARG(http_reason(r, p->arena))));
    p->over = true;
}

enum rc probe_hook_next(struct probe *p, struct str url, struct http_request *ret)
{
    if (p->stage++)
        return RC_NONE;
    probe_connect(p, url, ret);
    return RC_OK;
}

void probe_hook_take(struct probe *p, const char *what)
{
    probe_find(p, FINDING_WORKS, STR("connection"), STR_NULL);
    probe_find(p, FINDING_NOT_ASKED, str_of(what),
               STR("whatever is posted there is taken for a message; the first one "
                   "shows whether it is taken"));
}
