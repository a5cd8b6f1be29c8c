/* tests/fuzz/fuzz_google_sheets.c - what Google Sheets is told, and what is made of its answers.
 *
 * The session has an access token already; fuzz_google_token is about how it gets there.
 */
#include "talk.h"

#include "google_fixture.h"

#include "../../src/connectors/google_priv.h"

#define ACCESS "ya29.not-to-be-shown"

static void with_token(struct fixture *fixture)
{
    struct google_session *g = fixture->session;

    g->token = mem_text(STR(ACCESS));
    g->token_renew_at = FIXTURE_NOW + DAYS_MS;
}

static enum sheet_column fixture_key(const struct fixture *fixture)
{
    const struct google_sheets *s = fixture->settings;

    return s->mode == SHEET_UPSERTS ? SHEET_LEAD_ID : SHEET_DELIVERY_ID;
}

static void check_session(struct fixture *fixture)
{
    const struct google_session *g = fixture->session;

    for (const struct sheet_tab *t = g->tabs; t; t = t->next)
        assert_true(!t->header_read_at || t->position[fixture_key(fixture)] >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture appends, upserts;
    struct str input = fuzz_text(data, size);

    if (!key) {
        assert_int_equal(make_key(NULL), 0);
        talk_load(&appends, section("range.vip = 'Very important'!A:Z\n"));
        talk_load(&upserts, section("mode = upsert\n"));
    }
    fuzz_talk(fuzz_holds(input, "@upsert\n") ? &upserts : &appends, ACCESS, input, with_token,
              check_session);
    return 0;
}
