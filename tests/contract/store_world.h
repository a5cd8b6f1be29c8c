/* tests/contract/store_world.h - a store in a folder of its own, and short ways to fill it.
 *
 * Speaks to the port alone, so that the suite can be run on every store behind it.
 */
#ifndef FUNNELD_TESTS_STORE_WORLD_H
#define FUNNELD_TESTS_STORE_WORLD_H

#include "cm.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "funneld/store/store.h"

enum { T0 = 1000000 }; /* "now" in most tests */

#define OK(call)        assert_int_equal((call), RC_OK)
#define SAME(a, b)      assert_true(str_eq((a), (b)))
#define TEXT(a, wanted) SAME((a), STR(wanted))
#define RUN(test)       cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
#define RUN_EMPTY(test) cmocka_unit_test_setup_teardown(test, world_setup_empty, world_teardown)

struct world {
    char dir[64];
    struct str path; /* of the database */
    struct store_settings settings;
    struct store *store;
    struct reader *reader; /* the store's own */
    struct arena arena;
    struct why why;
};

static inline void world_reopen(struct world *w)
{
    store_close(w->store);
    w->store = NULL;
    OK(store_open(&w->settings, T0, &w->store, &w->why));
    w->reader = store_reader(w->store);
}

static inline int world_setup_empty(void **state)
{
    struct world *w = mem_alloc(sizeof *w);
    int n = snprintf(w->dir, sizeof w->dir, "%s/funneld-store-XXXXXX", P_tmpdir);

    if (n < 0 || n >= (int)sizeof w->dir || !mkdtemp(w->dir))
        return -1;
    w->path = arena_printf(&w->arena, "%s/funneld.db", w->dir);
    w->settings = (struct store_settings){.path = w->path, .checkpoint = 1 << 20};
    *state = w;
    return 0;
}

static inline int world_setup(void **state)
{
    if (world_setup_empty(state) != 0)
        return -1;
    world_reopen(*state);
    return 0;
}

static inline void remove_folder(const char *name)
{
    DIR *dir = opendir(name);

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    assert_int_equal(closedir(dir), 0);
    assert_int_equal(rmdir(name), 0);
}

static inline int world_teardown(void **state)
{
    struct world *w = *state;

    store_close(w->store);
    remove_folder(w->dir);
    arena_free(&w->arena);
    free(w);
    return 0;
}

/* A key of its own for each (time, number). */
static inline struct dedupe_key key_of(int64_t at, int64_t number)
{
    struct dedupe_key key = {0};

    for (int i = 0; i < 8; i++) {
        key.bytes[i] = (uint8_t)((uint64_t)at >> (56 - 8 * i));
        key.bytes[8 + i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
    }
    return key;
}

static inline struct event event_at(int64_t at, int64_t number)
{
    return (struct event){
        .source = STR("hubspot"),
        .type = STR("contact.propertyChange"),
        .effect = EFFECT_PROPERTIES,
        .occurred_at = at,
        .received_at = at,
        .key = key_of(at, number),
        .body = STR("{\"propertyName\":\"email\"}"),
        .request_id = STR("req-1"),
    };
}

static inline struct lead get_lead(struct world *w, int64_t id)
{
    struct lead l;

    OK(read_lead(w->reader, id, &w->arena, &l));
    return l;
}

/* In a transaction that is open: claims the key, stores the event, gives its id. lead 0: nobody's.
 */
static inline int64_t put_event(struct world *w, int64_t lead, const struct event *e)
{
    int64_t id = 0;

    OK(store_dedupe(w->store, e, &id));
    if (!lead) {
        OK(store_event_add(w->store, id, NULL, e, true, e->received_at));
        return id;
    }
    struct lead l = get_lead(w, lead);
    OK(store_event_add(w->store, id, &l, e, true, e->received_at));
    OK(store_lead_save(w->store, &l));
    return id;
}

static inline int64_t put_event_at(struct world *w, int64_t lead, int64_t at)
{
    struct event e = event_at(at, lead);

    return put_event(w, lead, &e);
}

static inline int64_t put_lead(struct world *w, const char *email)
{
    struct lead l = {.email = str_of(email), .created_at = T0};

    OK(store_lead_add(w->store, &l));
    return l.id;
}

static inline void add_row(struct world *w, int64_t lead, const struct ledger_row *row)
{
    struct lead l = get_lead(w, lead);

    OK(store_ledger_add(w->store, &l, row, &w->arena));
    OK(store_lead_save(w->store, &l));
}

static inline int64_t put_row(struct world *w, int64_t lead, const char *rule, int64_t at,
                              int64_t half_life)
{
    const struct ledger_row row = {
        .event = put_event_at(w, lead, at),
        .rule = str_of(rule),
        .why = STR("visited pricing"),
        .points = 80,
        .half_life_ms = half_life,
        .max = INT64_MAX,
        .occurred_at = at - 1,
        .received_at = at,
    };

    add_row(w, lead, &row);
    return row.event;
}

static inline void move_lead(struct world *w, int64_t from_id, int64_t into_id)
{
    struct lead from = get_lead(w, from_id), into = get_lead(w, into_id);

    OK(store_lead_move(w->store, &from, &into, &w->arena));
    OK(store_lead_save(w->store, &from));
    OK(store_lead_save(w->store, &into));
}

static inline struct delivery delivery_of(int64_t event, int64_t lead, const char *connector)
{
    return (struct delivery){
        .event = event,
        .lead = lead,
        .route = STR("hot-lead"),
        .connector = str_of(connector),
        .created_at = T0,
        .due_at = T0,
        .facts = {.score = 815, .band = BAND_HOT, .reasons = STR("demo request +35")},
    };
}

static inline void add_delivery(struct world *w, struct delivery *d)
{
    struct lead l = get_lead(w, d->lead);

    OK(store_delivery_add(w->store, &l, d, &w->arena));
    OK(store_lead_save(w->store, &l));
}

/* Of a lead's own event, which it adds. */
static inline int64_t put_delivery(struct world *w, int64_t lead, const char *connector,
                                   int64_t due_at)
{
    static int64_t at = T0; /* any two events differ */
    struct delivery d = delivery_of(put_event_at(w, lead, at++), lead, connector);

    d.due_at = due_at;
    add_delivery(w, &d);
    return d.id;
}

static inline struct delivery get_delivery(struct world *w, int64_t id)
{
    struct delivery d;

    OK(read_delivery(w->reader, id, &w->arena, &d));
    return d;
}

static inline int64_t put_one(struct world *w, const char *connector)
{
    return put_delivery(w, put_lead(w, NULL), connector, T0);
}

static inline enum rc end_with(struct world *w, int64_t id, enum attempt_verdict verdict,
                               const char *detail)
{
    const struct attempt_end end = {
        .delivery = id,
        .verdict = verdict,
        .started_at = T0 + 10,
        .ended_at = T0 + 20,
        .status = 503,
        .detail = str_of(detail),
        .due_at = T0 + 500,
    };

    return store_attempt_end(w->store, &end);
}

/* The first heads of the connector, for no subscription. */
static inline size_t due(struct world *w, const char *connector, bool urgent, size_t limit,
                         struct due_row ret[])
{
    struct due_scan scan = {.connector = str_of(connector), .urgent = urgent};
    size_t n = 0;

    OK(read_due(w->reader, &scan, limit, ret, &n));
    return n;
}

static inline size_t count_due(struct world *w, const char *connector)
{
    struct due_row rows[64];

    return due(w, connector, true, ARRAY_LEN(rows), rows) +
           due(w, connector, false, ARRAY_LEN(rows), rows);
}

static inline void no_violation(void *self, const struct violation *v)
{
    (void)self;
    fail_msg("%s %lld: %s", v->table, (long long)v->id, v->what);
}

/* Whatever a test did, what it leaves keeps the promises. */
static inline void check_promises(struct world *w, int64_t now_ms)
{
    struct audit_cursor c = {0};

    for (bool done = !w->store; !done;)
        OK(read_audit(store_reader(w->store), &c, 1000, now_ms, no_violation, NULL, &done));
}

/* What a list showed, by id. */
struct shown {
    int64_t ids[64];
    size_t n;
};

static inline void shown_add(struct shown *s, int64_t id)
{
    assert_true(s->n < ARRAY_LEN(s->ids));
    s->ids[s->n++] = id;
}

static inline void show_event(void *self, const struct event_view *e)
{
    shown_add(self, e->id);
}

static inline void show_lead(void *self, const struct lead *l)
{
    shown_add(self, l->id);
}

static inline void show_delivery(void *self, const struct delivery *d)
{
    shown_add(self, d->id);
}

#define SHOWN(s, ...)                                                                              \
    do {                                                                                           \
        const int64_t wanted_[] = {__VA_ARGS__};                                                   \
        assert_int_equal((s).n, ARRAY_LEN(wanted_));                                               \
        for (size_t i_ = 0; i_ < ARRAY_LEN(wanted_); i_++)                                         \
            assert_int_equal((s).ids[i_], wanted_[i_]);                                            \
    } while (0)

#endif
