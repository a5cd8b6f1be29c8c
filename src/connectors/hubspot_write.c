/* connectors/hubspot_write.c - what we think of a lead, into properties of its contact.
 *
 *     batch/update of those that have a CRM id -> all decided -> a PATCH for each that has only an
 *                                                                address
 *
 * An update with values that do not depend on what was there is harmless to repeat. What was
 * written last is remembered for the lead; the same again needs no request. Where HubSpot has no
 * property for what a model says, the rest is written without it. HubSpot may refuse a whole batch
 * for one bad input: halving finds it (hubspot_halves.c), and it alone is dead.
 */
#include "hubspot_priv.h"

#include <inttypes.h>

#include "funneld/base/clock.h"
#include "funneld/base/crypto.h"
#include "funneld/base/url.h"

enum {
    BODY_MAX = 16 * 1024 * 1024,
    TEXT_UNITS_MAX = 65536,
    PATH_MAX_LEN = 2048,
};

struct writing {
    struct str *properties;        /* of each parcel, as JSON */
    struct str *stamps;            /* of each: what is remembered once it is written */
    bool without[HUBSPOT_OUTPUTS]; /* properties that HubSpot does not have */
    struct hubspot_halves halves;
};

static void write_output(struct sbuf *b, const struct job *job, enum hubspot_output o,
                         struct str value)
{
    struct str property = hubspot_output_property(job->settings, o);

    if (!property.len)
        return;
    json_key_str(b, property);
    json_str(b, value.len ? value : STR("")); /* that clears it */
}

/* What models say of a lead; NULL: that is no such output. */
static const struct chance *chance_of(const struct parcel *p, enum hubspot_output o)
{
    if (!hubspot_is_of_models(o))
        return NULL;
    return o == HUBSPOT_PROBABILITY ? &p->d.facts.probability : &p->d.facts.churn;
}

static bool has_chance(const struct parcel *p, int o)
{
    const struct chance *c = chance_of(p, (enum hubspot_output)o);

    return c && c->known;
}

static void write_chance(struct sbuf *b, const struct job *job, const struct parcel *p,
                         enum hubspot_output o)
{
    const struct writing *w = job->scratch;

    if (has_chance(p, (int)o) && !w->without[o])
        write_output(b, job, o, score_text(chance_of(p, o)->tenths, job->arena));
}

/* Without the time: that alone is no reason to write. */
static void write_facts(struct sbuf *b, const struct job *job, const struct parcel *p)
{
    const struct delivery_facts *f = &p->d.facts;

    write_output(b, job, HUBSPOT_SCORE, score_text(f->score, job->arena));
    write_output(b, job, HUBSPOT_BAND, str_of(band_name(f->band)));
    write_output(b, job, HUBSPOT_REASONS, text_units(f->reasons, TEXT_UNITS_MAX));
    write_chance(b, job, p, HUBSPOT_PROBABILITY);
    write_chance(b, job, p, HUBSPOT_CHURN);
}

/* What models said and HubSpot may have is marked behind a '+' in what is remembered: once no model
 * says it any more, it is cleared. */
static const char marks[HUBSPOT_OUTPUTS] = {[HUBSPOT_PROBABILITY] = 'p', [HUBSPOT_CHURN] = 'c'};

static bool is_marked(struct str stamp, int o)
{
    const char *from = str_chr(stamp, '+');

    if (!from || !marks[o])
        return false;
    return str_chr(str_from(stamp, (size_t)(from - stamp.at)), marks[o]) != NULL;
}

static bool is_left(const struct parcel *p, int o)
{
    return !has_chance(p, o) && is_marked(p->remote_lead, o);
}

static void clear_left(struct sbuf *b, const struct job *job, const struct parcel *p)
{
    const struct writing *w = job->scratch;

    for (int o = 0; o < HUBSPOT_OUTPUTS; o++)
        if (is_left(p, o) && !w->without[o])
            write_output(b, job, (enum hubspot_output)o, STR_NULL);
}

/* " +pc" of those that are written now; before: also of those that were. */
static struct str marks_of(const struct job *job, const struct parcel *p, struct str before)
{
    const struct writing *w = job->scratch;
    char text[HUBSPOT_OUTPUTS + 2] = " +";
    size_t n = 2;

    for (int o = 0; o < HUBSPOT_OUTPUTS; o++) {
        bool written = has_chance(p, o) && !w->without[o] &&
                       hubspot_output_property(job->settings, (enum hubspot_output)o).len;

        if (written || is_marked(before, o))
            text[n++] = marks[o];
    }
    return n > 2 ? arena_str(job->arena, (struct str){text, n}) : STR("");
}

/* "87.5 hot 0123456789abcdef +p": enough to see that nothing has changed. */
static struct str stamp(const struct job *job, const struct parcel *p, struct str facts)
{
    struct arena *a = job->arena;
    char id[INT64_TEXT];
    const struct str parts[] = {str_of_int64(p->lead->crm_id, id), p->lead->email, STR("\n"),
                                facts};
    uint8_t hash[SHA256_LEN];
    uint64_t short_hash = 0;

    sha256(parts, ARRAY_LEN(parts), hash);
    for (int i = 0; i < 8; i++)
        short_hash = short_hash << 8 | hash[i];
    return arena_printf(a, "%.*s %s %016" PRIx64 "%.*s", STR_ARG(score_text(p->d.facts.score, a)),
                        band_name(p->d.facts.band), short_hash,
                        STR_ARG(marks_of(job, p, STR_NULL)));
}

static enum rc prepare_one(struct job *job, size_t i, struct writing *w, struct why *why)
{
    const struct parcel *p = &job->parcels[i];
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    struct str facts;
    char now[TIME_TEXT];

    json_open(&b, '{');
    write_facts(&b, job, p);
    if (sbuf_seal(&b, job->arena, &facts))
        return why_fail(RC_INVALID, why, "the properties would be above %zu bytes", b.max);
    clear_left(&b, job, p);
    time_text(job->now_ms, now);
    write_output(&b, job, HUBSPOT_UPDATED, str_of(now));
    json_close(&b, '}');
    w->stamps[i] = stamp(job, p, facts);
    return sbuf_seal(&b, job->arena, &w->properties[i]);
}

/* What can be said without asking HubSpot. Of all others it is forgotten what was written, but for
 * the marks: until there is an answer nobody knows what HubSpot has. */
static void judge_unasked(struct job *job, size_t i)
{
    const struct parcel *p = &job->parcels[i];
    const struct writing *w = job->scratch;
    bool known = hubspot_is_contact(job->settings, p->lead);

    if (!known && (p->lead->crm_id || !p->lead->email.len))
        judge_one(job, i, VERDICT_DEAD, str_of(hubspot_not_ours));
    else if (str_eq(p->remote_lead, w->stamps[i]))
        judge_one(job, i, VERDICT_DELIVERED, STR("nothing has changed since it was written last"));
    else if (p->remote_lead.at || marks_of(job, p, STR_NULL).len)
        job->outcomes[i].remote_lead = marks_of(job, p, p->remote_lead);
}

static enum rc prepare(struct job *job, struct why *why)
{
    struct writing *w = ARENA_NEW(job->arena, struct writing);
    enum rc rc = RC_OK;

    job->scratch = w;
    hubspot_halves_begin(&w->halves, job);
    w->stamps = arena_array(job->arena, job->n, sizeof *w->stamps);
    w->properties = arena_array(job->arena, job->n, sizeof *w->properties);
    for (size_t i = 0; i < job->n && rc == RC_OK; i++) {
        rc = prepare_one(job, i, w, why);
        judge_unasked(job, i);
    }
    return rc;
}

static bool has_number(const struct job *job, size_t i)
{
    return job->parcels[i].lead->crm_id != 0;
}

static bool has_none(const struct job *job, size_t i)
{
    return !has_number(job, i);
}

/* The next ones that HubSpot knows by number; the others are addressed one by one. */
static bool choose(struct job *job)
{
    struct writing *w = job->scratch;

    if (hubspot_halves_take(&w->halves, job, has_number))
        return true;
    w->halves.limit = 1;
    return hubspot_halves_take(&w->halves, job, has_none);
}

/* The trace id makes HubSpot say which input an error is about. */
static void write_input(struct sbuf *b, const struct lead *l, struct str properties)
{
    json_open(b, '{');
    json_kv_id(b, "id", l->crm_id);
    json_kv_id(b, "objectWriteTraceId", l->crm_id);
    json_key(b, "properties");
    json_raw(b, properties);
    json_close(b, '}');
}

static enum rc build_batch(struct job *job, struct http_request *ret, struct why *why)
{
    const struct writing *w = job->scratch;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);

    json_open(&b, '{');
    json_key(&b, "inputs");
    json_open(&b, '[');
    for (size_t k = 0; k < w->halves.n_sent; k++)
        write_input(&b, job->parcels[w->halves.sent[k]].lead, w->properties[w->halves.sent[k]]);
    json_close(&b, ']');
    json_close(&b, '}');
    hubspot_request(job->settings, "POST", STR(HUBSPOT_CONTACTS "/batch/update"), ret, job->arena);
    return request_body(ret, &b, "application/json", job->arena, why);
}

static enum rc build_by_address(struct job *job, size_t i, struct http_request *ret,
                                struct why *why)
{
    const struct writing *w = job->scratch;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX), path AUTO(sbuf_free) = SBUF(PATH_MAX_LEN);
    struct str sealed;

    sbuf_text(&path, HUBSPOT_CONTACTS "/");
    url_encode(&path, job->parcels[i].lead->email);
    sbuf_text(&path, "?idProperty=email");
    enum rc rc = url_seal(&path, job->arena, &sealed, why);
    if (rc != RC_OK)
        return rc;
    json_open(&b, '{');
    json_key(&b, "properties");
    json_raw(&b, w->properties[i]);
    json_close(&b, '}');
    hubspot_request(job->settings, "PATCH", sealed, ret, job->arena);
    return request_body(ret, &b, "application/json", job->arena, why);
}

static enum rc write_build(struct job *job, struct http_request *ret, struct why *why)
{
    enum rc rc = job->scratch ? RC_OK : prepare(job, why);
    struct writing *w = job->scratch;

    if (rc != RC_OK)
        return rc;
    if (!choose(job))
        return RC_NONE;
    if (!has_number(job, w->halves.sent[0]))
        return build_by_address(job, w->halves.sent[0], ret, why);
    return build_batch(job, ret, why);
}

/* A property that is missing */

static bool names_any(const struct job *job, struct str said)
{
    for (int o = 0; o < HUBSPOT_OUTPUTS; o++)
        if (hubspot_names(said, hubspot_output_property(job->settings, (enum hubspot_output)o)))
            return true;
    return false;
}

static bool was_sent(const struct job *job, int o)
{
    const struct writing *w = job->scratch;

    for (size_t k = 0; k < w->halves.n_sent; k++)
        if (has_chance(&job->parcels[w->halves.sent[k]], o) ||
            is_left(&job->parcels[w->halves.sent[k]], o))
            return true;
    return false;
}

/* What models say may be missing: most have set up HubSpot before there was a model. Where HubSpot
 * names no property, it may be theirs. */
static bool write_without(struct job *job, struct str said)
{
    struct writing *w = job->scratch;
    bool named = names_any(job, said), any = false;

    for (int o = 0; o < HUBSPOT_OUTPUTS; o++) {
        struct str name = hubspot_output_property(job->settings, (enum hubspot_output)o);

        if (w->without[o] || !name.len || !was_sent(job, o) ||
            (named && !hubspot_names(said, name)))
            continue;
        w->without[o] = any = true;
    }
    for (size_t i = 0; any && i < job->n; i++)
        if (hubspot_is_open(job, i) && prepare_one(job, i, w, NULL) != RC_OK)
            return false;
    return any;
}

static struct str what_is_missing(const struct job *job, size_t i)
{
    const struct writing *w = job->scratch;

    for (int o = 0; o < HUBSPOT_OUTPUTS; o++)
        if (w->without[o] && has_chance(&job->parcels[i], o))
            return arena_printf(
                job->arena,
                "without %.*s, which HubSpot does not have: make it with `funneld check --online "
                "--create`, or leave it out with an empty `property.%s`",
                STR_ARG(hubspot_output_property(job->settings, (enum hubspot_output)o)),
                hubspot_output_key((enum hubspot_output)o));
    return STR_NULL;
}

/* Answers */

static void judge_written(struct job *job, size_t i, const json *record)
{
    const struct writing *w = job->scratch;

    job->outcomes[i].remote_id = json_scalar(json_get(record, "id"), job->arena);
    job->outcomes[i].remote_lead = w->stamps[i];
    judge_one(job, i, VERDICT_DELIVERED, what_is_missing(job, i));
}

static void judge_not_written(struct job *job, size_t i, const json *error)
{
    if (error)
        hubspot_judge_element(job, i, error);
    else
        judge_unclear(job, i, STR("HubSpot's answer does not say what became of it"));
}

/* An error may speak of no input: then it is about those that nothing else speaks of. */
static const json *error_of(const json *answer, int64_t crm_id)
{
    const json *errors = json_get(answer, "errors"), *own = hubspot_find_error(errors, crm_id);

    return own || json_get(json_first(errors), "context") ? own : json_first(errors);
}

static bool is_about_property(const json *error)
{
    return hubspot_lacks_property(json_string(json_get(error, "message")));
}

/* Whether those that were refused for a property are to be written without it. */
static bool goes_without(struct job *job, const json *errors)
{
    bool any = false;

    for (const json *e = json_first(errors); e; e = json_next(e))
        any |= is_about_property(e) && write_without(job, json_string(json_get(e, "message")));
    return any;
}

static void judge_batch(struct job *job, const json *answer)
{
    const struct writing *w = job->scratch;

    if (!hubspot_is_list(answer)) {
        (void)judge_all(job, VERDICT_RETRY, str_of(hubspot_odd));
        return;
    }
    bool again = goes_without(job, json_get(answer, "errors"));
    for (size_t k = 0; k < w->halves.n_sent; k++) {
        size_t i = w->halves.sent[k];
        int64_t id = job->parcels[i].lead->crm_id;
        const json *record = hubspot_find_result(json_get(answer, "results"), id);

        if (record)
            judge_written(job, i, record);
        else if (!again || !is_about_property(error_of(answer, id)))
            judge_not_written(job, i, error_of(answer, id));
    }
}

static enum judged write_answered(struct job *job, const json *answer)
{
    struct writing *w = job->scratch;
    size_t first = w->halves.sent[0];

    if (has_number(job, first))
        judge_batch(job, answer);
    else if (json_get(answer, "id"))
        judge_written(job, first, answer);
    else
        judge_not_written(job, first, NULL);
    return hubspot_halves_answered(&w->halves, job);
}

static enum judged write_refused(struct job *job, int status, struct str category,
                                 struct str reason)
{
    struct writing *w = job->scratch;
    bool by_number = has_number(job, w->halves.sent[0]);
    const struct hubspot_refused refused = {
        status, category, reason,
        by_number ? str_of(hubspot_gone) : STR("HubSpot has no contact with this address"), false};

    return hubspot_halves_refused(&w->halves, job, &refused);
}

static bool names_one(const struct job *job)
{
    const struct writing *w = job->scratch;

    return has_none(job, w->halves.sent[0]);
}

const struct hubspot_talk hubspot_write = {
    .scope = "crm.objects.contacts.write",
    .property_advice = "the property is missing: make it with `funneld check --online --create`, "
                       "or leave it out with an empty "
                       "`property.NAME`",
    .build = write_build,
    .answered = write_answered,
    .refused = write_refused,
    .names_one = names_one,
    .without = write_without,
};
