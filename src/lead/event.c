/* lead/event.c - an event's dedupe key, and the names of its states. */
#include "funneld/lead/event.h"

#include <string.h>

const char *event_state_name(enum event_state s)
{
    static const char *const names[] = {
        [EVENT_PROCESSED] = "processed",
        [EVENT_UNPROCESSABLE] = "unprocessable",
        [EVENT_UNLINKED] = "unlinked",
    };

    return names[s];
}

struct dedupe_key dedupe_key_of(int64_t time, const uint8_t hash[SHA256_LEN])
{
    struct dedupe_key key;

    for (int i = 0; i < 8; i++)
        key.bytes[i] = (uint8_t)((uint64_t)time >> (56 - 8 * i));
    memcpy(key.bytes + 8, hash, HASH_LEN);
    return key;
}

int64_t dedupe_key_time(const struct dedupe_key *key)
{
    uint64_t time = 0;

    for (int i = 0; i < 8; i++)
        time = time << 8 | key->bytes[i];
    return (int64_t)time;
}
