/* cli/train_table.c - see train_table.h. Read twice: to see how many rows there are and what their
 * time is written in, and to take them, or every so-manieth.
 */
#include "train_table.h"

#include "funneld/base/clock.h"
#include "import.h"
#include "target.h"
#include "train_ids.h"

#define NOT_GIVEN SIZE_MAX

enum { SHOWN_VALUES = 5 };

/* Values that the outcome has, as they come. */
struct seen {
    struct str values[SHOWN_VALUES + 1]; /* the last: there are more */
    size_t n, n_positive, n_negative;
};

/* What is read, and where. */
struct reading {
    struct cli *cli;
    const char *path;
    struct target target;
    size_t outcome, id, time; /* columns */
    size_t n, n_dates, n_numbers;
    struct seen seen;
    struct str *row;
    struct train_table *t;
};

static int find_column(const struct reading *r, const char *option, struct str name, size_t *ret)
{
    *ret = NOT_GIVEN;
    if (!name.at || csv_find(r->t->csv, name, ret))
        return DONE;
    return cli_usage(r->cli, "--%s: there is no column %.*s in %s", option,
                     STR_ARG(str_cut(name, 80)), r->path);
}

static int open_table(struct reading *r)
{
    struct why why = {0};
    enum rc rc = csv_open(r->path, &r->cli->arena, &r->t->csv, &why);

    if (rc != RC_OK)
        return cli_fail(r->cli, "%s", why.text);
    r->row = arena_array(&r->cli->arena, csv_columns(r->t->csv), sizeof *r->row);
    int status = import_names(r->cli, r->t->csv, &r->t->names);
    if (status == DONE)
        status = find_column(r, "target", r->target.column, &r->outcome);
    if (status == DONE)
        status = find_column(r, "id", cli_value(r->cli, ARG_ID), &r->id);
    return status == DONE ? find_column(r, "time", cli_value(r->cli, ARG_TIME), &r->time) : status;
}

static bool read_number(struct str text, double *ret)
{
    return str_decimal(text, ret);
}

/* A whole number of so many digits is Unix milliseconds; any other number only grows. */
static bool read_date(struct str text, double *ret)
{
    int64_t ms;
    double number;

    if (!time_parse(text, &ms) || (read_number(text, &number) && number < 1e11))
        return false;
    *ret = (double)ms;
    return true;
}

static enum target_class outcome_of(const struct reading *r)
{
    return target_class(&r->target, r->row[r->outcome]);
}

static void see_outcome(struct reading *r)
{
    struct seen *s = &r->seen;
    struct str value = str_trim(r->row[r->outcome]);

    s->n_positive += outcome_of(r) == TARGET_POSITIVE;
    s->n_negative += outcome_of(r) == TARGET_NEGATIVE;
    for (size_t i = 0; i < s->n; i++)
        if (str_ieq(s->values[i], value))
            return;
    if (value.len && s->n < ARRAY_LEN(s->values))
        s->values[s->n++] = arena_str(&r->cli->arena, value);
}

/* A value that no row has is most likely not the one that was meant. */
static int no_row_has(const struct reading *r, struct str meant)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1000);

    for (size_t i = 0; i < r->seen.n; i++)
        if (i < SHOWN_VALUES)
            sbuf_printf(&b, "%s%.*s", i ? ", " : "", STR_ARG(str_cut(r->seen.values[i], 80)));
    return cli_fail(r->cli, "no row's %.*s is \"%.*s\"; it has %.*s%s",
                    STR_ARG(str_cut(r->target.column, 80)), STR_ARG(str_cut(meant, 80)),
                    STR_ARG(sbuf_str(&b)), r->seen.n > SHOWN_VALUES ? ", and others" : "");
}

static int check_outcomes(const struct reading *r)
{
    if (!r->seen.n)
        return cli_fail(r->cli, "no row's %.*s is known", STR_ARG(str_cut(r->target.column, 80)));
    if (!r->seen.n_positive)
        return no_row_has(r, r->target.positive);
    return r->target.negative.at && !r->seen.n_negative ? no_row_has(r, r->target.negative) : DONE;
}

/* The next row whose outcome is known. */
static enum rc next_known(struct reading *r, struct arena *a, struct why *why)
{
    enum rc rc;

    while ((rc = csv_row(r->t->csv, a, r->row, why)) == RC_OK) {
        see_outcome(r);
        if (outcome_of(r) != TARGET_UNKNOWN)
            return RC_OK;
        r->t->left_out++;
    }
    return rc;
}

static int count(struct reading *r)
{
    struct arena scratch AUTO(arena_free) = {0};
    struct why why = {0};
    double ignored;
    enum rc rc;

    while ((rc = next_known(r, &scratch, &why)) == RC_OK) {
        r->n++;
        if (r->time != NOT_GIVEN) {
            struct str text = str_trim(r->row[r->time]);

            r->n_dates += read_date(text, &ignored);
            r->n_numbers += read_number(text, &ignored);
        }
        arena_reset(&scratch);
    }
    return rc == RC_NONE ? DONE : cli_fail(r->cli, "%s: %s", r->path, why.text);
}

static bool read_time(const struct reading *r, double *ret)
{
    struct str text = str_trim(r->row[r->time]);

    return r->n_dates >= r->n_numbers ? read_date(text, ret) : read_number(text, ret);
}

/* Room for the set's rows, column by column. */
struct room {
    size_t *from; /* [n_columns]: of the file */
    struct str **texts;
    bool *positive;
    double *time;
    uint32_t *group;
    struct train_ids ids;
    size_t n;
};

static struct room make_room(struct reading *r, size_t rows)
{
    struct arena *a = &r->cli->arena;
    size_t all = csv_columns(r->t->csv), n = 0;
    struct room room = {.from = arena_array(a, all, sizeof *room.from),
                        .texts = arena_array(a, all, sizeof *room.texts),
                        .positive = arena_array(a, rows, sizeof *room.positive),
                        .time = arena_array(a, rows, sizeof *room.time),
                        .group = arena_array(a, rows, sizeof *room.group),
                        .ids = {.arena = a}};
    struct column *columns = arena_array(a, all, sizeof *columns);

    for (size_t i = 0; i < all; i++) {
        if (i == r->outcome || i == r->id || i == r->time || !r->t->names[i].at)
            continue;
        room.from[n] = i;
        room.texts[n] = arena_array(a, rows, sizeof **room.texts);
        columns[n] = (struct column){.name = r->t->names[i], .texts = room.texts[n]};
        n++;
    }
    r->t->set.table = (struct table){.columns = columns, .n_columns = n};
    r->t->set.positive = room.positive;
    r->t->set.time = r->time == NOT_GIVEN ? NULL : room.time;
    r->t->set.time_is_ms = r->n_dates >= r->n_numbers;
    return room;
}

static void take(struct reading *r, struct room *room)
{
    double time = 0;

    if (r->time != NOT_GIVEN && !read_time(r, &time)) {
        r->t->no_time++;
        return;
    }
    for (size_t i = 0; i < r->t->set.table.n_columns; i++)
        room->texts[i][room->n] = r->row[room->from[i]];
    room->time[room->n] = time;
    if (r->id != NOT_GIVEN)
        room->group[room->n] = train_ids_group(&room->ids, r->row[r->id]);
    room->positive[room->n++] = outcome_of(r) == TARGET_POSITIVE;
}

/* Where no id comes twice each row is a lead, as without ids. */
static void group_rows(struct reading *r, const struct room *room)
{
    if (r->id == NOT_GIVEN || room->ids.n_groups == room->n)
        return;
    r->t->set.group = room->group;
    r->t->leads = room->ids.n_groups;
}

/* Evenly: as many as there is room for. */
static int take_rows(struct reading *r, size_t max_rows)
{
    size_t most = model_most_rows(max_rows, csv_columns(r->t->csv));
    size_t rows = r->n < most ? r->n : most, k = 0;
    struct room room = make_room(r, rows);
    struct why why = {0};
    enum rc rc;

    while ((rc = next_known(r, &r->cli->arena, &why)) == RC_OK && k < r->n) {
        if ((k + 1) * rows / r->n > k * rows / r->n)
            take(r, &room);
        k++;
    }
    if (rc != RC_NONE)
        return cli_fail(r->cli, "%s: %s", r->path,
                        why.text[0] ? why.text : "it changed while it was read");
    r->t->set.table.n_rows = room.n;
    group_rows(r, &room);
    return DONE;
}

int train_table_read(struct cli *cli, size_t max_rows, struct train_table *ret)
{
    struct reading r = {.cli = cli, .path = cli->args.values[ARG_CSV], .t = ret};
    struct why why = {0};

    *ret = (struct train_table){0};
    if (!cli_has(cli, ARG_TARGET))
        return cli_usage(cli, "--target COLUMN=POSITIVE[:NEGATIVE] says what the outcome is");
    if (target_parse(cli_value(cli, ARG_TARGET), &r.target, &cli->arena, &why) != RC_OK)
        return cli_usage(cli, "--target: %s", why.text);
    int status = open_table(&r);
    if (status == DONE)
        status = count(&r);
    if (status == DONE)
        status = check_outcomes(&r);
    if (status != DONE)
        return status;
    train_table_close(ret);
    *ret = (struct train_table){.rows = r.n};
    status = open_table(&r);
    return status == DONE ? take_rows(&r, max_rows) : status;
}

void train_table_close(struct train_table *t)
{
    csv_close(t->csv);
    t->csv = NULL;
}
