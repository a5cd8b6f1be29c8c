/* store/models.h - the part of the port (store/store.h, which includes it) for trained models and
 * for the past that they are trained on. Errors and threads are as there.
 */
#ifndef FUNNELD_STORE_MODELS_H
#define FUNNELD_STORE_MODELS_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"

struct store;
struct reader;

/* Models: two texts each (model/model.h), and which of them served when. Of a goal at most one is
 * active. */
struct model_record {
    int64_t id; /* never given twice */
    struct str name;
    int64_t version; /* of that name, from 1 */
    int goal;        /* an enum model_goal */
    int64_t created_at;
    bool active, usable;
    struct str trees, sidecar; /* only where one is read by read_model */
};
/* Sets id and version. */
MUST_CHECK enum rc store_model_add(struct store *st, struct model_record *m);
/* From now on it is the one of its goal; id 0: none is. RC_NONE: there is no such model. */
MUST_CHECK enum rc store_model_use(struct store *st, int goal, int64_t id, int64_t now_ms,
                                   struct str reason);
/* The same on the way back: where it is the one that was before, what was before that is before it
 * again. */
MUST_CHECK enum rc store_model_back(struct store *st, int goal, int64_t id, int64_t now_ms,
                                    struct str reason);
/* Newest first, without texts. */
typedef void model_seen(void *self, const struct model_record *m);
MUST_CHECK enum rc read_models(struct reader *r, model_seen *seen, void *self);
MUST_CHECK enum rc read_model(struct reader *r, int64_t id, struct arena *a,
                              struct model_record *ret);
/* The same without its texts. */
MUST_CHECK enum rc read_model_card(struct reader *r, int64_t id, struct arena *a,
                                   struct model_record *ret);
/* version 0: the newest of that name. */
MUST_CHECK enum rc read_model_named(struct reader *r, struct str name, int64_t version,
                                    struct arena *a, struct model_record *ret);
/* The one that served a goal at a time; RC_NONE: none did. */
MUST_CHECK enum rc read_model_at(struct reader *r, int goal, int64_t at, int64_t *ret_id);
/* Which was in use before the one that is now, for rollback; 0: none was. RC_NONE: it never
 * changed. */
MUST_CHECK enum rc read_model_before(struct reader *r, int goal, int64_t *ret_id);

/* Imports of all contacts of a CRM; RC_NONE: none is under way */
struct import_place {
    struct str connector, place; /* where the CRM goes on; missing: it is through */
    int64_t contacts, changed_at;
};
MUST_CHECK enum rc store_import_set(struct store *st, const struct import_place *p);
MUST_CHECK enum rc read_import(struct reader *r, struct str connector, struct arena *a,
                               struct import_place *ret);

#endif
