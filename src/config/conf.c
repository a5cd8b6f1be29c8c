/* config/conf.c - collecting problems, and finding one's way in what was read. */
#include "funneld/config/conf.h"

#include <string.h>

#include "conf_priv.h"

void conf_problems_init(struct conf_problems *p, struct arena *a)
{
    *p = (struct conf_problems){.arena = a, .last = &p->first};
}

struct str conf_label(const struct conf_section *s, struct arena *a)
{
    if (!s || !s->kind.at)
        return STR_NULL;
    if (!s->name.len)
        return arena_printf(a, "[%.*s]", STR_ARG(s->kind));
    return arena_printf(a, "[%.*s %.*s]", STR_ARG(s->kind), STR_ARG(s->name));
}

static struct str bare_label(const struct conf_section *s, struct arena *a)
{
    struct str label = conf_label(s, a);

    return label.at ? (struct str){label.at + 1, label.len - 2} : label;
}

void conf_problem(struct conf_problems *p, const struct conf_section *section,
                  const struct conf_entry *entry, const char *hint, const char *fmt, ...)
{
    struct sbuf text AUTO(sbuf_free) = SBUF(16 * 1024);
    struct conf_problem *new = ARENA_NEW(p->arena, struct conf_problem);
    va_list args;

    va_start(args, fmt);
    sbuf_vprintf(&text, fmt, args);
    va_end(args);
    if (sbuf_seal(&text, p->arena, &new->message))
        new->message = STR("it is wrong in a way too long to tell");
    new->section = bare_label(section, p->arena);
    new->hint = arena_str(p->arena, str_of(hint));
    if (section) {
        new->file = section->file;
        new->line = section->line;
    }
    if (entry) {
        new->key = entry->key;
        new->line = entry->line;
    }
    *p->last = new;
    p->last = &new->next;
    p->n++;
}

bool conf_is_word(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '.' || c == '-'))
            return false;
    }
    return s.len > 0;
}

void *conf_room(struct arena *a, void *items, size_t n, size_t size)
{
    if (n & (n - 1))
        return items; /* capacities are powers of two, and n is not one: there is room */
    void *more = arena_array(a, n ? 2 * n : 1, size);
    if (n)
        memcpy(more, items, n * size);
    return more;
}

int conf_line_at(const struct conf_entry *e, size_t offset)
{
    size_t nth = 0;

    for (size_t i = 0; i < offset && i < e->value.len; i++)
        nth += e->value.at[i] == '\n';
    if (!e->n_lines)
        return e->line;
    return e->lines[nth < e->n_lines ? nth : e->n_lines - 1];
}

/* Without blanks around '=': a first line that just fitted when it was read still fits, and one
 * that begins with ';' does not turn into a comment. */
void conf_write_entry(struct sbuf *b, struct str key, struct str raw)
{
    struct str rest = raw, line;
    bool first = true;

    sbuf_add(b, key);
    sbuf_char(b, '=');
    while (str_split(&rest, '\n', &line)) {
        if (!first)
            sbuf_text(b, line.len ? "\n " : "\n");
        sbuf_add(b, line);
        first = false;
    }
    sbuf_char(b, '\n');
}

const struct conf_entry *conf_find(const struct conf_section *s, const char *key)
{
    for (size_t i = 0; i < s->n_entries; i++)
        if (str_is(s->entries[i].key, key))
            return &s->entries[i];
    return NULL;
}

struct conf_section *conf_section_find(const struct conf *c, const char *kind, const char *name)
{
    for (size_t i = 0; i < c->n_sections; i++) {
        struct conf_section *s = &c->sections[i];

        if (str_is(s->kind, kind) && (name ? str_is(s->name, name) : !s->name.at))
            return s;
    }
    return NULL;
}
