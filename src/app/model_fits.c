/* app/model_fits.c - whether leads have what a model asks about. */
#include "funneld/app/model.h"
#include "funneld/base/sbuf.h"
#include "funneld/model/inputs.h"

enum { LEADS_ASKED = 500, NAMES_BYTES = 300 };

struct asked {
    const struct model *model;
    bool *known; /* [n_inputs]: some lead has it */
    size_t n_leads;
};

static void ask_lead(void *self, const struct lead *l)
{
    struct asked *q = self;

    for (size_t i = 0; i < model_card(q->model)->n_inputs; i++)
        q->known[i] |= lead_get(l, model_input_name(q->model, i)).len > 0;
    q->n_leads++;
}

static bool is_derived(struct str name)
{
    return name.len > 0 && name.at[0] == '@';
}

enum rc model_inputs_check(const struct model *m, struct why *why)
{
    for (size_t i = 0; i < model_card(m)->n_inputs; i++) {
        struct str name = model_input_name(m, i);

        if (is_derived(name) && !lead_input_is_known(name))
            return why_fail(RC_INVALID, why, "input %.*s is nothing that is derived of a lead",
                            STR_ARG(str_cut(name, 80)));
    }
    return RC_OK;
}

static void tell(const struct asked *q, size_t unknown, struct why *ret)
{
    struct sbuf names AUTO(sbuf_free) = SBUF(2 * NAMES_BYTES);
    size_t n = model_card(q->model)->n_inputs;

    for (size_t i = 0; i < n && names.len < NAMES_BYTES; i++)
        if (!q->known[i]) {
            sbuf_text(&names, names.len ? ", " : "");
            sbuf_add(&names, str_cut(model_input_name(q->model, i), 80));
        }
    (void)why_fail(RC_NONE, ret, "no lead has %zu of its %zu inputs: %.*s", unknown, n,
                   STR_ARG(sbuf_str(&names)));
}

enum rc model_inputs_known(struct reader *r, const struct model *m, bool *ret_most,
                           struct why *ret_unknown)
{
    size_t n = model_card(m)->n_inputs, unknown = 0;
    AUTO(mem_freep) bool *known = mem_array(n + 1, sizeof *known);
    struct asked q = {.model = m, .known = known};
    enum rc rc = read_leads(r, &(struct list_filter){.limit = LEADS_ASKED}, ask_lead, &q);

    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < n; i++) {
        known[i] |= is_derived(model_input_name(m, i));
        unknown += !known[i];
    }
    *ret_most = q.n_leads == 0 || unknown * 2 <= n;
    if (q.n_leads && unknown)
        tell(&q, unknown, ret_unknown);
    return RC_OK;
}
