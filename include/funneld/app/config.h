/* app/config.h - the whole configuration, assembled from everyone's option tables.
 *
 * Immutable once loaded and shared by reference: sites, rules and lanes are views of it for
 * the HTTP side, the writer and the deliverer, whose `owner` is the configuration's ref.
 */
#ifndef FUNNELD_APP_CONFIG_H
#define FUNNELD_APP_CONFIG_H

#include "funneld/base/ref.h"
#include "funneld/config/conf.h"
#include "funneld/deliver/deliverer.h"
#include "funneld/http/server.h"
#include "funneld/observe/log.h"
#include "funneld/pipeline/goal.h"
#include "funneld/pipeline/writer.h"
#include "funneld/store/store.h"

enum on_drift { ON_DRIFT_FALL_BACK, ON_DRIFT_RETRAIN, ON_DRIFT_WARN };
struct model_settings {
    int64_t check_every_ms;
    int64_t retrain_ms; /* 0: only by hand */
    int64_t on_drift;   /* an enum on_drift */
};
extern const struct section_spec model_spec;

struct config {
    struct ref ref;
    struct arena arena;
    struct conf conf;              /* as read, for those who want a line number */
    struct conf_problems problems; /* n > 0: do not run with it */
    struct server_settings server;
    struct admin_settings admin;
    struct store_settings store;
    struct log_settings log;
    struct model_settings model;
    struct source *sources;
    size_t n_sources;
    struct connector *connectors;
    size_t n_connectors;
    const struct connector *crm; /* whose contacts the leads are; NULL: none */
    struct scorecard scorecard;
    struct goals goals;
    struct routes routes;
    struct str control_socket;
    int64_t loaded_at; /* Unix ms */
    struct sites sites;
    struct rules rules;
    struct lanes lanes;
};

/* Always gives a config, if only to read its problems. Drop it with ref_drop(&c->ref). */
struct config *config_load(const char *path, int64_t now_ms);

/* "funneld.conf:41: unknown key ... \n  hint" for each problem. */
void config_problems_text(const struct config *c, struct sbuf *b);

const struct source *config_source(const struct config *c, struct str name);       /* NULL: none */
const struct connector *config_connector(const struct config *c, struct str name); /* NULL: none */

/* What of the two needs a restart: "[server] listen", or NULL. */
const char *config_restart_needed(const struct config *running, const struct config *next,
                                  struct arena *a);

/* What others on this machine can read of its secrets, in words; NULL: nothing. */
const char *config_exposed(const struct config *c, struct arena *a);

/* Which secret that lets somebody in is too short, in words; NULL: none. */
const char *config_guessable(const struct config *c, struct arena *a);

/* config/funneld.conf, made from the option tables. */
void config_reference(struct sbuf *b);

#endif
