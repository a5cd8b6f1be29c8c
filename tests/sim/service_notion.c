/* tests/sim/service_notion.c - one data source: pages found by their Lead ID.
 *
 * A page just made is not found at once.
 */
#include "services.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "story.h"

enum { UNSEEN_MS = 500 };

static struct page pages[PAGES];
static size_t n_pages;

const struct page *notion_pages(size_t *ret_n)
{
    *ret_n = n_pages;
    return pages;
}

void notion_begin(void)
{
    n_pages = 0;
}

static const char database[] =
    "{\"object\":\"database\",\"data_sources\":[{\"id\":\"11111111-2222-3333-4444-555555555555\","
    "\"name\":\"Leads\"}]}";
static const char schema[] =
    "{\"object\":\"data_source\",\"properties\":{"
    "\"Name\":{\"id\":\"title\",\"type\":\"title\",\"title\":{}},"
    "\"Lead ID\":{\"id\":\"lead\",\"type\":\"rich_text\",\"rich_text\":{}},"
    "\"Score\":{\"id\":\"score\",\"type\":\"number\",\"number\":{}}}}";

static void put_page(struct exchange *x, const struct page *p)
{
    char made[TIME_TEXT];

    time_text(p->made_at, made);
    sbuf_printf(x->answer,
                "{\"object\":\"page\",\"id\":\"page-%zu\",\"created_time\":\"%s\",\"properties\":"
                "{\"Lead ID\":{\"id\":\"lead\",\"type\":\"rich_text\",\"rich_text\":"
                "[{\"plain_text\":\"%s\"}]}}}",
                (size_t)(p - pages), made, p->lead);
}

static void query(struct exchange *x)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool any = false;

    if (json_parse(x->body, &doc, NULL)) {
        answer_text(x, 400, "{\"object\":\"error\",\"code\":\"invalid_json\"}");
        return;
    }
    struct str lead = json_string(json_path(doc.root, "filter.rich_text.equals"));
    x->status = 200;
    sbuf_text(x->answer, "{\"object\":\"list\",\"results\":[");
    for (size_t i = 0; i < n_pages; i++) {
        if (!str_is(lead, pages[i].lead) || pages[i].made_at + UNSEEN_MS > x->now)
            continue;
        sbuf_text(x->answer, any ? "," : "");
        put_page(x, &pages[i]);
        any = true;
    }
    sbuf_text(x->answer, "]}");
}

static void write_page(struct exchange *x, struct page *p)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str lead;
    double score;

    if (json_parse(x->body, &doc, NULL)) {
        answer_text(x, 400, "{\"object\":\"error\",\"code\":\"invalid_json\"}");
        return;
    }
    lead = json_string(json_path(doc.root, "properties.lead.rich_text.0.text.content"));
    if (!p) {
        p = &pages[n_pages++];
        *p = (struct page){.made_at = x->now, .excused = x->jumped};
    }
    (void)!snprintf(p->lead, sizeof p->lead, "%.*s", STR_ARG(lead));
    if (json_number(json_path(doc.root, "properties.score.number"), &score))
        p->tenths = llround(score * 10);
    story("%lld page %zu is of lead %s, score %.1f", (long long)x->now, (size_t)(p - pages),
          p->lead + 9, (double)p->tenths / 10);
    x->status = 200;
    put_page(x, p);
}

void notion_serve(struct exchange *x)
{
    struct str page = STR("/v1/pages/page-");

    if (str_starts(x->path, STR("/v1/databases/")))
        answer_text(x, 200, database);
    else if (str_ends(x->path, STR("/query")))
        query(x);
    else if (str_starts(x->path, STR("/v1/data_sources/")))
        answer_text(x, 200, schema);
    else if (str_is(x->path, "/v1/pages") && n_pages < PAGES)
        write_page(x, NULL);
    else if (str_starts(x->path, page))
        write_page(x, &pages[strtoul(x->path.at + page.len, NULL, 10) % PAGES]);
    else
        answer_text(x, 400, "{\"object\":\"error\",\"code\":\"invalid_request_url\"}");
}
