/* tests/unit/test_config.c - the whole configuration from one file. */
#include "config_file.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "funneld/base/json.h"

/* The example of the reference, as people will copy it. */
static const char example[] =
    "[server]\n"
    "listen          = [::]:8443              ; both families; PORT overrides the port\n"
    "tls_cert        = /etc/funneld/tls/fullchain.pem   ; leave both out for plain HTTP\n"
    "tls_key         = /etc/funneld/tls/privkey.pem\n"
    "public_url      = https://hooks.example.com   ; what the sender signs\n"
    "trusted_proxies = 10.0.0.0/8             ; only decides the client address\n"
    "max_body = 1MiB                          ; threads = 2, max_connections = 4096\n"
    "idle_timeout = 75s                       ; header_timeout = 10s, body_timeout = 20s\n"
    "\n"
    "[admin]\n"
    "listen = 127.0.0.1:8444                  ; health, metrics, later the dashboard\n"
    "token  = ${FUNNELD_ADMIN_TOKEN}          ; Authorization: Bearer\n"
    "\n"
    "[store]\n"
    "path       = /var/lib/funneld/funneld.db\n"
    "max_size   = 0                           ; bytes; 0 = the disk decides\n"
    "\n"
    "[log]\n"
    "level  = info                            ; debug info warn error\n"
    "format = logfmt                          ; or json\n"
    "\n"
    "[source hubspot]\n"
    "type   = hubspot\n"
    "path   = /webhooks/hubspot\n"
    "secret = ${HUBSPOT_CLIENT_SECRET}        ; secret_previous = ..., require = any | v3\n"
    "\n"
    "[source zapier]\n"
    "type   = zapier\n"
    "path   = /webhooks/zapier\n"
    "secret = ${ZAPIER_WEBHOOK_SECRET}        ; X-Funneld-Secret, Bearer, or Basic\n"
    "\n"
    "[connector crm]\n"
    "type  = hubspot                          ; enrichment; write-back\n"
    "token = ${HUBSPOT_API_KEY}               ; properties = email, firstname, lastname\n"
    "\n"
    "[connector sales-slack]\n"
    "type    = slack\n"
    "token   = ${SLACK_BOT_TOKEN}             ; or webhook = https://hooks.slack.com/...\n"
    "channel = C0123456789\n"
    "\n"
    "[connector lead-book]\n"
    "type     = notion\n"
    "token    = ${NOTION_TOKEN}\n"
    "database = 668d797c76fa49349b05ad288df2d136    ; property.score = My name renames one\n"
    "\n"
    "[connector lead-log]\n"
    "type        = google_sheets\n"
    "credentials = ${GOOGLE_SHEETS_KEY}       ; the service-account JSON itself\n"
    "spreadsheet = 1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms\n"
    "range       = Leads!A:H                  ; batch = 200\n"
    "\n"
    "[score]\n"
    "warm = 40\n"
    "hot  = 80\n"
    "\n"
    "[group engagement]\n"
    "max = 60\n"
    "\n"
    "[rule demo-request]\n"
    "when      = event.property == \"demo_requested\" and event.value == \"true\"\n"
    "points    = 35\n"
    "half_life = 30d                          ; max = ..., group = engagement\n"
    "\n"
    "[route hot-lead]\n"
    "when = score >= 80 and score.previous < 80\n"
    "to   = sales-slack, lead-book, lead-log  ; wait_for = enrichment\n";

static void set_environment(void)
{
    static const char *const names[] = {"FUNNELD_ADMIN_TOKEN",   "HUBSPOT_CLIENT_SECRET",
                                        "ZAPIER_WEBHOOK_SECRET", "HUBSPOT_API_KEY",
                                        "SLACK_BOT_TOKEN",       "NOTION_TOKEN"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(setenv(names[i], "abc", 1), 0);
    assert_int_equal(unsetenv("PORT"), 0);
}

/* The whole JSON of a service account with a key made for this run. */
static void set_google_key(void)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(16 * 1024);
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    char *at;

    assert_true(key && bio);
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    long n = BIO_get_mem_data(bio, &at);
    json_open(&b, '{');
    json_kv_text(&b, "type", "service_account");
    json_kv_text(&b, "client_email", "funneld@example.iam.gserviceaccount.com");
    json_kv(&b, "private_key", (struct str){at, (size_t)n});
    json_kv_text(&b, "token_uri", "https://oauth2.googleapis.com/token");
    json_close(&b, '}');
    assert_false(b.failed);
    assert_int_equal(setenv("GOOGLE_SHEETS_KEY", b.at, 1), 0);
    BIO_free(bio);
    EVP_PKEY_free(key);
}

static void the_example_loads_without_problems(void **state)
{
    (void)state;
    set_environment();
    set_google_key();
    good(example);
    assert_true(str_is(config->server.listen, "[::]:8443"));
    assert_true(str_is(config->server.public_url, "https://hooks.example.com"));
    assert_int_equal(config->server.max_body, 1 << 20);
    assert_true(str_is(config->admin.token, "abc"));
    assert_true(str_is(config->store.path, "/var/lib/funneld/funneld.db"));
    assert_int_equal(config->n_sources, 2);
    assert_int_equal(config->n_connectors, 4);
    assert_int_equal(config->scorecard.n_rules, 1);
    assert_int_equal(config->scorecard.n_groups, 1);
    assert_int_equal(config->scorecard.hot, 800);
    assert_int_equal(config->routes.n, 1);
    assert_int_equal(config->routes.items[0].to.n, 3);
    assert_true(str_is(config->control_socket, "/var/lib/funneld/funneld.db.sock"));
    assert_int_equal(config->loaded_at, NOW);
}

static void the_environment_that_is_not_set_is_a_problem_of_its_line(void **state)
{
    (void)state;
    set_environment();
    set_google_key();
    assert_int_equal(unsetenv("NOTION_TOKEN"), 0);
    bad(example, 43, "NOTION_TOKEN", "");
}

static void port_in_the_environment_overrides_the_port(void **state)
{
    (void)state;
    assert_int_equal(setenv("PORT", "9000", 1), 0);
    good(HOOKS);
    assert_int_equal(unsetenv("PORT"), 0);
    assert_true(holds(config->server.listen, ":8443")); /* the file's; the listener asks PORT */
}

static void views_share_the_configuration(void **state)
{
    (void)state;
    good(HOOKS CRM SLACK RULE ROUTE("team"));
    assert_ptr_equal(config->rules.owner, &config->ref);
    assert_ptr_equal(config->rules.sources, config->sources);
    assert_int_equal(config->rules.n_connectors, 2);
    assert_int_equal(config->rules.scorecard.n_rules, 1);
    assert_ptr_equal(config->lanes.owner, &config->ref);
    assert_int_equal(config->lanes.n, 2);
    assert_ptr_equal(config->lanes.routes, &config->routes);
    assert_ptr_equal(config->sites.owner, &config->ref);
    assert_int_equal(config->sites.n_sources, 1);
    assert_ptr_equal(config_source(config, STR("hubspot")), &config->sources[0]);
    assert_null(config_source(config, STR("team")));
    assert_ptr_equal(config_connector(config, STR("team")), &config->connectors[1]);
    assert_null(config_connector(config, STR("hubspot")));
}

static void a_file_that_is_not_there_is_one_problem(void **state)
{
    (void)state;
    config = config_load("/nonexistent/funneld.conf", NOW);
    assert_int_equal(config->problems.n, 1);
    assert_true(str_is(config->problems.first->file, "/nonexistent/funneld.conf"));
}

static void all_problems_are_told_at_once_with_their_lines(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(64 * 1024);

    (void)state;
    read_config("[server]\n"
                "listne = :8080\n"           /* 2 */
                "idle_timeout = 75 apples\n" /* 3 */
                "[source hubspot]\n"         /* 4: no public_url */
                "type = hubspot\n"           /* no secret */
                "[sauce zapier]\n"           /* 6 */
                "type = zapier\n"
                "[connector team]\n"
                "type = slak\n" /* 9 */
                "[rule r]\n"
                "when = event.type = \"x\"\n" /* 11 */
                "points = many\n"             /* 12 */
                "[route hot]\n"
                "when = score >= 80 and\n" /* 14 */
                "to = nobody\n");          /* 15 */
    static const int lines[] = {2, 3, 4, 6, 9, 11, 12, 14, 15};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        bool found = false;

        for (const struct conf_problem *p = config->problems.first; p; p = p->next)
            found |= p->line == lines[i];
        if (!found)
            fail_msg("no problem in line %d", lines[i]);
    }
    assert_true(holds(problem("listne")->hint, "listen"));
    assert_true(holds(problem("slak")->hint, "slack"));
    assert_non_null(problem("secret"));
    config_problems_text(config, &b);
    assert_non_null(strstr(b.at, ":12: "));
    assert_non_null(strstr(b.at, path));
}

static void a_file_cut_short_is_refused(void **state)
{
    (void)state;
    bad("", 0, "there is no [source NAME]", "add a [source NAME]");
    bad("[server]\npublic_url = https://hooks.example.com\n", 0, "there is no [source NAME]",
        "add a [source NAME]");
}

static void what_needs_a_restart_is_named(void **state)
{
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    good(HOOKS);
    struct config *running = config;
    config = NULL;
    good(HOOKS CRM "[store]\nmax_size = 1GiB\n[log]\nlevel = warn\n");
    assert_null(config_restart_needed(running, config, &a));
    good(HOOKS "[store]\npath = /elsewhere/funneld.db\n");
    assert_string_equal(config_restart_needed(running, config, &a), "[store] path");
    good(HOOKS "[admin]\nlisten = 127.0.0.1:1\n");
    assert_string_equal(config_restart_needed(running, config, &a), "[admin] listen");
    good("[server]\npublic_url = https://hooks.example.com\ntls_cert = /c\ntls_key = /k\n"
         "[source z]\ntype = zapier\npath = /z\nsecret = s\n");
    assert_string_equal(config_restart_needed(running, config, &a), "[server] TLS on or off");
    ref_drop(&running->ref);
}

/* With what has no default filled in, the reference is a configuration. */
static void the_reference_names_every_kind_of_section(void **state)
{
    static const char *const sections[] = {"[server]",
                                           "[admin]",
                                           "[store]",
                                           "[log]",
                                           "[source hubspot]",
                                           "[source zapier]",
                                           "[source http]",
                                           "[source hubspot_workflow]",
                                           "[connector slack]",
                                           "[connector notion]",
                                           "[connector google_sheets]",
                                           "[connector hubspot]",
                                           "[connector email]",
                                           "[score]",
                                           "[group engagement]",
                                           "[rule demo-request]",
                                           "[route hot-lead]",
                                           "[messages]",
                                           "[message hot-lead]"};
    struct sbuf b AUTO(sbuf_free) = SBUF(256 * 1024);

    (void)state;
    config_reference(&b);
    assert_false(b.failed);
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (!strstr(b.at, sections[i]))
            fail_msg("no %s", sections[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(the_example_loads_without_problems),
        CHECKS(the_environment_that_is_not_set_is_a_problem_of_its_line),
        CHECKS(port_in_the_environment_overrides_the_port),
        CHECKS(views_share_the_configuration),
        CHECKS(a_file_that_is_not_there_is_one_problem),
        CHECKS(all_problems_are_told_at_once_with_their_lines),
        CHECKS(a_file_cut_short_is_refused),
        CHECKS(what_needs_a_restart_is_named),
        CHECKS(the_reference_names_every_kind_of_section),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
