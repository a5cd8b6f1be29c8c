/* tests/sim/check_books.c - what is kept current for each lead says what was last to be said. */
#include <stdio.h>
#include <string.h>

#include "queue_priv.h"
#include "story.h"

/* A page of Notion's, or a row of the sheet that is kept current, for each lead: it says what was
 * last to be said. */
struct book {
    enum service service;
    const struct page *pages;
    size_t n;
    const char *called;
};

static size_t pages_of(const struct book *b, int64_t lead, const struct page **ret,
                       bool *ret_excused)
{
    char wanted[PUBLIC_ID];
    size_t found = 0;

    (void)!snprintf(wanted, sizeof wanted, "%s-%lld", queue.database, (long long)lead);
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->pages[i].lead, wanted) == 0) {
            *ret = &b->pages[i];
            *ret_excused |= b->pages[i].excused;
            found++;
        }
    return found;
}

static bool was_score(size_t person, int64_t since, int64_t tenths)
{
    const struct people *p = queue.people;

    for (size_t i = 0; i < p->n_past; i++)
        if (p->past[i].person == person && p->past[i].event >= since && p->past[i].score == tenths)
            return true;
    return false;
}

static const struct item *newest_of(enum service service, int64_t lead)
{
    for (size_t i = queue.n; i-- > 0;)
        if (queue.items[i].service == service && queue.items[i].lead == lead)
            return &queue.items[i];
    return NULL;
}

/* One that died while its page may have been made says nothing to those that follow; and by a merge
 * they get a page to write to. */
static bool died_in_doubt(enum service service, const struct person *q, int64_t lead)
{
    for (size_t i = 0; i < queue.n && q->in_merge; i++)
        if (queue.items[i].service == service && queue.items[i].lead == lead &&
            (queue.items[i].state == DEAD || was_retried(queue.items[i].id)))
            return true;
    return false;
}

/* It says once more what was true when it was given up. */
static bool older_retried(const struct item *newest)
{
    for (const struct item *item = queue.items; item < newest; item++)
        if (item->service == newest->service && item->lead == newest->lead && was_retried(item->id))
            return true;
    return false;
}

static void check_page(const struct book *b, size_t person)
{
    const struct person *q = &queue.people->at[person];
    const struct page *page = NULL;
    int64_t lead = (int64_t)person + 1;
    bool excused = false;
    size_t n = pages_of(b, lead, &page, &excused);
    const struct item *newest = newest_of(b->service, lead);

    if (n > 1 && !excused && !died_in_doubt(b->service, q, lead))
        broken("lead %lld has %zu %s%s", (long long)lead, n, b->called,
               q->in_merge ? "; it was merged with another" : "");
    if (!newest || newest->state != DELIVERED || q->in_merge || q->erased || excused ||
        older_retried(newest))
        return;
    if (n == 0)
        broken("lead %lld is delivered, and has no page among the %s", (long long)lead, b->called);
    else if (!was_score(person, newest->event, page->tenths))
        broken("lead %lld: among the %s it has %lld tenths, which is not its newest state",
               (long long)lead, b->called, (long long)page->tenths);
}

void check_books(void)
{
    struct book book = {.service = SERVICE_NOTION, .called = "pages in Notion"};
    struct book grid = {.service = SERVICE_GRID, .called = "rows in the sheet"};
    book.pages = notion_pages(&book.n);
    grid.pages = grid_rows(&grid.n);
    for (size_t i = 0; i < queue.people->n; i++) {
        check_page(&book, i);
        check_page(&grid, i);
    }
}
