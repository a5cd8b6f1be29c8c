/* tests/sim/away_config.c - the configuration of away.c: HubSpot alone, both ways. */
#include <stdio.h>
#include <stdlib.h>

#include "away.h"
#include "funneld/app/config.h"
#include "variant.h"

const char *away_database(void)
{
    return variants_database();
}

static const char text[] =
    "[connector crm]\ntype = hubspot\ntoken = pat\nportal = 62515\nstale_after = 14d\n"
    "properties = email, firstname, company, jobtitle, hubspot_owner_id, demo_requested\n"
    "company_properties = name, industry\ndeal_properties = dealstage, amount\n"
    "[score]\nwarm = 20\nhot = 60\n"
    "[rule acme]\nwhen = lead.company == \"Acme\"\npoints = 20\n"
    "[rule director]\nwhen = lead.jobtitle contains \"Director\"\npoints = 15\n"
    "[rule won]\nwhen = lead.deal_stage == \"closedwon\"\npoints = 30\n"
    "[rule big]\nwhen = lead.deal_amount >= 1000\npoints = 25\n"
    "[rule software]\nwhen = lead.company_industry == \"SOFTWARE\"\npoints = 10\n"
    "[rule demo]\nwhen = event.property == \"demo_requested\" and event.value == \"true\"\n"
    "points = 7\n"
    "[route back]\nwhen = score >= 0 or score < 0\nto = crm\n";

struct config *away_config(void)
{
    struct arena a AUTO(arena_free) = {0};
    struct sbuf problems AUTO(sbuf_free) = SBUF(65536);
    const char *path = arena_printf(&a, "%s.away.conf", away_database()).at;
    FILE *f = fopen(path, "w");

    if (!f)
        abort();
    (void)!fprintf(f,
                   "[server]\npublic_url = https://hooks.example.com\n[store]\npath = %s\n"
                   "checkpoint = 4MiB\n[source hubspot]\ntype = hubspot\nsecret = one\n"
                   "enrich = crm\n%s",
                   away_database(), text);
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
