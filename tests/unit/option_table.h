/* tests/unit/option_table.h - an option table with one of everything, and a section bound to it. */
#ifndef FUNNELD_TESTS_OPTION_TABLE_H
#define FUNNELD_TESTS_OPTION_TABLE_H

#include "conf_text.h"

#include <stdio.h>
#include <string.h>

#define FIELD(name_) .offset = offsetof(struct everything, name_)

struct everything {
    struct str text, secret, url, address;
    int64_t count, points, wait, size, level;
    double rate;
    bool on;
    struct str_list list;
    struct str_pairs map;
};

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

static const struct option everything_options[] = {
    {.key = "text", .type = OPTION_TEXT, FIELD(text), .example = "some text", .help = "a text"},
    {.key = "secret",
     .type = OPTION_SECRET,
     FIELD(secret),
     .flags = OPTION_REQUIRED,
     .example = "${FUNNELD_TEST_SECRET}",
     .help = "not told"},
    {.key = "url", .type = OPTION_URL, FIELD(url), .fallback = "https://api.example.com"},
    {.key = "address",
     .type = OPTION_ADDRESS,
     FIELD(address),
     .fallback = "[::]:8443",
     .flags = OPTION_RESTART,
     .help = "where to listen"},
    {.key = "count", .type = OPTION_INT, FIELD(count), .fallback = "4", .min = 1, .max = 64},
    {.key = "points", .type = OPTION_DECIMAL, FIELD(points), .min = -1000, .max = 1000},
    {.key = "wait",
     .type = OPTION_DURATION,
     FIELD(wait),
     .fallback = "30s",
     .min = 100,
     .max = 600000},
    {.key = "size", .type = OPTION_SIZE, FIELD(size), .fallback = "1MiB", .flags = OPTION_RESTART},
    {.key = "rate", .type = OPTION_RATE, FIELD(rate), .fallback = "2.5/s", .max = 100},
    {.key = "level",
     .type = OPTION_CHOICE,
     FIELD(level),
     .fallback = "info",
     .choices = levels,
     .help = "how much to tell"},
    {.key = "on", .type = OPTION_BOOL, FIELD(on), .fallback = "yes", .flags = OPTION_RESTART},
    {.key = "list",
     .type = OPTION_LIST,
     FIELD(list),
     .fallback = "email, phone",
     .flags = OPTION_RESTART,
     .max = 3},
    {.key = "property.",
     .type = OPTION_MAP,
     FIELD(map),
     .example = "My name",
     .flags = OPTION_RESTART},
};

#define SPEC(kind_, type_, named_, options_)                                                       \
    {                                                                                              \
        .kind = kind_, .type = type_, .named = named_, .options = options_,                        \
        .n_options = ARRAY_LEN(options_), .size = sizeof(struct everything), .help = "For tests."  \
    }

static const struct section_spec slack = SPEC("connector", "slack", true, everything_options);

static struct everything bound;

static inline struct conf_section *first(void)
{
    return &conf.sections[0];
}

static inline void bind(const char *text)
{
    assert_int_equal(read_conf(text), RC_OK);
    bound = (struct everything){0};
    conf_bind(first(), &slack, &bound, &arena, &problems);
}

/* The one line in a section that is complete without it. */
static inline void bind_line(const char *line)
{
    char text[512];

    assert_true(snprintf(text, sizeof text, "[connector x]\ntype = slack\n%s%s\n",
                         strncmp(line, "secret", 6) == 0 ? "" : "secret = s\n", line) > 0);
    bind(text);
}

static inline void is_good(const char *line)
{
    bind_line(line);
    if (problems.n)
        fail_msg("%s: %.*s", line, STR_ARG(problems.first->message));
}

static inline void is_bad(const char *line, const char *message, const char *hint)
{
    bind_line(line);
    if (problems.n != 1 || !holds(problems.first->message, message))
        fail_msg("%s: %zu problems: %.*s", line, problems.n,
                 STR_ARG(problems.n ? problems.first->message : STR_NULL));
    if (hint && !holds(problems.first->hint, hint))
        fail_msg("%s: hint: %.*s", line, STR_ARG(problems.first->hint));
    if (!hint && problems.first->hint.at)
        fail_msg("%s: unwanted hint: %.*s", line, STR_ARG(problems.first->hint));
    assert_true(problems.first->line > 1);
    assert_true(str_is(problems.first->section, "connector x"));
}

#endif
