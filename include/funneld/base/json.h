/* base/json.h - strict JSON (RFC 8259), read through cJSON, written by hand.
 *
 * Reading. Before cJSON sees the bytes our own scan refuses what cJSON lets through: bytes
 * after the value, duplicate keys, bad UTF-8, lone surrogates, \u0000, raw control characters,
 * depth over 64, numbers outside the grammar or the range of a double. Numbers of more than
 * 15 significant digits are handed to cJSON as strings, so that ids stay exact. Never depends
 * on the C locale. A json_doc belongs to its caller; nodes and texts live as long as it does.
 *
 * Writing. Straight into an sbuf; commas are put where the text so far needs them.
 */
#ifndef FUNNELD_BASE_JSON_H
#define FUNNELD_BASE_JSON_H

#include <stdint.h>

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/base/sbuf.h"
#include "funneld/base/str.h"

typedef struct cJSON json;

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_doc {
    json *root;
    struct str *elements; /* the raw bytes of each element when the root is an array ... */
    size_t n_elements;    /* ... pointing into the text that was parsed */
};

MUST_CHECK enum rc json_parse(struct str text, struct json_doc *ret, struct why *why);
void json_doc_free(struct json_doc *doc); /* NULL root is fine */

enum json_type json_type(const json *node);                /* NULL node counts as JSON_NULL */
const json *json_get(const json *object, const char *key); /* case-sensitive; NULL: missing */
const json *json_path(const json *node, const char *path); /* "a.b.0.c"; NULL: missing */
const json *json_first(const json *array_or_object);
const json *json_next(const json *node);
struct str json_name(const json *member); /* the key of an object's member */
size_t json_count(const json *array_or_object);

struct str json_string(const json *node);        /* missing unless it is a string */
bool json_int64(const json *node, int64_t *ret); /* exact integers, as number or decimal text */
bool json_number(const json *node, double *ret); /* JSON numbers only */
bool json_real(const json *node, double *ret);   /* or one of many digits, which became a string */
bool json_true(const json *node);                /* JSON true only */
/* Any scalar as text: string as it is, 12.5, true; null, array and object are missing. */
struct str json_scalar(const json *node, struct arena *a);

/* Writing */
void json_open(struct sbuf *b, char bracket);  /* '{' or '[' */
void json_close(struct sbuf *b, char bracket); /* '}' or ']' */
void json_key(struct sbuf *b, const char *key);
void json_key_str(struct sbuf *b, struct str key);
void json_str(struct sbuf *b, struct str value); /* missing writes null; bad UTF-8 becomes U+FFFD */
void json_text(struct sbuf *b, const char *value);
void json_quote(struct sbuf *b, struct str value); /* the quoted text alone, never a comma */
void json_int(struct sbuf *b, int64_t value);
void json_num(struct sbuf *b, double value); /* shortest that reads back; NaN and infinity: null */
void json_bool(struct sbuf *b, bool value);
void json_null(struct sbuf *b);
void json_raw(struct sbuf *b, struct str value); /* already JSON */
void json_node(struct sbuf *b, const json *node);

/* key and value at once, the common case */
void json_kv(struct sbuf *b, const char *key, struct str value);
void json_kv_text(struct sbuf *b, const char *key, const char *value);
void json_kv_int(struct sbuf *b, const char *key, int64_t value);
void json_kv_id(struct sbuf *b, const char *key, int64_t id);         /* as a string; 0 is null */
void json_kv_tenths(struct sbuf *b, const char *key, int64_t tenths); /* 125 -> 12.5 */
void json_kv_time(struct sbuf *b, const char *key, int64_t unix_ms);  /* ISO 8601; 0 is null */

const char *json_library(void); /* version of cJSON that runs, "1.7.15" */

#endif
