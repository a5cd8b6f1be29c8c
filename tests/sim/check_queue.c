/* tests/sim/check_queue.c - deliveries in the database against what rules and routes ask for, and
 * against what the services have really got. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "net.h"
#include "queue_priv.h"
#include "story.h"

struct queue queue;

static enum service service_of(const char *connector)
{
    int s = 0;

    while (s < SERVICES && strcmp(connector, connector_names[s]) != 0)
        s++;
    assert(s < SERVICES);
    return (enum service)s;
}

static void read_database_id(sqlite3 *db)
{
    sqlite3_stmt *s = ask(db, "SELECT value FROM meta WHERE key = 'database_id'");

    queue.database[0] = '\0';
    while (next(s))
        (void)!snprintf(queue.database, sizeof queue.database, "%s", sqlite3_column_text(s, 0));
}

bool is_of_subscribers(const struct told *t)
{
    return strcmp(t->connector, connector_names[SERVICE_ZAPS]) == 0;
}

/* How many subscribed is asked elsewhere: there is one for each, after what is told to the others
 * of the same event. */
static void match_subscriber(struct item *item, const char *route, size_t told)
{
    const struct people *p = queue.people;

    if (told && is_of_subscribers(&p->told[told - 1]) && p->told[told - 1].event == item->event &&
        strcmp(route, "page") == 0)
        item->told = &p->told[told - 1];
    else
        broken("delivery %lld to a subscriber is for nothing that subscribers hear",
               (long long)item->id);
}

/* In the order of their numbers they are what the events ask for, one after the other. */
static void match(struct item *item, const char *route, const char *connector, size_t *told)
{
    const struct people *p = queue.people;

    if (item->service == SERVICE_CRM)
        return;
    if (item->service == SERVICE_ZAPS) {
        while (*told < p->n_told && is_of_subscribers(&p->told[*told]) &&
               p->told[*told].event <= item->event)
            ++*told;
        match_subscriber(item, route, *told);
        return;
    }
    while (*told < p->n_told && is_of_subscribers(&p->told[*told])) /* nobody had subscribed */
        ++*told;
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
                "coalesce(length(reason), 0), remote_id, target FROM delivery ORDER BY id");
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
                              .remote = sqlite3_column_int64(s, 9),
                              .target = sqlite3_column_int64(s, 10)};
        item->service = service_of((const char *)sqlite3_column_text(s, 4));
        match(item, (const char *)sqlite3_column_text(s, 3),
              (const char *)sqlite3_column_text(s, 4), &told);
    }
    while (told < queue.people->n_told && is_of_subscribers(&queue.people->told[told]))
        told++;
    if (told != queue.people->n_told)
        broken("%zu deliveries instead of %zu", told, queue.people->n_told);
}

static bool has_ended(const struct item *item)
{
    return item->service == SERVICE_ZAPS && !subscription_is_there(item->target);
}

/* Every delivery is final, for a reason that holds. */
static void check_state(const struct item *item)
{
    bool of_object = item->lead < 0;
    bool erased = !of_object && queue.people->at[item->lead - 1].erased;
    bool upserts = item->service == SERVICE_NOTION || item->service == SERVICE_CRM ||
                   item->service == SERVICE_GRID;
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
    else if (item->state == CANCELLED && !erased && !has_ended(item))
        what = "was cancelled";
    else if (item->state == DEAD && !item->has_reason)
        what = "is dead without a reason";
    else if (item->state == DEAD && !net_has_refused(item->service) &&
             item->done_at - item->created_at < 14 * DAYS_MS && item->service != SERVICE_HOOK &&
             item->service != SERVICE_CRM && !has_ended(item))
        what = "is dead, and nobody refused it";
    if (what)
        broken("delivery %lld to %s %s", (long long)item->id, connector_names[item->service], what);
}

/* The newest message of a lead is not among those that a newer one took the place of. */
int64_t whose(const struct item *item)
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

struct item *item_of(const char *public_id)
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
               connector_names[item->service]);
    /* The thread in which it may stand was that of one of them, and is not looked through. */
    bool lost_thread =
        item->service == SERVICE_CHAT && queue.people->at[item->told->person].in_merge;

    if (got->repeats && !got->excused && !lost_thread)
        broken("delivery %lld: %s got it again", (long long)item->id,
               connector_names[item->service]);
}

/* Each of them at most once, those that are delivered exactly once, and nothing else. */
static void check_posts(enum service service, const struct posts *posts)
{
    static struct got got[DELIVERIES];

    memset(got, 0, sizeof got);
    for (size_t i = 0; i < posts->n; i++) {
        const struct item *item = item_of(posts->items[i].delivery);

        if (!item || item->service != service) {
            broken("%s got a message %s that nobody sent", connector_names[service],
                   posts->items[i].delivery);
            return;
        }
        get(&got[item - queue.items], item, &posts->items[i]);
    }
    for (size_t i = 0; i < queue.n; i++)
        if (queue.items[i].service == service)
            check_got(&queue.items[i], &got[i]);
}

/* Of one person, messages come to a target in the order of the events: unless two became one on the
 * way, or one was given up and tried again. */
static void check_order(const struct posts *posts, int64_t target)
{
    static int64_t last[PERSONS];
    static bool seen[DELIVERIES]; /* a repeat may be carried out late */

    memset(last, 0, sizeof last);
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < posts->n; i++) {
        const struct item *item = item_of(posts->items[i].delivery);
        const struct told *t = item ? item->told : NULL;

        if (!t || item->target != target || queue.people->at[t->person].in_merge ||
            posts->items[i].excused || was_retried(item->id) || seen[item->id])
            continue;
        seen[item->id] = true;
        if (item->id < last[t->person])
            broken("delivery %lld came after %lld of the same lead", (long long)item->id,
                   (long long)last[t->person]);
        last[t->person] = item->id;
    }
}

void check_queue(sqlite3 *db, const struct people *p)
{
    const struct subscribed *of;

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
    check_posts(SERVICE_CHAT, chat_posts());
    check_posts(SERVICE_MAIL, mail_posts());
    check_posts(SERVICE_HTTP, http_posts());
    check_posts(SERVICE_ZAPS, zap_posts());
    check_order(slack_posts(), 0);
    check_order(hook_posts(), 0);
    check_order(sheets_rows(), 0);
    check_order(mail_posts(), 0);
    check_order(http_posts(), 0);
    for (size_t k = 0; (of = subscription_at(k)) != NULL; k++)
        check_order(zap_posts(), of->id);
    check_books();
    check_receivers();
}
