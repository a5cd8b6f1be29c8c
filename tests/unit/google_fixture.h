/* tests/unit/google_fixture.h - a service account with a key of its own. */
#ifndef FUNNELD_TESTS_GOOGLE_FIXTURE_H
#define FUNNELD_TESTS_GOOGLE_FIXTURE_H

#include "cm.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "connector_fixture.h"

#define MAYBE __attribute__((unused))

#define TOKEN "{\"access_token\":\"ya29.test\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"
#define HEADER                                                                                     \
    "{\"values\":[[\"Delivery "                                                                    \
    "ID\",\"Time\",\"Lead\",\"Email\",\"Score\",\"Band\",\"Reasons\",\"CRM\"]]}"
#define APPENDED(range) "{\"updates\":{\"updatedRange\":\"" range "\"}}"
#define FAILURE(code, status, message)                                                             \
    "{\"error\":{\"code\":" code ",\"message\":\"" message "\",\"status\":\"" status "\"}}"

static struct fixture f;
static EVP_PKEY *key;
static char *pem;          /* with real line ends */
static struct arena texts; /* of the sections */

static int make_key(void **state)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *at;
    long n;

    (void)state;
    key = EVP_RSA_gen(2048);
    if (!key || !bio || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
        return -1;
    n = BIO_get_mem_data(bio, &at);
    pem = mem_text((struct str){at, (size_t)n});
    BIO_free(bio);
    return 0;
}

static MAYBE int drop_key(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    free(pem);
    arena_free(&texts);
    return 0;
}

static MAYBE int teardown(void **state)
{
    (void)state;
    fixture_end(&f);
    return 0;
}

static struct str with_line_ends_as(const char *line_end)
{
    struct str ret = STR("");

    for (const char *c = pem; *c; c++)
        ret = *c == '\n' ? arena_printf(&texts, "%.*s%s", STR_ARG(ret), line_end)
                         : arena_printf(&texts, "%.*s%c", STR_ARG(ret), *c);
    return ret;
}

/* Through the environment, as it comes in a container: a line of the file would be too long. */
static const char *section_of(const char *credentials, const char *more)
{
    assert_int_equal(setenv("FUNNELD_TEST_CREDENTIALS", credentials, 1), 0);
    return arena_printf(&texts,
                        "type = google_sheets\nspreadsheet = sheet-1\n"
                        "credentials = ${FUNNELD_TEST_CREDENTIALS}\n%s",
                        more)
        .at;
}

static const char *section_with(struct str private_key, const char *token_uri, const char *more)
{
    struct str file = arena_printf(&texts,
                                   "{\"type\":\"service_account\",\"client_email\":"
                                   "\"funneld@example.org\",\"private_key_id\":\"kid-1\","
                                   "\"private_key\":\"%.*s\",\"token_uri\":\"%s\"}",
                                   STR_ARG(private_key), token_uri);

    return section_of(file.at, more);
}

static MAYBE const char *section(const char *more)
{
    return section_with(with_line_ends_as("\\n"), "https://oauth2.googleapis.com/token", more);
}

static MAYBE void start_known(const char *more, const char *header)
{
    fixture_start(&f, section(more));
    fixture_step(&f, "POST", "https://oauth2.googleapis.com/token", 200, TOKEN);
    fixture_step(&f, "GET", "/values/", 200, header);
}

#endif
