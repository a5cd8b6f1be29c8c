/* ingest/proof_check.c - which settings of a proof go together. */
#include "funneld/base/standard_webhooks.h"

#include "proof_priv.h"

static void refuse_key(const struct conf_section *section, const char *key, const char *hint,
                       const char *problem, struct conf_problems *problems)
{
    const struct conf_entry *e = conf_find(section, key);

    if (e)
        conf_problem(problems, section, e, hint, "\"%s\" %s", key, problem);
}

static void check_name(struct str name, const char *key, const struct conf_section *section,
                       struct conf_problems *problems)
{
    if (name.at && !str_is_token(name))
        refuse_key(section, key, "as in X-Signature", "is not the name of a header", problems);
}

static void check_standard_key(struct str secret, const char *key,
                               const struct conf_section *section, struct conf_problems *problems)
{
    struct str bytes;
    struct why why = {0};

    /* A missing one has its problem, a previous one need not be there. */
    if (secret.len && standard_key(secret, problems->arena, &bytes, &why))
        refuse_key(
            section, key, "copy all of it: whsec_ and base64 of at least 24 bytes",
            arena_printf(problems->arena, "is not a secret of Standard Webhooks: %s", why.text).at,
            problems);
}

static void check_standard(const struct proof *p, const struct conf_section *section,
                           struct conf_problems *problems)
{
    static const char *const keys[] = {"signature_header", "signature_prefix", "timestamp_header"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        refuse_key(section, keys[i], "leave it out", "is fixed where signature = standard",
                   problems);
    check_standard_key(p->secret, "secret", section, problems);
    check_standard_key(p->secret_previous, "secret_previous", section, problems);
}

void proof_check(const struct proof *p, const struct conf_section *section,
                 struct conf_problems *problems)
{
    check_name(p->header, "signature_header", section, problems);
    check_name(p->timestamp_header, "timestamp_header", section, problems);
    if (p->kind == PROOF_STANDARD)
        check_standard(p, section, problems);
    else if (p->kind == PROOF_SECRET)
        refuse_key(section, "timestamp_header", "choose signature = hmac-sha256, or leave it out",
                   "means nothing where nothing is signed", problems);
    else if (!conf_find(section, "signature_header"))
        conf_problem(problems, section, conf_find(section, "signature"),
                     "as in signature_header = X-Signature",
                     "\"signature_header\" is missing: where does the sender put its hmac?");
}
