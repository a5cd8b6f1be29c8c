/* tests/unit/test_model_report.c - what a model's sidecar says, as lines and as a page. */
#include "cm.h"

#include <stdio.h>
#include <string.h>

#include "funneld/report/model.h"

static const char sidecar[] =
    "{\"name\":\"main\",\"goal\":\"conversion\",\"horizon_ms\":7776000000,\"trained_at_ms\":"
    "1772366400000,\"usable\":true,\"kind\":\"blend\",\"verdict\":\"a blend beats <rules> & all\","
    "\"rows\":2000,\"positive\":800,\"base_rate\":0.4,\"quartiles\":[0.1,0.3,0.6],"
    "\"inputs\":[{\"name\":\"seats\",\"weight\":0.1},{\"name\":\"<img src=x onerror=y>\","
    "\"weight\":0.4}],\"report\":{\"folds\":\"time\",\"grouped\":true,\"n_folds\":5,"
    "\"scored\":2000,\"candidates\":[{\"kind\":\"base rate\",\"log_loss\":0.673,\"auc\":0.5,"
    "\"brier\":0.24,\"gain_base\":{\"mean\":0,\"se\":0},\"gain_logistic\":{\"mean\":-0.07,\"se\":"
    "0.01},\"chosen\":false},{\"kind\":\"blend\",\"log_loss\":0.569,\"auc\":0.76,\"brier\":0.19,"
    "\"gain_base\":{\"mean\":0.104,\"se\":0.011},\"gain_logistic\":{\"mean\":0.033,\"se\":0.006},"
    "\"chosen\":true,\"depth\":3,\"eta\":0.05,\"rounds\":311,\"share\":0.7}],\"measures\":{\"auc\":"
    "0.762,\"pr_auc\":0.688,\"log_loss\":0.569,\"brier\":0.189,\"ece\":0.031,\"ece_floor\":0.019,"
    "\"ece_floor_95\":0.028,\"lift\":2.2},\"lift\":[2.2,0.5],\"roc\":[[0,0],[0.2,0.6],[1,1]],"
    "\"precision_recall\":[[0,1],[1,0.4]],\"calibration\":[{\"predicted\":0.1,\"observed\":0.12,"
    "\"n\":100},{\"predicted\":0.7,\"observed\":0.65,\"n\":100}],\"histogram\":[1,2,4,8],"
    "\"blocks\":[{\"rows\":100,\"observed\":0.3,\"predicted\":0.35},{\"rows\":100,\"observed\":0.5,"
    "\"predicted\":0.4}],\"excluded\":[{\"column\":\"duration\",\"kind\":\"leakage\",\"reason\":"
    "\"alone it has an AUC of 0.97\"}],\"suspects\":[],\"warnings\":[\"the rate rose\"]}}";

static const struct reported_model model = {
    .name = {"main", 4}, .version = 3, .active = true, .sidecar = {sidecar, sizeof sidecar - 1}};

static void holds(struct str text, const char *part)
{
    if (!str_find(text, str_of(part)))
        fail_msg("\"%s\" is not in:\n%.*s", part, STR_ARG(text));
}

static void the_lines_say_the_verdict_first_and_then_why(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);

    (void)state;
    assert_int_equal(model_report_text(&model, &b, NULL), RC_OK);
    struct str text = sbuf_str(&b);
    assert_true(str_starts(
        text, STR("main:3 - conversion within 90 days, in use\n\na blend beats <rules> & all\n")));
    holds(text, "Trained 2026-03-01T12:00Z on 2000 rows, 800 of them positive (40.0 %), 2 columns");
    holds(text,
          "  > blend                    0.5690   +0.1040 +- 0.0110   +0.0330 +- 0.0060   0.760"
          "  depth 3, eta 0.05, 311 trees  70 % trees\n");
    holds(text, "    base rate                0.6730");
    holds(text, "in order of time, each lead on one side");
    holds(text, "once in twenty: it is off by more than chance");
    holds(text, "       70.0 %    65.0 %      100   2.20  ####################\n");
    holds(text, "    duration                             leakage     alone it has an AUC");
    holds(text, "    - the rate rose\n");
    holds(text, "    under 5 %              1\n    5 to 20 %             14\n");
    holds(text, "medium from 10.0 %, high from 30.0 %, very high from 60.0 %");
}

static void the_page_is_whole_and_loads_nothing(void **state)
{
    static const char *const never[] = {
        "<script", "href", "http:", "https:", "url(", "@import", "<img", "<rules>"};
    static const char *const charts[] = {"(ROC)",
                                         "(precision and recall)",
                                         "(calibration)",
                                         "(lift by tenth)",
                                         "How probabilities are spread",
                                         "how sure that is",
                                         "Whether it holds over time",
                                         "class=\"band\"",
                                         "prefers-color-scheme:dark"};
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);

    (void)state;
    assert_int_equal(model_report_html(&model, &b, NULL), RC_OK);
    struct str page = sbuf_str(&b);
    assert_true(str_starts(page, STR("<!doctype html>\n")));
    assert_true(str_ends(page, STR("</body></html>\n")));
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (str_find(page, str_of(never[i])))
            fail_msg("%s is in it", never[i]);
    for (size_t i = 0; i < ARRAY_LEN(charts); i++)
        holds(page, charts[i]);
    holds(page, "&lt;img src=x onerror=y&gt;");
    holds(page, "a blend beats &lt;rules&gt; &amp; all");
    holds(page, "class=\"verdict won\"");
    holds(page, "<tr class=\"chosen\"><td>blend");
    holds(page, "duration</td><td>leakage</td>");
}

static void what_the_sidecar_lacks_is_left_out(void **state)
{
    const struct reported_model bare = {.sidecar = STR("{\"name\":\"x\",\"goal\":\"churn\"}")};
    struct sbuf text AUTO(sbuf_free) = SBUF(1 << 20), page AUTO(sbuf_free) = SBUF(1 << 20);

    (void)state;
    assert_int_equal(model_report_text(&bare, &text, NULL), RC_OK);
    assert_true(str_starts(sbuf_str(&text), STR("x - churn, not usable\n")));
    assert_null(str_find(sbuf_str(&text), STR("AUC")));
    assert_int_equal(model_report_html(&bare, &page, NULL), RC_OK);
    assert_null(str_find(sbuf_str(&page), STR("<figure>")));
}

static void hostile_numbers_and_texts_stay_where_they_are(void **state)
{
    const struct reported_model odd = {
        .sidecar = STR("{\"name\":\"a\\nb\",\"rows\":-5,\"base_rate\":7,\"quartiles\":[1e300,-1,"
                       "\"x\"],\"inputs\":[{\"name\":7},{}],\"report\":{\"roc\":[[1e300,-1e300],"
                       "[],7,null],\"lift\":[1e14,-3],\"histogram\":[9e14,\"a\"],\"calibration\":"
                       "[{}],\"blocks\":[{},{}],\"candidates\":[{\"log_loss\":1e300,\"gain_base\":"
                       "{\"mean\":-1e300,\"se\":1e300}},5],\"excluded\":[{}],\"warnings\":[7]}}")};
    struct sbuf text AUTO(sbuf_free) = SBUF(1 << 20), page AUTO(sbuf_free) = SBUF(1 << 20);

    (void)state;
    assert_int_equal(model_report_text(&odd, &text, NULL), RC_OK);
    assert_true(str_starts(sbuf_str(&text), STR("a b - ")));
    assert_int_equal(model_report_html(&odd, &page, NULL), RC_OK);
    assert_null(str_find(sbuf_str(&page), STR("=\"nan")));
    assert_null(str_find(sbuf_str(&page), STR("=\"inf")));
    assert_null(str_find(sbuf_str(&page), STR("=\"-nan")));
}

static void no_json_is_no_report(void **state)
{
    const struct reported_model none = {.sidecar = STR("[1]")};
    struct sbuf b AUTO(sbuf_free) = SBUF(1000);
    struct why why = {0};

    (void)state;
    assert_int_equal(model_report_text(&none, &b, &why), RC_INVALID);
    assert_non_null(strstr(why.text, "no object"));
    assert_int_equal(model_report_text(&model, &b, &why), RC_TOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lines_say_the_verdict_first_and_then_why),
        cmocka_unit_test(the_page_is_whole_and_loads_nothing),
        cmocka_unit_test(what_the_sidecar_lacks_is_left_out),
        cmocka_unit_test(hostile_numbers_and_texts_stay_where_they_are),
        cmocka_unit_test(no_json_is_no_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
