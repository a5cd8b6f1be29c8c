/* tests/unit/hook_fixture.h - one message to one address, and what a status of the answer means. */
#ifndef FUNNELD_TESTS_HOOK_FIXTURE_H
#define FUNNELD_TESTS_HOOK_FIXTURE_H

#include "cm.h"

#include "connector_test.h"

/* The body as a receiver reads it. */
static inline void body_parse(struct json_doc *doc)
{
    struct why why = {0};

    if (json_parse(f.request.body, doc, &why))
        fail_msg("%s in %.*s", why.text, STR_ARG(f.request.body));
}

struct status_case {
    int status;
    enum verdict verdict;
    const char *says;
};

/* Every status there is: those listed as they are listed, all others are tried again. */
static inline void statuses(const char *section, const struct status_case cases[], size_t n)
{
    for (int status = 200; status <= 599; status++) {
        struct status_case want = {status, status < 300 ? VERDICT_DELIVERED : VERDICT_RETRY, NULL};

        for (size_t i = 0; i < n; i++)
            if (cases[i].status == status)
                want = cases[i];
        fixture_start(&f, section);
        fixture_build(&f);
        assert_int_equal(fixture_judge(&f, status, "no <b>\r\nthanks"), JUDGED_DONE);
        if (f.outcomes[0].verdict != want.verdict)
            fail_msg("HTTP %d gave verdict %d", status, (int)f.outcomes[0].verdict);
        fixture_verdict(&f, 0, want.verdict, want.says);
        if (want.verdict != VERDICT_DELIVERED)
            assert_non_null(str_find(f.outcomes[0].reason, STR("HTTP ")));
        fixture_end(&f);
    }
}

/* Missing for less than three days or ten answers is perhaps on its way back. */
static inline void missing(const char *section, const char *says)
{
    static const struct {
        int64_t days, attempts, unclear;
        enum verdict verdict;
    } cases[] = {{0, 0, 0, VERDICT_RETRY},
                 {2, 99, 99, VERDICT_RETRY},
                 {9, 9, 9, VERDICT_RETRY},
                 {9, 99, 9, VERDICT_RETRY}, /* most of them found nobody */
                 {3, 10, 10, VERDICT_DEAD}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fixture_start(&f, section);
        f.parcels[0].d.created_at = FIXTURE_NOW - cases[i].days * DAYS_MS;
        f.parcels[0].d.attempts = cases[i].attempts;
        f.parcels[0].d.unclear = cases[i].unclear;
        f.parcels[0].target = STR("https://hooks.zapier.com/hooks/standard/1/abc/");
        fixture_build(&f);
        (void)fixture_judge(&f, 404, "please unsubscribe me");
        fixture_verdict(&f, 0, cases[i].verdict,
                        cases[i].verdict == VERDICT_DEAD ? says : "HTTP 404: please unsubscribe");
        assert_int_equal(f.outcomes[0].target_gone, cases[i].verdict == VERDICT_DEAD);
        assert_int_equal(f.outcomes[0].unclear, cases[i].verdict == VERDICT_RETRY);
        fixture_end(&f);
    }
}

/* An attempt that may have worked: sent again, or left alone. */
static inline void doubted(const char *section)
{
    struct str drop = arena_printf(&f.arena, "%son_ambiguous = drop\n", section);
    struct arena kept = f.arena; /* fixture_start forgets it */
    struct why why = {0};

    f.arena = (struct arena){0};
    fixture_start(&f, section);
    f.parcels[0].target = STR("https://hooks.zapier.com/hooks/standard/1/abc/");
    f.job.look = true;
    fixture_build(&f);
    fixture_end(&f);
    fixture_start(&f, drop.at);
    f.parcels[0].target = STR("https://hooks.zapier.com/hooks/standard/1/abc/");
    fixture_build(&f);
    assert_false(f.request.repeatable);
    f.job.look = true;
    assert_int_equal(f.type->build(&f.job, &f.request, &why), RC_INVALID);
    assert_non_null(strstr(why.text, "may have arrived"));
    arena_free(&kept);
}

#endif
