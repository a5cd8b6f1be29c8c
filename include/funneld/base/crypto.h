/* base/crypto.h - the few cryptographic words we need, on OpenSSL 3.
 *
 * Signatures are compared as text: our own encoding against the header, in constant time,
 * never by decoding theirs (base64 and hex have aliases). Any thread.
 */
#ifndef FUNNELD_BASE_CRYPTO_H
#define FUNNELD_BASE_CRYPTO_H

#include <stdint.h>

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/base/str.h"

enum { SHA256_LEN = 32, SHA256_HEX = 65, SHA256_BASE64 = 45 };

enum digest { DIGEST_SHA256, DIGEST_SHA1, DIGEST_SHA512, DIGESTS };
enum { HMAC_MAX = 64 }; /* bytes of the longest */

/* Over the parts one after another, as if they were one text. */
void sha256(const struct str parts[], size_t n, uint8_t ret[SHA256_LEN]);
void hmac_sha256(struct str key, const struct str parts[], size_t n, uint8_t ret[SHA256_LEN]);
/* The same with a digest of the sender's choice; how many bytes of ret it filled. */
size_t hmac(enum digest digest, struct str key, const struct str parts[], size_t n,
            uint8_t ret[HMAC_MAX]);

void hex_encode(const uint8_t *bytes, size_t n, char *ret); /* lower case; 2n + 1 bytes */
struct str base64_encode(struct arena *a, struct str bytes);
struct str base64url_encode(struct arena *a, struct str bytes);        /* no padding */
bool base64_decode(struct arena *a, struct str text, struct str *ret); /* standard, padded */

bool crypto_equal(struct str a, struct str b); /* constant time in the content */
void random_bytes(void *ret, size_t n);        /* aborts where the kernel has none */

/* RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 RS256). The key is PEM, PKCS#8 or PKCS#1. */
struct rsa_key;
MUST_CHECK enum rc rsa_key_load(struct str pem, struct rsa_key **ret, struct why *why);
void rsa_key_free(struct rsa_key *key);
MUST_CHECK enum rc rsa_sign_sha256(const struct rsa_key *key, struct str data, struct arena *a,
                                   struct str *ret, struct why *why);

const char *crypto_library(void); /* version of OpenSSL that runs, "3.0.15" */

#endif
