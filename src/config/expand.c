/* config/expand.c - from a value as written to what is meant: quotes, environment, files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_priv.h"

static enum rc read_all(int fd, const char *path, struct sbuf *b, struct why *why)
{
    char piece[16 * 1024];
    ssize_t n;

    do {
        n = read(fd, piece, sizeof piece);
        if (n > 0)
            sbuf_add(b, (struct str){piece, (size_t)n});
    } while ((n > 0 && !b->failed) || (n < 0 && errno == EINTR));
    if (n < 0)
        return why_fail(RC_IO, why, "cannot read %s: %s", path, strerror(errno));
    if (b->failed)
        return why_fail(RC_TOOBIG, why, "%s is larger than %d bytes", path, CONF_FILE_MAX);
    return RC_OK;
}

enum rc conf_slurp(const char *path, struct arena *a, struct str *ret, struct why *why)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(CONF_FILE_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return why_fail(RC_IO, why, "cannot open %s: %s", path, strerror(errno));
    enum rc rc = read_all(fd, path, &b, why);
    (void)close(fd); /* nothing was written */
    if (rc)
        return rc;
    return sbuf_seal(&b, a, ret);
}

/* Off only where nothing else can be meant: `"a" == "b"` keeps its quotes. */
static struct str unquote(struct str s)
{
    if (s.len < 2 || s.at[0] != '"' || s.at[s.len - 1] != '"')
        return s;
    struct str inside = {s.at + 1, s.len - 2};
    return str_chr(inside, '"') ? s : inside;
}

static bool is_env_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';

        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return s.len > 0;
}

/* *s begins behind "${" and ends up behind "}". */
static enum rc add_env(struct sbuf *b, struct str *s, const char **hint, struct why *why)
{
    const char *end = str_chr(*s, '}');
    struct str name = {s->at, end ? (size_t)(end - s->at) : 0};

    if (!is_env_name(name)) {
        *hint = "write ${NAME} with letters, digits and _; or $${ for the two characters ${";
        return why_fail(RC_INVALID, why, "${ is not followed by a name and }");
    }
    char *key = mem_text(name);
    const char *value = getenv(key);
    free(key);
    if (!value) {
        *hint = "export it before funneld starts, or in the unit's EnvironmentFile=";
        return why_fail(RC_INVALID, why, "the environment variable %.*s is not set", STR_ARG(name));
    }
    if (!str_is_utf8(str_of(value)))
        return why_fail(RC_INVALID, why, "the environment variable %.*s is not UTF-8",
                        STR_ARG(name));
    sbuf_text(b, value);
    *s = str_from(*s, name.len + 1);
    return RC_OK;
}

static enum rc replace_env(struct str s, struct sbuf *b, const char **hint, struct why *why)
{
    while (s.len) {
        const char *dollar = str_chr(s, '$');
        size_t plain = dollar ? (size_t)(dollar - s.at) : s.len;

        sbuf_add(b, (struct str){s.at, plain});
        s = str_from(s, plain);
        if (str_starts(s, STR("${"))) {
            s = str_from(s, 2);
            enum rc rc = add_env(b, &s, hint, why);
            if (rc)
                return rc;
        } else if (s.len) {
            sbuf_char(b, '$');
            s = str_from(s, str_starts(s, STR("$$")) ? 2 : 1);
        }
    }
    return RC_OK;
}

static enum rc read_value_file(struct str path, struct arena *a, struct str *ret, struct why *why)
{
    const char *name = arena_text(a, path);
    struct str text = STR_NULL;
    enum rc rc = conf_slurp(name, a, &text, why);

    if (rc)
        return rc;
    if (str_chr(text, '\0') || !str_is_utf8(text))
        return why_fail(RC_INVALID, why, "%s is not UTF-8 text", name);
    if (str_ends(text, STR("\n")))
        text.len -= str_ends(text, STR("\r\n")) ? 2 : 1;
    *ret = arena_str(a, text);
    return RC_OK;
}

enum rc conf_expand(struct str raw, struct arena *a, struct str *ret, const char **hint,
                    struct why *why)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(2 * CONF_FILE_MAX);
    struct str value;
    enum rc rc = replace_env(unquote(raw), &b, hint, why);

    if (rc)
        return rc;
    rc = sbuf_seal(&b, a, &value);
    if (rc)
        return why_fail(rc, why, "it is longer than %d bytes", 2 * CONF_FILE_MAX);
    if (str_starts(value, STR("file:/")))
        return read_value_file(str_from(value, strlen("file:")), a, ret, why);
    *ret = value;
    return RC_OK;
}
