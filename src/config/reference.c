/* config/reference.c - the commented reference of a section, made from its option table. */
#include <string.h>

#include "conf_priv.h"

enum { WIDEST_VALUE = 40 };

struct shown {
    const char *name_tail; /* "NAME" behind the dot of a map */
    const char *value;
    bool active; /* else commented out */
};

static struct shown shown_option(const struct option *o)
{
    bool required = o->flags & OPTION_REQUIRED;
    const char *value = o->fallback ? o->fallback : o->example ? o->example : "";

    return (struct shown){.name_tail = option_is_map(o) ? "NAME" : "",
                          .value = value,
                          .active = o->fallback || (required && value[0])};
}

static size_t name_width(const struct option *o)
{
    return strlen(o->key) + strlen(shown_option(o).name_tail);
}

struct widths {
    size_t name, value; /* a key's with the ';' in front of one that is commented out */
};

static struct widths measure(const struct section_spec *spec)
{
    struct widths w = {spec->type ? strlen("type") : 0, spec->type ? strlen(spec->type) : 0};

    for (size_t i = 0; i < spec->n_options; i++) {
        size_t name = name_width(&spec->options[i]) + !shown_option(&spec->options[i]).active;
        size_t value = strlen(shown_option(&spec->options[i]).value);

        if (name > w.name)
            w.name = name;
        if (value > w.value && value <= WIDEST_VALUE)
            w.value = value;
    }
    return w;
}

static void write_choices(struct sbuf *b, const struct option *o)
{
    for (size_t i = 0; o->choices && o->choices[i]; i++)
        sbuf_printf(b, "%s%s", i ? " | " : (o->help ? ": " : ""), o->choices[i]);
}

static void write_option(struct sbuf *b, const struct option *o, const struct widths *w)
{
    struct shown s = shown_option(o);
    int pad = (int)(w->name - name_width(o)) - !s.active;

    sbuf_printf(b, "%s%s%s%*s =", s.active ? "" : ";", o->key, s.name_tail, pad, "");
    if (o->help || o->choices) {
        sbuf_printf(b, " %-*s  ; %s", (int)w->value, s.value, o->help ? o->help : "");
        write_choices(b, o);
    } else if (s.value[0]) {
        sbuf_printf(b, " %s", s.value);
    }
    sbuf_char(b, '\n');
}

void conf_reference(struct sbuf *b, const struct section_spec *spec, const char *example_name)
{
    struct widths w = measure(spec);

    if (spec->help)
        sbuf_printf(b, "; %s\n", spec->help);
    if (spec->named)
        sbuf_printf(b, "[%s %s]\n", spec->kind, example_name);
    else
        sbuf_printf(b, "[%s]\n", spec->kind);
    if (spec->type)
        sbuf_printf(b, "type%*s = %s\n", (int)(w.name - strlen("type")), "", spec->type);
    for (size_t i = 0; i < spec->n_options; i++)
        write_option(b, &spec->options[i], &w);
}
