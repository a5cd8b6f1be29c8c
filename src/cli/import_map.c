/* cli/import_map.c - which column of a file is what: read, proposed, written.
 *
 *     ; what does not stand here becomes a property of its own name
 *     E-mail address = email
 *     Record ID      = @id
 *     Create Date    = @created_at
 *     Notes          = @ignore
 */
#include <ctype.h>

#include "import.h"

static const struct {
    const char *text;
    enum import_use use;
} targets[] = {
    {"email", USE_EMAIL}, {"@id", USE_ID},         {"@created_at", USE_CREATED_AT},
    {"@at", USE_AT},      {"@ignore", USE_IGNORE},
};

enum { NAME_MOST = 100 };

static bool is_property(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum((unsigned char)text.at[i]) && text.at[i] != '_')
            return false;
    return text.len && text.len <= NAME_MOST;
}

enum rc import_target(struct str text, struct arena *a, struct import_column *c, struct why *why)
{
    for (size_t i = 0; i < ARRAY_LEN(targets); i++)
        if (str_is(text, targets[i].text)) {
            c->use = targets[i].use;
            c->property = c->use == USE_EMAIL ? STR("email") : STR_NULL;
            return RC_OK;
        }
    if (!is_property(text))
        return why_fail(RC_INVALID, why,
                        "%.*s is neither a property (letters, digits, _) nor one of email, @id, "
                        "@created_at, @at, @ignore",
                        STR_ARG(str_cut(text, 60)));
    c->use = USE_PROPERTY;
    c->property = arena_str(a, text);
    return RC_OK;
}

struct str import_target_text(const struct import_column *c)
{
    for (size_t i = 0; i < ARRAY_LEN(targets); i++)
        if (c->use == targets[i].use)
            return str_of(targets[i].text);
    return c->property;
}

/* As the exports of HubSpot call them, and others do. */
static const struct {
    const char *column, *target;
} known[] = {
    {"record id", "@id"},
    {"contact id", "@id"},
    {"record id - contact", "@id"},
    {"hs_object_id", "@id"},
    {"createdate", "@created_at"},
    {"email", "email"},
    {"e-mail", "email"},
    {"email address", "email"},
    {"e-mail address", "email"},
    {"create date", "@created_at"},
    {"created at", "@created_at"},
    {"created_at", "@created_at"},
    {"first name", "firstname"},
    {"last name", "lastname"},
    {"phone number", "phone"},
    {"mobile phone number", "mobilephone"},
    {"company name", "company"},
    {"job title", "jobtitle"},
    {"lifecycle stage", "lifecyclestage"},
    {"lead status", "hs_lead_status"},
    {"original source", "hs_analytics_source"},
    {"country/region", "country"},
    {"postal code", "zip"},
    {"website url", "website"},
};

/* "Number of Pageviews" is number_of_pageviews. */
static struct str name_of(struct str column, struct arena *a)
{
    char *name = arena_alloc(a, column.len + 2);
    size_t n = 0;

    for (size_t i = 0; i < column.len && n < NAME_MOST; i++) {
        unsigned char c = (unsigned char)column.at[i];

        if (isalnum(c) && c < 0x80)
            name[n++] = (char)tolower(c);
        else if (n && name[n - 1] != '_')
            name[n++] = '_';
    }
    while (n && name[n - 1] == '_')
        n--;
    return (struct str){name, n};
}

void import_propose(struct import_column *c, struct arena *a)
{
    struct str name = str_trim(c->name);
    struct str target = name_of(name, a);

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_ieq(name, str_of(known[i].column)))
            target = str_of(known[i].target);
    if (import_target(target, a, c, NULL) != RC_OK)
        c->use = USE_IGNORE; /* a name without a letter or a digit */
}

static struct import_column *find_column(struct str name, struct import_column columns[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(str_trim(columns[i].name), name))
            return &columns[i];
    for (size_t i = 0; i < n; i++)
        if (str_ieq(str_trim(columns[i].name), name))
            return &columns[i];
    return NULL;
}

static const char *hint_for(struct str name, const struct import_column columns[], size_t n,
                            struct arena *a)
{
    const char **names = arena_array(a, n + 1, sizeof *names);

    for (size_t i = 0; i < n; i++)
        names[i] = arena_text(a, columns[i].name);
    const char *near = conf_nearest(name, names, n);
    return near ? arena_printf(a, "; did you mean \"%s\"?", near).at : "";
}

/* A column's name may have an equals sign in it, a target has none. */
static const char *last_equals(struct str line)
{
    const char *found = NULL;

    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] == '=')
            found = line.at + i;
    return found;
}

static enum rc read_line(struct str line, struct import_column columns[], size_t n, struct arena *a,
                         struct why *why)
{
    const char *equals = last_equals(line);

    if (!equals)
        return why_fail(RC_INVALID, why, "write: Column name = property");
    struct str name = str_trim((struct str){line.at, (size_t)(equals - line.at)});
    struct str target = str_trim(str_from(line, (size_t)(equals - line.at) + 1));
    struct import_column *c = find_column(name, columns, n);
    if (!c)
        return why_fail(RC_INVALID, why, "the file has no column \"%.*s\"%s",
                        STR_ARG(str_cut(name, 80)), hint_for(name, columns, n, a));
    if (c->mapped)
        return why_fail(RC_INVALID, why, "the column \"%.*s\" has a line already",
                        STR_ARG(str_cut(name, 80)));
    c->mapped = true;
    return import_target(target, a, c, why);
}

enum rc import_map_read(struct str text, struct import_column columns[], size_t n, struct arena *a,
                        struct why *why)
{
    struct str line;
    enum rc rc = RC_OK;

    if (!str_is_utf8(text))
        return why_fail(RC_INVALID, why, "it is not UTF-8");
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_from(text, 3);
    for (int number = 1; rc == RC_OK && str_split(&text, '\n', &line); number++) {
        line = str_trim(line);
        if (!line.len || line.at[0] == ';' || line.at[0] == '#')
            continue;
        rc = read_line(line, columns, n, a, why);
        if (rc != RC_OK)
            return why_wrap(rc, why, "line %d", number);
    }
    return rc;
}

static enum rc check_twice(const struct import_column columns[], size_t i, struct why *why)
{
    for (size_t k = 0; k < i; k++)
        if (columns[k].use == columns[i].use && columns[i].use != USE_IGNORE &&
            str_eq(columns[k].property, columns[i].property))
            return why_fail(RC_INVALID, why,
                            "\"%.*s\" and \"%.*s\" would both be %.*s: map one of them to "
                            "@ignore, or to another property",
                            STR_ARG(str_cut(columns[k].name, 80)),
                            STR_ARG(str_cut(columns[i].name, 80)),
                            STR_ARG(import_target_text(&columns[i])));
    return RC_OK;
}

enum rc import_map_unique(const struct import_column columns[], size_t n, struct why *why)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = check_twice(columns, i, why);
    return rc;
}

enum rc import_map_check(const struct import_column columns[], size_t n, struct why *why)
{
    for (size_t i = 0; i < n; i++)
        if (columns[i].use == USE_EMAIL || columns[i].use == USE_ID)
            return import_map_unique(columns, n, why);
    return why_fail(RC_INVALID, why,
                    "no column says who a row is about: map one to email or to @id");
}

void import_map_write(const struct import_column columns[], size_t n, struct sbuf *b)
{
    for (size_t i = 0; i < n; i++)
        if (str_chr(columns[i].name, '\n') || str_chr(columns[i].name, '\r'))
            sbuf_printf(b, "; column %zu has a line break in its name: no line can name it\n",
                        i + 1);
        else
            sbuf_printf(b, "%.*s = %.*s\n", STR_ARG(str_trim(columns[i].name)),
                        STR_ARG(import_target_text(&columns[i])));
}
