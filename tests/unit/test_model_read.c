/* tests/unit/test_model_read.c - the texts of a model, which nobody vouches for. */
#include "model_world.h"

static struct str with_sidecar(struct model_world *w, const char *from, const char *to)
{
    const char *at = str_find(w->sidecar, str_of(from));

    if (!at)
        fail_msg("%s is not in it", from);
    return arena_printf(&w->arena, "%.*s%s%s", (int)(at - w->sidecar.at), w->sidecar.at, to,
                        at + strlen(from));
}

/* Of over 15 digits: JSON has it as a text, and it is no date for all that. */
static void a_sample_has_numbers_of_any_length(void **state)
{
    static const char *const changes[][2] = {
        {"\"2024-07-06\"", "90.0000000000000001"},
        {"\"Yes\"", "1.00000000000000001"},
        {"\"12.5\"", "12.5000000000000001"},
        {",4],\"prob", ",4.00000000000000001],\"prob"},
    };
    struct model_world w = {0};

    (void)state;
    model_world_texts(&w, 0.3);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct model *m = NULL;
        struct why why = {0};
        struct str changed = with_sidecar(&w, changes[i][0], changes[i][1]);

        if (model_read(w.trees, changed, &m, &why) != RC_OK)
            fail_msg("%s: %s", changes[i][1], why.text);
        model_drop(m);
    }
    model_world_close(&w);
}

static void a_changed_sidecar_says_what_does_not_fit(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"funneld-model", "other", "not one of a funneld model"},
        {"\"version\":1", "\"version\":2", "version"},
        {"\"name\":\"main\"", "\"name\":\"a:b\"", "\"name\""},
        {"\"name\":\"main\"", "\"name\":\"\"", "\"name\""},
        {"\"conversion\"", "\"world peace\"", "\"goal\""},
        {"\"base_rate\":0.4", "\"base_rate\":1.4", "\"base_rate\""},
        {"\"usable\":true", "\"use\":true", "\"usable\" is missing"},
        {"\"rows\":2000", "\"rows\":-1", "\"rows\""},
        {"\"features\":8", "\"features\":9", "\"features\""},
        {"\"levels\":[\"de\",", "\"levels\":[7,", "input 1"},
        {"\"levels\":[\"de\",", "\"levels\":[\"DE\",", "not in lower case"},
        {"\"levels\":[\"de\",", "\"levels\":[\" de\",", "not trimmed"},
        {"\"levels\":[\"de\",", "\"levels\":[\"fr\",", "twice"},
        {"\"sentinels\":[\"unknown\"]", "\"sentinels\":[\"Unknown\"]", "\"sentinels\""},
        {"\"name\":\"seats\"", "\"name\":\"country\"", "another input"},
        {"\"name\":\"seats\"", "\"name\":\"se\\u001b[2Jats\"", "\"name\""},
        {"\"name\":\"main\"", "\"name\":\"ma\\u009bin\"", "\"name\""},
        {"\"kind\":\"blend\"", "\"kind\":\"\\u001b]0;x\\u0007\"", "\"kind\""},
        {"beat the base rate", "beat\\u001b[2J", "\"verdict\""},
        {"\"horizon_ms\":7776000000", "\"horizon_ms\":777600000000000", "\"horizon_ms\""},
        {"\"levels\":[\"de\",", "\"levels\":[\"de\",\"es\",", "\"shares\""},
        {"[0.5,0.2,0.2,0.1]", "[0.5,0.2,0.2,0.9]", "\"shares\""},
        {"\"edges\":[2,10]", "\"edges\":[10,2]", "\"edges\""},
        {"\"edges\":[2,10]", "\"edges\":[2]", "\"edges\""},
        {"\"kind\":\"truth\"", "\"kind\":\"lie\"", "input 3"},
        {"\"bias\":-0.3", "\"bias\":null", "\"bias\""},
        {"\"bias\":-0.3", "\"bias\":1e300", "\"bias\""},
        {"\"scale\":[0.5", "\"scale\":[0", "\"scale\""},
        {"\"scale\":[0.5,", "\"scale\":[", "\"scale\""},
        {"\"low\":[0,", "\"low\":[5,", "\"low\""},
        {"\"mean\":[0.5", "\"mean\":[null", "\"mean\""},
        {"\"share\":0.300", "\"share\":1.5", "\"share\""},
        {"\"share\":0.300", "\"share\":0", "no share"},
        {"\"a\":0.9", "\"a\":\"x\"", "\"a\""},
        {"\"a\":0.9", "\"a\":0.8", "sample row 1: the model says"},
        {"\"quartiles\":[0.1", "\"quartiles\":[0.4", "\"quartiles\""},
        {"\"samples\":[{", "\"samples\":[],\"s\":[{", "\"samples\""},
        {"\"cells\":[\"DE \"", "\"cells\":[\"FR\"", "sample row 1"},
        {"\"cells\":[\"DE \",", "\"cells\":[", "\"cells\""},
        {"\"cells\":[\"DE \"", "\"cells\":[true", "\"cells\""},
        {"\"at_ms\":", "\"at\":", "\"at_ms\""},
    };
    struct model_world w = {0};

    (void)state;
    model_world_texts(&w, 0.3);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct model *m = NULL;
        struct why why = {0};
        struct str changed = with_sidecar(&w, cases[i].from, cases[i].to);
        enum rc rc = model_read(w.trees, changed, &m, &why);

        if (rc != RC_INVALID || !strstr(why.text, cases[i].says))
            fail_msg("%s -> %s: %d, %s", cases[i].from, cases[i].to, (int)rc, why.text);
        assert_null(m);
    }
    model_world_close(&w);
}

static void texts_that_were_cut_or_do_not_belong_together_are_refused(void **state)
{
    struct model_world w = {0};
    struct model *m = NULL;

    (void)state;
    model_world_texts(&w, 0.3);
    for (size_t len = 0; len < w.sidecar.len; len += 7)
        assert_int_equal(model_read(w.trees, (struct str){w.sidecar.at, len}, &m, NULL),
                         RC_INVALID);
    assert_int_equal(model_read(STR(""), w.sidecar, &m, NULL), RC_INVALID);
    assert_int_equal(model_read(w.sidecar, w.trees, &m, NULL), RC_INVALID);
    assert_null(m);
    model_world_close(&w);
}

/* What would fill memory is refused before a tree is built of it. */
static void a_text_that_no_model_needs_is_refused_at_once(void **state)
{
    static const size_t lens[] = {2 * MODEL_MOST_VALUES + 4, MODEL_MOST_BYTES + 1};
    static const char *const says[] = {"more than 2000000 values", "more than 16 MiB"};
    struct model_world w = {0};

    (void)state;
    model_world_texts(&w, 0.3);
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        AUTO(mem_freep) char *text = mem_array(lens[i] + 1, 1);
        struct model *m = NULL;
        struct why why = {0};

        memset(text, '0', lens[i]);
        for (size_t k = 0; k < lens[i]; k += 2)
            text[k] = ',';
        assert_int_equal(model_read((struct str){text, lens[i]}, w.sidecar, &m, &why), RC_INVALID);
        assert_non_null(strstr(why.text, says[i]));
        assert_int_equal(model_read(w.trees, (struct str){text, lens[i]}, &m, &why), RC_INVALID);
        assert_non_null(strstr(why.text, says[i]));
    }
    model_world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_has_numbers_of_any_length),
        cmocka_unit_test(a_changed_sidecar_says_what_does_not_fit),
        cmocka_unit_test(texts_that_were_cut_or_do_not_belong_together_are_refused),
        cmocka_unit_test(a_text_that_no_model_needs_is_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
