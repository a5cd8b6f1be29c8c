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

static void check_session(struct fixture *fixture)
{
    const struct google_session *g = fixture->session;

    if (g->header_read_at)
        assert_true(g->position[SHEET_DELIVERY_ID] >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture kept;

    if (!key) {
        assert_int_equal(make_key(NULL), 0);
        talk_load(&kept, section(""));
    }
    fuzz_talk(&kept, ACCESS, fuzz_text(data, size), with_token, check_session);
    return 0;
}
