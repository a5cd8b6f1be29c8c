/* tests/sandbox/notion_pages.h - the pages of the one data source. */
#ifndef FUNNELD_TESTS_NOTION_PAGES_H
#define FUNNELD_TESTS_NOTION_PAGES_H

#include "notion_values.h"

#define NOTION_DATABASE    "668d797c-76fa-4934-9b05-ad288df2d136"
#define NOTION_DATA_SOURCE "b55c9c91-384d-452b-81db-d1ef79372b75"

struct notion_page {
    struct str id;
    int64_t created_at, edited_at, edits;
    bool in_trash;
    int64_t children;
    struct str values[NOTION_COLUMNS_N]; /* JSON; missing: empty */
    struct notion_page *next;            /* the one after */
};

void notion_pages_reset(void);
struct notion_page *notion_pages_first(void);
struct notion_page *notion_page_find(struct str id); /* dashes do not matter */
struct notion_page *notion_page_add(int64_t now_ms);
/* Sets what `properties` names, all or nothing; NULL, or Notion's complaint. */
const char *notion_page_set(struct notion_page *p, const json *properties, struct arena *scratch);
void notion_page_show(struct sbuf *b, const struct notion_page *p);

bool notion_same_id(struct str a, struct str b);

/* Whether a page passes a filter; *complaint is set where the filter is wrong. */
bool notion_filter(const struct notion_page *p, const json *filter, struct arena *a,
                   const char **complaint);

#endif
