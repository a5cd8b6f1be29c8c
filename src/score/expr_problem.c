/* score/expr_problem.c - how an error in an expression or a template is shown to people. */
#include <assert.h>

#include "funneld/config/conf.h"
#include "funneld/score/expr.h"

struct str expr_caret(struct str text, const struct expr_error *error, struct arena *a)
{
    size_t column = error->column < text.len ? error->column : text.len, from = column;
    struct sbuf b AUTO(sbuf_free) = SBUF(text.len * 2 + sizeof error->text + 8);
    struct str ret = STR("");

    while (from > 0 && text.at[from - 1] != '\n')
        from--;
    struct str line = str_from(text, from), rest = line;
    (void)str_split(&rest, '\n', &line);
    sbuf_add(&b, line);
    sbuf_char(&b, '\n');
    for (size_t i = from; i < column; i++)
        if (((unsigned char)text.at[i] & 0xC0) != 0x80) /* one blank for each character */
            sbuf_char(&b, text.at[i] == '\t' ? '\t' : ' ');
    sbuf_add(&b, STR("^ "));
    sbuf_text(&b, error->text);
    enum rc rc = sbuf_seal(&b, a, &ret);
    assert(rc == RC_OK); /* the ceiling has room for all of it */
    return ret;
}

void expr_problem(struct conf_problems *problems, const struct conf_section *section,
                  const struct conf_entry *entry, const struct expr_error *error)
{
    struct str caret = expr_caret(entry->value, error, problems->arena), rest = caret, line = caret;
    struct conf_entry at = *entry;

    (void)str_split(&rest, '\n', &line); /* what is left has the pointer, and the sentence again */
    struct str pointer = {rest.at, (size_t)(str_chr(rest, '^') - rest.at) + 1};
    at.line = conf_line_at(entry, error->column);
    conf_problem(problems, section, &at, NULL, "%s\n    %.*s\n    %.*s", error->text, STR_ARG(line),
                 STR_ARG(pointer));
}
