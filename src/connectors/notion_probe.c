/* connectors/notion_probe.c - does the token work, is the database shared, has it the properties?
 *
 * The questions are those that a job begins with, the database and its data source's schema; what
 * is refused is judged as there. Nothing is written, so whether pages may be shows the first one.
 */
#include "notion_priv.h"

enum stage { BEGUN, TOKEN_TAKEN, KNOWN };

enum rc notion_probe_next(struct probe *p, struct http_request *ret, struct why *why)
{
    const struct notion *s = p->job.settings;

    if (p->stage == KNOWN)
        return RC_NONE;
    p->about = arena_printf(p->arena, "database %.*s", STR_ARG(s->database));
    return notion_build(&p->job, ret, why);
}

static void find_unasked(struct probe *p)
{
    const struct notion *s = p->job.settings;

    probe_find(p, FINDING_NOT_ASKED, STR("writing"),
               arena_printf(p->arena,
                            "nothing is written: the integration must be allowed "
                            "to read, insert and update content%s",
                            s->log ? ", for its log too" : ""));
}

/* Whatever Notion says of the database, it has taken the token. */
static void find_token(struct probe *p, const struct http_response *r, const json *answer)
{
    if (p->stage != BEGUN)
        return;
    if (r->status == 401)
        p->about = STR("token");
    else if (r->status == 200 || json_string(json_get(answer, "code")).len) {
        probe_find(p, FINDING_WORKS, STR("token"), STR_NULL);
        p->stage = TOKEN_TAKEN;
    }
}

void notion_probe_take(struct probe *p, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool is_object = answer_object(r, &doc);

    if (is_object)
        find_token(p, r, doc.root);
    if (is_object && r->status == 200 && p->job.step == NOTION_STEP_SCHEMA) {
        probe_find(p, FINDING_WORKS, p->about, STR_NULL);
        notion_schema_probe(p, json_get(doc.root, "properties"));
        find_unasked(p);
        p->stage = KNOWN;
        return;
    }
    (void)notion_judge(&p->job, r);
    (void)probe_refused(p); /* else the next question follows from it */
}
