/* tests/fuzz/fuzz_hubspot.c - the body of a HubSpot webhook into events. */
#include "source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request r = fuzz_request(fuzz_text(data, size));

    fuzz_decode(fuzz_source(&hubspot_source, "secret = one\n"), &r);
    return 0;
}
