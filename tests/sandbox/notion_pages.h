/* tests/sandbox/notion_pages.h - the pages of the one data source. */
#ifndef FUNNELD_TESTS_NOTION_PAGES_H
#define FUNNELD_TESTS_NOTION_PAGES_H

#include "notion_values.h"

#define NOTION_DATABASE    "668d797c-76fa-4934-9b05-ad288df2d136"
#define NOTION_DATA_SOURCE "b55c9c91-384d-452b-81db-d1ef79372b75"

enum { NOTION_CHILDREN_MAX = 100 };

struct notion_block { /* a paragraph */
    struct notion_block *next;
    struct str id, text; /* text: JSON of its rich text */
    int64_t created_at;
};

struct notion_page {
    struct str id;
    int64_t created_at, edited_at, edits;
    bool in_trash;
    struct notion_block *blocks;
    int64_t n_blocks;
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
/* For tests: all of it, in plain text. */
void notion_page_dump(struct sbuf *b, const struct notion_page *p, struct arena *a);

/* Blocks (notion_blocks.c). NULL, or Notion's complaint. */
const char *notion_blocks_check(const json *children, struct arena *scratch);
void notion_page_append(struct notion_page *p, const json *children, int64_t now_ms);
void notion_blocks_add(struct notion_page *p, const json *children, int64_t now_ms,
                       struct arena *keep);
/* false: no such cursor, or a size that Notion does not take. */
bool notion_blocks_list(struct sbuf *b, const struct notion_page *p, struct str cursor,
                        int64_t size);
void notion_blocks_appended(struct sbuf *b, const struct notion_page *p, int64_t n);
void notion_blocks_reset(void);

bool notion_same_id(struct str a, struct str b);

/* Whether a page passes a filter; *complaint is set where the filter is wrong. */
bool notion_filter(const struct notion_page *p, const json *filter, struct arena *a,
                   const char **complaint);

#endif
