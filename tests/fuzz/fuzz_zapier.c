/* tests/fuzz/fuzz_zapier.c - the body of a Zap's webhook into events. */
#include "source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request r = fuzz_request(fuzz_text(data, size));

    fuzz_decode(fuzz_source(&zapier_source, "secret = one\n"), &r);
    return 0;
}
