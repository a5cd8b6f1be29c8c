/* app/model.c - the daemon is asked to keep a model, to use it, or to go back. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon_priv.h"
#include "funneld/app/model.h"
#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

static void closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* it was only read */
}

static enum rc read_text(const char *path, struct arena *a, struct str *ret, struct why *why)
{
    int fd AUTO(closep) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return why_fail(RC_IO, why, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size > MODEL_MOST_BYTES)
        return why_fail(RC_INVALID, why, "%s is no file of at most %d MiB", path,
                        MODEL_MOST_BYTES >> 20);
    char *text = arena_alloc(a, (size_t)st.st_size + 1);
    size_t len = 0;
    for (ssize_t n = 1; n != 0 && len<(size_t)st.st_size; len += n> 0 ? (size_t)n : 0) {
        n = read(fd, text + len, (size_t)st.st_size - len);
        if (n < 0 && errno != EINTR)
            return why_fail(RC_IO, why, "%s: %s", path, strerror(errno));
    }
    *ret = (struct str){text, len};
    return RC_OK;
}

/* What commands hand over: DATABASE.model-PID.trees and .sidecar. */
static const char *handed_over(const struct daemon *d, struct arena *a)
{
    char *database = store_real_path(arena_text(a, d->config->store.path));
    char *absolute = database ? realpath(database, NULL) : NULL;
    const char *ret = absolute ? arena_printf(a, "%s.model-", absolute).at : NULL;

    free(absolute);
    free(database);
    return ret;
}

void daemon_models_sweep(struct daemon *d)
{
    struct arena a AUTO(arena_free) = {0};
    const char *front = handed_over(d, &a), *slash = front ? strrchr(front, '/') : NULL;
    DIR *folder =
        slash ? opendir(arena_text(&a, (struct str){front, (size_t)(slash - front) + 1})) : NULL;

    for (struct dirent *e = NULL; folder && (e = readdir(folder));)
        if (str_starts(str_of(e->d_name), str_of(slash + 1)))
            (void)unlinkat(dirfd(folder), e->d_name, 0); /* of a command that was killed */
    if (folder)
        (void)closedir(folder); /* it was only read */
}

static enum rc read_file(const json *request, const char *key, struct arena *a, struct str *ret,
                         struct why *why)
{
    struct str path = json_string(json_get(request, key));

    if (!path.at || path.at[0] != '/')
        return why_fail(RC_INVALID, why, "%s is the absolute path of a file", key);
    return read_text(arena_text(a, path), a, ret, why);
}

static void tell_use(const struct model_record *m, struct str reason)
{
    log_write(LOG_INFO, "model.used", L_TEXT("goal", goal_name((enum model_goal)m->goal)),
              L_STR("name", m->id ? m->name : STR("none")), L_INT("version", m->version),
              L_STR("reason", reason), L_END);
}

static void write_answer(const struct model_record *m, const char *unknown, struct sbuf *b)
{
    json_open(b, '{');
    json_kv_int(b, "id", m->id);
    json_kv(b, "name", m->name);
    json_kv_int(b, "version", m->version);
    json_key(b, "active");
    json_bool(b, m->active);
    json_kv_text(b, "unknown", unknown);
    json_close(b, '}');
}

/* Once read it is of no use; its command may be killed before it removes it. */
static void remove_handed_over(struct daemon *d, const json *request, const char *key)
{
    struct arena a AUTO(arena_free) = {0};
    const char *front = handed_over(d, &a);
    struct str path = json_string(json_get(request, key));

    if (front && path.at && str_starts(path, str_of(front)) &&
        !str_chr(str_from(path, strlen(front)), '/'))
        (void)unlink(arena_text(&a, path)); /* or it is not there */
}

static enum rc add(struct daemon *d, const json *request, struct sbuf *b, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct model_adding m = {.now_ms = clock_now_ms()};
    struct model *model = NULL;
    enum rc rc = read_file(request, "trees", &a, &m.trees, why);

    if (rc == RC_OK)
        rc = read_file(request, "sidecar", &a, &m.sidecar, why);
    remove_handed_over(d, request, "trees");
    remove_handed_over(d, request, "sidecar");
    if (rc == RC_OK && !model_use_find(json_string(json_get(request, "use")), &m.use))
        rc = why_fail(RC_INVALID, why, "use is one of never, when first, always");
    if (rc == RC_OK)
        rc = model_read(m.trees, m.sidecar, &model, why);
    if (rc != RC_OK)
        return rc;
    m.model = model;
    m.name = arena_str(&a, json_string(json_get(request, "name")));
    rc = daemon_command(d, COMMAND_CALL, &m, model_add, NULL, why);
    if (rc == RC_OK && m.added.active)
        rc = daemon_model_swap(d, (enum model_goal)m.added.goal, model_take(model), why);
    if (rc == RC_OK && m.added.active)
        tell_use(&m.added, STR("activated"));
    if (rc == RC_OK)
        write_answer(&m.added, m.unknown.text, b);
    model_drop(model); /* the name was its own */
    return rc;
}

static enum rc read_record(struct daemon *d, int64_t id, struct arena *a, struct model_record *ret)
{
    pthread_mutex_lock(&d->overview_lock);
    enum rc rc = read_model(d->overview_reader, id, a, ret);
    pthread_mutex_unlock(&d->overview_lock);
    return rc;
}

/* What was chosen, from the store into service; id 0: none. It is read while others may look. */
static enum rc take_over(struct daemon *d, const struct model_choosing *c, struct arena *a,
                         struct model_record *ret, struct why *why)
{
    struct model *m = NULL;
    enum rc rc = c->id ? read_record(d, c->id, a, ret) : RC_OK;

    if (rc == RC_OK && c->id)
        rc = model_read(ret->trees, ret->sidecar, &m, why);
    return rc == RC_OK ? daemon_model_swap(d, (enum model_goal)c->goal, m, why) : rc;
}

static enum rc choose(struct daemon *d, struct model_choosing *c, command_fn *fn, struct sbuf *b,
                      struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct model_record m = {0};
    enum rc rc = daemon_command(d, COMMAND_CALL, c, fn, NULL, why);

    if (rc == RC_OK)
        rc = take_over(d, c, &a, &m, why);
    if (rc != RC_OK)
        return rc;
    m.active = c->id != 0;
    m.goal = c->goal;
    tell_use(&m, c->reason);
    write_answer(&m, "", b);
    return RC_OK;
}

static enum rc activate(struct daemon *d, const json *request, struct sbuf *b, struct why *why)
{
    struct model_choosing c = {.now_ms = clock_now_ms(), .reason = STR("activated")};
    struct arena a AUTO(arena_free) = {0};
    struct model_record m = {0};

    if (!json_int64(json_get(request, "id"), &c.id))
        return why_fail(RC_INVALID, why, "id is the number of a model");
    pthread_mutex_lock(&d->overview_lock);
    enum rc rc = read_model_card(d->overview_reader, c.id, &a, &m);
    pthread_mutex_unlock(&d->overview_lock);
    if (rc != RC_OK)
        return why_fail(rc, why, "there is no model %lld", (long long)c.id);
    c.goal = m.goal;
    return choose(d, &c, model_choose, b, why);
}

static enum rc roll_back(struct daemon *d, const json *request, struct sbuf *b, struct why *why)
{
    struct model_choosing c = {.now_ms = clock_now_ms(), .reason = STR("rolled back")};
    struct str goal = json_string(json_get(request, "goal"));

    for (c.goal = 0; c.goal < GOAL_COUNT; c.goal++)
        if (str_is(goal, goal_name((enum model_goal)c.goal)))
            return choose(d, &c, model_roll_back, b, why);
    return why_fail(RC_INVALID, why, "goal is one of conversion and churn");
}

enum rc daemon_model(struct daemon *d, const json *request, struct sbuf *b, struct why *why)
{
    static const struct {
        const char *name;
        enum rc (*run)(struct daemon *d, const json *request, struct sbuf *b, struct why *why);
    } deeds[] = {{"add", add}, {"activate", activate}, {"rollback", roll_back}};
    struct str what = json_string(json_get(request, "do"));

    for (size_t i = 0; i < ARRAY_LEN(deeds); i++)
        if (str_is(what, deeds[i].name))
            return deeds[i].run(d, request, b, why);
    return why_fail(RC_INVALID, why, "do is one of add, activate and rollback");
}
