/* tests/unit/config_file.h - a configuration from a file of its own, and what is wrong with it. */
#ifndef FUNNELD_TESTS_CONFIG_FILE_H
#define FUNNELD_TESTS_CONFIG_FILE_H

#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "funneld/app/config.h"

#define MAYBE __attribute__((unused))
#define NOW   INT64_C(1769081994066)

static char path[64];
static struct config *config;

static int setup(void **state)
{
    (void)state;
    int n = snprintf(path, sizeof path, "%s/funneld-config-XXXXXX", P_tmpdir);
    if (n < 0 || n >= (int)sizeof path)
        return -1;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    if (config)
        ref_drop(&config->ref);
    config = NULL;
    return unlink(path);
}

static void read_config(const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    if (config)
        ref_drop(&config->ref);
    config = config_load(path, NOW);
}

static void good(const char *text)
{
    read_config(text);
    if (config->problems.n)
        fail_msg("line %d: %.*s", config->problems.first->line,
                 STR_ARG(config->problems.first->message));
}

static MAYBE bool holds(struct str s, const char *part)
{
    return str_find(s, str_of(part)) != NULL;
}

static const struct conf_problem *problem(const char *message)
{
    for (const struct conf_problem *p = config->problems.first; p; p = p->next)
        if (holds(p->message, message))
            return p;
    fail_msg("no problem says: %s", message);
    return NULL;
}

/* Exactly one problem, with this in its message and in its hint. */
static MAYBE void bad(const char *text, int line, const char *message, const char *hint)
{
    read_config(text);
    const struct conf_problem *p = problem(message);

    for (const struct conf_problem *q = config->problems.first; q; q = q->next)
        if (q != p)
            fail_msg("another problem, line %d: %.*s", q->line, STR_ARG(q->message));
    assert_int_equal(p->line, line);
    assert_true(str_is(p->file, path));
    if (*hint && !holds(p->hint, hint))
        fail_msg("the hint is: %.*s", STR_ARG(p->hint));
}

#define SERVER    "[server]\npublic_url = https://hooks.example.com\n"    /* 2 lines */
#define HOOKS     SERVER "[source hubspot]\ntype = hubspot\nsecret = s\n" /* 5 lines */
#define FORMS     "[source forms]\ntype = zapier\nsecret = s\n"
#define CRM       "[connector crm]\ntype = hubspot\ntoken = t\n"              /* 3 lines */
#define SLACK     "[connector team]\ntype = slack\ntoken = t\nchannel = C1\n" /* 4 lines */
#define RULE      "[rule r]\nwhen = event.type == \"x\"\npoints = 1\n"
#define ROUTE(to) "[route hot]\nwhen = score >= 80\nto = " to "\n"

#define CHECKS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
