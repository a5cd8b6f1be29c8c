/* tests/unit/test_learning_train.c - models trained from a store: where nothing foretells who wins,
 * they say so and are not to be used; where something does, they find it.
 */
#include "deals_world.h"

#include "funneld/base/json.h"
#include "funneld/model/model.h"
#include "funneld/model/train.h"

static struct trained train(struct pipeline *p, enum deals_by by)
{
    load(p, DEALS_CONF);
    import_deals(p, by);
    struct learning l = learn(p, 0);
    const struct train_options o = {.name = STR("deals"),
                                    .goal = GOAL_CONVERSION,
                                    .horizon_ms = l.horizon_ms,
                                    .trained_at = p->now,
                                    .threads = 1,
                                    .seed = 1};
    struct trained t;
    struct why why = {0};

    if (model_train(&l.set, &o, &p->w->arena, &t, &why))
        fail_msg("%s", why.text);
    learning_free(&l);
    return t;
}

static bool is_usable(const struct trained *t)
{
    struct model *m = NULL;
    struct why why = {0};

    if (model_read(t->trees, t->sidecar, &m, &why))
        fail_msg("%s", why.text);
    bool usable = model_card(m)->usable;
    model_drop(m);
    return usable;
}

/* Of more than 15 digits it is a text. */
static double best_auc(const struct json_doc *doc, struct arena *a)
{
    double best = 0, auc = 0;

    for (const json *c = json_first(json_path(doc->root, "report.candidates")); c;
         c = json_next(c)) {
        assert_true(str_decimal(json_scalar(json_get(c, "auc"), a), &auc));
        best = auc > best ? auc : best;
    }
    return best;
}

/* Several rows of a deal on both sides of a fold would make 0.7 of what is 0.5. */
static void where_nothing_foretells_it_no_model_claims_to(void **state)
{
    struct pipeline *p = *state;
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct trained t = train(p, BY_LOT);

    assert_false(is_usable(&t));
    OK(json_parse(t.sidecar, &doc, NULL));
    assert_true(json_true(json_path(doc.root, "report.grouped")));
    TEXT(json_string(json_path(doc.root, "report.folds")), "time");
    assert_true(best_auc(&doc, &p->w->arena) > 0.44 && best_auc(&doc, &p->w->arena) < 0.56);
}

static void where_something_does_it_is_found(void **state)
{
    struct pipeline *p = *state;
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct trained t = train(p, BY_PRODUCT);

    assert_true(is_usable(&t));
    OK(json_parse(t.sidecar, &doc, NULL));
    assert_true(best_auc(&doc, &p->w->arena) > 0.6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(where_nothing_foretells_it_no_model_claims_to),
        CHECKS(where_something_does_it_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
