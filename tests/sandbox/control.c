/* tests/sandbox/control.c - /_sandbox/: order faults, load records, press a button, look at
 * everything, reset. */
#include "sandbox.h"

#include <stdarg.h>
#include <stdio.h>

enum { COUNTERS_MAX = 4096 };

static struct arena memory;
static struct counter {
    struct str path;
    int64_t n;
} counters[COUNTERS_MAX];
static size_t n_counters;
static struct offence {
    struct str text;
    struct offence *next;
} * offences;

const struct service *const services[] = {
    &slack_service,   &notion_service,          &google_service, &sheets_service,
    &hubspot_service, &hubspot_objects_service, &hooks_service,
};
const size_t n_services = ARRAY_LEN(services);

void control_count(const struct call *c)
{
    for (size_t i = 0; i < n_counters; i++)
        if (str_eq(counters[i].path, c->path)) {
            counters[i].n++;
            return;
        }
    if (n_counters < COUNTERS_MAX)
        counters[n_counters++] = (struct counter){arena_str(&memory, c->path), 1};
}

void offence(const char *service, const char *fmt, ...)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);
    struct offence *o = ARENA_NEW(&memory, struct offence), **last = &offences;
    va_list args;

    sbuf_printf(&b, "%s: ", service);
    va_start(args, fmt);
    sbuf_vprintf(&b, fmt, args);
    va_end(args);
    o->text = arena_str(&memory, sbuf_str(&b));
    while (*last)
        last = &(*last)->next;
    *last = o;
    (void)fprintf(stderr, "sandbox: %.*s\n", STR_ARG(o->text)); /* for whoever watches */
}

static void write_state(struct answer *ret)
{
    struct sbuf *b = answer_json(ret, 200);

    json_open(b, '{');
    for (size_t i = 0; i < n_services; i++) {
        json_key(b, services[i]->name);
        services[i]->dump(b);
    }
    json_key(b, "requests");
    json_open(b, '{');
    for (size_t i = 0; i < n_counters; i++) {
        json_key_str(b, counters[i].path);
        json_int(b, counters[i].n);
    }
    json_close(b, '}');
    json_key(b, "offences");
    json_open(b, '[');
    for (const struct offence *o = offences; o; o = o->next)
        json_str(b, o->text);
    json_close(b, ']');
    json_close(b, '}');
}

static void reset(void)
{
    for (size_t i = 0; i < n_services; i++)
        services[i]->reset();
    fault_reset();
    n_counters = 0;
    offences = NULL;
    arena_free(&memory);
    memory = (struct arena){0};
}

void control_handle(const struct call *c, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool parsed = c->body.len && !json_parse(c->body, &doc, NULL), done = true;

    if (call_is(c, "GET", "/_sandbox/state")) {
        write_state(ret);
        return;
    }
    if (call_is(c, "POST", "/_sandbox/reset"))
        reset();
    else if (call_is(c, "POST", "/_sandbox/fail") && parsed)
        done = fault_add(doc.root, ret);
    else if (call_is(c, "POST", "/_sandbox/contacts") && parsed)
        done = hubspot_contacts_load(doc.root, ret);
    else if (call_is(c, "POST", "/_sandbox/objects") && parsed)
        done = hubspot_objects_load(doc.root, ret);
    else if (call_is(c, "POST", "/_sandbox/click") && parsed)
        done = slack_click(doc.root, c, ret);
    else {
        answer_text(ret, 404, "state, reset, fail, contacts, objects or click\n");
        return;
    }
    if (done)
        sbuf_text(answer_json(ret, 200), "{\"ok\":true}");
}
