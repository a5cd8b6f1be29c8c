/* tests/sandbox/faults.c - requests that are to go wrong, in the order in which they were asked
 * for.
 *
 * status: refused with this status, nothing is done. processed_status: done, then answered with
 * this status. processed_no_answer: done, then the connection is cut. drop: cut, nothing is done.
 * garbage: done, but the answer cannot be read. slow: done, answered after delay_ms.
 */
#include "sandbox.h"

#include <stdlib.h>

static struct fault *faults;
static struct arena memory;

static const char *const mode_names[] = {
    [FAULT_STATUS] = "status",
    [FAULT_PROCESSED_NO_ANSWER] = "processed_no_answer",
    [FAULT_PROCESSED_STATUS] = "processed_status",
    [FAULT_DROP] = "drop",
    [FAULT_GARBAGE] = "garbage",
    [FAULT_SLOW] = "slow",
};

static enum fault_mode mode_of(struct str name)
{
    for (size_t i = FAULT_STATUS; i < ARRAY_LEN(mode_names); i++)
        if (str_is(name, mode_names[i]))
            return (enum fault_mode)i;
    return name.at ? FAULT_NONE : FAULT_STATUS;
}

static bool fits(const struct fault *f, const struct service *s, const struct call *c)
{
    return f->times > 0 && (!f->service.len || str_is(f->service, s->name)) &&
           (!f->method.len || str_eq(f->method, c->method)) &&
           (!f->path.len || str_starts(c->path, f->path));
}

struct fault fault_take(const struct service *s, const struct call *c)
{
    for (struct fault *f = faults; f; f = f->next) {
        if (!fits(f, s, c))
            continue;
        f->times--;
        return *f;
    }
    return (struct fault){.mode = FAULT_NONE};
}

static struct str body_of(const json *order)
{
    const json *body = json_get(order, "body");
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    struct str ret;

    if (!body)
        return STR_NULL;
    if (json_type(body) == JSON_STRING)
        return arena_str(&memory, json_string(body));
    json_node(&b, body);
    return sbuf_seal(&b, &memory, &ret) ? STR_NULL : ret;
}

static bool service_known(struct str name)
{
    for (size_t i = 0; i < n_services; i++)
        if (str_is(name, services[i]->name))
            return true;
    return !name.len;
}

static int64_t number(const json *order, const char *key, int64_t fallback)
{
    int64_t value;

    return json_int64(json_get(order, key), &value) ? value : fallback;
}

bool fault_add(const json *order, struct answer *ret)
{
    struct fault f = {
        .mode = mode_of(json_string(json_get(order, "mode"))),
        .service = arena_str(&memory, json_string(json_get(order, "service"))),
        .path = arena_str(&memory, json_string(json_get(order, "path"))),
        .method = arena_str(&memory, json_string(json_get(order, "method"))),
        .times = number(order, "times", 1),
        .status = number(order, "status", 500),
        .delay_ms = number(order, "delay_ms", 0),
        .retry_after = json_scalar(json_get(order, "retry_after"), &memory),
        .body = body_of(order),
    };
    struct fault **last = &faults, *kept = ARENA_NEW(&memory, struct fault);

    if (f.mode == FAULT_NONE || !service_known(f.service)) {
        answer_text(ret, 400, "unknown mode or service\n");
        return false;
    }
    f.retry_after = arena_str(&memory, f.retry_after);
    while (*last)
        last = &(*last)->next;
    *kept = f;
    *last = kept;
    return true;
}

void fault_reset(void)
{
    faults = NULL;
    arena_free(&memory);
    memory = (struct arena){0};
}
