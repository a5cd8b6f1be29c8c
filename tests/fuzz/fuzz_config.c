/* tests/fuzz/fuzz_config.c - the configuration file: reader, option tables, rules, routes, checks.
 */
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "funneld/app/config.h"

#define SECRET "not-to-be-shown"

static int file = -1;
static char path[64];

static void start(void)
{
    file = memfd_create("f.conf", MFD_CLOEXEC);
    int n = snprintf(path, sizeof path, "/proc/self/fd/%d", file);

    assert_true(file >= 0 && n > 0 && n < (int)sizeof path);
    assert_int_equal(setenv("FUZZ_SECRET", SECRET, 1), 0);
    assert_int_equal(unsetenv("PORT"), 0);
}

static struct config *load(struct str text)
{
    assert_int_equal(ftruncate(file, 0), 0);
    assert_int_equal(pwrite(file, text.at, text.len, 0), (ssize_t)text.len);
    return config_load(path, FUZZ_NOW);
}

static int count_lines(struct str text)
{
    int n = 1;

    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == '\n';
    return n;
}

static void check_problems(const struct config *c, struct str text)
{
    size_t n = 0;

    for (const struct conf_problem *p = c->problems.first; p; p = p->next, n++) {
        assert_true(p->message.len && str_is_utf8(p->message));
        assert_true(!p->hint.at || (p->hint.len && str_is_utf8(p->hint)));
        assert_true(p->line >= 0 && p->line <= count_lines(text));
        assert_true(p->file.len);
    }
    assert_int_equal(n, c->problems.n);
}

/* Whether ${FUZZ_SECRET} stands for nothing but secrets, one in each value. */
static bool is_kept_secret(const struct config *c)
{
    static const char *const secrets[] = {"secret", "secret_previous", "token", "webhook",
                                          "credentials"};
    bool kept = false;

    for (size_t i = 0; i < c->conf.n_sections; i++)
        for (size_t k = 0; k < c->conf.sections[i].n_entries; k++) {
            const struct conf_entry *e = &c->conf.sections[i].entries[k];
            bool known = false;

            if (!fuzz_holds(e->value, SECRET))
                continue;
            for (size_t s = 0; s < ARRAY_LEN(secrets); s++)
                known = known || str_is(e->key, secrets[s]);
            if (!known)
                return false;
            kept = true;
        }
    return kept;
}

/* A past rule set is read back from this text. */
static void check_ruleset(const struct config *c)
{
    struct arena a AUTO(arena_free) = {0};
    struct conf conf;
    struct conf_problems problems;
    struct scorecard again = {0};

    conf_problems_init(&problems, &a);
    assert_int_equal(conf_read_text(STR("kept"), c->scorecard.text, &a, &conf, &problems), RC_OK);
    scorecard_build(&conf, &a, &again, &problems);
    assert_int_equal(problems.n, 0);
    assert_int_equal(again.n_rules, c->scorecard.n_rules);
    fuzz_same(again.text, c->scorecard.text);
}

static void check_good(const struct config *c)
{
    for (size_t i = 0; i < c->n_connectors; i++) {
        const struct connector_common *common = c->connectors[i].settings;

        assert_true(common->rate > 0 && common->timeout_ms >= 100 && common->concurrency >= 1);
        assert_true(str_starts(common->url, STR("https://")) ||
                    str_starts(common->url, STR("http://")));
    }
    assert_true(c->n_sources > 0);
    check_ruleset(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);
    struct sbuf once AUTO(sbuf_free) = SBUF(1 << 24), twice AUTO(sbuf_free) = SBUF(1 << 24);

    if (file < 0)
        start();
    if (fuzz_holds(text, "file:"))
        return 0; /* what stands in some file of this machine is not the input's */
    struct config *c = load(text), *again = load(text);

    check_problems(c, text);
    config_problems_text(c, &once);
    config_problems_text(again, &twice);
    fuzz_same(sbuf_str(&once), sbuf_str(&twice));
    assert_null(config_restart_needed(c, again, &again->arena));
    if (is_kept_secret(c) && !fuzz_holds(text, SECRET))
        assert_false(fuzz_holds(sbuf_str(&once), SECRET));
    if (!c->problems.n)
        check_good(c);
    ref_drop(&c->ref);
    ref_drop(&again->ref);
    return 0;
}
