/* csv.c - see csv.h. One pass over the mapped file; a position, and nothing else, is its state. */
#include "funneld/base/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "funneld/base/sbuf.h"

enum { MAX_COLUMNS = 10000 };

static const struct str byte_order_mark = {"\xEF\xBB\xBF", 3};

struct csv {
    struct str file; /* mapped; at NULL: it is empty */
    size_t at;       /* of the next byte */
    int64_t line;    /* of the next byte, from 1 */
    int64_t began;   /* line of the last row */
    char separator;
    struct str *names;
    size_t n_columns;
};

static enum rc map_file(const char *path, struct str *ret, struct why *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return why_fail(errno == ENOENT ? RC_NONE : RC_IO, why, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        (void)close(fd); /* it was only read */
        return why_fail(RC_INVALID, why, "%s is not a file", path);
    }
    void *at =
        st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    int error = errno;
    (void)close(fd); /* the mapping stays */
    if (!st.st_size)
        return RC_OK;
    if (at == MAP_FAILED)
        return why_fail(RC_IO, why, "%s: %s", path, strerror(error));
    *ret = (struct str){at, (size_t)st.st_size};
    return RC_OK;
}

static bool at_end(const struct csv *c)
{
    return c->at == c->file.len;
}

static char here(const struct csv *c)
{
    return c->file.at[c->at];
}

static bool at_line_end(const struct csv *c)
{
    return at_end(c) || here(c) == '\n' || here(c) == '\r';
}

/* Over LF, CRLF or CR. */
static void pass_line_end(struct csv *c)
{
    if (at_end(c))
        return;
    if (here(c) == '\r' && c->at + 1 < c->file.len && c->file.at[c->at + 1] == '\n')
        c->at++;
    c->at++;
    c->line++;
}

static void pass_blank_lines(struct csv *c)
{
    while (!at_end(c) && at_line_end(c))
        pass_line_end(c);
}

static struct str plain_cell(struct csv *c)
{
    size_t from = c->at;

    while (!at_line_end(c) && here(c) != c->separator)
        c->at++;
    return (struct str){c->file.at + from, c->at - from};
}

/* The text between the quotes with "" as one of them. */
static struct str unquoted(struct str raw, struct arena *a)
{
    if (!str_chr(raw, '"'))
        return raw;
    char *text = arena_alloc(a, raw.len);
    size_t n = 0;

    for (size_t i = 0; i < raw.len; i++) {
        text[n++] = raw.at[i];
        i += raw.at[i] == '"';
    }
    return (struct str){text, n};
}

/* Over the text up to the quote that ends it; lines are counted as pass_line_end does. */
static bool pass_quoted(struct csv *c)
{
    while (!at_end(c)) {
        bool quote = here(c) == '"';

        if (quote && !(c->at + 1 < c->file.len && c->file.at[c->at + 1] == '"'))
            return true;
        if (quote)
            c->at += 2;
        else if (at_line_end(c))
            pass_line_end(c);
        else
            c->at++;
    }
    return false;
}

static enum rc quoted_cell(struct csv *c, struct arena *a, struct str *ret, struct why *why)
{
    int64_t line = c->line;
    size_t from = ++c->at;

    if (!pass_quoted(c))
        return why_fail(RC_INVALID, why, "line %lld: a quote does not end", (long long)line);
    *ret = unquoted((struct str){c->file.at + from, c->at - from}, a);
    c->at++;
    if (!at_line_end(c) && here(c) != c->separator) {
        (void)plain_cell(c); /* so that the next row begins in the right place */
        return why_fail(RC_INVALID, why, "line %lld: there is text behind a quote that ended",
                        (long long)c->line);
    }
    return RC_OK;
}

static enum rc next_cell(struct csv *c, struct arena *a, struct str *ret, struct why *why)
{
    if (!at_end(c) && here(c) == '"')
        return quoted_cell(c, a, ret, why);
    *ret = plain_cell(c);
    return RC_OK;
}

/* All cells of a row, the first `max` of them into cells[]; the first error counts. */
static enum rc read_row(struct csv *c, struct arena *a, struct str *cells, size_t max,
                        size_t *ret_n, struct why *why)
{
    enum rc rc = RC_OK;
    size_t n = 0;

    for (;;) {
        struct str cell = STR("");
        enum rc bad = next_cell(c, a, &cell, rc ? NULL : why);

        rc = rc ? rc : bad;
        if (cells && n < max)
            cells[n] = cell;
        n++;
        if (at_line_end(c))
            break;
        c->at++; /* the separator */
    }
    pass_line_end(c);
    *ret_n = n;
    return rc;
}

enum rc csv_row(struct csv *c, struct arena *a, struct str *cells, struct why *why)
{
    size_t n;

    pass_blank_lines(c);
    if (at_end(c))
        return RC_NONE;
    c->began = c->line;
    enum rc rc = read_row(c, a, cells, c->n_columns, &n, why);
    if (rc == RC_OK && n != c->n_columns)
        rc = why_fail(RC_INVALID, why, "line %lld has %zu cells, the header has %zu",
                      (long long)c->began, n, c->n_columns);
    return rc;
}

/* How many of each separator stand in the header, outside of quotes. */
static char guess_separator(const struct csv *c)
{
    static const char separators[] = ",;\t";
    size_t counts[3] = {0}, best = 0;
    bool quoted = false;

    for (size_t i = c->at; i < c->file.len; i++) {
        char byte = c->file.at[i];

        if (!quoted && (byte == '\n' || byte == '\r'))
            break;
        quoted ^= byte == '"';
        for (size_t k = 0; k < 3 && !quoted; k++)
            counts[k] += byte == separators[k];
    }
    for (size_t k = 1; k < 3; k++)
        best = counts[k] > counts[best] ? k : best;
    return separators[best];
}

static enum rc check_bytes(const struct csv *c, struct why *why)
{
    if (c->file.len && memchr(c->file.at, 0, c->file.len))
        return why_fail(RC_INVALID, why, "there is a zero byte in it: not a text");
    if (c->file.len && !str_is_utf8(c->file))
        return why_fail(RC_INVALID, why, "it is not UTF-8: save it as \"CSV UTF-8\"");
    return RC_OK;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Names are trimmed; a column without one is called by its number. */
static enum rc take_names(struct csv *c, struct arena *a, struct why *why)
{
    struct str *sorted = arena_array(a, c->n_columns, sizeof *sorted);

    for (size_t i = 0; i < c->n_columns; i++) {
        c->names[i] = str_trim(c->names[i]);
        if (!c->names[i].len)
            c->names[i] = arena_printf(a, "column %zu", i + 1);
        sorted[i] = c->names[i];
    }
    qsort(sorted, c->n_columns, sizeof *sorted, by_name);
    for (size_t i = 1; i < c->n_columns; i++)
        if (str_eq(sorted[i - 1], sorted[i]))
            return why_fail(RC_INVALID, why, "the header has \"%.*s\" twice",
                            STR_ARG(str_cut(sorted[i], 80)));
    return RC_OK;
}

static enum rc read_header(struct csv *c, struct arena *a, struct why *why)
{
    if (str_starts(c->file, byte_order_mark))
        c->at = byte_order_mark.len;
    pass_blank_lines(c);
    if (at_end(c))
        return why_fail(RC_INVALID, why, "it has no header: it is empty");
    c->separator = guess_separator(c);

    struct csv count = *c; /* goes ahead, to see how many there are */
    enum rc rc = read_row(&count, a, NULL, 0, &c->n_columns, why);
    if (rc == RC_OK && c->n_columns > MAX_COLUMNS)
        rc = why_fail(RC_INVALID, why, "the header has %zu columns, more than %d", c->n_columns,
                      MAX_COLUMNS);
    if (rc)
        return rc;
    c->names = arena_array(a, c->n_columns, sizeof *c->names);
    rc = read_row(c, a, c->names, c->n_columns, &c->n_columns, why);
    return rc ? rc : take_names(c, a, why);
}

static void closep(struct csv **c)
{
    csv_close(*c);
}

enum rc csv_open(const char *path, struct arena *a, struct csv **ret, struct why *why)
{
    AUTO(closep) struct csv *c = mem_alloc(sizeof *c);
    enum rc rc = map_file(path, &c->file, why);

    if (rc)
        return rc;
    c->line = 1;
    rc = check_bytes(c, why);
    if (rc == RC_OK)
        rc = read_header(c, a, why);
    if (rc)
        return why_wrap(rc, why, "%s", path);
    *ret = c;
    c = NULL;
    return RC_OK;
}

void csv_close(struct csv *c)
{
    if (!c)
        return;
    if (c->file.at)
        (void)munmap((void *)(uintptr_t)c->file.at, c->file.len); /* it cannot fail */
    free(c);
}

size_t csv_columns(const struct csv *c)
{
    return c->n_columns;
}

struct str csv_name(const struct csv *c, size_t column)
{
    return c->names[column];
}

bool csv_find(const struct csv *c, struct str name, size_t *ret)
{
    for (size_t i = 0; i < c->n_columns; i++)
        if (str_eq(c->names[i], name)) {
            *ret = i;
            return true;
        }
    for (size_t i = 0; i < c->n_columns; i++)
        if (str_ieq(c->names[i], name)) {
            *ret = i;
            return true;
        }
    return false;
}

int64_t csv_line(const struct csv *c)
{
    return c->began;
}

int64_t csv_offset(const struct csv *c)
{
    return (int64_t)c->at;
}

int64_t csv_size(const struct csv *c)
{
    return (int64_t)c->file.len;
}

void csv_write(struct sbuf *b, struct str cell)
{
    bool plain = str_trim(cell).len == cell.len && !str_starts(cell, byte_order_mark);

    for (size_t i = 0; i < cell.len && plain; i++)
        plain = !strchr(",;\t\"\r\n", cell.at[i]);
    if (plain) {
        sbuf_add(b, cell);
        return;
    }
    sbuf_char(b, '"');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.at[i] == '"')
            sbuf_char(b, '"');
        sbuf_char(b, cell.at[i]);
    }
    sbuf_char(b, '"');
}
