/* app/pause.c - connectors are held by command, and go on. */
#include "daemon_priv.h"

#include "funneld/app/control.h"
#include "funneld/base/json.h"
#include "funneld/observe/log.h"

enum rc pause_connectors(struct store *st, void *pause, struct why *why)
{
    const struct pause *p = pause;
    enum rc rc = RC_OK;

    (void)why; /* the store's own words will do */
    for (size_t i = 0; i < p->n && rc == RC_OK; i++)
        rc = store_pause(st, p->names[i], p->paused);
    return rc;
}

static bool is_connector(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->n_connectors; i++)
        if (str_eq(c->connectors[i].name, name))
            return true;
    return false;
}

static enum rc read_names(const struct config *c, const json *request, struct arena *a,
                          struct pause *ret, struct why *why)
{
    const json *list = json_get(request, "connectors");
    struct str *names = arena_array(a, json_count(list), sizeof *names);
    size_t n = 0;

    if (json_type(list) != JSON_ARRAY)
        return why_fail(RC_INVALID, why, "connectors is a list of names");
    for (const json *name = json_first(list); name; name = json_next(name)) {
        names[n] = arena_str(a, json_string(name));
        if (!is_connector(c, names[n])) /* the daemon's file may be another than the command's */
            return why_fail(RC_INVALID, why, "the running configuration has no connector %.*s",
                            STR_ARG(names[n]));
        n++;
    }
    ret->names = names;
    ret->n = n;
    return RC_OK;
}

enum rc daemon_pause(struct daemon *d, const json *request, bool paused, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct pause p = {.paused = paused};
    enum rc rc = read_names(d->config, request, &a, &p, why);

    if (rc == RC_OK)
        rc = daemon_command(d, COMMAND_CALL, &p, pause_connectors, NULL, why);
    if (rc != RC_OK)
        return rc;
    deliverer_probe(d->deliverer);
    for (size_t i = 0; i < p.n; i++)
        log_write(LOG_INFO, paused ? "connector.paused" : "connector.resumed",
                  L_STR("connector", p.names[i]), L_END);
    return RC_OK;
}
