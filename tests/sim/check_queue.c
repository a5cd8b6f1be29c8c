/* tests/sim/check_queue.c - deliveries in the database against what rules and routes ask for, and
 * against what the services have really got. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "net.h"
#include "oracle_priv.h"
#include "story.h"

enum state { PENDING, HELD, DELIVERED, DEAD, SUPERSEDED, CANCELLED, STATES };

struct item { /* a row of `delivery` */
    int64_t id, event, lead, created_at, done_at;
    int64_t remote; /* of a question to the CRM: the contact */
    enum state state;
    enum service service;
    bool has_reason;
    const struct told *told; /* NULL: a question to the CRM */
};

static struct {
    struct item items[DELIVERIES];
    size_t n;
    char database[16]; /* its id, in front of every number shown outside */
    const struct people *people;
} queue;

static const char *const connectors[SERVICES] = {
    [SERVICE_SLACK] = "sales-slack", [SERVICE_HOOK] = "hook", [SERVICE_NOTION] = "lead-book",
    [SERVICE_SHEETS] = "lead-log",   [SERVICE_CRM] = "crm",
};

static enum service service_of(const char *connector)
{
    int s = 0;

    while (s < SERVICES - 1 && strcmp(connector, connectors[s]) != 0)
        s++;
    return (enum service)s;
}

static void read_database_id(sqlite3 *db)
{
    sqlite3_stmt *s = ask(db, "SELECT value FROM meta WHERE key = 'database_id'");

    queue.database[0] = '\0';
    while (next(s))
        (void)!snprintf(queue.database, sizeof queue.database, "%s", sqlite3_column_text(s, 0));
}

/* In the order of their numbers they are what the events ask for, one after the other. */
static void match(struct item *item, const char *route, const char *connector, size_t *told)
{
    const struct people *p = queue.people;

    if (item->service == SERVICE_CRM)
        return;
    if (*told == p->n_told) {
        broken("delivery %lld is one too many", (long long)item->id);
        return;
    }
    const struct told *t = &p->told[(*told)++];
    if (t->event != item->event || strcmp(t->route, route) != 0 ||
        strcmp(t->connector, connector) != 0)
        broken("delivery %lld is for event %lld, route %s, to %s; right is %lld, %s, %s",
               (long long)item->id, (long long)item->event, route, connector, (long long)t->event,
               t->route, t->connector);
    item->told = t;
}

static void read_queue(sqlite3 *db)
{
    sqlite3_stmt *s =
        ask(db, "SELECT id, event, lead, route, connector, state, created_at, done_at, "
                "coalesce(length(reason), 0), remote_id FROM delivery ORDER BY id");
    size_t told = 0;

    queue.n = 0;
    while (next(s)) {
        struct item *item = &queue.items[queue.n];

        assert(queue.n < DELIVERIES);
        queue.n++;
        *item = (struct item){.id = sqlite3_column_int64(s, 0),
                              .event = sqlite3_column_int64(s, 1),
                              .lead = sqlite3_column_int64(s, 2),
                              .state = (enum state)sqlite3_column_int(s, 5),
                              .created_at = sqlite3_column_int64(s, 6),
                              .done_at = sqlite3_column_int64(s, 7),
                              .has_reason = sqlite3_column_int(s, 8) > 0,
                              .remote = sqlite3_column_int64(s, 9)};
        item->service = service_of((const char *)sqlite3_column_text(s, 4));
        match(item, (const char *)sqlite3_column_text(s, 3),
              (const char *)sqlite3_column_text(s, 4), &told);
    }
    if (told != queue.people->n_told)
        broken("%zu deliveries instead of %zu", told, queue.people->n_told);
}

/* Every delivery is final, for a reason that holds. */
static void check_state(const struct item *item)
{
    bool of_object = item->lead < 0;
    bool erased = !of_object && queue.people->at[item->lead - 1].erased;
    bool upserts = item->service == SERVICE_NOTION || item->service == SERVICE_CRM;
    const char *what = NULL;

    if (item->state == PENDING || item->state == HELD)
        what = "waits for ever";
    else if (item->state == DELIVERED && of_object)
        what = "was answered, and there is no such object";
    else if (item->state == DELIVERED && item->service == SERVICE_CRM &&
             !queue.people->crm_told[item->remote % CONTACTS_MAX])
        what = "was answered, and the answer is not there";
    else if (item->state == SUPERSEDED && !upserts)
        what = "was superseded";
    else if (item->state == CANCELLED && !erased)
        what = "was cancelled";
    else if (item->state == DEAD && !item->has_reason)
        what = "is dead without a reason";
    else if (item->state == DEAD && !net_has_refused(item->service) &&
             item->done_at - item->created_at < 14 * DAYS_MS && item->service != SERVICE_HOOK &&
             item->service != SERVICE_CRM)
        what = "is dead, and nobody refused it";
    if (what)
        broken("delivery %lld to %s %s", (long long)item->id, connectors[item->service], what);
}

/* The newest message of a lead is not among those that a newer one took the place of. */
/* Of an object below 0, of what became of a lead its number. */
static int64_t whose(const struct item *item)
{
    return item->lead < 0 ? item->lead : (int64_t)person_now(queue.people, (size_t)item->lead - 1);
}

static void check_superseded(void)
{
    for (size_t i = 0; i < queue.n; i++) {
        const struct item *item = &queue.items[i];
        bool newer = false;

        if (item->state != SUPERSEDED)
            continue;
        for (size_t k = i + 1; k < queue.n && !newer; k++)
            newer =
                queue.items[k].service == item->service && whose(&queue.items[k]) == whose(item);
        if (!newer)
            broken("delivery %lld was superseded by none", (long long)item->id);
    }
}

static struct item *item_of(const char *public_id)
{
    size_t n = strlen(queue.database);
    long long id = strtoll(public_id + n + 1, NULL, 10);

    if (strncmp(public_id, queue.database, n) != 0 || public_id[n] != '-')
        return NULL;
    for (size_t i = 0; i < queue.n; i++)
        if (queue.items[i].id == id)
            return &queue.items[i];
    return NULL;
}

struct got {
    const struct posted *last;
    size_t repeats;
    bool excused;
};

/* A message comes again when the look for it was refused, and one of a webhook when it was given up
 * and tried again: nobody can look. */
static void get(struct got *got, const struct item *item, const struct posted *post)
{
    bool expected = item->service == SERVICE_HOOK && was_retried(item->id);

    if (got->last && got->last->blind == post->blind && !expected)
        got->repeats++;
    got->excused |= post->excused;
    got->last = post;
}

static void check_got(const struct item *item, const struct got *got)
{
    if (item->state == DELIVERED && !got->last)
        broken("delivery %lld is delivered, and %s never got it", (long long)item->id,
               connectors[item->service]);
    if (got->repeats && !got->excused)
        broken("delivery %lld: %s got it again", (long long)item->id, connectors[item->service]);
}

/* Each of them at most once, those that are delivered exactly once, and nothing else. */
static void check_posts(enum service service, const struct posts *posts)
{
    static struct got got[DELIVERIES];

    memset(got, 0, sizeof got);
    for (size_t i = 0; i < posts->n; i++) {
        const struct item *item = item_of(posts->items[i].delivery);

        if (!item || item->service != service) {
            broken("%s got a message %s that nobody sent", connectors[service],
                   posts->items[i].delivery);
            return;
        }
        get(&got[item - queue.items], item, &posts->items[i]);
    }
    for (size_t i = 0; i < queue.n; i++)
        if (queue.items[i].service == service)
            check_got(&queue.items[i], &got[i]);
}

/* Of one person, messages come in the order of the events: unless two became one on the way, or
 * one was given up and tried again. */
static void check_order(const struct posts *posts)
{
    static int64_t last[PERSONS];

    memset(last, 0, sizeof last);
    for (size_t i = 0; i < posts->n; i++) {
        const struct item *item = item_of(posts->items[i].delivery);
        const struct told *t = item ? item->told : NULL;

        if (!t || queue.people->at[t->person].in_merge || posts->items[i].excused ||
            was_retried(item->id))
            continue;
        if (item->id < last[t->person])
            broken("delivery %lld came after %lld of the same lead", (long long)item->id,
                   (long long)last[t->person]);
        last[t->person] = item->id;
    }
}

/* Notion: a page for each lead, and it says what was last to be said. */

static size_t pages_of(int64_t lead, const struct page **ret, bool *ret_excused)
{
    char wanted[PUBLIC_ID];
    size_t n, found = 0;
    const struct page *pages = notion_pages(&n);

    (void)!snprintf(wanted, sizeof wanted, "%s-%lld", queue.database, (long long)lead);
    for (size_t i = 0; i < n; i++)
        if (strcmp(pages[i].lead, wanted) == 0) {
            *ret = &pages[i];
            *ret_excused |= pages[i].excused;
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

static const struct item *newest_book(int64_t lead)
{
    for (size_t i = queue.n; i-- > 0;)
        if (queue.items[i].service == SERVICE_NOTION && queue.items[i].lead == lead)
            return &queue.items[i];
    return NULL;
}

/* One that died while its page may have been made says nothing to those that follow; and by a merge
 * they get a page to write to. */
static bool died_in_doubt(const struct person *q, int64_t lead)
{
    for (size_t i = 0; i < queue.n && q->in_merge; i++)
        if (queue.items[i].service == SERVICE_NOTION && queue.items[i].lead == lead &&
            (queue.items[i].state == DEAD || was_retried(queue.items[i].id)))
            return true;
    return false;
}

/* It says once more what was true when it was given up. */
static bool older_retried(const struct item *newest)
{
    for (const struct item *item = queue.items; item < newest; item++)
        if (item->service == SERVICE_NOTION && item->lead == newest->lead && was_retried(item->id))
            return true;
    return false;
}

static void check_page(size_t person)
{
    const struct person *q = &queue.people->at[person];
    const struct page *page = NULL;
    int64_t lead = (int64_t)person + 1;
    bool excused = false;
    size_t n = pages_of(lead, &page, &excused);
    const struct item *newest = newest_book(lead);

    if (n > 1 && !excused && !died_in_doubt(q, lead))
        broken("lead %lld has %zu pages in Notion%s", (long long)lead, n,
               q->in_merge ? "; it was merged with another" : "");
    if (!newest || newest->state != DELIVERED || q->in_merge || q->erased || excused ||
        older_retried(newest))
        return;
    if (n == 0)
        broken("lead %lld is delivered, and has no page in Notion", (long long)lead);
    else if (!was_score(person, newest->event, page->tenths))
        broken("lead %lld: its page says %lld tenths, which is not its newest state",
               (long long)lead, (long long)page->tenths);
}

void check_queue(sqlite3 *db, const struct people *p)
{
    queue.people = p;
    read_database_id(db);
    read_queue(db);
    for (size_t i = 0; i < queue.n && !story_broken(); i++)
        check_state(&queue.items[i]);
    if (story_broken())
        return;
    check_superseded();
    check_posts(SERVICE_SLACK, slack_posts());
    check_posts(SERVICE_HOOK, hook_posts());
    check_posts(SERVICE_SHEETS, sheets_rows());
    check_order(slack_posts());
    check_order(hook_posts());
    check_order(sheets_rows());
    for (size_t i = 0; i < p->n; i++)
        check_page(i);
}
