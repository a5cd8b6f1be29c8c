/* connectors/email.c - a mail to each address in `to`, through any SMTP server. */
#include "email_priv.h"

#include "funneld/base/url.h"

static const char *const tls_choices[] = {"required", "off", NULL};
static const char *const doubts[] = {"resend", "drop", NULL};

static const struct option email_options[] = {
    {.key = "url",
     .type = OPTION_MAIL_URL,
     .offset = offsetof(struct email, common.url),
     .flags = OPTION_REQUIRED,
     .example = "smtp://mail.example.com:587",
     .help = "the mail server: smtp:// with STARTTLS, or smtps:// (port 465)"},
    {.key = "user",
     .type = OPTION_TEXT,
     .offset = offsetof(struct email, user),
     .example = "leads@example.com",
     .help = "to log in with; left out with a relay that needs none"},
    {.key = "password",
     .type = OPTION_SECRET,
     .offset = offsetof(struct email, password),
     .example = "${SMTP_PASSWORD}",
     .help = "with Google or Microsoft an app password"},
    {.key = "from",
     .type = OPTION_TEXT,
     .offset = offsetof(struct email, from),
     .flags = OPTION_REQUIRED,
     .example = "Leads <leads@example.com>",
     .help = "the sender, one the server lets you use"},
    {.key = "to",
     .type = OPTION_LIST,
     .offset = offsetof(struct email, to),
     .min = 1,
     .max = EMAIL_TO_MAX,
     .flags = OPTION_REQUIRED,
     .example = "sales@example.com, ada@example.com",
     .help = "each gets a mail of its own"},
    {.key = "starttls",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct email, starttls),
     .fallback = "required",
     .choices = tls_choices,
     .help = "off: in clear text, to this machine only"},
    {.key = "on_ambiguous",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct email, on_ambiguous),
     .fallback = "resend",
     .choices = doubts,
     .help = "a mail that may have arrived; it keeps its Message-ID"},
    CONNECTOR_PACE(struct email, "60s", "1", "2/s", "0", "5d", "15m", "4h"),
};

static const struct section_spec email_spec = {
    .kind = "connector",
    .type = "email",
    .named = true,
    .options = email_options,
    .n_options = ARRAY_LEN(email_options),
    .size = sizeof(struct email),
    .help = "an e-mail; gives up after 5 days, as mail servers do",
};

static void check_from(const struct email *s, const struct conf_section *section,
                       struct conf_problems *problems)
{
    struct str name, address;
    struct why why = {0};

    if (s->from.len && email_mailbox_parse(s->from, &name, &address, &why))
        conf_problem(problems, section, conf_find(section, "from"),
                     "as in leads@example.com or Leads <leads@example.com>", "the sender %s",
                     why.text);
}

static bool stands_before(const struct email *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_ieq(s->to.items[k], s->to.items[i]))
            return true;
    return false;
}

static void check_to(const struct email *s, const struct conf_section *section,
                     struct conf_problems *problems)
{
    const struct conf_entry *e = conf_find(section, "to");

    for (size_t i = 0; i < s->to.n; i++) {
        struct str shown = str_cut(s->to.items[i], 80);
        struct why why = {0};

        if (email_address_check(s->to.items[i], &why))
            conf_problem(problems, section, e, "addresses alone, with commas between them",
                         "the recipient \"%.*s\" %s", STR_ARG(shown), why.text);
        else if (stands_before(s, i))
            conf_problem(problems, section, e, "leave one of them out",
                         "the recipient %.*s stands there twice", STR_ARG(shown));
    }
}

static void check_tls(const struct email *s, const struct conf_section *section,
                      const struct url *url, struct conf_problems *problems)
{
    const struct conf_entry *tls = conf_find(section, "starttls"), *at = conf_find(section, "url");
    bool implicit = str_is(url->scheme, "smtps");

    if (tls && implicit)
        conf_problem(problems, section, tls, "leave starttls out",
                     "smtps:// is encrypted from its first byte and has no STARTTLS");
    else if (s->starttls == EMAIL_TLS_OFF && !host_is_loopback(url->host))
        conf_problem(problems, section, tls, "starttls = required",
                     "mail, user and password would go to another machine in clear text");
    if (url->port == 465 && !implicit)
        conf_problem(problems, section, at, "url = smtps://HOST:465",
                     "port 465 is encrypted from its first byte");
    if (url->port == 587 && implicit)
        conf_problem(problems, section, at, "url = smtp://HOST:587",
                     "port 587 begins in clear text and changes to TLS by STARTTLS");
}

static void check_login(const struct email *s, const struct conf_section *section,
                        struct conf_problems *problems)
{
    if (s->user.len && !s->password.len)
        conf_problem(problems, section, conf_find(section, "user"), "password = ${SMTP_PASSWORD}",
                     "a user needs a password");
    if (s->password.len && !s->user.len)
        conf_problem(problems, section, conf_find(section, "password"),
                     "user = leads@example.com, or leave both out", "a password needs a user");
}

static void email_check(const void *settings, const struct conf_section *section,
                        struct conf_problems *problems)
{
    const struct email *s = settings;
    struct url url;

    check_from(s, section, problems);
    check_to(s, section, problems);
    check_login(s, section, problems);
    if (s->common.url.len && mail_url_parse(s->common.url, &url, NULL) == RC_OK)
        check_tls(s, section, &url, problems);
}

size_t email_next(const struct job *job, size_t at)
{
    const struct email *s = job->settings;
    struct str told = job->outcomes[0].remote_id;

    while (at < s->to.n && email_is_told(told, s->to.items[at], job->arena))
        at++;
    return at;
}

static enum rc begin(struct job *job, struct why *why)
{
    const struct email *s = job->settings;
    struct email_round *round = ARENA_NEW(job->arena, struct email_round);

    job->scratch = round;
    job->outcomes[0].remote_id = job->parcels[0].d.remote_id;
    round->at = email_next(job, 0);
    if (round->at == s->to.n)
        return why_fail(RC_INVALID, why, "all that stand in `to` have it already");
    if (job->look && s->on_ambiguous == EMAIL_DOUBT_DROP)
        return why_fail(RC_INVALID, why,
                        "the mail may have arrived; on_ambiguous = drop does not repeat it");
    return RC_OK;
}

void email_address_to(const struct email *s, struct str to, struct arena *a,
                      struct http_request *ret)
{
    struct envelope *envelope = ARENA_NEW(a, struct envelope);
    struct str from = email_from_address(s);

    *envelope = (struct envelope){.from = from,
                                  .to = to,
                                  .user = s->user,
                                  .password = s->password,
                                  .clear_text = s->starttls == EMAIL_TLS_OFF};
    *ret = (struct http_request){.method = "MAIL", .envelope = envelope};
    ret->url = arena_printf(a, "%.*s/%.*s", STR_ARG(s->common.url), STR_ARG(email_domain(from)));
}

static enum rc email_build(struct job *job, struct http_request *ret, struct why *why)
{
    const struct email *s = job->settings;
    enum rc rc = job->scratch ? RC_OK : begin(job, why);

    if (rc)
        return rc;
    const struct email_round *round = job->scratch;
    struct str to = s->to.items[round->at];
    email_address_to(s, to, job->arena, ret);
    return email_message(s, &job->parcels[0], to, job->arena, &ret->body, why);
}

const struct connector_type email_connector = {
    .name = "email",
    .spec = &email_spec,
    .max_batch = 1,
    .explains = true,
    .routable = true,
    .check = email_check,
    .build = email_build,
    .judge = email_judge,
    .probe_next = email_probe_next,
    .probe_take = email_probe_take,
};
