/* store/store.c - what every kind of store has: its options and the names of its values. */
#include "funneld/store/store.h"

#include <string.h>

static const struct option store_options[] = {
    {.key = "path",
     .type = OPTION_TEXT,
     .offset = offsetof(struct store_settings, path),
     .fallback = "/var/lib/funneld/funneld.db",
     .flags = OPTION_RESTART,
     .help = "the database; FILE-wal, FILE-shm, FILE.lock and FILE.sock stand beside it"},
    {.key = "max_size",
     .type = OPTION_SIZE,
     .offset = offsetof(struct store_settings, max_size),
     .fallback = "0",
     .help = "bytes; 0 = the disk decides"},
    {.key = "checkpoint",
     .type = OPTION_SIZE,
     .offset = offsetof(struct store_settings, checkpoint),
     .fallback = "16MiB",
     .min = 65536,
     .max = INT64_C(1) << 34,
     .help =
         "bytes in the write-ahead log about which it is copied back: at an eighth of them when "
         "nothing waits, at four times as many while work does"},
    {.key = "retention",
     .type = OPTION_DURATION,
     .offset = offsetof(struct store_settings, retention_ms),
     .fallback = "90d",
     .help = "age at which events and what was delivered of them are purged; 0 = never. Leads and "
             "scores stay"},
};

const struct section_spec store_spec = {
    .kind = "store",
    .options = store_options,
    .n_options = ARRAY_LEN(store_options),
    .size = sizeof(struct store_settings),
    .help = "One SQLite database holds events, leads, scores and deliveries.",
};

const char *attempt_verdict_name(enum attempt_verdict v)
{
    static const char *const names[] = {[ATTEMPT_DELIVERED] = "delivered",
                                        [ATTEMPT_RETRY] = "retry",
                                        [ATTEMPT_AMBIGUOUS] = "ambiguous",
                                        [ATTEMPT_DEAD] = "dead",
                                        [ATTEMPT_MORE] = "more"};

    return names[v];
}
