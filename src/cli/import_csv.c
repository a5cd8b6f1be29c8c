/* cli/import_csv.c - `import --csv`: what the columns are, and row after row into the store. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "funneld/app/catch_up.h"
#include "funneld/base/clock.h"
#include "import.h"
#include "progress.h"

enum { LOOKED_AT = 1000, SAMPLES = 3, SAMPLE_WIDTH = 24, ERRORS_SHOWN = 20 };

/* What the cells of a column look like */
struct look {
    size_t filled, numbers, times, flags, emails;
    struct str samples[SAMPLES];
    size_t n_samples;
};

struct file {
    struct cli *cli;
    const char *path;
    struct csv *csv;
    struct import_column *columns;
    struct str *cells;
    struct look *looks;
    size_t n;
    struct import_rules rules;
    struct arena row; /* one at a time */
    struct import_end end;
    struct import_seen seen;
    size_t shown; /* errors */
};

static bool is_flag(struct str s)
{
    static const char *const words[] = {"true", "false", "yes", "no", "0", "1"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_ieq(s, str_of(words[i])))
            return true;
    return false;
}

static void add_sample(struct look *l, struct str cell, struct arena *a)
{
    for (size_t i = 0; i < l->n_samples; i++)
        if (str_eq(l->samples[i], cell))
            return;
    if (l->n_samples < SAMPLES)
        l->samples[l->n_samples++] = arena_str(a, cell);
}

static void look_at(struct look *l, struct str cell, struct arena *a)
{
    double number;
    int64_t at;

    cell = str_trim(cell);
    if (!cell.len)
        return;
    l->filled++;
    l->numbers += str_decimal(cell, &number);
    l->times += import_time(cell, &at) && !str_int64(cell, &at);
    l->flags += is_flag(cell);
    l->emails += str_chr(cell, '@') != NULL;
    add_sample(l, str_cut(cell, 60), a);
}

static const char *type_of(const struct look *l)
{
    if (!l->filled)
        return "empty";
    if (l->times == l->filled)
        return "time";
    if (l->flags == l->filled)
        return "yes or no";
    if (l->numbers == l->filled)
        return "number";
    return l->emails == l->filled ? "e-mail" : "text";
}

/* The first rows, odd ones left out: they are told of when it is done. */
static void look_around(struct file *f)
{
    enum rc rc = RC_OK;

    for (int i = 0; i < LOOKED_AT && rc != RC_NONE; i++) {
        arena_reset(&f->row);
        rc = csv_row(f->csv, &f->row, f->cells, NULL);
        for (size_t k = 0; k < f->n && rc == RC_OK; k++)
            look_at(&f->looks[k], f->cells[k], &f->cli->arena);
    }
}

static struct str samples_of(const struct look *l, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1024);

    for (size_t i = 0; i < l->n_samples; i++)
        sbuf_printf(&b, "%s%.*s", i ? ", " : "", STR_ARG(str_cut(l->samples[i], SAMPLE_WIDTH)));
    return arena_str(a, sbuf_str(&b));
}

static void print_columns(struct file *f)
{
    static const struct text_column titles[] = {{"COLUMN", 40, false},
                                                {"LOOKS LIKE", 0, false},
                                                {"SAMPLES", 60, false},
                                                {"BECOMES", 0, false}};
    struct text_table t = TABLE(&f->cli->arena, titles);

    for (size_t i = 0; i < f->n; i++) {
        table_cell(&t, f->columns[i].name);
        table_cell(&t, str_of(type_of(&f->looks[i])));
        table_cell(&t, samples_of(&f->looks[i], &f->cli->arena));
        table_cell(&t, import_target_text(&f->columns[i]));
    }
    table_print(&t, &f->cli->out);
}

static int open_file(struct file *f, struct why *why)
{
    struct cli *cli = f->cli;
    struct stat st;

    if (csv_open(f->path, &cli->arena, &f->csv, why) || stat(f->path, &st) != 0)
        return cli_fail(cli, "%s: %s", f->path, why->text[0] ? why->text : strerror(errno));
    f->rules.file_at = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    if (cli_has(cli, ARG_AT) && cli_time(cli, ARG_AT, &f->rules.file_at) != DONE)
        return USAGE;
    f->n = csv_columns(f->csv);
    f->cells = arena_array(&cli->arena, f->n, sizeof *f->cells);
    f->looks = arena_array(&cli->arena, f->n, sizeof *f->looks);
    int status = import_columns(cli, f->csv, &f->columns);
    f->rules.columns = f->columns;
    f->rules.n = f->n;
    return status;
}

static bool has_use(const struct file *f, enum import_use use)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->columns[i].use == use)
            return true;
    return false;
}

static int check_map(const struct file *f, struct why *why)
{
    const char *path = f->cli->args.values[ARG_MAP];

    return path && import_map_check(f->columns, f->n, why)
               ? cli_usage(f->cli, "%s: %s", path, why->text)
               : DONE;
}

/* A copy of a file may have another time: then its rows are other news. */
static int say_time(const struct file *f)
{
    bool said = cli_has(f->cli, ARG_AT);

    if (has_use(f, USE_AT))
        return said ? cli_usage(f->cli, "--at is for a file whose rows have no time; a column of "
                                        "this one is @at")
                    : DONE;
    cli_note(f->cli, "rows count as of %.*s UTC%s",
             STR_ARG(show_time(f->rules.file_at, &f->cli->arena)),
             said ? "" : ", the file's time: if they are of another, say --at TIME");
    return DONE;
}

/* Without a map: one to begin with, on standard output, and on the other what to do with it. */
static int print_map(struct file *f)
{
    struct sbuf *out = &f->cli->out;
    struct why why = {0};

    sbuf_text(out, "; column of the file = property of the lead. Also: email; @id (portal:id, or "
                   "the CRM's id);\n; @created_at (since when there has been this lead); @at (when "
                   "the row was as it is;\n; else the file's time); @ignore.\n");
    import_map_write(f->columns, f->n, out);
    cli_note(f->cli,
             "nothing was imported: this is a map to begin with. Keep it, correct it, look at it "
             "with --dry-run:\n    funneld import --csv %s > my.map\n    funneld import --csv %s "
             "--map my.map --dry-run\n    funneld import --csv %s --map my.map",
             f->path, f->path, f->path);
    if (import_map_check(f->columns, f->n, &why))
        cli_note(f->cli, "%s", why.text);
    return DONE;
}

static void note_error(struct file *f, const char *text)
{
    f->end.odd++;
    if (f->shown++ < ERRORS_SHOWN)
        cli_note(f->cli, "%s:%lld: %s", f->path, (long long)csv_line(f->csv), text);
    if (f->shown == ERRORS_SHOWN + 1)
        cli_note(f->cli, "more rows have errors: they are counted");
}

/* RC_NONE: the end. */
static enum rc one_row(struct file *f, struct import_sender *s, struct why *why)
{
    struct why odd = {0};
    struct imported i;

    arena_reset(&f->row);
    enum rc rc = csv_row(f->csv, &f->row, f->cells, &odd);
    if (rc == RC_NONE)
        return rc;
    f->end.rows++;
    if (rc == RC_OK)
        rc = import_row(&f->rules, f->cells, &f->row, &i, &odd);
    if (rc == RC_OK)
        rc = import_seen_add(&f->seen, &i, csv_line(f->csv), &f->row, &odd);
    if (rc == RC_NONE)
        f->end.skipped++;
    else if (rc == RC_INVALID)
        note_error(f, odd.text);
    if (rc != RC_OK)
        return rc == RC_NONE || rc == RC_INVALID ? RC_OK : rc;
    rc = s ? import_send(s, &i, why) : RC_OK;
    if (rc == RC_TOOBIG)
        note_error(f, "the row is too big");
    return rc == RC_TOOBIG ? RC_OK : rc;
}

/* s: NULL: only looks. */
static enum rc all_rows(struct file *f, struct import_sender *s, struct why *why)
{
    struct progress p = progress_begin("import");
    enum rc rc = RC_OK;

    while (rc == RC_OK) {
        rc = one_row(f, s, why);
        if (f->end.rows % 256 == 0) {
            struct arena a AUTO(arena_free) = {0};
            double size = (double)csv_size(f->csv);

            progress_show(&p, size > 0 ? (double)csv_offset(f->csv) / size : 1,
                          arena_printf(&a, "%lld rows", (long long)f->end.rows).at);
        }
    }
    progress_end(&p);
    if (rc == RC_NONE)
        rc = s ? import_flush(s, NULL, why) : RC_OK;
    return rc;
}

/* Its beginning was looked at: it is read from there again. */
static int rewind_file(struct file *f)
{
    struct why why = {0};

    csv_close(f->csv);
    f->csv = NULL;
    return csv_open(f->path, &f->cli->arena, &f->csv, &why)
               ? cli_fail(f->cli, "%s: %s", f->path, why.text)
               : DONE;
}

/* r NULL: nothing is stored yet. */
static enum rc find_portal(struct file *f, struct reader *r)
{
    const struct connector *crm = f->cli->config->crm;

    return crm && has_use(f, USE_ID) ? catch_up_portal(r, crm->settings, &f->rules.portal) : RC_OK;
}

static enum rc find_portal_alone(struct file *f, struct why *why)
{
    struct cli *cli = f->cli;
    enum rc rc = reader_open(arena_text(&cli->arena, cli->config->store.path), &cli->reader, why);

    if (rc == RC_OK)
        rc = find_portal(f, cli->reader);
    else if (rc == RC_NONE)
        rc = find_portal(f, NULL);
    return rc;
}

static int dry_run(struct file *f)
{
    struct why why = {0};
    enum rc rc = find_portal_alone(f, &why);

    if (rc == RC_OK)
        rc = all_rows(f, NULL, &why);
    if (rc != RC_OK)
        return cli_fail(f->cli, "%s", why.text[0] ? why.text : rc_text(rc));
    print_columns(f);
    sbuf_printf(&f->cli->out,
                "\na dry run: nothing was changed. %lld rows, %lld of them without a time, %lld "
                "with errors\n",
                (long long)f->end.rows, (long long)f->end.skipped, (long long)f->end.odd);
    return f->end.odd ? FAILED : DONE;
}

static int import_all(struct file *f)
{
    struct import_sender s = {.cli = f->cli, .source = import_source};
    struct why why = {0};
    enum rc rc = import_open(&s, &why);

    if (rc == RC_OK)
        rc = find_portal(f, s.reader);
    if (rc == RC_OK)
        rc = all_rows(f, &s, &why);
    import_print(f->cli, &s, &f->end);
    import_close(&s);
    if (rc != RC_OK)
        return cli_fail(f->cli, "it ended here: %s; done again, it goes on",
                        why.text[0] ? why.text : rc_text(rc));
    return f->end.odd || s.sums.unprocessable ? FAILED : DONE;
}

static int run(struct file *f)
{
    struct cli *cli = f->cli;
    struct why why = {0};
    int status = open_file(f, &why);

    if (status == DONE)
        status = check_map(f, &why);
    if (status != DONE)
        return status;
    look_around(f);
    if (!cli_has(cli, ARG_MAP) && cli_has(cli, ARG_DRY_RUN)) {
        print_columns(f);
        return DONE;
    }
    if (!cli_has(cli, ARG_MAP))
        return print_map(f);
    status = cli_load(cli);
    if (status == DONE && !import_source_usable(cli->config, import_source))
        status = cli_usage(cli,
                           "a source is called %.*s: give it another name, or what is "
                           "imported would be taken for its events",
                           STR_ARG(import_source));
    if (status == DONE)
        status = say_time(f);
    if (status == DONE)
        status = rewind_file(f);
    if (status != DONE)
        return status;
    return cli_has(cli, ARG_DRY_RUN) ? dry_run(f) : import_all(f);
}

int import_csv(struct cli *cli)
{
    struct file f = {.cli = cli, .path = cli->args.values[ARG_CSV]};
    int status = run(&f);

    csv_close(f.csv);
    arena_free(&f.row);
    import_seen_free(&f.seen);
    return status;
}
