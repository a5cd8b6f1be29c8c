/* connectors/google_judge.c - what the Sheets API answered: the next step, or delivered. */
#include "google_priv.h"

#include <inttypes.h>

static enum judged judge_header(struct job *job, const struct http_response *r)
{
    struct sheet_talk *talk = job->scratch;
    struct sheet_tab *tab = talk->tab;
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct why why = {{0}};

    if (r->status != 200 || !answer_object(r, &doc))
        return sheet_failure(job, r);
    tab->header_read_at = 0;
    switch (sheet_header_read(json_path(doc.root, "values.0"), tab->position, sheet_key(job),
                              tab->name, &why)) {
    case RC_OK:
        tab->header_read_at = job->now_ms;
        return JUDGED_CONTINUE;
    case RC_NONE:
        talk->write_header = true;
        return JUDGED_CONTINUE;
    default:
        return judge_broken(job, arena_printf(job->arena, "%s", why.text));
    }
}

static enum judged judge_write_header(struct job *job, const struct http_response *r)
{
    struct sheet_talk *talk = job->scratch;
    struct sheet_tab *tab = talk->tab;

    if (r->status != 200)
        return sheet_failure(job, r);
    for (int c = 0; c < SHEET_COLUMNS; c++)
        tab->position[c] = c < SHEET_LEAD_ID || sheet_upserts(job) ? c : -1;
    tab->header_read_at = job->now_ms;
    talk->write_header = false;
    return JUDGED_CONTINUE;
}

static struct str row_name(const struct job *job, int64_t row)
{
    const struct sheet_talk *talk = job->scratch;

    return arena_printf(job->arena, "%.*s!A%" PRId64, STR_ARG(talk->tab->name), row);
}

/* A row with the parcel's key: its delivery is there, or its lead is. */
static void found(struct job *job, size_t i, int64_t row)
{
    struct sheet_talk *talk = job->scratch;

    talk->places[i].row = row;
    if (sheet_upserts(job))
        return;
    judge_one(job, i, VERDICT_DELIVERED, STR_NULL);
    job->outcomes[i].remote_id = row_name(job, row);
}

/* Of several rows of a lead the first counts. true: all have their row. */
static bool find_rows(struct job *job, const json *rows)
{
    const struct sheet_talk *talk = job->scratch;
    int64_t row = talk->look_row;
    bool all = true;

    for (const json *r = json_first(rows); r; r = json_next(r), row++)
        for (size_t i = 0; i < job->n; i++) {
            const struct parcel *p = &job->parcels[i];
            struct str key = sheet_upserts(job) ? p->lead_public_id : p->public_id;

            if (!talk->places[i].row && job->outcomes[i].verdict == VERDICT_NONE &&
                str_eq(json_string(json_first(r)), key))
                found(job, i, row);
        }
    for (size_t i = 0; i < job->n; i++)
        all = all && (talk->places[i].row || job->outcomes[i].verdict != VERDICT_NONE);
    return all;
}

static bool says(const struct http_response *r, const json *answer, const char *words)
{
    return r->status == 400 &&
           str_find(json_string(json_path(answer, "error.message")), str_of(words));
}

static enum judged go_on(const struct job *job)
{
    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE)
            return JUDGED_CONTINUE;
    return JUDGED_DONE;
}

/* Google leaves trailing empty cells out, and refuses a range that begins below the last row. */
static enum judged judge_look(struct job *job, const struct http_response *r)
{
    struct sheet_talk *talk = job->scratch;
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool is_object = answer_object(r, &doc);

    if (is_object && says(r, doc.root, "exceeds grid limits")) {
        talk->looked = true;
        return JUDGED_CONTINUE;
    }
    if (r->status != 200 || !is_object)
        return sheet_failure(job, r);

    const json *rows = json_get(doc.root, "values");
    talk->looked = find_rows(job, rows) || json_count(rows) == 0;
    talk->look_row += SHEET_LOOK_ROWS;
    return go_on(job);
}

/* Rows have moved since they were looked for: once more; people do not sort all the time. */
static enum judged look_again(struct job *job)
{
    struct sheet_talk *talk = job->scratch;

    if (talk->looked_again)
        return judge_all(job, VERDICT_RETRY, STR("rows were moved while they were written"));
    for (size_t i = 0; i < job->n; i++)
        talk->places[i].row = 0;
    talk->looked_again = true;
    talk->looked = false;
    talk->look_row = 1;
    return JUDGED_CONTINUE;
}

/* Whether the row that was written is the lead's, as far as the answer says: it need not show cells
 * that were left as they are. */
static bool is_row_of(const struct job *job, size_t i, const json *written)
{
    const struct sheet_talk *talk = job->scratch;
    const json *cell = json_first(json_path(written, "updatedData.values.0"));

    for (int64_t at = talk->tab->position[SHEET_LEAD_ID]; at > 0; at--)
        cell = json_next(cell);
    struct str id = json_string(cell);
    return !id.len || str_eq(id, job->parcels[i].lead_public_id);
}

static enum judged judge_update(struct job *job, const struct http_response *r)
{
    const struct sheet_talk *talk = job->scratch;
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool is_object = answer_object(r, &doc), moved = false;

    if (is_object && says(r, doc.root, "exceeds grid limits"))
        return look_again(job);
    if (r->status != 200 || !is_object)
        return sheet_failure(job, r);

    const json *written = json_first(json_get(doc.root, "responses"));
    for (size_t i = 0; i < job->n; i++) {
        if (!talk->places[i].sent)
            continue;
        if (!is_row_of(job, i, written)) {
            moved = true;
        } else {
            job->outcomes[i].remote_id = row_name(job, talk->places[i].row);
            judge_one(job, i, VERDICT_DELIVERED, STR_NULL);
        }
        written = json_next(written);
    }
    return moved ? look_again(job) : go_on(job);
}

/* "'Leads'!A11:H12" -> column A, row 11 */
static bool first_cell(struct str range, struct str *ret_column, int64_t *ret_row)
{
    struct str cell = range;
    size_t letters = 0, digits = 0;

    for (size_t i = 0; i < range.len; i++)
        if (range.at[i] == '!')
            cell = str_from(range, i + 1);
    while (letters < cell.len && cell.at[letters] >= 'A' && cell.at[letters] <= 'Z')
        letters++;
    while (letters + digits < cell.len && cell.at[letters + digits] >= '0' &&
           cell.at[letters + digits] <= '9')
        digits++;
    *ret_column = (struct str){cell.at, letters};
    return letters && str_int64((struct str){cell.at + letters, digits}, ret_row);
}

/* The rows are there, but not where they are found: no more of them until a person has seen to it.
 */
static enum judged judge_misplaced(struct job *job, struct str range)
{
    struct sheet_talk *talk = job->scratch;
    struct str reason = arena_printf(
        job->arena,
        "the rows landed at %.*s, not in column A: the header must begin at A1 without "
        "gaps; mend the sheet, then retry",
        STR_ARG(str_cut(range, 200)));

    talk->tab->header_read_at = 0;
    for (size_t i = 0; i < job->n; i++)
        if (talk->places[i].sent && job->outcomes[i].verdict == VERDICT_NONE)
            judge_one(job, i, VERDICT_DEAD, reason);
    return judge_broken(job, reason);
}

static enum judged judge_append(struct job *job, const struct http_response *r)
{
    const struct sheet_talk *talk = job->scratch;
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str range, column;
    int64_t row;

    if (r->status != 200 || !answer_object(r, &doc))
        return sheet_failure(job, r);
    range = json_string(json_path(doc.root, "updates.updatedRange"));
    if (!range.len || !first_cell(range, &column, &row))
        return judge_all(job, VERDICT_AMBIGUOUS, STR("Google does not say where the rows are"));
    if (!str_is(column, "A"))
        return judge_misplaced(job, range);
    for (size_t i = 0; i < job->n; i++) {
        if (!talk->places[i].sent)
            continue;
        job->outcomes[i].remote_id = row_name(job, row++);
        judge_one(job, i, VERDICT_DELIVERED, STR_NULL);
    }
    return go_on(job);
}

enum judged google_sheets_judge(struct job *job, const struct http_response *r)
{
    static enum judged (*const judges[])(struct job *, const struct http_response *) = {
        [SHEET_STEP_TOKEN] = google_token_judge,
        [SHEET_STEP_HEADER] = judge_header,
        [SHEET_STEP_WRITE_HEADER] = judge_write_header,
        [SHEET_STEP_LOOK] = judge_look,
        [SHEET_STEP_UPDATE] = judge_update,
        [SHEET_STEP_APPEND] = judge_append,
    };

    return judges[job->step](job, r);
}
