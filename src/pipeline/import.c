/* pipeline/import.c - imported events inside a transaction of whoever imports. */
#include "funneld/pipeline/import.h"

#include "batch.h"

enum rc import_in(struct store *st, const struct rules *r, int64_t now_ms,
                  const struct event *events, size_t n, struct import_sums *sums)
{
    struct arena arena AUTO(arena_free) = {0}, kept AUTO(arena_free) = {0};
    struct batch b = {.store = st,
                      .reader = store_reader(st),
                      .rules = r,
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
