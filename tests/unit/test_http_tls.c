/* tests/unit/test_http_tls.c - handshakes, and certificates that are renewed while it runs. */
#include "http_world.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#define POST   "POST /in HTTP/1.1\r\n" HOST SECRET "Content-Length: 3\r\n\r\n[e]"
#define MODERN "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

enum { EXPIRES = 2000000000 };

static char folder[64];

static struct str in_folder(struct arena *a, const char *name)
{
    return arena_printf(a, "%s/%s.pem", folder, name);
}

static void write_file(struct str path, const gnutls_datum_t *data)
{
    FILE *f = fopen(path.at, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(data->data, 1, data->size, f), data->size);
    assert_int_equal(fclose(f), 0);
}

/* Writes NAME-cert.pem and NAME-key.pem, self-signed for CN = NAME. */
static void make_pair(struct arena *a, const char *name)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    gnutls_datum_t data;

    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_privkey_generate(
                         key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
    assert_int_equal(gnutls_x509_crt_set_serial(crt, "\x01", 1), 0);
    assert_int_equal(gnutls_x509_crt_set_activation_time(crt, 1000000000), 0);
    assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, EXPIRES), 0);
    assert_int_equal(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                                   (unsigned)strlen(name)),
                     0);
    assert_int_equal(gnutls_x509_crt_set_key(crt, key), 0);
    assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);

    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &data), 0);
    write_file(in_folder(a, arena_printf(a, "%s-cert", name).at), &data);
    gnutls_free(data.data);
    assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &data), 0);
    write_file(in_folder(a, arena_printf(a, "%s-key", name).at), &data);
    gnutls_free(data.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

static struct arena paths;

static void use_pair(struct world *w, const char *cert, const char *key)
{
    w->settings.tls_cert = in_folder(&paths, arena_printf(&paths, "%s-cert", cert).at);
    w->settings.tls_key = in_folder(&paths, arena_printf(&paths, "%s-key", key).at);
}

static int make_folder(void **state)
{
    (void)state;
    int n = snprintf(folder, sizeof(folder), "%s/funneld-tls-XXXXXX", P_tmpdir);
    assert_true(n > 0 && n < (int)sizeof(folder));
    assert_non_null(mkdtemp(folder));
    make_pair(&paths, "first");
    make_pair(&paths, "second");
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"first-cert", "first-key", "second-cert", "second-key"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(unlink(in_folder(&paths, names[i]).at), 0);
    assert_int_equal(rmdir(folder), 0);
    arena_free(&paths);
    return 0;
}

static int tls_setup(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));

    world_init(w);
    use_pair(w, "first", "first");
    world_start(w);
    *state = w;
    return 0;
}

/* A client that trusts whom it meets. */
struct client {
    int fd, error;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    char name[64]; /* CN of the certificate it was shown */
};

static void read_name(struct client *c)
{
    unsigned n;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(c->session, &n);
    gnutls_x509_crt_t crt;
    size_t len = sizeof(c->name);

    assert_non_null(chain);
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(
        gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, c->name, &len), 0);
    gnutls_x509_crt_deinit(crt);
}

static struct client meet(struct world *w, const char *priorities)
{
    struct client c = {.fd = dial(server_port(w->server))};

    assert_int_equal(gnutls_certificate_allocate_credentials(&c.credentials), 0);
    assert_int_equal(gnutls_init(&c.session, GNUTLS_CLIENT), 0);
    assert_int_equal(gnutls_priority_set_direct(c.session, priorities, NULL), 0);
    assert_int_equal(gnutls_credentials_set(c.session, GNUTLS_CRD_CERTIFICATE, c.credentials), 0);
    gnutls_transport_set_int(c.session, c.fd);
    do
        c.error = gnutls_handshake(c.session);
    while (c.error < 0 && !gnutls_error_is_fatal(c.error));
    if (!c.error)
        read_name(&c);
    return c;
}

static void leave(struct client *c)
{
    gnutls_deinit(c->session);
    gnutls_certificate_free_credentials(c->credentials);
    close(c->fd);
}

static int status_over(struct client *c, const char *text)
{
    struct heard h = {0};

    assert_int_equal(gnutls_record_send(c->session, text, strlen(text)), (int)strlen(text));
    while (!whole(&h)) {
        ssize_t n = gnutls_record_recv(c->session, h.text + h.len, sizeof(h.text) - 1 - h.len);
        if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
            continue;
        if (n <= 0)
            return 0;
        h.len += (size_t)n;
    }
    return (int)strtol(h.text + 9, NULL, 10);
}

static void webhooks_are_taken_over_tls_1_2_and_1_3(void **state)
{
    static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.2",
                                           "NORMAL:-VERS-ALL:+VERS-TLS1.3"};

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct client c = meet(*state, versions[i]);
        assert_int_equal(c.error, 0);
        assert_int_equal(status_over(&c, POST), 200);
        assert_int_equal(status_over(&c, POST), 200);
        leave(&c);
    }
}

static void older_versions_are_refused(void **state)
{
    static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT",
                                           "NORMAL:-VERS-ALL:+VERS-TLS1.0:%COMPAT"};

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct client c = meet(*state, versions[i]);
        assert_int_not_equal(c.error, 0);
        leave(&c);
    }
}

static void reload_serves_the_new_pair_and_leaves_open_connections_alone(void **state)
{
    struct world *w = *state;
    struct client old = meet(w, MODERN);

    assert_string_equal(old.name, "first");
    for (int i = 0; i < 3; i++) { /* more often than pairs are kept */
        const char *name = i % 2 ? "first" : "second";
        use_pair(w, name, name);
        world_reload(w);
        struct client c = meet(w, MODERN);
        assert_string_equal(c.name, name);
        assert_int_equal(status_over(&c, POST), 200);
        leave(&c);
    }
    assert_int_equal(status_over(&old, POST), 200);
    leave(&old);
}

static void a_pair_that_does_not_match_is_refused_and_the_old_one_stays(void **state)
{
    static const struct {
        const char *cert, *key, *said;
    } bad[] = {
        {"first", "second", "is not the key of"},
        {"missing", "first", "tls_cert"},
        {"first", "missing", "tls_key"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct why why = {0};
        use_pair(w, bad[i].cert, bad[i].key);
        assert_int_equal(world_try_reload(w, &why), RC_INVALID);
        assert_non_null(strstr(why.text, bad[i].said));
    }
    struct why why = {0};
    use_pair(w, "first", "first");
    w->settings.tls_cert = w->settings.tls_key; /* a key is no certificate */
    assert_int_equal(world_try_reload(w, &why), RC_INVALID);
    struct client c = meet(w, MODERN);
    assert_string_equal(c.name, "first");
    assert_int_equal(status_over(&c, POST), 200);
    leave(&c);
}

static void a_bad_pair_does_not_start(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));
    const struct http_ports ports = {.submit = test_submit, .self = w};
    struct why why = {0};

    (void)state;
    world_init(w);
    use_pair(w, "first", "second");
    const struct sites sites = world_sites(w);
    assert_int_equal(server_start(&sites, &ports, &w->server, &why), RC_INVALID);
    assert_non_null(strstr(why.text, "is not the key of"));
    mailbox_free(w->box);
    free(w);
}

static void the_end_of_validity_is_a_metric(void **state)
{
    (void)state;
    assert_true(metric_value(metric(METRIC_CERT_EXPIRY, STR_NULL, STR_NULL)) == (double)EXPIRES);
}

static void a_handshake_without_end_is_cut(void **state)
{
    struct world *w = *state;
    int fd = dial(server_port(w->server));

    (void)say_bytes(fd, "\x16\x03\x01\x02", 4);
    WAIT_UNTIL(server_connections(w->server) == 1);
    server_tick(w->server, clock_mono_us() / 1000 + 10500);
    assert_true(hear_end(fd));
    close(fd);
}

#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, tls_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TLS_TEST(webhooks_are_taken_over_tls_1_2_and_1_3),
        TLS_TEST(older_versions_are_refused),
        TLS_TEST(reload_serves_the_new_pair_and_leaves_open_connections_alone),
        TLS_TEST(a_pair_that_does_not_match_is_refused_and_the_old_one_stays),
        cmocka_unit_test(a_bad_pair_does_not_start),
        TLS_TEST(the_end_of_validity_is_a_metric),
        TLS_TEST(a_handshake_without_end_is_cut),
    };

    return cmocka_run_group_tests_name("http_tls", tests, make_folder, remove_folder);
}
