/* route/template_write.c - a compiled template becomes a text. */
#include "template_priv.h"

static const struct extra extras[] = {
    {"reasons", offsetof(struct template_values, reasons)},
    {"probability.reasons", offsetof(struct template_values, chance_reasons)},
    {"churn.reasons", offsetof(struct template_values, churn_reasons)},
    {"lead.name_full", offsetof(struct template_values, name)},
    {"lead.url", offsetof(struct template_values, url)},
};

const struct extra *template_extra(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(extras); i++)
        if (str_is(name, extras[i].name))
            return &extras[i];
    return NULL;
}

static const char *entity(char c, enum escaping how)
{
    static const struct {
        char c;
        const char *entity;
        bool everywhere; /* else in HTML only */
    } entities[] = {{'&', "&amp;", true},
                    {'<', "&lt;", true},
                    {'>', "&gt;", true},
                    {'"', "&quot;", false},
                    {'\'', "&#39;", false}};

    for (size_t k = 0; k < ARRAY_LEN(entities); k++)
        if (c == entities[k].c && (entities[k].everywhere || how == ESCAPE_HTML))
            return entities[k].entity;
    return NULL;
}

#define WORD_JOINER "\xe2\x81\xa0" /* has no width */

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Mattermost and Google Chat know <!channel>, <users/all> and <https://x|y>, Mattermost and
 * Rocket.Chat @channel and [y](https://x), and whether one knows entities is not written anywhere:
 * so no entity, but signs that look the same and open nothing. ada@example.com stays; behind
 * any other sign, those that an address may have too, Mattermost sees a mention. */
static const char *chat_sign(struct str value, size_t i)
{
    char c = value.at[i], before = i ? value.at[i - 1] : ' ';

    if (c == '<')
        return "\xe2\x80\xb9";
    if (c == '>')
        return "\xe2\x80\xba";
    if (c == '@' && !is_word(before))
        return "@" WORD_JOINER;
    return c == '(' && before == ']' ? WORD_JOINER "(" : NULL;
}

/* In one pass, so that the & of an entity is not escaped again. */
void template_escape(struct sbuf *b, struct str value, enum escaping how)
{
    size_t from = 0;

    for (size_t i = 0; i < value.len && how != ESCAPE_NONE; i++) {
        const char *text = how == ESCAPE_CHAT ? chat_sign(value, i) : entity(value.at[i], how);

        if (!text)
            continue;
        sbuf_add(b, (struct str){value.at + from, i - from});
        sbuf_text(b, text);
        from = i + 1;
    }
    sbuf_add(b, str_from(value, from));
}

static struct str value_of(struct str name, const struct template_values *v, struct arena *a)
{
    const struct extra *extra = template_extra(name);

    if (extra)
        return *(const struct str *)((const char *)v + extra->offset);
    return expr_name_value(name, &v->facts, a);
}

/* A default is the author's own text and stays as it is. */
static void write_value(const struct piece *p, const struct template_values *v, enum escaping how,
                        struct arena *a, struct sbuf *b)
{
    struct str value = value_of(p->text, v, a);
    bool trusted = false;

    if (p->n_filters)
        value = str_cut(value, FILTERED_BYTES_MAX);
    for (size_t i = 0; i < p->n_filters; i++) {
        const struct filter_call *c = &p->filters[i];

        if (c->filter) {
            value = filter_apply(c, value, v->language, a);
        } else if (!value.len) {
            value = c->text;
            trusted = true;
        }
    }
    template_escape(b, value, trusted ? ESCAPE_NONE : how);
}

void template_write(const struct template *t, const struct template_values *v, enum escaping how,
                    struct arena *a, struct sbuf *b)
{
    for (size_t i = 0; i < t->n && !b->failed; i++) {
        const struct piece *p = &t->pieces[i];

        if (p->kind == PIECE_TEXT)
            sbuf_add(b, p->text);
        else if (p->kind == PIECE_VALUE)
            write_value(p, v, how, a, b);
        else if (p->kind != PIECE_END && (value_of(p->text, v, a).len > 0) != (p->kind == PIECE_IF))
            i = p->end;
    }
}
