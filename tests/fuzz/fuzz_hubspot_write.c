/* tests/fuzz/fuzz_hubspot_write.c - what contacts are told, and what HubSpot says to it. */
#include "talk.h"

#define TOKEN "pat-not-to-be-shown"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture kept;

    talk_load(&kept, "type = hubspot\ntoken = " TOKEN "\nproperty.band = tier\n");
    fuzz_talk(&kept, TOKEN, fuzz_text(data, size), NULL, NULL);
    return 0;
}
