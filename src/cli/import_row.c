/* cli/import_row.c - one row of a file as something that was so at a time. Pure. */
#include "funneld/base/clock.h"
#include "import.h"

/* Later than this is no time that anybody meant. */
#define LATEST_MS INT64_C(253402300799999)
/* Digits alone that are less are seconds: as milliseconds they would be of 1973 or before. */
#define LEAST_MS INT64_C(100000000000)

static bool is_seconds(struct str text, int64_t at)
{
    int64_t digits;

    return at >= 0 && at < LEAST_MS && str_int64(text, &digits) && digits == at;
}

bool import_time(struct str text, int64_t *ret)
{
    int64_t at;

    text = str_trim(text);
    if (!time_parse(text, &at) || at < 0 || at > LATEST_MS || is_seconds(text, at))
        return false;
    *ret = at;
    return true;
}

static enum rc odd(const struct import_column *c, struct str cell, struct why *why,
                   const char *wanted)
{
    return why_fail(RC_INVALID, why, "%.*s: \"%.*s\" %s", STR_ARG(str_cut(c->name, 80)),
                    STR_ARG(str_cut(cell, 60)), wanted);
}

static enum rc take_time(const struct import_column *c, struct str cell, int64_t *ret,
                         struct why *why)
{
    int64_t at;

    if (import_time(cell, ret))
        return RC_OK;
    if (time_parse(cell, &at) && is_seconds(cell, at))
        return odd(c, cell, why, "are seconds? write milliseconds, or 2026-11-24 13:57");
    return odd(c, cell, why, "is no time: write 2026-11-24, 2026-11-24 13:57 or Unix milliseconds");
}

static enum rc take_id(const struct import_rules *r, const struct import_column *c, struct str cell,
                       struct imported *i, struct why *why)
{
    if (value_crm(cell, &i->portal_id, &i->crm_id) && i->crm_id > 0)
        return RC_OK;
    if (!str_int64(cell, &i->crm_id) || i->crm_id <= 0)
        return odd(c, cell, why, "is no id: write portal:id, or the CRM's id alone");
    i->portal_id = r->portal;
    return r->portal ? RC_OK
                     : odd(c, cell, why,
                           "says not of which HubSpot account: write portal:id, or set `portal` "
                           "of the connector");
}

static enum rc take_email(const struct import_column *c, struct str cell, struct arena *a,
                          struct imported *i, struct why *why)
{
    i->email = email_normalise(cell, a);
    return i->email.at ? RC_OK : odd(c, cell, why, "is no e-mail address");
}

/* An empty cell says nothing. */
static enum rc take(const struct import_rules *r, size_t column, struct str cell, struct arena *a,
                    struct imported *i, struct why *why)
{
    const struct import_column *c = &r->columns[column];

    if (!cell.len)
        return RC_OK;
    switch (c->use) {
    case USE_EMAIL:
        return take_email(c, cell, a, i, why);
    case USE_ID:
        return take_id(r, c, cell, i, why);
    case USE_CREATED_AT:
        return take_time(c, cell, &i->first_at, why);
    case USE_AT:
        return take_time(c, cell, &i->at, why);
    case USE_PROPERTY:
    case USE_IGNORE:
        break;
    }
    return RC_OK;
}

static bool has_use(const struct import_rules *r, enum import_use use)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->columns[i].use == use)
            return true;
    return false;
}

static void take_properties(const struct import_rules *r, const struct str cells[], struct arena *a,
                            struct imported *i)
{
    struct field *fields = arena_array(a, r->n + 1, sizeof *fields);

    for (size_t k = 0; k < r->n; k++) {
        bool wanted = r->columns[k].use == USE_PROPERTY || r->columns[k].use == USE_EMAIL;

        if (wanted && cells[k].len)
            fields[i->n_properties++] = (struct field){r->columns[k].property, str_trim(cells[k])};
    }
    i->properties = fields;
}

enum rc import_row(const struct import_rules *r, const struct str cells[], struct arena *a,
                   struct imported *ret, struct why *why)
{
    struct imported i = {0};
    enum rc rc = RC_OK;

    for (size_t k = 0; k < r->n && rc == RC_OK; k++)
        rc = take(r, k, str_trim(cells[k]), a, &i, why);
    if (rc != RC_OK)
        return rc;
    if (!i.at && has_use(r, USE_AT))
        return RC_NONE;
    if (!i.email.at && !i.crm_id)
        return why_fail(RC_INVALID, why,
                        "nobody is named: its e-mail address and its id are empty");
    if (!i.at)
        i.at = r->file_at;
    take_properties(r, cells, a, &i);
    *ret = i;
    return RC_OK;
}
