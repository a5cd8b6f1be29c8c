/* tests/unit/connector_test.h - the fixture of a file that tests one connector. */
#ifndef FUNNELD_TESTS_CONNECTOR_TEST_H
#define FUNNELD_TESTS_CONNECTOR_TEST_H

#include "cm.h"

#include "connector_fixture.h"

static struct fixture f;

/* After each test */
static __attribute__((unused)) int teardown(void **state)
{
    (void)state;
    fixture_end(&f);
    return 0;
}

/* What is wrong with a section is said, without the secret in it. */
static inline void refused(const char *section, const char *expected)
{
    const char *said;

    memset(&f, 0, sizeof(f));
    said = fixture_load(&f, section);
    if (!strstr(said, expected))
        fail_msg("\"%s\" does not say %s", said, expected);
    assert_null(strstr(said, "s3cret"));
    fixture_end(&f);
}

#endif
