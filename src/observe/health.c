/* observe/health.c - what the health endpoints say. */
#include "funneld/observe/health.h"

#include "funneld/base/clock.h"
#include "funneld/base/json.h"

struct health health = {.rescored_percent = RESCORED_ALL};

enum { STUCK_AFTER_MS = 10000 };

static const char *const store_notes[] = {
    [STORE_OK] = "events are stored",
    [STORE_FULL] = "no space: senders get 503 until there is some",
    [STORE_FAILED] = "reading or writing the database failed",
};

static bool beats(const _Atomic int64_t *beat, int64_t now_ms)
{
    return now_ms - atomic_load(beat) < STUCK_AFTER_MS;
}

static bool able_to_store(int64_t now_ms)
{
    return atomic_load(&health.store) == STORE_OK && beats(&health.writer_beat, now_ms);
}

static void check(struct sbuf *b, const char *name, bool pass, const char *output)
{
    json_key(b, name);
    json_open(b, '[');
    json_open(b, '{');
    json_kv_text(b, "status", pass ? "pass" : "fail");
    if (!pass)
        json_kv_text(b, "output", output);
    json_close(b, '}');
    json_close(b, ']');
}

static void details(int64_t now_ms, struct sbuf *b)
{
    json_kv_text(b, "version", FUNNELD_VERSION);
    json_kv_text(b, "releaseId", FUNNELD_VERSION);
    json_kv_text(b, "description", "funneld: CRM webhooks to scored leads");
    json_key(b, "checks");
    json_open(b, '{');
    check(b, "store:writes", atomic_load(&health.store) == STORE_OK,
          store_notes[atomic_load(&health.store)]);
    check(b, "writer:responsive", beats(&health.writer_beat, now_ms), "no turn for 10 s");
    check(b, "deliverer:responsive", beats(&health.deliverer_beat, now_ms), "no turn for 10 s");
    check(b, "config:reload", atomic_load(&health.config_ok),
          "the last reload failed; the old configuration is in force");
    json_close(b, '}');
}

/* Alive: the threads turn; restarting would not help a full disk, but would help a hang. */
static bool passes(enum health_kind kind, int64_t now_ms)
{
    bool alive = beats(&health.writer_beat, now_ms) && beats(&health.deliverer_beat, now_ms) &&
                 atomic_load(&health.store) != STORE_FAILED;

    if (kind == HEALTH_LIVE)
        return alive;
    if (kind == HEALTH_PUBLIC)
        return able_to_store(now_ms) && !atomic_load(&health.stopping);
    return alive && able_to_store(now_ms) && atomic_load(&health.ready) &&
           !atomic_load(&health.stopping);
}

int health_render(enum health_kind kind, int64_t now_ms, struct sbuf *b)
{
    bool pass = passes(kind, now_ms);

    json_open(b, '{');
    json_kv_text(b, "status", pass ? "pass" : "fail");
    if (kind == HEALTH_DETAILED)
        details(now_ms, b);
    json_close(b, '}');
    return pass ? 200 : 503;
}
