/* tests/unit/deals_world.h - a store of deals that nothing foretells: agent and product are drawn
 * by lot, and so is who wins. Some close, some are open still. Each was imported with the time when
 * it was engaged, and with that of its end where that has come.
 */
#ifndef FUNNELD_TESTS_DEALS_WORLD_H
#define FUNNELD_TESTS_DEALS_WORLD_H

#include "learning_world.h"
#include "random.h"
#include "imported_fixture.h"

enum { DEALS = 1500, DEALS_DAYS = 500, OPEN_DAYS = 120, DEALS_AT_ONCE = 500 };

#define DEALS_CONF PLAIN_CONF "[goal conversion]\nwhen = lead.stage == \"won\"\nhorizon = 60d\n"

struct deal {
    int64_t engaged, closed;
    int agent, product;
    bool won;
};

/* What decides who wins. */
enum deals_by { BY_LOT, BY_PRODUCT };

static struct deal deals[DEALS + 1]; /* by the contact's id */

static MAYBE void make_deals(int64_t now, enum deals_by by)
{
    uint64_t seed = 4711;

    for (int64_t i = 1; i <= DEALS; i++) {
        struct deal *d = &deals[i];

        d->engaged = now - (int64_t)(random_below(&seed, DEALS_DAYS) + 1) * DAY;
        d->closed = d->engaged + (int64_t)(random_below(&seed, OPEN_DAYS * 24) + 30) * HOUR;
        d->agent = (int)random_below(&seed, 30);
        d->product = (int)random_below(&seed, 7);
        uint64_t chance = by == BY_LOT ? 60 : d->product < 4 ? 75 : 25;
        d->won = random_below(&seed, 100) < chance;
    }
}

static MAYBE void add_deal(struct pipeline *p, int64_t i, int64_t at, const struct field *fields,
                           size_t n, struct event *ret)
{
    const struct imported what = {
        .portal_id = PORTAL, .crm_id = i, .at = at, .properties = fields, .n_properties = n};
    struct why why = {0};

    if (imported_made(STR("import"), &what, p->now, &p->w->arena, ret, &why))
        fail_msg("%s", why.text);
    ret->request_id = STR("import-1");
}

/* What is to come after now nobody knows yet. */
static MAYBE void import_deals(struct pipeline *p, enum deals_by by)
{
    static struct event events[2 * DEALS];
    struct import_sums sums = {0};
    size_t n = 0;

    make_deals(p->now, by);
    for (int64_t i = 1; i <= DEALS; i++) {
        const struct field first[] = {
            {STR("agent"), arena_printf(&p->w->arena, "agent %d", deals[i].agent)},
            {STR("product"), arena_printf(&p->w->arena, "product %d", deals[i].product)},
            {STR("stage"), STR("engaging")},
        };
        const struct field last[] = {{STR("stage"), deals[i].won ? STR("won") : STR("lost")}};

        add_deal(p, i, deals[i].engaged, first, ARRAY_LEN(first), &events[n++]);
        if (deals[i].closed <= p->now)
            add_deal(p, i, deals[i].closed, last, ARRAY_LEN(last), &events[n++]);
    }
    for (size_t k = 0; k < n; k += DEALS_AT_ONCE) {
        OK(store_begin(p->w->store));
        OK(import_in(p->w->store, p->rules, NULL, p->now, &events[k],
                     n - k < DEALS_AT_ONCE ? n - k : DEALS_AT_ONCE, &sums));
        OK(store_commit(p->w->store));
    }
    assert_int_equal(sums.fresh, (int64_t)n);
    assert_int_equal(sums.unprocessable, 0);
}

#endif
