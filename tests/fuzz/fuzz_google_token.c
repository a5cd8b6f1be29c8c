/* tests/fuzz/fuzz_google_token.c - a service account's key file, and the token endpoint's answers.
 *
 * The first part is the credentials' JSON; KEY in it stands for a good private key. What follows
 * is as in talk.h.
 */
#include "talk.h"

#include "google_fixture.h"

#include "../../src/connectors/google_priv.h"

static struct str pem_line; /* of one good key ... */
static char piece[33];      /* ... and what must not be seen of it */

static struct str with_key(struct str credentials, struct arena *a)
{
    const char *at = str_find(credentials, STR("KEY"));
    size_t before = at ? (size_t)(at - credentials.at) : 0;

    if (!at)
        return credentials;
    return arena_printf(a, "%.*s%.*s%.*s", (int)before, credentials.at, STR_ARG(pem_line),
                        STR_ARG(str_from(credentials, before + 3)));
}

/* What `check` says about them holds no part of the key. */
static bool are_good(struct str credentials, struct arena *a)
{
    struct conf_problems problems;
    const struct google_sheets settings = {.credentials = credentials};
    const struct conf_section nowhere = {.file = STR("f.conf")};
    struct google_key found = {0};
    struct why why = {0};

    conf_problems_init(&problems, a);
    google_check_key(&settings, &nowhere, &problems);
    for (const struct conf_problem *p = problems.first; p; p = p->next)
        assert_false(fuzz_holds(p->message, piece));
    if (google_key_read(credentials, a, &found, &why)) {
        assert_true(why.text[0] && (problems.n || !credentials.len));
        return false;
    }
    assert_true(found.client_email.len && found.pem.len && str_is_utf8(found.pem));
    return problems.n == 0;
}

static void start(void)
{
    assert_int_equal(make_key(NULL), 0);
    pem_line = str_of(mem_text(with_line_ends_as("\\n")));
    memcpy(piece, pem + 200, sizeof piece - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    struct str rest = fuzz_text(data, size), credentials = STR("");
    struct fixture loaded = {0};

    if (!key)
        start();
    (void)fuzz_part(&rest, &credentials);
    credentials = with_key(credentials, &a);
    if (!are_good(credentials, &a))
        return 0;
    talk_load(&loaded, section_of(arena_text(&a, credentials), ""));
    fuzz_talk(&loaded, piece, rest, NULL, NULL);
    arena_free(&loaded.arena);
    arena_reset(&texts);
    return 0;
}
