/* connectors/notion_page.c - a lead as the properties of a Notion page. */
#include "notion_priv.h"

#include "funneld/base/clock.h"

enum {
    TEXT_UNITS = 1900, /* Notion's limit is 2,000; the unit is not documented, UTF-16 assumed */
    TEXT_ELEMENTS = 100,
    EMAIL_BYTES_MAX = 200,
    URL_BYTES_MAX = 2000,
    PLAIN_TEXT_MAX = 256 * 1024,
};

/* What a page says of a lead, before it is known of which type its column is. */
struct value {
    struct str text; /* missing or empty: the column is cleared */
    int64_t tenths;  /* of a number */
    bool unknown;    /* which is not known */
};

void notion_text_write(struct sbuf *b, struct str text)
{
    json_open(b, '[');
    for (size_t n = 0; text.len && n < TEXT_ELEMENTS; n++) {
        struct str part = text_units(text, TEXT_UNITS);

        json_open(b, '{');
        json_key(b, "text");
        json_open(b, '{');
        json_kv(b, "content", part);
        json_close(b, '}');
        json_close(b, '}');
        text = str_from(text, part.len);
    }
    json_close(b, ']');
}

static void write_named(struct sbuf *b, const char *key, struct str text)
{
    if (!text.len) {
        json_null(b);
        return;
    }
    json_open(b, '{');
    json_kv(b, key, text);
    json_close(b, '}');
}

static void write_bounded(struct sbuf *b, struct str text, size_t max)
{
    json_str(b, text.len && text.len <= max ? text : STR_NULL);
}

static void write_number(struct sbuf *b, const char *key, const struct value *v)
{
    json_key(b, key);
    if (v->unknown)
        json_null(b);
    else
        json_num(b, (double)v->tenths / 10);
}

static struct value chance_value(const struct chance *c)
{
    return (struct value){.tenths = c->tenths, .unknown = !c->known};
}

static void write_value(struct sbuf *b, const struct notion_found *column, const struct value *v)
{
    json_key_str(b, column->id);
    json_open(b, '{');
    if (column->type == NOTION_NUMBER) {
        write_number(b, notion_type_name(column->type), v);
        json_close(b, '}');
        return;
    }
    json_key(b, notion_type_name(column->type));
    switch (column->type) {
    case NOTION_TITLE:
    case NOTION_RICH_TEXT:
        notion_text_write(b, v->text);
        break;
    case NOTION_SELECT:
    case NOTION_STATUS_TYPE:
        write_named(b, "name", v->text);
        break;
    case NOTION_DATE:
        write_named(b, "start", v->text);
        break;
    case NOTION_EMAIL_TYPE:
        write_bounded(b, v->text, EMAIL_BYTES_MAX);
        break;
    case NOTION_URL:
    case NOTION_NUMBER:
    case NOTION_TYPES:
        write_bounded(b, v->text, URL_BYTES_MAX);
        break;
    }
    json_close(b, '}');
}

void notion_page_write(struct sbuf *b, const struct notion_schema *schema, const struct parcel *p,
                       int64_t now_ms, struct arena *a)
{
    const struct lead *l = p->lead;
    struct str email = lead_text(l, "email");
    char now[TIME_TEXT];
    struct value values[NOTION_COLUMNS] = {
        [NOTION_NAME] = {.text = lead_name(l, a)},
        [NOTION_LEAD_ID] = {.text = p->lead_public_id},
        [NOTION_SCORE] = {.tenths = l->score},
        [NOTION_EMAIL] = {.text = email.len ? email : l->email},
        [NOTION_BAND] = {.text = schema->bands[l->band]},
        [NOTION_REASONS] = {.text = p->d.facts.reasons},
        [NOTION_CRM] = {.text = p->crm_url},
        [NOTION_STATUS] = {.text = schema->states[l->state]},
        [NOTION_PROBABILITY] = chance_value(&l->probability),
        [NOTION_CHURN] = chance_value(&l->churn),
    };

    time_text(now_ms, now);
    values[NOTION_UPDATED].text = str_of(now);
    json_key(b, "properties");
    json_open(b, '{');
    for (unsigned c = 0; c < NOTION_COLUMNS; c++) {
        bool people_own = c == NOTION_STATUS && !values[c].text.len;

        if (schema->columns[c].id.len && !people_own)
            write_value(b, &schema->columns[c], &values[c]);
    }
    json_close(b, '}');
}

struct str notion_plain_text(const json *texts, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(PLAIN_TEXT_MAX);
    struct str ret = STR("");

    for (const json *t = json_first(texts); t; t = json_next(t)) {
        struct str plain = json_string(json_get(t, "plain_text"));

        sbuf_add(&b, plain.at ? plain : json_string(json_path(t, "text.content")));
    }
    return sbuf_seal(&b, a, &ret) ? STR("") : ret;
}
