/* tests/unit/test_cli_table.c - columns for people, harmless to their terminal. */
#include "cm.h"

#include "../../src/cli/table.h"

static struct arena arena;

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static const struct text_column columns[] = {
    {"ID", 0, true}, {"NAME", 6, false}, {"WHY", 0, false}};

static const char *printed(const struct text_table *t)
{
    struct sbuf out AUTO(sbuf_free) = SBUF(4096);

    table_print(t, &out);
    return arena_text(&arena, out.len ? sbuf_str(&out) : STR(""));
}

static void columns_are_as_wide_as_what_stands_in_them(void **state)
{
    struct text_table t = TABLE(&arena, columns);

    (void)state;
    table_id(&t, 5);
    table_cell(&t, STR("Ada"));
    table_cell(&t, STR("b"));
    table_id(&t, 12345);
    table_cell(&t, STR("Zoë"));
    table_cell(&t, STR(""));
    table_id(&t, 0);
    table_cell(&t, STR("Lovelace"));
    table_cell(&t, STR_NULL);
    assert_string_equal(printed(&t), "   ID  NAME    WHY\n"
                                     "    5  Ada     b\n"
                                     "12345  Zoë\n"
                                     "    -  Lovel…  -\n");
}

static void empty_table_prints_nothing(void **state)
{
    struct text_table t = TABLE(&arena, columns);

    (void)state;
    assert_string_equal(printed(&t), "");
}

static void many_rows_keep_their_order(void **state)
{
    static const struct text_column one[] = {{"N", 0, true}};
    struct text_table t = TABLE(&arena, one);

    (void)state;
    for (int64_t i = 0; i < 200; i++)
        table_int(&t, i);
    struct str text = str_of(printed(&t)), line;
    assert_true(str_split(&text, '\n', &line));
    for (int64_t i = 0; i < 200; i++) {
        int64_t n = -1;

        assert_true(str_split(&text, '\n', &line));
        assert_true(str_int64(str_trim(line), &n));
        assert_int_equal(n, i);
    }
}

static const char *safe(struct str text)
{
    return arena_text(&arena, printable(text, &arena));
}

static void what_could_steer_a_terminal_is_replaced(void **state)
{
    (void)state;
    assert_string_equal(safe(STR("a\x1b[31mb\x07")), "a?[31mb?");
    assert_string_equal(safe(STR("a\nb\tc\rd")), "a b c d");
    assert_string_equal(safe(STR("\xC2\x9B"
                                 "31m")),
                        "?31m"); /* C1: CSI in one character */
    assert_string_equal(safe(STR("x\xE2\x80\xAEy\xE2\x81\xA6z")), "x?y?z");
    assert_string_equal(safe(STR("\xFF\xC3(")), "\?\?(");
    assert_string_equal(safe(STR("Zoë – 東京 🙂")), "Zoë – 東京 🙂");
    assert_string_equal(safe((struct str){"a\0b", 3}), "a?b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_what_stands_in_them),
        cmocka_unit_test(empty_table_prints_nothing),
        cmocka_unit_test(many_rows_keep_their_order),
        cmocka_unit_test(what_could_steer_a_terminal_is_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
