/* tests/unit/test_mask.c - what a service gives back of what it was sent is starred out. */
#include "cm.h"

#include "../../src/deliver/mask_priv.h"

struct settings {
    struct connector_common common;
    struct str token, webhook, channel;
    struct str_pairs headers;
};

static const struct option options[] = {
    {.key = "token", .type = OPTION_SECRET, .offset = offsetof(struct settings, token)},
    {.key = "webhook", .type = OPTION_SECRET, .offset = offsetof(struct settings, webhook)},
    {.key = "header.", .type = OPTION_SECRETS, .offset = offsetof(struct settings, headers)},
    {.key = "channel", .type = OPTION_TEXT, .offset = offsetof(struct settings, channel)},
};
static const struct section_spec spec = {.options = options, .n_options = ARRAY_LEN(options)};
static const struct connector_type type = {.name = "test", .spec = &spec};
static struct arena arena;

static struct str masked(const struct settings *s, struct str authorization, const char *text)
{
    const struct connector c = {.type = &type, .settings = s};
    struct http_request r = {0};

    if (authorization.at)
        http_header_add(&r, "Authorization", authorization);
    return mask_secrets(&c, &r, str_of(text), &arena);
}

#define SAME(got, want) assert_true(str_is((got), (want)))

static void every_secret_is_starred_out_wherever_it_stands(void **state)
{
    const struct settings s = {.token = STR("xoxb-12345"), .channel = STR("C0123456789")};

    (void)state;
    SAME(masked(&s, STR_NULL, "xoxb-12345"), "**********");
    SAME(masked(&s, STR_NULL, "{\"error\":\"xoxb-12345 and xoxb-12345\"}"),
         "{\"error\":\"********** and **********\"}");
    SAME(masked(&s, STR_NULL, "channel C0123456789"), "channel C0123456789");
}

static void what_the_request_proved_itself_with_is_one(void **state)
{
    const struct settings s = {0};

    (void)state;
    SAME(masked(&s, STR("Bearer ya29.abcdef"), "who is ya29.abcdef?"), "who is ***********?");
    SAME(masked(&s, STR("plain-secret"), "plain-secret"), "************");
}

static void a_login_is_one_as_it_went_over_the_wire(void **state)
{
    const struct settings s = {0};
    const struct connector c = {.type = &type, .settings = &s};
    const struct envelope e = {.user = STR("ada"), .password = STR("s3cret word")};
    const struct http_request r = {.envelope = &e};

    (void)state;
    SAME(mask_secrets(&c, &r, STR("AUTH PLAIN AGFkYQBzM2NyZXQgd29yZA== or czNjcmV0IHdvcmQ=?"),
                      &arena),
         "AUTH PLAIN ************************ or ****************?");
}

static void an_address_is_hidden_in_parts_as_well(void **state)
{
    const struct settings s = {.webhook =
                                   STR("https://hooks.slack.com/services/T00000001/abcdefghi")};

    (void)state;
    SAME(masked(&s, STR_NULL, "\\/services\\/T00000001\\/abcdefghi"),
         "\\/services\\/*********\\/*********");
    SAME(masked(&s, STR_NULL, "https://hooks.slack.com/services/T00000001/abcdefghi."),
         "****************************************************.");
}

static void a_token_in_a_query_is_hidden_where_it_stands_alone(void **state)
{
    const struct settings s = {.webhook =
                                   STR("https://chat.example.com/in?key=a&token=SECRET12345")};

    (void)state;
    SAME(masked(&s, STR_NULL, "unknown token SECRET12345"), "unknown token ***********");
}

/* Addresses in it are not its parts. */
static void a_key_file_is_no_address(void **state)
{
    const struct settings s = {.token =
                                   STR("{\"token_uri\":\"https://oauth2.googleapis.com/token\"}")};

    (void)state;
    SAME(masked(&s, STR_NULL, "oauth2.googleapis.com says no"), "oauth2.googleapis.com says no");
}

static void the_values_of_a_map_of_secrets_are_some(void **state)
{
    const struct str_pair pairs[] = {{STR("Authorization"), STR("Bearer tok-12345"), 1},
                                     {STR("X-Key"), STR("key-12345"), 2}};
    const struct settings s = {.headers = {pairs, 2}};

    (void)state;
    SAME(masked(&s, STR_NULL, "tok-12345, key-12345"), "*********, *********");
    SAME(masked(&s, STR_NULL, "Bearer tok-12345 of X-Key"), "**************** of X-Key");
}

/* What says who asks, by its name or by its form; a word that is no secret may be in any reason. */
static void a_header_that_is_no_secret_is_left(void **state)
{
    static const struct {
        const char *name, *value;
        bool is_secret;
    } cases[] = {
        {"X-Team", "sales", false},
        {"X-Version", "1", false},
        {"X-Version", "2024-01-01", false},
        {"X-Environment", "production", false},
        {"Accept", "application/json; q=1", false},
        {"Accept", "application/json", false},
        {"authorization", "plain", true},
        {"X-Api-Key", "sales", true},
        {"apikey", "sales", true},
        {"X-TOKEN", "sales", true},
        {"X-Client-Secret", "sales", true},
        {"Cookie", "sid=sales", true},
        {"X-Auth", "sales", true},
        {"X-Basic-Password", "sales", true},
        {"X-Who", "bearer sales", true},
        {"X-Who", "Basic c2FsZXM=", true},
        {"X-Who", "3f9d51c07ab24e68", true}, /* nobody writes that by hand */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct str_pair pair = {str_of(cases[i].name), str_of(cases[i].value), 1};
        const struct settings s = {.headers = {&pair, 1}};
        struct str got = masked(&s, STR_NULL, cases[i].value);

        if ((str_find(got, STR("****")) != NULL) != cases[i].is_secret)
            fail_msg("%s: %s -> %.*s", cases[i].name, cases[i].value, STR_ARG(got));
    }
}

static void an_address_that_nobody_configured_is_hidden_where_it_is_a_secret(void **state)
{
    const struct settings s = {0};
    const struct connector c = {.type = &type, .settings = &s};
    struct http_request r = {.url = STR("https://hooks.zapier.com/hooks/standard/1/abcdefghij/")};

    (void)state;
    SAME(mask_secrets(&c, &r, STR("no abcdefghij"), &arena), "no abcdefghij");
    r.secret_url = true;
    SAME(mask_secrets(&c, &r, STR("no abcdefghij"), &arena), "no **********");
    SAME(
        mask_secrets(&c, &r, STR("https://hooks.zapier.com/hooks/standard/1/abcdefghij/!"), &arena),
        "*****************************************************!");
}

/* A short secret may be a piece of any word; alone it is the secret. Of three letters it hides
 * nothing from anybody. */
static void a_short_one_is_hidden_where_it_stands_alone(void **state)
{
    const struct settings s = {.token = STR("hunter2"), .webhook = STR("a")};

    (void)state;
    SAME(masked(&s, STR_NULL, "hunter2"), "*******");
    SAME(masked(&s, STR_NULL, "{\"token\":\"hunter2\",\"x\":\"hunter22\"}"),
         "{\"token\":\"*******\",\"x\":\"hunter22\"}");
    SAME(masked(&s, STR_NULL, "ahunter2 hunter2\xc3\xa9 hunter2"),
         "ahunter2 hunter2\xc3\xa9 *******");
    SAME(masked(&s, STR("Bearer abcd"), "babcd abcd. a day"), "babcd ****. a day");
    SAME(masked(&s, STR("Bearer abc"), "bab abc. a day"), "bab abc. a day"); /* any word may be */
}

static void a_text_without_one_is_left_as_it_is(void **state)
{
    const struct settings s = {.token = STR("short"), .webhook = STR("12345678")};
    const char *text = "nothing shorter than 1234567";

    (void)state;
    assert_ptr_equal(masked(&s, STR_NULL, text).at, text);
    assert_int_equal(masked(&s, STR_NULL, "").len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_secret_is_starred_out_wherever_it_stands),
        cmocka_unit_test(what_the_request_proved_itself_with_is_one),
        cmocka_unit_test(a_login_is_one_as_it_went_over_the_wire),
        cmocka_unit_test(an_address_is_hidden_in_parts_as_well),
        cmocka_unit_test(a_token_in_a_query_is_hidden_where_it_stands_alone),
        cmocka_unit_test(a_key_file_is_no_address),
        cmocka_unit_test(the_values_of_a_map_of_secrets_are_some),
        cmocka_unit_test(a_header_that_is_no_secret_is_left),
        cmocka_unit_test(an_address_that_nobody_configured_is_hidden_where_it_is_a_secret),
        cmocka_unit_test(a_short_one_is_hidden_where_it_stands_alone),
        cmocka_unit_test(a_text_without_one_is_left_as_it_is),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    arena_free(&arena);
    return failed;
}
