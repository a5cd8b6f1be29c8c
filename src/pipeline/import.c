/* pipeline/import.c - imported events inside a transaction of whoever imports. */
#include "funneld/pipeline/import.h"

#include "batch.h"

bool is_alike(int64_t a, int64_t b)
{
    return a - b <= IMPORT_ALIKE_MS && b - a <= IMPORT_ALIKE_MS;
}

static bool has_row(const struct ledger_row *rows, size_t n, struct str rule, int64_t at,
                    int64_t purged_at)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].received_at <= purged_at && is_alike(rows[i].occurred_at, at) &&
            str_eq(rows[i].rule, rule))
            return true;
    return false;
}

enum rc fired_before_purge(struct batch *b, const struct event *e, const struct lead *lead,
                           struct str rule, bool *ret)
{
    struct ledger_row *rows = NULL;
    int64_t purged_at = 0;
    size_t n = 0;
    enum rc rc = e->imported ? read_purged(b->reader, &purged_at) : RC_OK;

    if (rc == RC_OK && purged_at)
        rc = read_ledger(b->reader, lead, INT64_MAX, b->arena, &rows, &n);
    if (rc == RC_OK)
        *ret = has_row(rows, n, rule, e->occurred_at, purged_at);
    return rc;
}

enum rc import_in(struct store *st, const struct rules *r, const struct models *models,
                  int64_t now_ms, const struct event *events, size_t n, struct import_sums *sums)
{
    struct arena arena AUTO(arena_free) = {0}, kept AUTO(arena_free) = {0};
    struct batch b = {.store = st,
                      .reader = store_reader(st),
                      .rules = r,
                      .models = models,
                      .now_ms = now_ms,
                      .arena = &arena,
                      .kept = &kept,
                      .last_notice = &b.notices,
                      .careful = true};
    enum rc rc = store_ruleset_add(st, r->scorecard.text, now_ms);

    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        bool fresh = false, raw = false;

        rc = process_alone(&b, &events[i], &fresh, &raw);
        sums->fresh += fresh;
        sums->known += !fresh;
        sums->unprocessable += fresh && raw;
        arena_reset(&arena);
    }
    return rc;
}
