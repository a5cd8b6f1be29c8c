/* tests/unit/lane_world.h - a lane over a store in memory, and what is next in it. */
#ifndef FUNNELD_TESTS_LANE_WORLD_H
#define FUNNELD_TESTS_LANE_WORLD_H

#include "cm.h"
#include "fake_queue.h"

#include "../../src/deliver/lane_priv.h"

static struct connector_common settings;
static int sessions_freed;

static void count_free(void *session)
{
    assert_non_null(session);
    sessions_freed++;
}

static const struct connector_type type = {
    .upsert = true, .name = "fake", .session_size = 8, .session_free = count_free, .max_batch = 1};
static const struct connector connector = {&type, {"c", 1}, &settings};

static struct lane *new_lane(void)
{
    struct lane *lane = lane_new(STR("c"), 0);

    fake_clear();
    settings = (struct connector_common){.concurrency = 2, .settle_ms = 500};
    lane_configure(lane, &connector, 0);
    lane_scan(lane, NULL, 0);
    return lane;
}

static int64_t take(struct lane *lane, int64_t now)
{
    struct line *line = lane_next_line(lane, now);
    struct due_row row = {0};

    return line && line_take(line, now, &row) ? row.id : 0;
}

static void notify(struct lane *lane, struct due_row row, int64_t now)
{
    lane_notify(lane, NULL, &row, now);
}

static struct due_row urgent(int64_t lead, int64_t due_at)
{
    struct due_row row = fake_add("c", lead, due_at);

    row.urgent = fake_row(row.id)->urgent = true;
    return row;
}

#endif
