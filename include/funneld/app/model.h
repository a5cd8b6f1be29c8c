/* app/model.h - trained models come into the store and into use: by the daemon, or by a command
 * where none runs.
 *
 * Over the control socket (app/control.h):
 *     {"command":"model","do":"add","trees":"/a/x.trees","sidecar":"/a/x.sidecar","use":"when
 * first"} the texts are in files beside the database, which whoever asks removes; use: "never",
 * "when first" or "always"
 *     {"command":"model","do":"activate","id":7}
 *     {"command":"model","do":"rollback","goal":"conversion"}
 *         each: {"id":7,"name":"main","version":2,"active":true,"unknown":""}, id 0: none is in
 * use; unknown: inputs of one that was added that no lead has, in words
 */
#ifndef FUNNELD_APP_MODEL_H
#define FUNNELD_APP_MODEL_H

#include "funneld/model/served.h"
#include "funneld/store/store.h"

/* What becomes of a model that was added. */
enum model_use {
    USE_NEVER,
    USE_WHEN_FIRST, /* it is usable, leads have most of its inputs, and its goal has no other */
    USE_ALWAYS,
};
const char *model_use_name(enum model_use u);
bool model_use_find(struct str name, enum model_use *ret);

/* A model to be added, that was read by model_read; a command_fn takes it. */
struct model_adding {
    const struct model *model;
    struct str trees, sidecar;
    struct str name; /* missing: the model's own */
    enum model_use use;
    int64_t now_ms;
    struct model_record added; /* set: id, version, goal, whether it is in use now */
    struct why unknown;        /* set: inputs that no lead has, in words; empty: none */
};
enum rc model_add(struct store *st, void *adding, struct why *why);

/* RC_INVALID: an input begins with '@' and is none of model/inputs.h. */
MUST_CHECK enum rc model_inputs_check(const struct model *m, struct why *why);
/* Whether the newest leads have most of what it asks about (true where there is no lead), and in
 * words which inputs none of them has. */
MUST_CHECK enum rc model_inputs_known(struct reader *r, const struct model *m, bool *ret_most,
                                      struct why *ret_unknown);

/* Which model a goal has from now on; a command_fn takes it. model_fall_back is for the way back:
 * what was before that one is before it again. */
struct model_choosing {
    int64_t id; /* 0: none, of `goal` */
    int goal;
    int64_t now_ms;
    struct str reason; /* "activated", "rolled back", "drift" */
};
enum rc model_choose(struct store *st, void *choosing, struct why *why);
enum rc model_fall_back(struct store *st, void *choosing, struct why *why);

/* Back to the one before; sets id. RC_NONE: there is nothing to go back to. */
enum rc model_roll_back(struct store *st, void *choosing, struct why *why);

/* The active one of a goal, read and checked. RC_NONE: none is. */
MUST_CHECK enum rc models_load(struct reader *r, int goal, struct model **ret, struct why *why);

/* The active ones of all goals, to be asked where no daemon runs; ref_drop lets them go. Of one
 * that cannot be read rules alone decide, as they do in the daemon, and *why says so. */
MUST_CHECK enum rc models_in_use(struct reader *r, struct models **ret, struct why *why);

#endif
