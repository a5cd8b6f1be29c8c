/* connectors/email_address.c - the few forms of address that every mail server takes. */
#include "email_priv.h"

#include <string.h>

enum { LOCAL_MAX = 64, DOMAIN_MAX = 253, LABEL_MAX = 63 };

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_atom_char(char c)
{
    return is_alnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static enum rc check_local(struct str local, struct why *why)
{
    struct str rest = local, atom;

    if (!local.len)
        return why_fail(RC_INVALID, why, "has nothing in front of the @");
    if (local.len > LOCAL_MAX)
        return why_fail(RC_INVALID, why, "has more than %d characters in front of the @",
                        LOCAL_MAX);
    if (local.at[local.len - 1] == '.')
        return why_fail(RC_INVALID, why, "has a dot in front of the @");
    while (str_split(&rest, '.', &atom)) {
        if (!atom.len)
            return why_fail(RC_INVALID, why, "begins with a dot or has two in a row");
        for (size_t i = 0; i < atom.len; i++)
            if (!is_atom_char(atom.at[i]))
                return why_fail(RC_INVALID, why,
                                "has a character in front of the @ that not every server takes");
    }
    return RC_OK;
}

static bool is_label(struct str label)
{
    if (!label.len || label.len > LABEL_MAX || label.at[0] == '-' || label.at[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!is_alnum(label.at[i]) && label.at[i] != '-')
            return false;
    return true;
}

static enum rc check_domain(struct str domain, struct why *why)
{
    struct str rest = domain, label;
    size_t labels = 0;

    for (size_t i = 0; i < domain.len; i++)
        if ((unsigned char)domain.at[i] >= 0x80)
            return why_fail(RC_INVALID, why,
                            "has a domain outside ASCII: write it in its xn-- form");
    if (domain.len > DOMAIN_MAX || !domain.len || domain.at[domain.len - 1] == '.')
        return why_fail(RC_INVALID, why, "has no proper domain behind the @");
    while (str_split(&rest, '.', &label)) {
        if (!is_label(label))
            return why_fail(RC_INVALID, why, "has no proper domain behind the @");
        labels++;
    }
    if (labels < 2)
        return why_fail(RC_INVALID, why, "has a domain without a dot");
    return RC_OK;
}

enum rc email_address_check(struct str address, struct why *why)
{
    const char *at = str_chr(address, '@');

    if (!at)
        return why_fail(RC_INVALID, why, "has no @");
    size_t before = (size_t)(at - address.at);
    enum rc rc = check_local((struct str){address.at, before}, why);
    return rc == RC_OK ? check_domain(str_from(address, before + 1), why) : rc;
}

struct str email_domain(struct str address)
{
    const char *at = str_chr(address, '@');

    return at ? str_from(address, (size_t)(at - address.at) + 1) : STR_NULL;
}

static struct str unquoted(struct str name)
{
    bool quoted = name.len >= 2 && name.at[0] == '"' && name.at[name.len - 1] == '"';

    return quoted ? (struct str){name.at + 1, name.len - 2} : name;
}

enum rc email_mailbox_parse(struct str text, struct str *ret_name, struct str *ret_addr,
                            struct why *why)
{
    const char *open = str_chr(text, '<');
    struct str name = STR_NULL, address = text;

    if (open) {
        size_t before = (size_t)(open - text.at);

        if (!str_ends(text, STR(">")))
            return why_fail(RC_INVALID, why, "has no > at its end");
        name = unquoted(str_trim((struct str){text.at, before}));
        address = (struct str){open + 1, text.len - before - 2};
    }
    enum rc rc = email_address_check(address, why);
    if (rc == RC_OK) {
        *ret_name = name;
        *ret_addr = address;
    }
    return rc;
}

struct str email_from_address(const struct email *s)
{
    struct str name, address = STR_NULL;

    rc_ignored(email_mailbox_parse(s->from, &name, &address, NULL)); /* it was checked */
    return address;
}
