/* tests/unit/replay_world.h - leads and events for tests of what is processed again. */
#ifndef FUNNELD_TESTS_REPLAY_WORLD_H
#define FUNNELD_TESTS_REPLAY_WORLD_H

#include "funneld/pipeline/replay.h"
#include "pipeline_world.h"

enum { MINUTE = 60000 };

#define SOURCES                                                                                    \
    "[server]\npublic_url = https://hooks.example.com\n"                                           \
    "[source zapier]\ntype = zapier\nsecret = two\n"                                               \
    "[source hubspot]\ntype = hubspot\nsecret = one\n"
#define SHEETS                                                                                     \
    "[connector sales-slack]\ntype = slack\ntoken = xoxb-1\nchannel = C0123456789\n"               \
    "[connector lead-book]\ntype = notion\ntoken = t\n"                                            \
    "database = 668d797c76fa49349b05ad288df2d136\n"
#define SCORE     "[score]\nwarm = 40\nhot = 80\n"
#define DEMO      "[rule demo]\nwhen = event.property == \"demo\"\npoints = 50\n"
#define PAGE      "[rule page]\nwhen = event.property == \"page\"\npoints = 35\n"
#define ACME      "[rule acme]\nwhen = lead.company == \"Acme\"\npoints = 10\n"
#define TO(name)  "[route hot]\nwhen = score >= 80 and score.previous < 80\nto = " name "\n"
#define FEW_CONF  SOURCES SHEETS SCORE DEMO
#define MORE_CONF SOURCES SHEETS SCORE DEMO PAGE TO("sales-slack")
#define ALL_CONF  SOURCES SHEETS SCORE DEMO PAGE ACME TO("sales-slack, lead-book")

/* All slices of one; their sums. */
static struct replay_sums replay(struct pipeline *p, struct replay r)
{
    struct replay_sums all = {0};

    r.arena = &p->w->arena;
    if (!r.filter.state)
        r.filter.state = -1;
    for (int turns = 0; !r.done; turns++) {
        struct command c = {.kind = COMMAND_REPLAY, .arg = &r};

        assert_true(turns < 100);
        run(p, &c.work, WORK_COMMAND);
        OK(p->rc);
        all.taken += r.sums.taken;
        all.left += r.sums.left;
        all.asked += r.sums.asked;
        all.failed += r.sums.failed;
        all.fired += r.sums.fired;
        all.leads += r.sums.leads;
        all.deliveries += r.sums.deliveries;
        all.erased += r.sums.erased;
        all.sourceless += r.sums.sourceless;
        all.unreadable += r.sums.unreadable;
        r.from = r.next;
    }
    return all;
}

static MAYBE struct replay_sums replay_all(struct pipeline *p)
{
    return replay(p, (struct replay){0});
}

#define NOTHING_NEW(sums)                                                                          \
    do {                                                                                           \
        struct replay_sums s_ = (sums);                                                            \
        assert_int_equal(s_.taken + s_.fired + s_.leads + s_.deliveries + s_.failed, 0);           \
    } while (0)

static MAYBE void later(struct pipeline *p)
{
    p->now += MINUTE;
}

/* Of Ada, contact 7: she asks for a demo, then looks at a page; nothing else is known yet. */
static MAYBE void ada(struct pipeline *p)
{
    change(p, 7, "company", "Acme");
    later(p);
    change(p, 7, "demo", "true");
    later(p);
    change(p, 7, "page", "pricing");
    later(p);
}

/* An event as an older release, which did not understand it, would have kept it. */
static MAYBE int64_t keep_raw(struct pipeline *p, const char *source_name, struct str body,
                              int64_t number)
{
    struct event e = event_at(p->now, number);

    e.source = str_of(source_name);
    e.state = EVENT_UNPROCESSABLE;
    e.reason = STR("not understood");
    e.body = body;
    OK(store_begin(p->w->store));
    int64_t id = put_event(p->w, 0, &e);
    OK(store_commit(p->w->store));
    return id;
}

static MAYBE struct event_view view(struct pipeline *p, int64_t id)
{
    struct event_view v;

    OK(read_event(p->w->reader, id, &p->w->arena, &v));
    return v;
}

#endif
