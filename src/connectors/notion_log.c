/* connectors/notion_log.c - the activity log: a paragraph at the end of the lead's page for each
 * delivery.
 *
 *     2026-11-29 10:00 UTC - Score 87 (hot): demo request +60 [0a1b2c3d-41]
 *
 * Notion has no idempotency key, so an entry carries its delivery's id. It is appended only after
 * the page's blocks were read and the id is in none of them; there also those are counted that make
 * the log full. (Notion counts blocks, too: deleting the oldest would not give them back.)
 */
#include "notion_priv.h"

#include "funneld/base/clock.h"

enum {
    PAGES_MAX = 20,      /* of 100 blocks: a page that is longer gets no more entries */
    ENTRY_UNITS = 1800,  /* an entry is one rich text element */
    DATABASE_ID_LEN = 8, /* hex digits in front of the delivery's number */
};

static struct str entry_text(const struct parcel *p, struct arena *a)
{
    const struct delivery_facts *f = &p->d.facts;
    char when[TIME_TEXT];

    if (p->message)
        return message_written(p, p->message->text, ESCAPE_NONE, a);
    time_text(f->event_time, when);
    return arena_printf(a, "%.10s %.5s UTC - %s %.*s (%s)%s%.*s", when, when + 11,
                        phrase_text(p->language, PHRASE_SCORE), STR_ARG(score_text(f->score, a)),
                        band_name(f->band), f->reasons.len ? ": " : "", STR_ARG(f->reasons));
}

void notion_log_write(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    struct str text = text_units(entry_text(p, a), ENTRY_UNITS);

    json_key(b, "children");
    json_open(b, '[');
    json_open(b, '{');
    json_kv_text(b, "object", "block");
    json_kv_text(b, "type", "paragraph");
    json_key(b, "paragraph");
    json_open(b, '{');
    json_key(b, "rich_text");
    notion_text_write(b, arena_printf(a, "%.*s [%.*s]", STR_ARG(text), STR_ARG(p->public_id)));
    json_close(b, '}');
    json_close(b, '}');
    json_close(b, ']');
}

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(s.at[i] >= '0' && s.at[i] <= '9') && !(s.at[i] >= 'a' && s.at[i] <= 'f'))
            return false;
    return true;
}

/* The id at the end of an entry; missing: these are other people's words. */
static struct str entry_id(struct str text)
{
    size_t open = text.len;
    int64_t number;

    if (!str_ends(text, STR("]")))
        return STR_NULL;
    while (open > 0 && text.at[open - 1] != '[')
        open--;
    struct str id = {text.at + open, text.len - open - 1};
    if (!open || id.len < DATABASE_ID_LEN + 2 || id.at[DATABASE_ID_LEN] != '-' ||
        !is_hex((struct str){id.at, DATABASE_ID_LEN}) ||
        !str_int64(str_from(id, DATABASE_ID_LEN + 1), &number))
        return STR_NULL;
    return id;
}

enum notion_log notion_log_read(const struct job *job, const json *answer)
{
    const struct notion *s = job->settings;
    struct notion_talk *talk = job->scratch;

    for (const json *block = json_first(json_get(answer, "results")); block;
         block = json_next(block)) {
        struct str text = notion_plain_text(json_path(block, "paragraph.rich_text"), job->arena);
        struct str id = entry_id(text);

        if (id.len && str_eq(id, job->parcels[0].public_id))
            return NOTION_LOG_DONE;
        talk->log_entries += id.len > 0;
    }
    talk->cursor = arena_str(job->arena, json_string(json_get(answer, "next_cursor")));
    if (talk->log_entries >= s->log_max)
        return NOTION_LOG_DONE;
    if (!json_true(json_get(answer, "has_more")) || !talk->cursor.len)
        return NOTION_LOG_APPEND;
    return ++talk->pages_read < PAGES_MAX ? NOTION_LOG_MORE : NOTION_LOG_DONE;
}
