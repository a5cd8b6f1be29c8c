/* tests/sim/outage_config.c - the configuration of outage.c: one route, to four services. */
#include <stdio.h>
#include <stdlib.h>

#include "funneld/app/config.h"
#include "outage.h"
#include "variant.h"

const char *outage_database(void)
{
    return variants_database();
}

struct config *outage_config(void)
{
    struct arena a AUTO(arena_free) = {0};
    struct sbuf problems AUTO(sbuf_free) = SBUF(65536);
    const char *path = arena_printf(&a, "%s.outage.conf", outage_database()).at;
    FILE *f = fopen(path, "w");

    if (!f)
        abort();
    (void)!fprintf(
        f,
        "[server]\npublic_url = https://hooks.example.com\n"
        "[store]\npath = %s\ncheckpoint = 4MiB\n"
        "[source hubspot]\ntype = hubspot\nsecret = one\nenrich = none\n"
        "[connector sales-slack]\ntype = slack\ntoken = xoxb-1\nchannel = C0123456789\n"
        "[connector hook]\ntype = slack\nwebhook = https://hooks.slack.com/services/T/B/x\n"
        "[connector zap]\ntype = zapier\nurl = https://hooks.zapier.com/hooks/catch/1/2/\n"
        "[connector warehouse]\ntype = http\nurl = https://warehouse.example.com/leads\n"
        "[route all]\nwhen = event.property == \"page\"\n"
        "to = sales-slack, hook, zap, warehouse\n",
        outage_database());
    if (fclose(f) != 0)
        abort();
    struct config *c = config_load(path, 0);
    (void)remove(path);
    if (c->problems.n) {
        config_problems_text(c, &problems);
        (void)!fprintf(stderr, "%s", problems.at);
        abort();
    }
    return c;
}
