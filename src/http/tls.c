/* tls.c - loads certificate chain and key, and hands them to each handshake. */
#include "funneld/http/server.h"
#include "tls_priv.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/mem.h"
#include "funneld/observe/metrics.h"

enum { CHAIN_MAX = 16, KEY_ID_MAX = 64 };

struct tls_pair {
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned n;
    gnutls_privkey_t key;
    time_t expires_at;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tls_pair *current, *previous; /* lock */

void tls_free(struct tls_pair *pair)
{
    if (!pair)
        return;
    for (unsigned i = 0; i < pair->n; i++)
        gnutls_pcert_deinit(&pair->chain[i]);
    if (pair->key)
        gnutls_privkey_deinit(pair->key);
    free(pair);
}

static enum rc failed(enum rc rc, struct why *why, const char *key, struct str path, int error)
{
    return why_fail(rc, why, "%s = %.*s: %s", key, STR_ARG(path), gnutls_strerror(error));
}

static enum rc read_file(const char *key, struct str path, gnutls_datum_t *ret, struct why *why)
{
    char *text AUTO(mem_freep) = mem_text(path);
    int error = gnutls_load_file(text, ret);
    return error ? failed(RC_IO, why, key, path, error) : RC_OK;
}

static enum rc load_chain(struct tls_pair *pair, struct str path, struct why *why)
{
    gnutls_datum_t data;
    enum rc rc = read_file("tls_cert", path, &data, why);

    if (rc)
        return rc;
    unsigned n = CHAIN_MAX;
    int error = gnutls_pcert_list_import_x509_raw(pair->chain, &n, &data, GNUTLS_X509_FMT_PEM, 0);
    gnutls_free(data.data);
    if (error)
        return failed(RC_INVALID, why, "tls_cert", path, error);
    pair->n = n;
    return RC_OK;
}

static enum rc load_key(struct tls_pair *pair, struct str path, struct why *why)
{
    gnutls_datum_t data;
    enum rc rc = read_file("tls_key", path, &data, why);

    if (rc)
        return rc;
    int error = gnutls_privkey_init(&pair->key);
    if (!error)
        error = gnutls_privkey_import_x509_raw(pair->key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_memset(data.data, 0, data.size); /* it is in the key object now */
    gnutls_free(data.data);
    return error ? failed(RC_INVALID, why, "tls_key", path, error) : RC_OK;
}

static int key_id(gnutls_pubkey_t key, unsigned char ret[KEY_ID_MAX], size_t *ret_n)
{
    *ret_n = KEY_ID_MAX;
    return gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, ret, ret_n);
}

/* GnuTLS would only notice at the first handshake, and then serve nobody. */
static bool match(const struct tls_pair *pair)
{
    unsigned char of_chain[KEY_ID_MAX], of_key[KEY_ID_MAX];
    size_t n_chain, n_key;
    gnutls_pubkey_t public_key;

    if (gnutls_pubkey_init(&public_key))
        return false;
    bool same = !gnutls_pubkey_import_privkey(public_key, pair->key, 0, 0) &&
                !key_id(public_key, of_key, &n_key) &&
                !key_id(pair->chain[0].pubkey, of_chain, &n_chain) && n_key == n_chain &&
                memcmp(of_key, of_chain, n_key) == 0;
    gnutls_pubkey_deinit(public_key);
    return same;
}

static bool read_expiry(struct tls_pair *pair)
{
    gnutls_x509_crt_t leaf;

    if (gnutls_x509_crt_init(&leaf))
        return false;
    bool ok = !gnutls_x509_crt_import(leaf, &pair->chain[0].cert, GNUTLS_X509_FMT_DER);
    pair->expires_at = ok ? gnutls_x509_crt_get_expiration_time(leaf) : -1;
    gnutls_x509_crt_deinit(leaf);
    return pair->expires_at != (time_t)-1;
}

enum rc tls_load(struct str cert_path, struct str key_path, struct tls_pair **ret, struct why *why)
{
    struct tls_pair *pair = mem_alloc(sizeof(*pair));
    enum rc rc = load_chain(pair, cert_path, why);

    if (!rc)
        rc = load_key(pair, key_path, why);
    if (!rc && !match(pair))
        rc = why_fail(RC_INVALID, why, "tls_key = %.*s is not the key of tls_cert = %.*s",
                      STR_ARG(key_path), STR_ARG(cert_path));
    if (!rc && !read_expiry(pair))
        rc = why_fail(RC_INVALID, why, "tls_cert = %.*s has no readable end of validity",
                      STR_ARG(cert_path));
    if (rc) {
        tls_free(pair);
        return rc;
    }
    *ret = pair;
    return RC_OK;
}

void tls_swap(struct tls_pair *pair)
{
    pthread_mutex_lock(&lock);
    struct tls_pair *before = previous;
    previous = current;
    current = pair;
    pthread_mutex_unlock(&lock);
    tls_free(before);
    metric_set(metric(METRIC_CERT_EXPIRY, STR_NULL, STR_NULL), (double)pair->expires_at);
}

void tls_end(void)
{
    tls_free(current);
    tls_free(previous);
    current = previous = NULL;
}

static int retrieve(gnutls_session_t session, const gnutls_datum_t *ca_names, int n_ca_names,
                    const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
                    gnutls_pcert_st **ret_chain, unsigned *ret_n, gnutls_privkey_t *ret_key)
{
    (void)session;
    (void)ca_names;
    (void)n_ca_names;
    (void)algorithms;
    (void)n_algorithms;
    pthread_mutex_lock(&lock);
    *ret_chain = current->chain;
    *ret_n = current->n;
    *ret_key = current->key;
    pthread_mutex_unlock(&lock);
    return 0;
}

void *tls_callback(void)
{
    gnutls_certificate_retrieve_function2 *f = retrieve;
    void *p;
    memcpy(&p, &f, sizeof(p)); /* libmicrohttpd takes it as a void * */
    return p;
}

const char *tls_library(void)
{
    return gnutls_check_version(NULL);
}
