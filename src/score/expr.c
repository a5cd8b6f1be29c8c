/* score/expr.c - evaluating a compiled expression: loops over what is there, no memory. */
#include "funneld/score/expr.h"

#include "expr_priv.h"
#include "funneld/base/clock.h"

static char fold(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Both sides can come from outside, and this search is quadratic: a longer part is not found. */
enum { LONGEST_PART = 1024 };

bool text_contains(struct str text, struct str part)
{
    if (part.len > text.len || part.len > LONGEST_PART)
        return false;
    for (size_t i = 0; i + part.len <= text.len; i++)
        if (str_ieq((struct str){text.at + i, part.len}, part))
            return true;
    return false;
}

/* Bytes of the character at i, where ? has to step over a whole one. */
static size_t character(struct str s, size_t i)
{
    size_t n = 1;

    while (i + n < s.len && ((unsigned char)s.at[i + n] & 0xC0) == 0x80)
        n++;
    return n;
}

/* Only the last * is ever tried again: what an earlier one could take, the last one can too. */
bool text_matches(struct str text, struct str glob)
{
    size_t t = 0, g = 0, star = SIZE_MAX, star_text = 0;

    while (t < text.len) {
        if (g < glob.len && glob.at[g] == '*') {
            star = g++;
            star_text = t;
        } else if (g < glob.len && glob.at[g] == '?') {
            t += character(text, t);
            g++;
        } else if (g < glob.len && fold(glob.at[g]) == fold(text.at[t])) {
            t++;
            g++;
        } else if (star != SIZE_MAX) {
            star_text += character(text, star_text);
            t = star_text;
            g = star + 1;
        } else {
            return false;
        }
    }
    while (g < glob.len && glob.at[g] == '*')
        g++;
    return g == glob.len;
}

struct decimal {
    bool negative;
    struct str whole, fraction; /* no leading, no trailing zeros */
};

static bool decimal_of(struct str text, struct decimal *ret)
{
    double ignored; /* str_decimal knows the grammar; a double loses the digits of long ids */
    struct str rest = text, part;

    if (!text.at || !str_decimal(text, &ignored))
        return false;
    struct decimal d = {.negative = text.at[0] == '-', .fraction = STR("")};
    rest = str_from(rest, d.negative);
    (void)str_split(&rest, '.', &part); /* there is at least a digit */
    for (d.whole = part; d.whole.len && d.whole.at[0] == '0';)
        d.whole = str_from(d.whole, 1);
    for (d.fraction = rest; d.fraction.len && d.fraction.at[d.fraction.len - 1] == '0';)
        d.fraction.len--;
    if (!d.whole.len && !d.fraction.len)
        d.negative = false;
    *ret = d;
    return true;
}

static int decimal_compare(const struct decimal *a, const struct decimal *b)
{
    if (a->negative != b->negative)
        return b->negative - a->negative;
    int order = (a->whole.len > b->whole.len) - (a->whole.len < b->whole.len);
    if (!order)
        order = str_cmp(a->whole, b->whole);
    if (!order)
        order = str_cmp(a->fraction, b->fraction);
    return a->negative ? -order : order;
}

/* What a value is beside a number or a time; a text beside a time may be a date. */
static bool number_of(const struct value *v, enum value_kind other, double *ret)
{
    int64_t ms;

    if (v->kind != VALUE_TEXT) {
        *ret = v->number;
        return true;
    }
    if (other == VALUE_TIME && time_parse(v->text, &ms)) {
        *ret = (double)ms;
        return true;
    }
    return str_decimal(v->text, ret);
}

/* false: the two do not compare, so that every comparison of them is false. */
bool value_compare(const struct value *a, const struct value *b, int *ret_order)
{
    struct decimal x, y;
    double p, q;

    if (a->kind == VALUE_NULL || b->kind == VALUE_NULL)
        return false;
    bool texts = a->kind == VALUE_TEXT && b->kind == VALUE_TEXT;
    if (texts && (a->literal || b->literal)) {
        *ret_order = str_cmp(a->text, b->text);
    } else if (a->kind != VALUE_TIME && b->kind != VALUE_TIME && decimal_of(a->text, &x) &&
               decimal_of(b->text, &y)) {
        *ret_order = decimal_compare(&x, &y);
    } else if (texts) {
        *ret_order = str_cmp(a->text, b->text);
    } else {
        if (!number_of(a, b->kind, &p) || !number_of(b, a->kind, &q))
            return false;
        *ret_order = (p > q) - (p < q);
    }
    return true;
}

static struct value operand_value(const struct operand *o, const struct facts *f)
{
    return o->is_name ? name_value(&o->name, f) : o->literal;
}

static bool order_holds(enum op op, int order)
{
    switch (op) {
    case OP_NE:
        return order != 0;
    case OP_LT:
        return order < 0;
    case OP_LE:
        return order <= 0;
    case OP_GT:
        return order > 0;
    case OP_GE:
        return order >= 0;
    default:
        return order == 0;
    }
}

static bool pair_holds(enum op op, const struct value *left, const struct value *right)
{
    int order;

    if (op != OP_CONTAINS && op != OP_MATCHES)
        return value_compare(left, right, &order) && order_holds(op, order);
    if (!left->text.at || !right->text.at)
        return false;
    return op == OP_CONTAINS ? text_contains(left->text, right->text)
                             : text_matches(left->text, right->text);
}

static bool test_holds(const struct test *t, const struct facts *f)
{
    struct value left = operand_value(&t->left, f);

    for (size_t i = 0; i < t->n_right; i++) {
        struct value right = operand_value(&t->right[i], f);

        if (pair_holds(t->op, &left, &right))
            return true;
    }
    return false;
}

bool expr_true(const struct expr *e, const struct facts *f)
{
    uint16_t i = e->first;

    while (i < e->n_tests)
        i = test_holds(&e->tests[i], f) ? e->tests[i].on_true : e->tests[i].on_false;
    return i == EXPR_YES;
}

unsigned expr_uses(const struct expr *e)
{
    return e->uses;
}

static bool is_lead(const struct operand *o, struct str name)
{
    return o->is_name && o->name.id == NAME_LEAD && str_eq(o->name.key, name);
}

static bool says(const struct operand *o, struct str text)
{
    return !o->is_name && o->literal.kind == VALUE_TEXT && str_eq(o->literal.text, text);
}

static bool any_operand(const struct expr *e, struct str text,
                        bool (*is)(const struct operand *o, struct str text))
{
    for (size_t i = 0; i < e->n_tests; i++) {
        const struct test *t = &e->tests[i];

        if (is(&t->left, text))
            return true;
        for (size_t k = 0; k < t->n_right; k++)
            if (is(&t->right[k], text))
                return true;
    }
    return false;
}

bool expr_names_lead(const struct expr *e, struct str name)
{
    return any_operand(e, name, is_lead);
}

bool expr_says_text(const struct expr *e, struct str text)
{
    return any_operand(e, text, says);
}
