/* tests/fuzz/fuzz_csv.c - tables: what is read, written and read again is the same. */
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "funneld/base/csv.h"

struct file {
    int fd;
    char path[32];
};

static struct file file_of(struct str text)
{
    struct file f = {.fd = memfd_create("csv", MFD_CLOEXEC)};

    assert_true(f.fd >= 0);
    assert_int_equal(write(f.fd, text.at, text.len), text.len);
    (void)snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
    return f;
}

static void file_close(struct file *f)
{
    assert_int_equal(close(f->fd), 0);
}

static void closep(struct csv **c)
{
    csv_close(*c);
}

static void write_row(struct sbuf *b, const struct str cells[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            sbuf_char(b, ',');
        if (n == 1 && !cells[i].len)
            sbuf_text(b, "\"\""); /* else it would be a blank line */
        csv_write(b, cells[i]);
    }
    sbuf_char(b, '\n');
}

/* Rows without an error, as our own text. */
static enum rc rewrite(struct str text, struct arena *a, struct sbuf *b)
{
    struct file f AUTO(file_close) = file_of(text);
    AUTO(closep) struct csv *c = NULL;
    struct why why = {0};
    enum rc rc = csv_open(f.path, a, &c, &why);

    if (rc) {
        assert_true(why.text[0]);
        return rc;
    }
    size_t n = csv_columns(c), at;
    struct str *cells = arena_array(a, n, sizeof *cells);
    for (size_t i = 0; i < n; i++) {
        cells[i] = csv_name(c, i);
        assert_true(csv_find(c, cells[i], &at) && at == i);
    }
    write_row(b, cells, n);
    while ((rc = csv_row(c, a, cells, &why)) != RC_NONE) {
        assert_true(csv_line(c) >= 1 && csv_offset(c) <= csv_size(c));
        if (rc == RC_OK)
            write_row(b, cells, n);
    }
    assert_int_equal(csv_offset(c), csv_size(c));
    return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    struct sbuf once AUTO(sbuf_free) = SBUF(1 << 20), twice AUTO(sbuf_free) = SBUF(1 << 20);

    if (rewrite(fuzz_text(data, size), &a, &once))
        return 0;
    if (memchr(once.at, ';', once.len) || memchr(once.at, '\t', once.len))
        return 0; /* the header would be taken for another kind */
    assert_int_equal(rewrite(sbuf_str(&once), &a, &twice), RC_OK);
    fuzz_same(sbuf_str(&once), sbuf_str(&twice));
    return 0;
}
