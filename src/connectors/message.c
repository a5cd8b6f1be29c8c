/* connectors/message.c - what a parcel says, whatever the service: the route's own words or ours.
 */
#include "connectors_priv.h"

#include "funneld/base/clock.h"

enum { NAME_POINTS = 100 };

static struct str score_line(const struct parcel *p, struct arena *a)
{
    const struct delivery_facts *f = &p->d.facts;
    struct str score = score_text(f->score, a);

    if (f->score == f->previous)
        return score;
    return PHRASE_WITH(p->language, PHRASE_SCORE_BEFORE, a, score, score_text(f->previous, a));
}

size_t message_lines(const struct parcel *p, struct arena *a,
                     struct message_line ret[MESSAGE_LINES_MAX])
{
    struct str email = lead_text(p->lead, "email");
    const struct {
        enum phrase label;
        struct str value;
    } all[MESSAGE_LINES_MAX] = {
        {PHRASE_SCORE, score_line(p, a)},
        {PHRASE_EMAIL, email.len ? email : p->lead->email},
        {PHRASE_COMPANY, lead_text(p->lead, "company")},
        {PHRASE_JOB_TITLE, lead_text(p->lead, "jobtitle")},
        {PHRASE_PHONE, lead_text(p->lead, "phone")},
    };
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].value.len)
            ret[n++] = (struct message_line){phrase_text(p->language, all[i].label), all[i].value};
    return n;
}

struct str message_title(const struct parcel *p, struct arena *a)
{
    struct str name = text_points(str_trim(lead_name(p->lead, a)), NAME_POINTS);

    return PHRASE_WITH(p->language, PHRASE_TITLE_COLD + p->d.facts.band, a, name);
}

/* Missing: it is not known. */
static struct str chance_text(const struct parcel *p, enum phrase phrase, const struct chance *c,
                              struct arena *a)
{
    return c->known ? PHRASE_WITH(p->language, phrase, a, score_text(c->tenths, a)) : STR_NULL;
}

static size_t add_chance(struct str text, struct str reasons, struct arena *a, struct str ret[],
                         size_t n)
{
    if (!text.len)
        return n;
    ret[n] =
        arena_printf(a, "%.*s%s%.*s", STR_ARG(text), reasons.len ? ": " : "", STR_ARG(reasons));
    return n + 1;
}

size_t message_chances(const struct parcel *p, struct arena *a, struct str ret[MESSAGE_CHANCES_MAX])
{
    const struct delivery_facts *f = &p->d.facts;
    size_t n = add_chance(chance_text(p, PHRASE_CONVERTS, &f->probability, a), f->chance_reasons, a,
                          ret, 0);

    return add_chance(chance_text(p, PHRASE_LEAVES, &f->churn, a), f->churn_reasons, a, ret, n);
}

struct str message_summary(const struct parcel *p, struct arena *a)
{
    const struct delivery_facts *f = &p->d.facts;
    struct str score = score_text(f->score, a), line;

    line = PHRASE_WITH(p->language, PHRASE_SUMMARY, a, message_title(p, a), score);
    struct str chance = chance_text(p, PHRASE_CONVERTS, &f->probability, a);
    return arena_printf(a, "%.*s%s%.*s%s%.*s", STR_ARG(line), chance.len ? ", " : "",
                        STR_ARG(chance), f->reasons.len ? " - " : "", STR_ARG(f->reasons));
}

struct str message_origin(const struct parcel *p, struct arena *a)
{
    const struct delivery_facts *f = &p->d.facts;
    char when[TIME_TEXT];

    time_text(f->event_time, when);
    return PHRASE_WITH(p->language, PHRASE_ORIGIN, a, f->event_type, f->event_source,
                       arena_printf(a, "%.16sZ", when), p->d.route);
}

static struct template_values values_of(const struct parcel *p, struct arena *a)
{
    const struct delivery_facts *f = &p->d.facts;
    struct event *event = ARENA_NEW(a, struct event);

    *event = (struct event){
        .source = f->event_source,
        .type = f->event_type,
        .property = f->event_property,
        .value = f->event_value,
        .occurred_at = f->event_time,
    };
    return (struct template_values){
        .facts = {.event = event,
                  .lead = p->lead,
                  .score = f->score,
                  .previous = f->previous,
                  .band = f->band,
                  .probability = f->probability,
                  .churn = f->churn,
                  .previous_probability = f->previous_probability,
                  .previous_churn = f->previous_churn},
        .reasons = f->reasons,
        .chance_reasons = f->chance_reasons,
        .churn_reasons = f->churn_reasons,
        .name = lead_name(p->lead, a),
        .url = p->crm_url,
        .language = p->language,
    };
}

struct str message_written(const struct parcel *p, const struct template *t, enum escaping how,
                           struct arena *a)
{
    struct template_values values = values_of(p, a);
    struct sbuf b AUTO(sbuf_free) = SBUF(MESSAGE_BYTES_MAX);

    template_write(t, &values, how, a, &b);
    return arena_str(a, str_trim(sbuf_str(&b)));
}

struct lines {
    struct sbuf *b;
    enum escaping how;
    struct arena *a;
};

/* What a lead typed stays on its line, or it could go on with a line of ours. */
static void add_text(const struct lines *l, struct str text, size_t max_points)
{
    template_escape(l->b, text_line(text, max_points, l->a), l->how);
    sbuf_char(l->b, '\n');
}

static void add_line(const struct lines *l, const char *label, struct str value, size_t max_points)
{
    sbuf_text(l->b, label);
    sbuf_text(l->b, ": ");
    add_text(l, value, max_points);
}

static struct str built_in_text(const struct parcel *p, enum escaping how, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(MESSAGE_BYTES_MAX);
    const struct lines l = {&b, how, a};
    struct message_line lines[MESSAGE_LINES_MAX];
    struct str chances[MESSAGE_CHANCES_MAX];
    size_t n = message_lines(p, a, lines), n_chances = message_chances(p, a, chances);

    add_text(&l, message_title(p, a), MESSAGE_VALUE_POINTS);
    sbuf_char(&b, '\n');
    for (size_t i = 0; i < n; i++)
        add_line(&l, lines[i].label, lines[i].value, MESSAGE_VALUE_POINTS);
    if (p->d.facts.reasons.len)
        add_line(&l, phrase_text(p->language, PHRASE_REASONS), p->d.facts.reasons,
                 MESSAGE_REASON_POINTS);
    for (size_t i = 0; i < n_chances; i++)
        add_text(&l, chances[i], MESSAGE_REASON_POINTS);
    if (p->crm_url.len) {
        sbuf_char(&b, '\n');
        add_line(&l, phrase_text(p->language, PHRASE_OPEN_CRM), p->crm_url, MESSAGE_REASON_POINTS);
    }
    sbuf_char(&b, '\n');
    add_text(&l, message_origin(p, a), MESSAGE_VALUE_POINTS);
    return arena_str(a, str_trim(sbuf_str(&b)));
}

struct str message_text(const struct parcel *p, enum escaping how, struct arena *a)
{
    struct str own = p->message ? message_written(p, p->message->text, how, a) : STR_NULL;

    return own.len ? own : built_in_text(p, how, a);
}
