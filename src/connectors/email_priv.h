/* connectors/email_priv.h - the parts of the e-mail connector: settings, addresses, message,
 * verdicts.
 *
 * A delivery is one message to each address in `to`, one after another in the steps of one job, so
 * that a mailbox that is gone keeps nobody else from being told and nobody sees who else is. Who
 * has it is kept with the delivery (remote_id holds the Message-ID of each accepted message), so
 * that whatever repeats the delivery leaves them out. A Message-ID is the same on every try.
 */
#ifndef FUNNELD_CONNECTORS_EMAIL_PRIV_H
#define FUNNELD_CONNECTORS_EMAIL_PRIV_H

#include "connectors_priv.h"

enum { EMAIL_TO_MAX = 50, EMAIL_HEADER_POINTS = 200 };

enum { EMAIL_TLS_REQUIRED, EMAIL_TLS_OFF };    /* starttls */
enum { EMAIL_DOUBT_RESEND, EMAIL_DOUBT_DROP }; /* on_ambiguous */

struct email {
    struct connector_common common;
    struct str user, password, from;
    struct str_list to;
    int64_t starttls, on_ambiguous;
};

/* Scratch of a job. */
struct email_round {
    size_t at;                 /* whose turn it is, an index into `to` */
    struct str later, refused; /* "ada@example.com: 450 ..." of those not told; missing: none */
};

/* Addresses */

/* "Name <ada@example.com>" or the address alone; the name may be missing. Only what every server
 * takes: ASCII, a dot-atom on both sides, a domain with a dot (RFC 5321 4.1.2, 4.5.3.1). The why
 * ends a sentence that begins with what it is about: "has no @". */
MUST_CHECK enum rc email_mailbox_parse(struct str text, struct str *ret_name, struct str *ret_addr,
                                       struct why *why);
MUST_CHECK enum rc email_address_check(struct str address, struct why *why);
struct str email_domain(struct str address);
/* Of the settings, which were checked. */
struct str email_from_address(const struct email *s);

/* Encoding: of a header from text_line(), so that no control character begins another. */

/* An unstructured header's value (RFC 2047 where it is not plain ASCII), folded; from email_line.
 */
void email_write_text(struct sbuf *b, struct str line);
/* A display name in front of <address>: an atom, a quoted string or encoded words. */
void email_write_name(struct sbuf *b, struct str line);
/* Quoted-printable (RFC 2045 6.7), lines of at most 76 that end in CRLF, none that begins with a
 * dot. */
void email_write_body(struct sbuf *b, struct str text);
/* "Thu, 1 Jan 2026 00:00:00 +0000" */
void email_write_date(struct sbuf *b, int64_t unix_ms);

/* Message */

/* "<0a1b2c3d-41.5f3a9c01e77d2b40@example.com>": of the delivery and the recipient. */
struct str email_message_id(const struct email *s, const struct parcel *p, struct str to,
                            struct arena *a);
/* Whether the delivery has been accepted for this recipient; `told`: its remote_id. */
bool email_is_told(struct str told, struct str to, struct arena *a);
MUST_CHECK enum rc email_message(const struct email *s, const struct parcel *p, struct str to,
                                 struct arena *a, struct str *ret, struct why *why);

/* What a reply means and what to do about it: "the server ... (535 5.7.8 ..., to AUTH)". */
struct str email_reason(const struct http_response *r, struct arena *a);
enum judged email_judge(struct job *job, const struct http_response *r);
/* A mail without its message. */
void email_address_to(const struct email *s, struct str to, struct arena *a,
                      struct http_request *ret);
/* The next recipient from `at` on who has not been told; to.n: none. */
size_t email_next(const struct job *job, size_t at);

/* email_probe.c */
enum rc email_probe_next(struct probe *p, struct http_request *ret, struct why *why);
void email_probe_take(struct probe *p, const struct http_response *r);

#endif
