/* config/read.c - feeds the file to inih line by line and gathers what comes back.
 *
 * inih pulls lines from next_line(), which counts them, refuses what inih would misread, opens
 * sections (inih does not report empty ones), and passes on only lines that mean the same to
 * both. What inih makes of a line comes back through take_value() before the next one is pulled.
 */
#include <ini.h>
#include <string.h>

#include "conf_priv.h"
#include "line.h"

struct reader {
    struct arena *arena;
    struct conf *conf;
    struct conf_problems *problems;
    struct str rest; /* lines not yet read */
    int line_no;
    struct line line; /* the one that inih has in hand */
    bool lost;        /* keys belong to no section: its header was refused, or there was none */

    /* The value being gathered. */
    bool in_value;
    char quote;      /* left open at the end of the last line */
    int blank_lines; /* seen since; part of the value when it goes on */
    struct conf_entry entry;
    int *lines; /* of the entry, still growing */
    struct sbuf raw;
};

static struct conf_section *section_now(struct reader *r)
{
    return r->conf->n_sections ? &r->conf->sections[r->conf->n_sections - 1] : NULL;
}

/* A problem with the line in hand; the key is the one it belongs to. */
static void refuse(struct reader *r, struct str key, const char *hint, const char *message)
{
    struct conf_section nowhere = {.file = r->conf->file};
    struct conf_section *s = section_now(r);
    struct conf_entry at = {.key = arena_str(r->arena, key), .line = r->line_no};

    if (!s || r->lost || r->line.kind == LINE_SECTION)
        s = &nowhere;
    conf_problem(r->problems, s, &at, hint, "%s", message);
}

static void expand_entry(struct reader *r, struct conf_section *s, struct conf_entry *e)
{
    struct why why = {0};
    const char *hint = NULL;

    e->value = e->raw;
    if (e->broken || !conf_expand(e->raw, r->arena, &e->value, &hint, &why))
        return;
    struct str label = conf_label(s, r->arena);
    conf_problem(r->problems, s, e, hint, "\"%.*s\" in %.*s: %s", STR_ARG(e->key), STR_ARG(label),
                 why.text);
    e->broken = true;
}

static void keep_entry(struct reader *r, struct conf_section *s, struct conf_entry *e)
{
    for (size_t i = 0; i < s->n_entries; i++) {
        if (!str_eq(s->entries[i].key, e->key))
            continue;
        struct str hint = arena_printf(r->arena, "it is set in line %d, too", s->entries[i].line);
        struct str label = conf_label(s, r->arena);
        conf_problem(r->problems, s, e, hint.at, "\"%.*s\" is set twice in %.*s", STR_ARG(e->key),
                     STR_ARG(label));
        return;
    }
    s->entries = conf_room(r->arena, s->entries, s->n_entries, sizeof *e);
    s->entries[s->n_entries++] = *e;
    if (str_is(e->key, "type") && !e->broken)
        s->type = e->value;
}

static void finish_value(struct reader *r)
{
    struct conf_section *s = section_now(r);

    if (!r->in_value)
        return;
    r->in_value = false;
    if (!s || r->lost || !r->entry.key.len)
        return;
    if (sbuf_seal(&r->raw, r->arena, &r->entry.raw))
        r->entry.broken = true; /* cannot be: the ceiling is the length of the whole text */
    expand_entry(r, s, &r->entry);
    keep_entry(r, s, &r->entry);
}

static void begin_value(struct reader *r, const struct line *l)
{
    finish_value(r);
    r->in_value = true;
    r->blank_lines = 0;
    r->lines = NULL;
    r->entry = (struct conf_entry){.key = arena_str(r->arena, l->word), .line = r->line_no};
    sbuf_reset(&r->raw);
}

static void add_line_no(struct reader *r, int line_no)
{
    r->lines = conf_room(r->arena, r->lines, r->entry.n_lines, sizeof *r->lines);
    r->lines[r->entry.n_lines++] = line_no;
    r->entry.lines = r->lines;
}

static void begin_section(struct reader *r, const struct line *l)
{
    struct conf *c = r->conf;
    const struct conf_section *same = NULL;

    finish_value(r);
    for (size_t i = 0; i < c->n_sections && !same; i++)
        if (str_eq(c->sections[i].kind, l->word) && str_eq(c->sections[i].name, l->name))
            same = &c->sections[i];
    int first = same ? same->line : 0;

    c->sections = conf_room(r->arena, c->sections, c->n_sections, sizeof *c->sections);
    struct conf_section *s = &c->sections[c->n_sections++];
    *s = (struct conf_section){.file = c->file,
                               .kind = arena_str(r->arena, l->word),
                               .name = arena_str(r->arena, l->name),
                               .line = r->line_no};
    r->lost = false;
    if (first) {
        struct str label = conf_label(s, r->arena);
        struct str hint =
            arena_printf(r->arena, "it begins in line %d; put all its keys there", first);
        conf_problem(r->problems, s, NULL, hint.at, "%.*s stands there twice", STR_ARG(label));
    }
}

/* What a refused line still tells keeps one mistake from becoming many problems. */
static void survive(struct reader *r, const struct line *l)
{
    switch (l->kind) {
    case LINE_MORE:
        r->entry.broken = true;
        return;
    case LINE_SECTION:
        finish_value(r);
        r->lost = true;
        return;
    case LINE_KEY:
        begin_value(r, l);
        r->entry.broken = true;
        return;
    default: /* nothing known: what is indented below belongs to it and is passed over */
        finish_value(r);
        r->in_value = true;
        r->entry = (struct conf_entry){.broken = true};
    }
}

/* Whether the line is for inih. */
static bool prepare(struct reader *r, struct str physical, size_t max)
{
    struct why why = {0};
    struct line *l = &r->line;
    enum rc rc = line_read(physical, r->in_value, max, &r->quote, l, &why);

    if (rc) {
        bool known = l->kind != LINE_MORE || r->entry.key.len; /* else it goes on with a lost one */
        if (known)
            refuse(r, l->kind == LINE_MORE ? r->entry.key : l->word, l->hint, why.text);
        survive(r, l);
        return false;
    }
    r->blank_lines += l->kind == LINE_BLANK;
    if (l->kind == LINE_SECTION)
        begin_section(r, l);
    if (l->kind == LINE_KEY)
        begin_value(r, l);
    if (l->kind == LINE_KEY && !section_now(r) && !r->lost) {
        r->lost = true;
        refuse(r, l->word, "put a [section] above it",
               "the key stands in front of the first section");
    }
    if (l->kind == LINE_MORE && r->entry.broken)
        return false;
    return l->kind == LINE_SECTION || l->kind == LINE_KEY || l->kind == LINE_MORE;
}

/* The reader that inih calls for each line, like fgets. */
static char *next_line(char *buffer, int size, void *stream)
{
    struct reader *r = stream;
    struct str physical;

    while (str_split(&r->rest, '\n', &physical)) {
        r->line_no++;
        if (!prepare(r, physical, (size_t)size - 1))
            continue;
        bool indent = r->line.kind == LINE_MORE;
        buffer[0] = ' ';
        memcpy(buffer + indent, r->line.text.at, r->line.text.len);
        buffer[indent + r->line.text.len] = '\0';
        return buffer;
    }
    return NULL;
}

/* What inih understood. Section and (for what goes on) name are its own copies, cut at 49 bytes:
 * we know better. */
static int take_value(void *self, const char *section, const char *name, const char *value)
{
    struct reader *r = self;

    (void)section;
    (void)name;
    if (r->line.kind == LINE_MORE) {
        for (; r->blank_lines; r->blank_lines--) {
            sbuf_char(&r->raw, '\n');
            add_line_no(r, r->line_no - r->blank_lines);
        }
        sbuf_char(&r->raw, '\n');
    }
    sbuf_text(&r->raw, value);
    add_line_no(r, r->line_no);
    r->entry.commented = r->entry.commented || r->line.commented;
    return 1;
}

static const struct str byte_order_mark = {"\xEF\xBB\xBF", 3};

enum rc conf_read_text(struct str file, struct str text, struct arena *a, struct conf *ret,
                       struct conf_problems *problems)
{
    size_t before = problems->n;
    struct reader r = {.arena = a, .conf = ret, .problems = problems, .raw.max = text.len};

    *ret = (struct conf){.file = arena_str(a, file)};
    r.rest = str_starts(text, byte_order_mark) ? str_from(text, byte_order_mark.len) : text;
    int failed = ini_parse_stream(next_line, &r, take_value, &r);
    finish_value(&r);
    sbuf_free(&r.raw);
    if (failed) /* a line that we took to be good, and inih did not */
        conf_problem(problems, &(struct conf_section){.file = ret->file}, NULL, NULL,
                     "the file cannot be read as INI");
    return problems->n == before ? RC_OK : RC_INVALID;
}

enum rc conf_read_file(const char *path, struct arena *a, struct conf *ret,
                       struct conf_problems *problems)
{
    struct why why = {0};
    struct str text;
    enum rc rc = conf_slurp(path, a, &text, &why);

    if (!rc)
        return conf_read_text(str_of(path), text, a, ret, problems);
    *ret = (struct conf){.file = arena_str(a, str_of(path))};
    conf_problem(problems, &(struct conf_section){.file = ret->file}, NULL, NULL, "%s", why.text);
    return RC_IO;
}
