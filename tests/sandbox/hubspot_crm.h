/* tests/sandbox/hubspot_crm.h - the contacts that the parts of HubSpot's stand-in work on. */
#ifndef FUNNELD_TESTS_SANDBOX_HUBSPOT_H
#define FUNNELD_TESTS_SANDBOX_HUBSPOT_H

#include "sandbox.h"

#define HUBSPOT_SCHEMAS "/crm/v3/properties"

enum { HUBSPOT_BATCH_MAX = 100 };

struct contact {
    struct str id, updated_at, created_at;
    struct str history; /* JSON: versions by property, the newest first; missing: none */
    struct field *properties;
    size_t n_properties;
    bool archived, poison; /* poison: a batch with it is refused as a whole */
};

/* hubspot.c */
extern struct arena hubspot_memory; /* until the next reset */
extern struct contact *contacts;
extern size_t n_contacts;
struct contact *contact_find(struct str id);
struct contact *contact_find_by(struct str key, struct str id); /* key missing: by id */
struct str contact_value(const struct contact *c, struct str name);
void contact_write(struct sbuf *b, const struct contact *c, const struct str *wanted, size_t n);
struct str *hubspot_names(const json *list, struct arena *a, size_t *ret_n);
const char *hubspot_check_inputs(const json *inputs, struct arena *a); /* NULL: they are good */
bool hubspot_body(const struct call *c, struct json_doc *doc, struct answer *ret);
void hubspot_refuse(struct answer *ret, int status, const char *category, const char *message);
/* The same, and it is noted: funneld should not have asked. */
void hubspot_offence(struct answer *ret, int status, const char *category, const char *message);
void hubspot_too_many(struct answer *ret, const char *policy);

/* hubspot_update.c: values into contacts, and the properties that there are */
void hubspot_batch_update(const struct call *c, struct answer *ret);
void hubspot_update_one(const struct call *c, struct str id, struct answer *ret);
void hubspot_properties_handle(const struct call *c, struct answer *ret);
void hubspot_dump_writes(struct sbuf *b);
void hubspot_forget_writes(void);

/* hubspot_tokens.c: which app asks, and what it may do */
#define HUBSPOT_TOKEN_INFO "/oauth/v2/private-apps/get/access-token-info"
struct hubspot_token {
    const char *text, *scopes;
};
const struct hubspot_token *hubspot_token_of(const struct call *c); /* NULL: nobody's */
/* false: *ret holds the refusal. */
bool hubspot_may(const struct call *c, const struct hubspot_token *t, struct answer *ret);
void hubspot_token_info(const struct call *c, struct answer *ret);

/* hubspot_search.c */
void hubspot_search(const struct call *c, struct answer *ret);

/* hubspot_list.c */
void hubspot_list(const struct call *c, struct answer *ret);

#endif
