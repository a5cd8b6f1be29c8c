/* tests/unit/test_conf.c - the form of the configuration file, and the traps of its parser. */
#include "conf_text.h"

#include <stdlib.h>
#include <string.h>

static void sections_and_keys_are_read_with_their_lines(void **state)
{
    (void)state;
    good("; a comment\n# another\n\n[server]\nlisten = [::]:8443   ; both families; IPv4 too\n"
         "\n[source zapier]   ; with a comment\ntype=zapier\n  \nsecret\t=\ta;b\n");
    assert_int_equal(conf.n_sections, 2);
    assert_int_equal(conf.sections[0].line, 4);
    assert_true(str_is(conf.sections[0].kind, "server"));
    assert_null(conf.sections[0].name.at);
    assert_string_equal(value("listen"), "[::]:8443");
    assert_int_equal(entry("listen")->line, 5);
    assert_true(entry("listen")->commented);
    const struct conf_section *s = conf_section_find(&conf, "source", "zapier");
    assert_non_null(s);
    assert_true(str_is(s->type, "zapier"));
    assert_true(str_is(s->file, "t.conf"));
    assert_string_equal(value("secret"), "a;b");
    assert_false(entry("secret")->commented);
    assert_int_equal(entry("secret")->line, 10);
    assert_null(conf_section_find(&conf, "source", NULL));
    assert_non_null(conf_section_find(&conf, "server", NULL));
}

static void empty_sections_are_seen(void **state)
{
    (void)state;
    good("[a]\n[b x]\n[c]");
    assert_int_equal(conf.n_sections, 3);
    assert_int_equal(conf.sections[1].line, 2);
    assert_int_equal(conf.sections[1].n_entries, 0);
    good("");
    assert_int_equal(conf.n_sections, 0);
}

static void a_byte_order_mark_and_crlf_are_passed_over(void **state)
{
    (void)state;
    good("\xEF\xBB\xBF[a]\r\nkey = v\r\nmore = x\r\n   y\r\n");
    assert_string_equal(value("key"), "v");
    assert_string_equal(value("more"), "x\ny");
}

static void a_value_goes_on_over_indented_lines(void **state)
{
    (void)state;
    good("[rule x]\nwhen = event.type == \"a\"   ; first\n   ; a comment\n"
         "       and event.value == \"b\"\n\n\tor score > 2 ; last\npoints = 5\n");
    const struct conf_entry *e = entry("when");
    assert_string_equal(value("when"),
                        "event.type == \"a\"\nand event.value == \"b\"\n\nor score > 2");
    assert_true(str_eq(e->raw, e->value));
    assert_int_equal(e->line, 2);
    assert_int_equal(conf_line_at(e, 0), 2);
    size_t second = (size_t)(str_find(e->value, STR("event.value")) - e->value.at);
    assert_int_equal(conf_line_at(e, second), 4);
    size_t last = (size_t)(str_find(e->value, STR("score")) - e->value.at);
    assert_int_equal(conf_line_at(e, last), 6);
    assert_int_equal(entry("points")->line, 7);
    good("[a]\none = 1\n\n\ntwo = 2\n  3\n");
    assert_string_equal(value("two"), "2\n3");
}

static void a_value_may_be_longer_than_any_line(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(64 * 1024);

    (void)state;
    sbuf_text(&b, "[a]\nkey =\n");
    for (int i = 0; i < 300; i++)
        sbuf_printf(&b, "  %0100d\n", i);
    good(b.at);
    assert_int_equal(entry("key")->value.len, 300 * 101);
    assert_int_equal(conf_line_at(entry("key"), 300 * 101 - 1), 302);
}

static char *line_of(const char *start, size_t len)
{
    char *text = mem_alloc(len + 32);

    memcpy(text, "[a]\n", 4);
    memset(text + 4, 'x', len);
    memcpy(text + 4, start, strlen(start));
    return text;
}

static void lines_that_inih_would_cut_are_refused(void **state)
{
    char *text = line_of("key = ", 199);

    (void)state;
    good(text);
    assert_int_equal(entry("key")->value.len, 193);
    free(text);

    text = line_of("key = ", 200);
    bad(text, 2, "200 bytes long, 199 is the most");
    assert_true(holds(problems.first->hint, "continue the value on the next line"));
    assert_int_equal(conf.sections[0].n_entries, 1); /* set, if unreadable: not missing, too */
    assert_true(entry("key")->broken);
    free(text);

    text = line_of("key = a\n ", 199 + 7 + 3);
    bad(text, 3, "199 is the most");
    assert_true(entry("key")->broken);
    free(text);
}

static void long_comments_are_harmless(void **state)
{
    char *text = line_of("key = v ;", 400);

    (void)state;
    good(text);
    assert_string_equal(value("key"), "v");
    free(text);
    text = line_of("; ", 1000);
    memcpy(text + 1000, "\nkey = v", 8);
    good(text);
    assert_string_equal(value("key"), "v");
    free(text);
}

static void a_comment_inside_quotes_is_refused(void **state)
{
    (void)state;
    bad("[a]\nwhen = event.value == \"a ; b\"\n", 2, "\" ;\" stands inside quotes");
    bad("[a]\nwhen = event.value == 'a ; b'\n", 2, "\" ;\" stands inside quotes");
    bad("[a]\nkey = {\"a\": \"b\\\" ; c\"}\n", 2, "\" ;\" stands inside quotes");
    bad("[a]\nkey = \"first\n  second ; third\"\n", 3, "\" ;\" stands inside quotes");
    good("[a]\nkey = \"a;b\"\nother = it's one ; not a text\n"
         "when = event.value == \"a\" ; \"b\n");
    assert_string_equal(value("key"), "a;b");
    assert_string_equal(value("other"), "it's one");
    assert_string_equal(value("when"), "event.value == \"a\"");
}

static void an_indented_key_is_refused(void **state)
{
    (void)state;
    bad("[a]\nkey = v\n  other = w\nlast = x\n", 3, "\"other =\" is indented");
    assert_string_equal(value("last"), "x");
    bad("[a]\nkey = v\n\n  other.x=w\n", 4, "\"other.x =\" is indented");
    bad("[a]\n  key = v\n", 2, "with no value above");
    bad("[a]\nkey = v\n  [b]\n", 3, "[b] is indented");
    bad("[a]\nkey = v\n  [connector b] ; c\n", 3, "[connector b] is indented");
    good("[a]\nwhen = x\n  == 3 and y\n  >= 4\n  or z == 5\n  in [\"a\", \"b\"]\n  z != 2\n  a.b "
         "== 1");
    assert_string_equal(value("when"),
                        "x\n== 3 and y\n>= 4\nor z == 5\nin [\"a\", \"b\"]\nz != 2\na.b == 1");
}

static void what_is_no_setting_is_refused(void **state)
{
    (void)state;
    bad("[a]\nkey\n", 2, "\"key\" is not a setting");
    bad("[a]\nkey : v\n", 2, "\"key : v\" is not a setting");
    bad("[a]\na:b = v\n", 2, "\"a:b\" is not a key");
    bad("[a]\ntwo words = v\n", 2, "\"two words\" is not a key");
    bad("[a]\n= v\n", 2, "\"\" is not a key");
    bad("[a]\nwhen = a\nevent.value == \"b\"\n", 3, "is a comparison");
    bad("[a]\nnonsense\n  with more\n  and = more\nkey = v\n", 2, "\"nonsense\" is not a setting");
}

static void sections_are_checked(void **state)
{
    (void)state;
    bad("key = v\nother = w\n[a]\n", 1, "in front of the first section");
    bad("[]\nkey = v\n", 1, "the section has no name");
    bad("[a\nkey = v\n", 1, "] is missing");
    bad("[a]\nx = 1\n[b\nkey = v\n[c]\n", 3, "] is missing");
    assert_int_equal(conf.n_sections, 2);
    assert_int_equal(conf.sections[0].n_entries, 1);
    bad("[a b c]\nkey = v\n", 1, "\"a b c\" is not a section's name");
    bad("[a b/c]\n", 1, "\"a b/c\" is not a section's name");
    bad("[a] key = v\n", 1, "behind the section's ]");
    bad("[a ; b]\n", 1, "is not a section's name");
    bad("[a]\nx = 1\n[b x]\ny = 2\n[a]\ny = 3\n", 5, "[a] stands there twice");
    assert_true(holds(problems.first->hint, "it begins in line 1"));
    bad("[b x]\n[b y]\n[b x]\n", 3, "[b x] stands there twice");
    good("[ a   b.c-d_9 ]\n");
    assert_non_null(conf_section_find(&conf, "a", "b.c-d_9"));
}

static void duplicate_keys_are_refused(void **state)
{
    (void)state;
    bad("[a]\nkey = 1\nother = 2\nkey = 3\n  4\n[b]\nkey = 5\n", 4, "\"key\" is set twice in [a]");
    assert_true(holds(problems.first->hint, "line 2"));
    assert_true(str_is(problems.first->section, "a"));
    assert_true(str_is(problems.first->key, "key"));
    assert_string_equal(value("key"), "1");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    static const char nul[] = "[a]\nkey = a\0b\nother = c\n";

    (void)state;
    arena_reset(&arena);
    conf_problems_init(&problems, &arena);
    assert_int_equal(
        conf_read_text(STR("t.conf"), (struct str){nul, sizeof nul - 1}, &arena, &conf, &problems),
        RC_INVALID);
    assert_int_equal(problems.n, 1);
    assert_int_equal(problems.first->line, 2);
    assert_true(holds(problems.first->message, "NUL"));
    assert_string_equal(value("other"), "c");
    bad("[a]\nkey = \xC3(\n", 2, "not UTF-8");
    bad("[a]\nkey = a\rb\n", 2, "control character 0x0d");
    bad("[a]\nkey = a\x1b[0m\n", 2, "control character 0x1b");
    good("[a]\nkey = Zoë 😀\n");
    assert_string_equal(value("key"), "Zoë 😀");
}

static void every_problem_is_told_at_once(void **state)
{
    static const int wanted[] = {1, 4, 5, 6, 8, 10};
    bool seen[ARRAY_LEN(wanted)] = {false};
    size_t n = 0;

    (void)state;
    assert_int_equal(read_conf("lost = 1\n[a]\nx = 1\nnothing\nx y = 2\n"
                               "[b\n[c]\nk = ${FUNNELD_TEST_UNSET}\n[d]\nk == 1\n"),
                     RC_INVALID);
    for (const struct conf_problem *p = problems.first; p; p = p->next, n++)
        for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
            seen[i] = seen[i] || p->line == wanted[i];
    assert_int_equal(n, ARRAY_LEN(wanted));
    assert_int_equal(problems.n, n);
    for (size_t i = 0; i < n; i++)
        assert_true(seen[i]);
}

static void what_is_written_back_reads_the_same(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);
    struct arena second = {0};
    struct conf again;
    char longest[200] = "when = ";

    (void)state;
    memset(longest + 7, 'x', 192);
    assert_int_equal(strlen(longest), 199);
    sbuf_printf(&b, "[a]\nk =;x\nq = \"  b \"\nm = one\n   two\n\n three\n%s\n", longest);
    good(b.at);
    sbuf_reset(&b);
    sbuf_text(&b, "[a]\n");
    for (size_t i = 0; i < conf.sections[0].n_entries; i++)
        conf_write_entry(&b, conf.sections[0].entries[i].key, conf.sections[0].entries[i].raw);
    assert_int_equal(conf_read_text(STR("past"), sbuf_str(&b), &second, &again, &problems), RC_OK);
    assert_int_equal(again.sections[0].n_entries, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(str_eq(again.sections[0].entries[i].raw, conf.sections[0].entries[i].raw));
        assert_true(str_eq(again.sections[0].entries[i].value, conf.sections[0].entries[i].value));
    }
    assert_string_equal(value("k"), ";x");
    assert_string_equal(value("m"), "one\ntwo\n\nthree");
    arena_free(&second);
}

/* Whatever the bytes, reading ends, and what it calls good has no raw line that it would refuse. */
static void noise_is_survived(void **state)
{
    static const char alphabet[] = "[]ab =;#\n \t\"'$${}:\\\r\xC3\xA9.-_\n\n";
    uint32_t seed = 7;
    char text[400];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t n = 0;

        if (round % 2)
            for (const char *c = "[a]\nb = "; *c; c++)
                text[n++] = *c;
        for (; n < sizeof text - 1; n++) {
            seed = seed * 1664525u + 1013904223u;
            text[n] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
            if ((seed >> 24) == 3)
                break;
        }
        text[n] = '\0';
        enum rc rc = read_conf(text);
        assert_int_equal(rc == RC_OK, problems.n == 0);
        for (size_t i = 0; i < conf.n_sections; i++)
            for (size_t k = 0; k < conf.sections[i].n_entries; k++) {
                const struct conf_entry *e = &conf.sections[i].entries[k];
                assert_true(e->broken || e->n_lines > 0);
                assert_true(conf_line_at(e, SIZE_MAX) >= e->line);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_and_keys_are_read_with_their_lines),
        cmocka_unit_test(empty_sections_are_seen),
        cmocka_unit_test(a_byte_order_mark_and_crlf_are_passed_over),
        cmocka_unit_test(a_value_goes_on_over_indented_lines),
        cmocka_unit_test(a_value_may_be_longer_than_any_line),
        cmocka_unit_test(lines_that_inih_would_cut_are_refused),
        cmocka_unit_test(long_comments_are_harmless),
        cmocka_unit_test(a_comment_inside_quotes_is_refused),
        cmocka_unit_test(an_indented_key_is_refused),
        cmocka_unit_test(what_is_no_setting_is_refused),
        cmocka_unit_test(sections_are_checked),
        cmocka_unit_test(duplicate_keys_are_refused),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(every_problem_is_told_at_once),
        cmocka_unit_test(what_is_written_back_reads_the_same),
        cmocka_unit_test(noise_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
