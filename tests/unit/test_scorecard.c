/* tests/unit/test_scorecard.c - points decay and are capped, lines add up. */
#include <math.h>

#include "funneld/score/tally.h"
#include "scorecard_world.h"

static int64_t worth(int64_t points, int64_t half_life, int64_t age)
{
    struct world w AUTO(world_free);
    struct verdict_score v;
    const struct ledger_row r = row("gone", points, half_life, age);

    build_sound(&w, STR(""));
    scorecard_evaluate(&w.card, &nobody, &r, 1, NOW, NULL, &v);
    return v.score;
}

static void points_halve_in_a_half_life_and_round_half_away_from_zero(void **state)
{
    static const struct {
        int64_t points, half_life, age, worth;
    } table[] = {
        {350, 30 * DAYS_MS, 0, 350},
        {350, 30 * DAYS_MS, 30 * DAYS_MS, 175},
        {350, 30 * DAYS_MS, 60 * DAYS_MS, 88}, /* 87.5 tenths */
        {-350, 30 * DAYS_MS, 60 * DAYS_MS, -88},
        {350, 30 * DAYS_MS, 15 * DAYS_MS, 247}, /* 350 / sqrt 2 = 247.487 */
        {1, DAYS_MS, DAYS_MS, 1},               /* half a tenth */
        {-1, DAYS_MS, DAYS_MS, -1},
        {1, DAYS_MS, DAYS_MS + 1, 0},
        {350, 0, 1000 * DAYS_MS, 350},     /* never decays */
        {350, DAYS_MS, -5 * DAYS_MS, 350}, /* from the future */
        {350, DAYS_MS, 100000 * DAYS_MS, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        assert_int_equal(worth(table[i].points, table[i].half_life, table[i].age), table[i].worth);
}

static void an_absurd_date_does_no_harm(void **state)
{
    struct world w AUTO(world_free);
    struct ledger_row rows[2] = {row("x", 350, 1, 0), row("x", 350, DAYS_MS, 0)};
    struct verdict_score v;

    (void)state;
    rows[0].occurred_at = INT64_MIN;
    rows[1].occurred_at = INT64_MAX;
    build_sound(&w, STR(""));
    scorecard_evaluate(&w.card, &nobody, rows, 2, NOW, NULL, &v);
    assert_int_equal(v.score, 350);
}

static void write_lines(const struct verdict_score *v, struct sbuf *b, struct arena *a)
{
    for (size_t i = 0; i < v->n_lines; i++) {
        const struct score_line *l = &v->lines[i];

        sbuf_printf(b, "%s|%.*s|%.*s|%s|%s|%.*s|%lld%s\n",
                    l->part == PART_FIT ? "fit" : "engagement", STR_ARG(l->rule), STR_ARG(l->group),
                    tenths_text(l->points, a).at, tenths_text(l->worth, a).at, STR_ARG(l->why),
                    (long long)l->event, l->cap ? "|cap" : "");
    }
    sbuf_printf(b, "%s = %s + %s %s\n", tenths_text(v->score, a).at, tenths_text(v->fit, a).at,
                tenths_text(v->engagement, a).at, band_name(v->band));
}

static void assert_lines(const struct scorecard *c, const struct lead *lead,
                         const struct ledger_row *rows, size_t n, const char *expected)
{
    struct arena a AUTO(arena_free) = {0};
    struct sbuf b AUTO(sbuf_free) = SBUF(64 * 1024);
    struct verdict_score v;

    scorecard_evaluate(c, lead, rows, n, NOW, &a, &v);
    write_lines(&v, &b, &a);
    assert_string_equal(b.at, expected);
}

static void an_explanation_reads_line_by_line(void **state)
{
    struct world w AUTO(world_free);
    struct ledger_row rows[] = {
        row("visited_pricing", 80, 14 * DAYS_MS, 0),
        row("demo-request", 350, 30 * DAYS_MS, 15 * DAYS_MS),
        row("visited_pricing", 80, 14 * DAYS_MS, DAYS_MS),
        row("visited_pricing", 80, 14 * DAYS_MS, 2 * DAYS_MS),
        row("demo-request", 350, 30 * DAYS_MS, 0),
        row("demo-request", 350, DAYS_MS, 300 * DAYS_MS), /* nothing left: no line */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        rows[i].event = (int64_t)i + 10;
    build_sound(&w, str_of(sales));
    assert_lines(
        &w.card, &vp, rows, ARRAY_LEN(rows),
        "fit|job-title||20|20|decides about budgets|0\n"
        "fit|free-address||-10.5|-10.5|free address|0\n"
        "engagement|demo-request|engagement|35|24.7|demo-request|11\n"
        "engagement|visited_pricing|engagement|8|7.2|visited_pricing|13\n"
        "engagement|visited_pricing|engagement|8|7.6|visited_pricing|12\n"
        "engagement|visited_pricing|engagement|8|8|visited_pricing|10\n"
        "engagement|demo-request|engagement|35|35|demo-request|14\n"
        "engagement|visited_pricing|engagement|-2.8|-2.8|cap of rule visited_pricing|0|cap\n"
        "engagement||engagement|-19.7|-19.7|cap of group engagement|0|cap\n"
        "69.5 = 9.5 + 60 warm\n");
}

static void a_rule_that_is_gone_keeps_its_points_and_its_greatest_max(void **state)
{
    struct world w AUTO(world_free);
    struct ledger_row rows[] = {row("old", 80, 0, 4), row("old", 80, 0, 3), row("old", 80, 0, 2),
                                row("other", 10, 0, 1)};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        rows[i].max = i == 1 ? 60 : 50;
        rows[i].group = STR("no-longer-there");
    }
    rows[3].group = STR("mixed");
    build_sound(&w, str_of(sales));
    assert_lines(&w.card, &nobody, rows, ARRAY_LEN(rows),
                 "engagement|old|no-longer-there|8|8|old|1\n"
                 "engagement|old|no-longer-there|8|8|old|1\n"
                 "engagement|old|no-longer-there|8|8|old|1\n"
                 "engagement|other|mixed|1|1|other|1\n"
                 "engagement|old|no-longer-there|-18|-18|cap of rule old|0|cap\n"
                 "7 = 0 + 7 cold\n");
}

static void the_rule_of_today_caps_the_rows_of_yesterday(void **state)
{
    struct world w AUTO(world_free);
    struct ledger_row rows[] = {row("a", 80, 0, 2), row("a", 80, 0, 1)};

    (void)state;
    rows[0].max = rows[1].max = 10;
    rows[0].group = STR("g");
    build_sound(&w, STR("[rule a]\nwhen = event.value == 1\npoints = 1\nmax = 12.5\n"));
    assert_lines(&w.card, &nobody, rows, ARRAY_LEN(rows),
                 "engagement|a||8|8|a|1\n"
                 "engagement|a||8|8|a|1\n"
                 "engagement|a||-3.5|-3.5|cap of rule a|0|cap\n"
                 "12.5 = 0 + 12.5 cold\n");
}

static void the_cap_of_a_group_is_engagement_as_soon_as_a_line_is(void **state)
{
    static const char text[] = "[group g]\nmax = 10\n"
                               "[rule f]\nwhen = lead.jobtitle contains \"vp\"\npoints = 15\n"
                               "group = g\n"
                               "[rule e]\nwhen = event.value == 1\npoints = 3\ngroup = g\n";
    struct world w AUTO(world_free);
    struct ledger_row rows[] = {row("e", 30, 0, 1)};

    (void)state;
    build_sound(&w, str_of(text));
    assert_lines(&w.card, &vp, rows, 0,
                 "fit|f|g|15|15|f|0\n"
                 "fit||g|-5|-5|cap of group g|0|cap\n"
                 "10 = 10 + 0 cold\n");
    assert_lines(&w.card, &vp, rows, 1,
                 "fit|f|g|15|15|f|0\n"
                 "engagement|e|g|3|3|e|1\n"
                 "engagement||g|-8|-8|cap of group g|0|cap\n"
                 "10 = 15 + -5 cold\n");
}

static long draw(unsigned short seed[3], long below)
{
    return nrand48(seed) % below;
}

/* Rules r0.. in groups g0.. with random points, ceilings and kinds. */
static struct str random_card(unsigned short seed[3], struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(64 * 1024);
    long groups = draw(seed, 4), rules = draw(seed, 8);
    struct str ret = STR_NULL;

    for (long i = 0; i < groups; i++)
        sbuf_printf(&b, "[group g%ld]\nmax = %ld.%ld\n", i, draw(seed, 60), draw(seed, 9) + 1);
    for (long i = 0; i < rules; i++) {
        sbuf_printf(&b, "[rule r%ld]\npoints = %ld.%ld\nwhen = %s\n", i, draw(seed, 80) - 20,
                    draw(seed, 10), draw(seed, 2) ? "event.value == 1" : "lead.jobtitle != \"x\"");
        if (groups && draw(seed, 2))
            sbuf_printf(&b, "group = g%ld\n", draw(seed, groups));
        if (draw(seed, 2))
            sbuf_printf(&b, "max = %ld.%ld\n", draw(seed, 50), draw(seed, 9) + 1);
    }
    assert_int_equal(sbuf_seal(&b, a, &ret), RC_OK);
    return ret;
}

static size_t random_rows(unsigned short seed[3], struct ledger_row rows[MAX_ROWS])
{
    static const char *const names[] = {"r0", "r1", "r2", "r3", "r4", "gone", "gone2"};
    static const char *const groups[] = {"g0", "g1", "g9", NULL};
    size_t n = (size_t)draw(seed, MAX_ROWS);

    for (size_t i = 0; i < n; i++) {
        rows[i] = row(names[draw(seed, ARRAY_LEN(names))], draw(seed, 900) - 200,
                      draw(seed, 4) * 7 * DAYS_MS, (draw(seed, 1000) - 20) * HOURS_MS);
        rows[i].event = (int64_t)i + 1;
        rows[i].group = str_of(groups[draw(seed, ARRAY_LEN(groups))]);
        if (draw(seed, 2))
            rows[i].max = draw(seed, 500);
    }
    return n;
}

static void check_sums(const struct scorecard *c, const struct verdict_score *v)
{
    int64_t part[2] = {0};

    for (size_t i = 0; i < v->n_lines; i++) {
        assert_true(v->lines[i].worth != 0);
        assert_true(!v->lines[i].cap || v->lines[i].worth < 0);
        part[v->lines[i].part] += v->lines[i].worth;
    }
    assert_int_equal(v->fit, part[PART_FIT]);
    assert_int_equal(v->engagement, part[PART_ENGAGEMENT]);
    assert_int_equal(v->score, part[PART_FIT] + part[PART_ENGAGEMENT]);
    for (size_t g = 0; g < c->n_groups; g++) {
        int64_t sum = 0;

        for (size_t i = 0; i < v->n_lines; i++)
            if (str_eq(v->lines[i].group, c->groups[g].name))
                sum += v->lines[i].worth;
        assert_true(sum <= c->groups[g].max);
    }
    for (size_t r = 0; r < c->n_rules; r++) {
        int64_t sum = 0;

        for (size_t i = 0; i < v->n_lines; i++)
            if (str_eq(v->lines[i].rule, c->rules[r].name))
                sum += v->lines[i].worth;
        assert_true(sum <= c->rules[r].max);
    }
}

static void the_score_is_always_the_sum_of_its_lines(void **state)
{
    unsigned short seed[3] = {3, 1, 4};
    size_t caps = 0;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct world w AUTO(world_free);
        struct arena a AUTO(arena_free) = {0};
        struct ledger_row rows[MAX_ROWS];
        struct verdict_score v, sums;

        build_sound(&w, random_card(seed, &a));
        size_t n = random_rows(seed, rows);
        scorecard_evaluate(&w.card, &vp, rows, n, NOW, &a, &v);
        check_sums(&w.card, &v);
        scorecard_evaluate(&w.card, &vp, rows, n, NOW, NULL, &sums);
        assert_null(sums.lines);
        assert_true(sums.score == v.score && sums.fit == v.fit && sums.band == v.band &&
                    sums.engagement == v.engagement);
        for (size_t i = 0; i < v.n_lines; i++)
            caps += v.lines[i].cap;
    }
    assert_true(caps > 1000);
}

static void reasons_are_the_strongest_rules_in_words(void **state)
{
    struct world w AUTO(world_free);
    struct verdict_score v;
    struct ledger_row rows[] = {
        row("visited_pricing", 80, 0, 3),
        row("visited_pricing", 80, 0, 2),
        row("visited_pricing", 85, 0, 1),
        row("demo-request", 350, 0, 1),
    };

    (void)state;
    for (size_t i = 0; i < 3; i++)
        rows[i].why = i == 2 ? STR("visited pricing") : STR("an older wording");
    rows[3].why = STR("demo request");
    build_sound(&w, str_of(sales));
    scorecard_evaluate(&w.card, &vp, rows, ARRAY_LEN(rows), NOW, &w.arena, &v);
    assert_string_equal(score_reasons(&v, 10, &w.arena).at,
                        "demo request +35, visited pricing (3x) +24.5, decides about budgets +20, "
                        "free address -10.5");
    assert_string_equal(score_reasons(&v, 2, &w.arena).at,
                        "demo request +35, visited pricing (3x) +24.5");
    scorecard_evaluate(&w.card, &nobody, NULL, 0, NOW, &w.arena, &v);
    assert_string_equal(score_reasons(&v, 10, &w.arena).at, "");
}

/* Rows come one after the other, times pass, and sometimes a clock is set back. */
static void a_tally_says_what_all_rows_together_say(void **state)
{
    static const char *const rules[] = {"visited_pricing", "demo-request", "gone", "lost"};
    static const int64_t half_lives[] = {0, HOURS_MS, 3 * DAYS_MS, 20 * DAYS_MS};
    struct world w AUTO(world_free);
    struct ledger_row all[MAX_ROWS];
    struct verdict_score whole, sum;

    (void)state;
    srand(7);
    build_sound(&w, str_of(sales));
    for (int turn = 0; turn < 40; turn++) {
        struct tally *t = tally_new(&w.card, &w.arena);
        int64_t at = NOW;

        for (size_t n = 0; n < MAX_ROWS; n++) {
            all[n] = row(rules[rand() % 4], 10 * (rand() % 40) - 100, half_lives[rand() % 4], 0);
            all[n].occurred_at = at - rand() % 5 * DAYS_MS + DAYS_MS;
            all[n].group = rand() % 2 ? STR("engagement") : STR("mixed");
            all[n].max = 150;
            tally_add(t, &all[n]);
            for (int k = rand() % 3; k > 0; k--) {
                at += rand() % 20 ? rand() % (int)(2 * DAYS_MS) : -DAYS_MS;
                scorecard_evaluate(&w.card, &vp, all, n + 1, at, NULL, &whole);
                tally_evaluate(t, &vp, at, &sum);
                assert_int_equal(sum.fit, whole.fit);
                assert_int_equal(sum.engagement, whole.engagement);
                assert_int_equal(sum.band, whole.band);
            }
        }
    }
}

/* Each moment at which a tenth falls off, to the millisecond. */
static void a_tally_knows_when_a_tenth_falls_off(void **state)
{
    const struct ledger_row r = row("demo-request", 350, HOURS_MS, 0);
    struct world w AUTO(world_free);
    struct verdict_score v;

    (void)state;
    build_sound(&w, str_of(sales));
    struct tally *t = tally_new(&w.card, &w.arena);
    tally_add(t, &r);
    for (int64_t at = NOW; at < NOW + 10 * HOURS_MS; at += 250) {
        tally_evaluate(t, &nobody, at, &v);
        assert_int_equal(v.engagement, ledger_worth(&r, at));
    }
}

/* Doubles do not tell milliseconds apart any more. */
static void so_it_does_where_points_halve_in_millions_of_years(void **state)
{
    enum { AROUND = 1000 };
    const int64_t half_life = INT64_C(1) << 60;
    struct world w AUTO(world_free);
    struct verdict_score v;

    (void)state;
    build_sound(&w, str_of(sales));
    for (int worth = 349; worth > 300; worth--) {
        struct ledger_row r = row("demo-request", 350, half_life, 0);
        double age = (double)half_life * log2(350 / (worth + 0.5));

        r.occurred_at = NOW - (int64_t)age;
        struct tally *t = tally_new(&w.card, &w.arena);
        tally_add(t, &r);
        for (int64_t at = NOW - AROUND; at < NOW + AROUND; at += 9) {
            tally_evaluate(t, &nobody, at, &v);
            assert_int_equal(v.engagement, ledger_worth(&r, at));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_halve_in_a_half_life_and_round_half_away_from_zero),
        cmocka_unit_test(an_absurd_date_does_no_harm),
        cmocka_unit_test(an_explanation_reads_line_by_line),
        cmocka_unit_test(a_rule_that_is_gone_keeps_its_points_and_its_greatest_max),
        cmocka_unit_test(the_rule_of_today_caps_the_rows_of_yesterday),
        cmocka_unit_test(the_cap_of_a_group_is_engagement_as_soon_as_a_line_is),
        cmocka_unit_test(the_score_is_always_the_sum_of_its_lines),
        cmocka_unit_test(a_tally_says_what_all_rows_together_say),
        cmocka_unit_test(a_tally_knows_when_a_tenth_falls_off),
        cmocka_unit_test(so_it_does_where_points_halve_in_millions_of_years),
        cmocka_unit_test(reasons_are_the_strongest_rules_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
