/* tests/unit/json_suite.h - what the strict reader makes of a text. */
#ifndef FUNNELD_TESTS_JSON_SUITE_H
#define FUNNELD_TESTS_JSON_SUITE_H

#include "cm.h"

#include "funneld/base/json.h"

/* A text of bytes, NUL among them. */
#define T(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* What was read, written again: the value in one line. Missing: it is refused. */
static inline struct str json_value(struct str text, struct arena *a)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 16);
    struct why why = {0};

    if (json_parse(text, &doc, &why)) {
        assert_true(why.text[0]);
        return STR_NULL;
    }
    json_node(&b, doc.root);
    return arena_str(a, sbuf_str(&b));
}

#endif
