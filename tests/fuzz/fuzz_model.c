/* tests/fuzz/fuzz_model.c - files of a model from anybody: refused, or a model that answers.
 *
 * A sidecar, the trees, and a row of cells, one a line. The trees are also read by themselves, for
 * what a sidecar says of sample rows holds off most of what is not whole.
 */
#include "fuzz.h"

#include <math.h>

#include "../../src/model/model_priv.h"
#include "funneld/report/model.h"

static void check_trees(struct str text, struct str cells)
{
    struct arena a AUTO(arena_free) = {0};
    size_t n = cells.len % 9;
    struct trees t = {0};
    struct why why = {0};
    float x[9] = {0};
    double parts[9] = {0}, scale = 1;

    if (trees_read(text, n, &a, &t, &why)) {
        assert_true(why.text[0]);
        return;
    }
    assert_true(n > 0 && t.n_trees > 0 && t.depth <= MODEL_MAX_DEPTH);
    for (size_t i = 0; i < n; i++)
        x[i] = cells.at[i] == '?' ? NAN : (float)cells.at[i] / 16;
    for (size_t i = 0; i < t.n_nodes; i++)
        scale += fabs((double)t.nodes[i].split);
    trees_explain(&t, x, &a, parts);
    double sum = t.mean, margin = (double)trees_margin(&t, x);
    for (size_t i = 0; i < n; i++)
        sum += parts[i];
    assert_true(isfinite(sum) && isfinite(margin));
    assert_true(fabs(sum - margin) <= 1e-5 * scale);
}

static void check_model(const struct model *m, struct str rest)
{
    struct arena a AUTO(arena_free) = {0};
    size_t n = model_card(m)->n_inputs;
    struct cell *cells = arena_array(&a, n + 1, sizeof *cells);
    double *parts = arena_array(&a, n + 1, sizeof *parts), bias = 0;

    for (size_t i = 0; i < n; i++) {
        cells[i].number = NAN;
        if (!fuzz_line(&rest, &cells[i].text) && i % 2)
            cells[i].number = (double)i;
        assert_true(model_bin(m, i, &cells[i], FUZZ_NOW) < model_bins(m, i));
    }
    double p = model_probability(m, cells, FUZZ_NOW);
    assert_true(p >= 0 && p <= 1);
    model_explain(m, cells, FUZZ_NOW, &a, parts, &bias);
    double sum = bias;
    for (size_t i = 0; i < n; i++)
        sum += parts[i];
    assert_true(isfinite(sum) && fabs(sigmoid(sum) - p) < 1e-6);
    struct str reasons = model_reasons(m, cells, FUZZ_NOW, 3, &a);
    assert_true(reasons.len < 6 * 250);
}

static void check_report(struct str sidecar)
{
    struct sbuf text AUTO(sbuf_free) = SBUF(1 << 20), page AUTO(sbuf_free) = SBUF(4 << 20);
    const struct reported_model m = {.sidecar = sidecar};
    enum rc rc = model_report_text(&m, &text, NULL);

    assert_int_equal(model_report_html(&m, &page, NULL), rc);
    if (rc)
        return;
    assert_false(fuzz_holds(sbuf_str(&page), "<script"));
    assert_true(str_ends(sbuf_str(&page), STR("</html>\n")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = fuzz_text(data, size), sidecar = STR(""), trees = STR("");
    struct model *m = NULL;
    struct why why = {0};

    (void)fuzz_part(&rest, &sidecar); /* else they stay empty */
    (void)fuzz_part(&rest, &trees);
    struct str cells = rest.at ? rest : STR("");
    check_trees(trees, cells);
    check_report(sidecar);
    if (model_read(trees, sidecar, &m, &why)) {
        assert_true(why.text[0]);
        assert_null(m);
        return 0;
    }
    check_model(m, cells);
    model_drop(m);
    return 0;
}
