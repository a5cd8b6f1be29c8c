/* cli/args.c - options and words of a command line. */
#include "args.h"

#include <string.h>

#include "funneld/base/sbuf.h"
#include "funneld/config/conf.h"

const struct arg_spec arg_specs[ARG_COUNT] = {
#define X(id, name, letter, value, help) [ARG_##id] = {name, letter, value, help},
    ARG_LIST(X)
#undef X
};

/* "did you mean --limit?", or what there is. */
static enum rc unknown(struct str name, uint64_t allowed, struct why *why)
{
    struct sbuf known AUTO(sbuf_free) = SBUF(400);
    const char *names[ARG_COUNT];
    size_t n = 0;

    for (size_t i = 0; i < ARG_COUNT; i++) {
        if (!(allowed & UINT64_C(1) << i))
            continue;
        sbuf_printf(&known, "%s--%s", n ? ", " : "", arg_specs[i].name);
        names[n++] = arg_specs[i].name;
    }
    const char *near = conf_nearest(name, names, n);
    if (near)
        return why_fail(RC_INVALID, why, "unknown option --%.*s; did you mean --%s?",
                        STR_ARG(str_cut(name, 80)), near);
    return why_fail(RC_INVALID, why, "unknown option --%.*s; known are %.*s",
                    STR_ARG(str_cut(name, 80)), STR_ARG(sbuf_str(&known)));
}

/* What stands on the command line for one option. */
struct given {
    size_t arg;
    struct str name;   /* as typed, without dashes */
    const char *value; /* of the same word: --limit=50, -cFILE; NULL: none */
};

static bool find(struct given *g, uint64_t allowed, char letter)
{
    for (size_t i = 0; i < ARG_COUNT; i++) {
        if (!(allowed & UINT64_C(1) << i))
            continue;
        if (letter ? arg_specs[i].letter == letter : str_is(g->name, arg_specs[i].name)) {
            g->arg = i;
            return true;
        }
    }
    return false;
}

static bool split(const char *word, uint64_t allowed, struct given *ret)
{
    if (word[1] == '-') {
        const char *equals = strchr(word, '=');

        ret->name = str_of(word + 2);
        if (equals)
            ret->name.len = (size_t)(equals - ret->name.at);
        ret->value = equals ? equals + 1 : NULL;
        return find(ret, allowed, 0);
    }
    ret->name = (struct str){word + 1, 1};
    ret->value = word[2] ? word + 2 : NULL;
    return find(ret, allowed, word[1]);
}

/* Takes the option at argv[*i], and the value behind it. */
static enum rc take(struct args *args, uint64_t allowed, char *const argv[], size_t *i,
                    struct why *why)
{
    const char *word = argv[(*i)++];
    struct given g = {0};

    if (!split(word, allowed, &g))
        return word[1] == '-' ? unknown(g.name, allowed, why)
                              : why_fail(RC_INVALID, why, "unknown option %.80s", word);
    const struct arg_spec *spec = &arg_specs[g.arg];
    if (args->values[g.arg])
        return why_fail(RC_INVALID, why, "--%s is given twice", spec->name);
    if (!spec->value && g.value)
        return why_fail(RC_INVALID, why, "--%s takes no value", spec->name);
    if (spec->value && !g.value)
        g.value = argv[*i] ? argv[(*i)++] : NULL;
    if (spec->value && (!g.value || !*g.value))
        return why_fail(RC_INVALID, why, "--%s needs a value: --%s %s", spec->name, spec->name,
                        spec->value);
    args->values[g.arg] = spec->value ? g.value : "";
    return RC_OK;
}

/* A single - is a word: standard input. */
static bool is_option(const char *word)
{
    return word[0] == '-' && word[1];
}

enum rc args_leading(struct args *args, uint64_t allowed, char *const argv[], size_t *ret_n,
                     struct why *why)
{
    size_t i = 0;
    enum rc rc = RC_OK;

    while (rc == RC_OK && argv[i] && is_option(argv[i]))
        rc = take(args, allowed, argv, &i, why);
    if (rc == RC_OK)
        *ret_n = i;
    return rc;
}

enum rc args_parse(struct args *args, uint64_t allowed, char *const argv[], struct arena *a,
                   struct why *why)
{
    size_t n = 0, i = 0;
    bool words_only = false;
    enum rc rc = RC_OK;

    while (argv[n])
        n++;
    args->words = arena_array(a, n + 1, sizeof *args->words);
    args->n_words = 0;
    while (rc == RC_OK && argv[i]) {
        if (!words_only && strcmp(argv[i], "--") == 0) {
            words_only = true;
            i++;
        } else if (!words_only && is_option(argv[i])) {
            rc = take(args, allowed, argv, &i, why);
        } else {
            args->words[args->n_words++] = argv[i++];
        }
    }
    return rc;
}
