/* tests/unit/notion_fixture.h - a database, its columns and pages, as Notion tells of them. */
#ifndef FUNNELD_TESTS_NOTION_FIXTURE_H
#define FUNNELD_TESTS_NOTION_FIXTURE_H

#include "cm.h"

#include "connector_test.h"

#define SECTION "type = notion\ntoken = ntn_test\ndatabase = 668d797c76fa49349b05ad288df2d136\n"
#define ONE_SOURCE                                                                                 \
    "{\"object\":\"database\",\"data_sources\":[{\"id\":\"ds-1\",\"name\":\"Leads\"}]}"
#define TWO_SOURCES                                                                                \
    "{\"data_sources\":[{\"id\":\"11111111-1111-1111-1111-111111111111\",\"name\":\"Leads\"},"     \
    "{\"id\":\"22222222-2222-2222-2222-222222222222\",\"name\":\"Archive\"}]}"

#define P(name, id, type)  "\"" name "\":{\"id\":\"" id "\",\"type\":\"" type "\",\"" type "\":{}}"
#define REQUIRED           P("Company", "title", "title") "," P("Lead ID", "kID", "rich_text")
#define SCHEMA(properties) "{\"object\":\"data_source\",\"properties\":{" properties "}}"
#define SCORE              P("Score", "sco%3A", "number")
#define SMALL              SCHEMA(REQUIRED "," SCORE)
#define TEXTS              P("Email", "ema", "email") "," P("Reasons", "rea", "rich_text")
#define LINKS              P("CRM", "crm", "url") "," P("Updated", "upd", "date")
#define OPTIONS(name, id, type, options)                                                           \
    "\"" name "\":{\"id\":\"" id "\",\"type\":\"" type "\",\"" type "\":{\"options\":[" options    \
    "]}}"
#define BAND   OPTIONS("Band", "ban", "select", "{\"name\":\"Cold\"},{\"name\":\"Hot\"}")
#define STATUS OPTIONS("Status", "sta", "status", "{\"name\":\"Active\"},{\"name\":\"Gone\"}")
#define FULL   SCHEMA(REQUIRED "," SCORE "," TEXTS "," BAND "," LINKS "," STATUS)

#define PAGE "{\"object\":\"page\",\"id\":\"page-1\",\"in_trash\":false}"
#define LEAD "0a1b2c3d-7"
#define HIT(id, born, lead, trash)                                                                 \
    "{\"object\":\"page\",\"id\":\"" id "\",\"created_time\":\"" born "\",\"in_trash\":" trash     \
    ",\"properties\":{\"Lead ID\":{\"id\":\"kID\",\"type\":\"rich_text\",\"rich_text\":[{"         \
    "\"plain_text\":\"" lead "\"}]}}}"
#define KEYLESS                                                                                    \
    "{\"object\":\"page\",\"id\":\"keyless\",\"created_time\":\"2020-01-01T00:00:00.000Z\","       \
    "\"properties\":{\"Score\":{\"id\":\"sco\",\"type\":\"number\",\"number\":7}}}"
#define HITS(pages) "{\"object\":\"list\",\"results\":[" pages "],\"has_more\":false}"
#define ERROR(status, code, message)                                                               \
    "{\"object\":\"error\",\"status\":" status ",\"code\":\"" code "\",\"message\":\"" message     \
    "\",\"request_id\":\"req-9\"}"
#define INVALID ERROR("400", "validation_error", "Score is expected to be rich_text.")
#define ABSENT  ERROR("404", "object_not_found", "Could not find page.")

static __attribute__((unused)) void start_known(const char *schema)
{
    fixture_start(&f, SECTION);
    fixture_step(&f, "GET", "/v1/databases/668d797c-76fa-4934-9b05-ad288df2d136", 200, ONE_SOURCE);
    fixture_step(&f, "GET", "/v1/data_sources/ds-1", 200, schema);
}

/* The next job of the same connector: its session knows the schema. */
static __attribute__((unused)) void next_job(const char *page)
{
    fixture_job(&f, 1);
    f.parcels[0].remote_lead = str_of(page);
}

#endif
