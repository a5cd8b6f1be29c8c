/* tests/unit/conf_text.h - a configuration from a text, and one look at what came of it. */
#ifndef FUNNELD_TESTS_CONF_TEXT_H
#define FUNNELD_TESTS_CONF_TEXT_H

#include "cm.h"

#include "funneld/config/conf.h"

static struct arena arena;
static struct conf conf;
static struct conf_problems problems;

static inline enum rc read_conf(const char *text)
{
    arena_reset(&arena);
    conf_problems_init(&problems, &arena);
    return conf_read_text(STR("t.conf"), str_of(text), &arena, &conf, &problems);
}

static inline int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static inline void good(const char *text)
{
    if (read_conf(text))
        fail_msg("line %d: %.*s", problems.first->line, STR_ARG(problems.first->message));
}

static inline const char *text_of(struct str s)
{
    return arena_text(&arena, s);
}

static inline const struct conf_entry *entry(const char *key)
{
    for (size_t i = 0; i < conf.n_sections; i++) {
        const struct conf_entry *e = conf_find(&conf.sections[i], key);

        if (e)
            return e;
    }
    fail_msg("there is no key %s", key);
    return NULL;
}

static inline const char *value(const char *key)
{
    return text_of(entry(key)->value);
}

static inline bool holds(struct str s, const char *part)
{
    return str_find(s, str_of(part)) != NULL;
}

/* Exactly one problem, in this line, with this in its message. */
static inline void bad(const char *text, int line, const char *message)
{
    assert_int_equal(read_conf(text), RC_INVALID);
    if (problems.n != 1 || problems.first->line != line || !holds(problems.first->message, message))
        fail_msg("%zu problems, line %d: %.*s (wanted: %s)", problems.n, problems.first->line,
                 STR_ARG(problems.first->message), message);
    assert_true(str_is(problems.first->file, "t.conf"));
}

#endif
