/* tests/fuzz/fuzz_http_source.c - the body of any sender into events, by a map. */
#include "source.h"

static const char lines[] =
    "signature = bearer\nsecret = one\nmap.email = $.person.mail\nmap.firstname = $['first name']\n"
    "map.plan = items__0__plan\nmap.tag = $.tags[1]\nmap.campaign = 'spring'\n"
    "map.event_type = $.type\nmap.event_id = $.id\nmap.occurred_at = $.at\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request r = fuzz_request(fuzz_text(data, size));

    fuzz_decode(fuzz_source(&http_source, lines), &r);
    return 0;
}
