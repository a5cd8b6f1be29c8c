/* connectors/notion_schema.c - which columns a Notion data source has, and whether they fit. */
#include "notion_priv.h"

#include <ctype.h>

enum { OTHERS_MAX = 5 };

static const char *const type_names[NOTION_TYPES] = {
    [NOTION_TITLE] = "title",   [NOTION_RICH_TEXT] = "rich_text", [NOTION_NUMBER] = "number",
    [NOTION_SELECT] = "select", [NOTION_STATUS_TYPE] = "status",  [NOTION_EMAIL_TYPE] = "email",
    [NOTION_URL] = "url",       [NOTION_DATE] = "date",
};

static const struct column {
    const char *key, *name; /* in the configuration; in Notion unless renamed */
    unsigned types;         /* bits of enum notion_type, best first in the enum's order */
    bool required;
} columns[NOTION_COLUMNS] = {
    [NOTION_NAME] = {"name", "Name", 1u << NOTION_TITLE, true},
    [NOTION_LEAD_ID] = {"lead_id", "Lead ID", 1u << NOTION_RICH_TEXT, true},
    [NOTION_SCORE] = {"score", "Score", 1u << NOTION_NUMBER, true},
    [NOTION_EMAIL] = {"email", "Email", 1u << NOTION_EMAIL_TYPE | 1u << NOTION_RICH_TEXT, false},
    [NOTION_BAND] = {"band", "Band", 1u << NOTION_SELECT, false},
    [NOTION_REASONS] = {"reasons", "Reasons", 1u << NOTION_RICH_TEXT, false},
    [NOTION_CRM] = {"crm", "CRM", 1u << NOTION_URL, false},
    [NOTION_UPDATED] = {"updated", "Updated", 1u << NOTION_DATE, false},
    [NOTION_STATUS] = {"status", "Status", 1u << NOTION_STATUS_TYPE | 1u << NOTION_SELECT, false},
    [NOTION_PROBABILITY] = {"probability", "Probability", 1u << NOTION_NUMBER, false},
    [NOTION_CHURN] = {"churn", "Churn", 1u << NOTION_NUMBER, false},
};

const char *notion_type_name(enum notion_type t)
{
    return type_names[t];
}

bool notion_id(struct str raw, struct arena *a, struct str *ret)
{
    char hex[33];
    size_t n = 0;

    for (size_t i = 0; i < raw.len; i++) {
        if (raw.at[i] == '-')
            continue;
        if (n == 32 || !isxdigit((unsigned char)raw.at[i]))
            return false;
        hex[n++] = (char)tolower((unsigned char)raw.at[i]);
    }
    if (n != 32)
        return false;
    hex[32] = '\0';
    *ret = arena_printf(a, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    return true;
}

static struct str renamed(const struct notion *s, const char *key)
{
    for (size_t i = 0; i < s->renamed.n; i++)
        if (str_is(s->renamed.items[i].name, key))
            return s->renamed.items[i].value;
    return STR_NULL;
}

void notion_check_renamed(const struct notion *s, const struct conf_section *section,
                          struct conf_problems *problems)
{
    const char *keys[NOTION_COLUMNS];

    for (size_t i = 0; i < NOTION_COLUMNS; i++)
        keys[i] = columns[i].key;
    for (size_t i = 0; i < s->renamed.n; i++) {
        const struct str_pair *pair = &s->renamed.items[i];
        struct arena *a = problems->arena;
        bool known = false;

        for (size_t k = 0; k < NOTION_COLUMNS; k++)
            known |= str_is(pair->name, keys[k]);
        if (known)
            continue;
        struct str key = arena_printf(a, "property.%.*s", STR_ARG(pair->name));
        conf_problem(problems, section, conf_find(section, key.at),
                     conf_nearest(pair->name, keys, NOTION_COLUMNS), "there is no column %.*s",
                     STR_ARG(pair->name));
    }
}

/* "Leads, Archive" */
static struct str names_of(const json *sources, struct arena *a)
{
    struct str ret = STR("");

    for (const json *d = json_first(sources); d; d = json_next(d))
        ret = arena_printf(a, "%.*s%s%.*s", STR_ARG(ret), ret.len ? ", " : "",
                           STR_ARG(json_string(json_get(d, "name"))));
    return ret;
}

static bool is_wanted(const json *source, struct str wanted, struct arena *a)
{
    struct str id, wanted_id;

    if (str_eq(json_string(json_get(source, "name")), wanted))
        return true;
    return notion_id(wanted, a, &wanted_id) &&
           notion_id(json_string(json_get(source, "id")), a, &id) && str_eq(id, wanted_id);
}

enum rc notion_choose(const struct notion *s, const json *database, struct arena *a,
                      struct str *ret, struct why *why)
{
    const json *sources = json_get(database, "data_sources"), *chosen = NULL;

    if (!json_count(sources))
        return why_fail(RC_INVALID, why, "the database has no data source that we may see");
    for (const json *d = json_first(sources); d; d = json_next(d))
        if (s->data_source.len ? is_wanted(d, s->data_source, a) : json_count(sources) == 1)
            chosen = chosen ? chosen : d;
    if (!chosen && s->data_source.len)
        return why_fail(RC_INVALID, why, "the database has no data source %.*s; it has: %.*s",
                        STR_ARG(s->data_source), STR_ARG(names_of(sources, a)));
    if (!chosen)
        return why_fail(RC_INVALID, why,
                        "the database has several data sources; name one with "
                        "`data_source = NAME`: %.*s",
                        STR_ARG(names_of(sources, a)));
    *ret = arena_str(a, json_string(json_get(chosen, "id")));
    if (!ret->len)
        return why_fail(RC_INVALID, why, "the database's data source has no id");
    return RC_OK;
}

static const json *find_by(const json *properties, const char *key, struct str value)
{
    const json *p = json_first(properties);

    while (p && !str_eq(json_string(json_get(p, key)), value))
        p = json_next(p);
    return p;
}

static const json *find_named(const json *properties, struct str name)
{
    const json *p = json_first(properties);

    while (p && !str_eq(json_name(p), name))
        p = json_next(p);
    return p;
}

static struct str column_name(const struct notion *s, enum notion_column c)
{
    struct str other = renamed(s, columns[c].key);

    return other.len ? other : str_of(columns[c].name);
}

/* The title is found by its type, because every data source has exactly one and people name it. */
static const json *find_column(const struct notion *s, const json *properties, enum notion_column c,
                               struct str *ret_name)
{
    struct str other = renamed(s, columns[c].key);

    *ret_name = column_name(s, c);
    if (c == NOTION_NAME && !other.len)
        return find_by(properties, "type", str_of(type_names[NOTION_TITLE]));
    const json *p = find_named(properties, *ret_name);
    return p || !other.len ? p : find_by(properties, "id", other);
}

static bool type_of(const json *property, unsigned allowed, enum notion_type *ret)
{
    struct str type = json_string(json_get(property, "type"));

    for (unsigned t = 0; t < NOTION_TYPES; t++) {
        if (!(allowed & 1u << t) || !str_is(type, type_names[t]))
            continue;
        *ret = (enum notion_type)t;
        return true;
    }
    return false;
}

static const char *expected_type(enum notion_column c)
{
    unsigned types = columns[c].types;

    /* The most fitting one stands last in the enum: status before select, email before text. */
    for (unsigned t = NOTION_TYPES; t-- > 0;)
        if (types & 1u << t)
            return type_names[t];
    return "";
}

/* "; of that type there are: Points, Age": what it may be called now. */
static struct str others_of(const json *properties, unsigned types, struct arena *a)
{
    struct str ret = STR("");
    enum notion_type type;
    int n = 0;

    for (const json *p = json_first(properties); p && n < OTHERS_MAX; p = json_next(p)) {
        if (!type_of(p, types, &type))
            continue;
        ret = arena_printf(a, "%.*s%s%.*s", STR_ARG(ret), n++ ? ", " : "; of that type there are: ",
                           STR_ARG(str_cut(json_name(p), 60)));
    }
    return ret;
}

/* What nobody asked for may be missing, or of a type that is of no use. */
static enum rc read_column(const struct notion *s, const json *properties, enum notion_column c,
                           struct arena *a, struct notion_found *ret, struct why *why)
{
    struct str name;
    const json *p = find_column(s, properties, c, &name);
    bool wanted = columns[c].required || renamed(s, columns[c].key).len;

    if (!p && wanted)
        return why_fail(RC_INVALID, why,
                        "the data source has no column \"%.*s\": give it its name back, add it as "
                        "%s, or name another with `property.%s = ...`%.*s",
                        STR_ARG(name), expected_type(c), columns[c].key,
                        STR_ARG(others_of(properties, columns[c].types, a)));
    if (!p || (!wanted && !type_of(p, columns[c].types, &ret->type)))
        return RC_OK;
    if (!type_of(p, columns[c].types, &ret->type))
        return why_fail(RC_INVALID, why,
                        "the column \"%.*s\" is of type %.*s, expected %s: change its type in "
                        "Notion, or name another with `property.%s = ...`",
                        STR_ARG(name), STR_ARG(str_cut(json_string(json_get(p, "type")), 64)),
                        expected_type(c), columns[c].key);
    ret->id = arena_str(a, json_string(json_get(p, "id")));
    if (!ret->id.len)
        return why_fail(RC_INVALID, why, "the column \"%.*s\" has no id", STR_ARG(name));
    return RC_OK;
}

/* The name of the option that is `word` but for upper and lower case; missing: there is none. */
static struct str option_like(const json *properties, const struct notion_found *column,
                              const char *word, struct arena *a)
{
    for (const json *p = json_first(properties); p && column->id.len; p = json_next(p)) {
        const json *options = json_get(json_get(p, type_names[column->type]), "options");

        if (!str_eq(json_string(json_get(p, "id")), column->id))
            continue;
        for (const json *o = json_first(options); o; o = json_next(o))
            if (str_ieq(json_string(json_get(o, "name")), str_of(word)))
                return arena_str(a, json_string(json_get(o, "name")));
    }
    return STR_NULL;
}

/* An unknown option of Band is added to the list; one of Status would be refused. */
static void read_options(const json *properties, struct arena *a, struct notion_schema *schema)
{
    for (unsigned band = 0; band < BAND_COUNT; band++) {
        const char *word = band_name((enum band)band);
        struct str option = option_like(properties, &schema->columns[NOTION_BAND], word, a);

        schema->bands[band] = option.at ? option : str_of(word);
    }
    for (unsigned state = 0; state < NOTION_STATES; state++)
        schema->states[state] = option_like(properties, &schema->columns[NOTION_STATUS],
                                            lead_state_name((enum lead_state)state), a);
}

/* A page that names a column twice would not be JSON that anybody reads the same. */
static enum rc check_apart(const struct notion_schema *schema, unsigned c, struct why *why)
{
    for (unsigned k = 0; k < c; k++)
        if (schema->columns[c].id.len && str_eq(schema->columns[c].id, schema->columns[k].id))
            return why_fail(RC_INVALID, why,
                            "%s and %s are one column of the data source: name another with "
                            "`property.%s = ...`",
                            columns[k].name, columns[c].name, columns[c].key);
    return RC_OK;
}

/* One that nobody asked for may be missing; of another type it is left alone. */
static void probe_optional(struct probe *p, const json *properties, enum notion_column c,
                           struct str what)
{
    struct str name;
    const json *there = find_column(p->job.settings, properties, c, &name);

    if (there)
        probe_find(p, FINDING_NOT_USED, what,
                   arena_printf(p->arena, "it is of type %.*s, not %s",
                                STR_ARG(str_cut(json_string(json_get(there, "type")), 64)),
                                expected_type(c)));
}

/* "property Score"; "property Score (crm)" where that name has been told of before. */
static struct str what_of(const struct probe *p, enum notion_column c)
{
    const struct notion *s = p->job.settings;
    struct str name = column_name(s, c);

    for (unsigned k = 0; k < c; k++)
        if (str_eq(name, column_name(s, (enum notion_column)k)))
            return arena_printf(p->arena, "property %.*s (%s)", STR_ARG(name), columns[c].key);
    return arena_printf(p->arena, "property %.*s", STR_ARG(name));
}

void notion_schema_probe(struct probe *p, const json *properties)
{
    const struct notion *s = p->job.settings;
    struct notion_schema schema = {0};

    for (unsigned c = 0; c < NOTION_COLUMNS; c++) {
        struct str what = what_of(p, (enum notion_column)c);
        struct notion_found *found = &schema.columns[c];
        struct why why = {{0}};

        if (read_column(s, properties, (enum notion_column)c, p->arena, found, &why) ||
            check_apart(&schema, c, &why))
            probe_find(p, FINDING_FAILS, what, arena_str(p->arena, str_of(why.text)));
        else if (found->id.len)
            probe_find(p, FINDING_WORKS, what, STR_NULL);
        else
            probe_optional(p, properties, (enum notion_column)c, what);
    }
}

enum rc notion_schema_read(const struct notion *s, const json *properties, struct arena *a,
                           struct notion_schema *ret, struct why *why)
{
    struct notion_schema schema = {0};

    for (unsigned c = 0; c < NOTION_COLUMNS; c++) {
        enum rc rc = read_column(s, properties, (enum notion_column)c, a, &schema.columns[c], why);

        if (!rc)
            rc = check_apart(&schema, c, why);
        if (rc)
            return rc;
    }
    read_options(properties, a, &schema);
    *ret = schema;
    return RC_OK;
}
