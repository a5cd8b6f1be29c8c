/* tls_priv.h - the certificate that new handshakes get. One per process: GnuTLS gives its
 * callback no pointer of ours. */
#ifndef FUNNELD_HTTP_TLS_PRIV_H
#define FUNNELD_HTTP_TLS_PRIV_H

#include "funneld/base/rc.h"
#include "funneld/base/str.h"

/* -RSA: key exchanges with forward secrecy only; and our order of ciphers, not the sender's. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%SERVER_PRECEDENCE"

struct tls_pair;
/* RC_IO: a file cannot be read; RC_INVALID: it is no certificate or key, or they do not match. */
MUST_CHECK enum rc tls_load(struct str cert_path, struct str key_path, struct tls_pair **ret,
                            struct why *why);
void tls_free(struct tls_pair *pair); /* NULL is fine */
/* From now on. The pair before stays until the next swap: handshakes may be using it. */
void tls_swap(struct tls_pair *pair);
void tls_end(void); /* no handshake is left */
/* gnutls_certificate_retrieve_function2, as libmicrohttpd takes it */
void *tls_callback(void);

#endif
