/* base/crypto.c - hashes, encodings, RS256 on OpenSSL 3. */
#include "funneld/base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fetching an algorithm costs as much as hashing a small body: once per process. */
static EVP_MAC *hmac_algorithm;
static EVP_MD *sha256_algorithm;

/* Making a context costs as much as well: one of each per thread. */
struct contexts {
    EVP_MD_CTX *digest;
    EVP_MAC_CTX *mac[DIGESTS]; /* each knows its digest; takes a new key each time */
};
static pthread_key_t contexts_key;

/* OpenSSL's own failures (no memory, no provider) leave us without signatures: stop. */
static void need(int ok, const char *what)
{
    if (ok == 1)
        return;
    (void)fprintf(stderr, "funneld: OpenSSL cannot %s\n", what);
    abort();
}

static void free_contexts(void *contexts)
{
    struct contexts *c = contexts;

    EVP_MD_CTX_free(c->digest);
    for (size_t i = 0; i < DIGESTS; i++)
        EVP_MAC_CTX_free(c->mac[i]);
    free(c);
}

static EVP_MAC_CTX *make_mac(enum digest digest)
{
    char names[DIGESTS][8] = {"SHA256", "SHA1", "SHA512"};
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", names[digest], 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac_algorithm);

    need(mac && EVP_MAC_CTX_set_params(mac, params), "prepare HMAC");
    return mac;
}

static struct contexts *make_contexts(void)
{
    struct contexts *c = mem_alloc(sizeof *c);

    c->digest = EVP_MD_CTX_new();
    need(c->digest != NULL, "prepare SHA-256");
    for (size_t i = 0; i < DIGESTS; i++)
        c->mac[i] = make_mac((enum digest)i);
    need(pthread_setspecific(contexts_key, c) == 0, "keep a thread's contexts");
    return c;
}

static struct contexts *contexts(void)
{
    struct contexts *c = pthread_getspecific(contexts_key);

    return c ? c : make_contexts();
}

__attribute__((constructor)) static void fetch_algorithms(void)
{
    need(OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL), "start");
    hmac_algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    sha256_algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    need(hmac_algorithm && sha256_algorithm, "fetch HMAC and SHA-256");
    need(pthread_key_create(&contexts_key, free_contexts) == 0, "keep contexts per thread");
}

__attribute__((destructor)) static void free_algorithms(void)
{
    struct contexts *c = pthread_getspecific(contexts_key); /* of the last thread */

    if (c)
        free_contexts(c);
    (void)pthread_key_delete(contexts_key); /* exists */
    EVP_MAC_free(hmac_algorithm);
    EVP_MD_free(sha256_algorithm);
}

void sha256(const struct str parts[], size_t n, uint8_t ret[SHA256_LEN])
{
    EVP_MD_CTX *ctx = contexts()->digest;

    need(EVP_DigestInit_ex2(ctx, sha256_algorithm, NULL), "start SHA-256");
    for (size_t i = 0; i < n; i++)
        need(EVP_DigestUpdate(ctx, parts[i].at, parts[i].len), "hash");
    need(EVP_DigestFinal_ex(ctx, ret, NULL), "finish SHA-256");
}

size_t hmac(enum digest digest, struct str key, const struct str parts[], size_t n,
            uint8_t ret[HMAC_MAX])
{
    const unsigned char *bytes = (const unsigned char *)(key.at ? key.at : "");
    EVP_MAC_CTX *ctx = contexts()->mac[digest];
    size_t len = 0;

    need(EVP_MAC_init(ctx, bytes, key.len, NULL), "start HMAC");
    for (size_t i = 0; i < n; i++)
        need(EVP_MAC_update(ctx, (const unsigned char *)parts[i].at, parts[i].len), "hash");
    need(EVP_MAC_final(ctx, ret, &len, HMAC_MAX), "finish HMAC");
    return len;
}

void hmac_sha256(struct str key, const struct str parts[], size_t n, uint8_t ret[SHA256_LEN])
{
    uint8_t mac[HMAC_MAX];

    (void)hmac(DIGEST_SHA256, key, parts, n, mac); /* always SHA256_LEN */
    memcpy(ret, mac, SHA256_LEN);
}

void hex_encode(const uint8_t *bytes, size_t n, char *ret)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * n] = '\0';
}

struct str base64_encode(struct arena *a, struct str bytes)
{
    char *text = arena_alloc(a, (bytes.len + 2) / 3 * 4 + 1);
    int n = EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.at, (int)bytes.len);

    return (struct str){text, (size_t)n};
}

struct str base64url_encode(struct arena *a, struct str bytes)
{
    char *text = arena_alloc(a, (bytes.len + 2) / 3 * 4 + 1);
    int n = EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.at, (int)bytes.len);

    while (n > 0 && text[n - 1] == '=')
        n--;
    for (int i = 0; i < n; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    text[n] = '\0';
    return (struct str){text, (size_t)n};
}

bool base64_decode(struct arena *a, struct str text, struct str *ret)
{
    size_t pad = 0;

    if (text.len % 4 != 0 || text.len > INT32_MAX)
        return false;
    while (pad < 2 && pad < text.len && text.at[text.len - 1 - pad] == '=')
        pad++;
    char *bytes = arena_alloc(a, text.len / 4 * 3 + 1);
    int n = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text.at, (int)text.len);
    if (n < 0 || (size_t)n < pad)
        return false;
    bytes[(size_t)n - pad] = '\0'; /* EVP_DecodeBlock counts the padding in */
    *ret = (struct str){bytes, (size_t)n - pad};
    return true;
}

bool crypto_equal(struct str a, struct str b)
{
    return a.at && b.at && a.len == b.len && CRYPTO_memcmp(a.at, b.at, a.len) == 0;
}

void random_bytes(void *ret, size_t n)
{
    need(RAND_bytes(ret, (int)n), "find random bytes");
}

struct rsa_key {
    EVP_PKEY *pkey;
};

enum rc rsa_key_load(struct str pem, struct rsa_key **ret, struct why *why)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    ERR_clear_error();
    if (!pkey)
        return why_fail(RC_INVALID, why, "the private key is not readable PEM (PKCS#8)");
    if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA) {
        EVP_PKEY_free(pkey);
        return why_fail(RC_INVALID, why, "the private key is not an RSA key");
    }
    *ret = mem_alloc(sizeof **ret);
    (*ret)->pkey = pkey;
    return RC_OK;
}

void rsa_key_free(struct rsa_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

enum rc rsa_sign_sha256(const struct rsa_key *key, struct str data, struct arena *a,
                        struct str *ret, struct why *why)
{
    size_t len = (size_t)EVP_PKEY_get_size(key->pkey);
    unsigned char *signature = arena_alloc(a, len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, sha256_algorithm, NULL, key->pkey) == 1 &&
              EVP_DigestSign(ctx, signature, &len, (const unsigned char *)data.at, data.len) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    if (!ok)
        return why_fail(RC_INVALID, why, "signing with the private key failed");
    *ret = (struct str){(const char *)signature, len};
    return RC_OK;
}

const char *crypto_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
