/* connectors/email_probe.c - is the mail server there, does it encrypt, does it take the login?
 *
 * Connection, EHLO, STARTTLS, AUTH and a NOOP; no mail is begun, so whether sender and recipients
 * are taken shows the first one.
 */
#include "email_priv.h"

#include <string.h>

#include "funneld/base/url.h"

enum rc email_probe_next(struct probe *p, struct http_request *ret, struct why *why)
{
    const struct email *s = p->job.settings;

    (void)why;
    if (p->stage++)
        return RC_NONE;
    email_address_to(s, s->to.items[0], p->arena, ret);
    ret->only_connects = ret->repeatable = true;
    return RC_OK;
}

static struct str encryption(const struct email *s)
{
    struct url url;

    if (s->starttls == EMAIL_TLS_OFF)
        return STR_NULL;
    return mail_url_parse(s->common.url, &url, NULL) == RC_OK && str_is(url.scheme, "smtps")
               ? STR("TLS")
               : STR("STARTTLS");
}

/* What came before the command worked. */
static void find_steps(struct probe *p, bool encrypted, bool logged_in)
{
    const struct email *s = p->job.settings;
    struct str tls = encryption(s);

    probe_find(p, FINDING_WORKS, STR("connection"), STR_NULL);
    if (tls.len && encrypted)
        probe_find(p, FINDING_WORKS, tls, STR_NULL);
    if (s->user.len && logged_in)
        probe_find(p, FINDING_WORKS, STR("login"),
                   arena_printf(p->arena, "as %.*s", STR_ARG(s->user)));
}

static void find_failure(struct probe *p, const struct http_response *r)
{
    static const struct {
        const char *command, *what;
        bool encrypted, logged_in;
    } steps[] = {
        {"STARTTLS", "STARTTLS", false, false},
        {"AUTH", "login", true, false},
        {"NOOP", "session", true, true}, /* without a login it would be of AUTH (base/http.h) */
    };
    struct str said = email_reason(r, p->arena);

    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (strcmp(r->command, steps[i].command) == 0) {
            find_steps(p, steps[i].encrypted, steps[i].logged_in);
            probe_find(p, FINDING_FAILS, str_of(steps[i].what), said);
            return;
        }
    probe_find(p, FINDING_FAILS, STR("connection"), said);
}

void email_probe_take(struct probe *p, const struct http_response *r)
{
    if (strcmp(r->command, "NOOP") != 0 || r->status / 100 != 2) {
        find_failure(p, r);
        return;
    }
    find_steps(p, true, true);
    probe_find(p, FINDING_NOT_ASKED, STR("sender and recipients"),
               STR("no mail is sent: the first one shows whether they are taken"));
}
