/* tests/unit/test_pipeline_objects_order.c - whatever order news of objects come in, leads end up
 * knowing the same of them: every permutation of a few facts.
 */
#include "fault_vfs.h"
#include "objects_world.h"

enum { MOST = 6, CONTACTS = 3, FIRST_CONTACT = 7 };

/* A fact, told at START + at. */
struct news {
    const char *type; /* "read": what the CRM says of the deal */
    int64_t at, deal, contact;
    const char *name, *value; /* of a change; of an association: "gone", or NULL */
};

static struct str element(struct pipeline *p, const struct news *n)
{
    int64_t at = START + n->at;

    if (str_ends(str_of(n->type), STR("propertyChange")))
        return object_change_json(p, "deal", n->deal, n->name, n->value, at);
    if (str_is(str_of(n->type), "deal.merge"))
        return object_merge_json(p, "deal", n->contact, n->deal, at);
    if (str_is(str_of(n->type), "contact.merge"))
        return merge_json(p, n->contact, n->deal, at);
    if (str_ends(str_of(n->type), STR("associationChange")))
        return association_json(p, n->type, "DEAL_TO_CONTACT", n->deal, n->contact,
                                n->value != NULL, at);
    return fact_json(p, n->type, n->deal, at);
}

/* It has the contact `contact`, and no other. */
static void hear_reading(struct pipeline *p, const struct news *n)
{
    const struct field said = {str_of(n->name), str_of(n->value)};
    const struct object o = {.kind = OBJECT_DEAL,
                             .record = {.portal_id = PORTAL, .crm_id = n->deal}};
    struct event e = record_read(p, &o, START + n->at, &said, 1, &n->contact, 1, START + n->at);
    struct intake in = {.events = &e, .n = 1};

    run(p, &in.work, WORK_INTAKE);
    COUNTS(in, 1, 0, 0);
}

static void hear(struct pipeline *p, const struct news *n)
{
    if (strcmp(n->type, "read") == 0) {
        hear_reading(p, n);
        return;
    }
    struct intake in = post_one(p, element(p, n));
    COUNTS(in, 1, 0, 0);
}

/* What the contact's lead knows of deals, as text. */
static void write_facts(struct pipeline *p, int64_t contact, struct sbuf *b)
{
    struct lead l;

    sbuf_printf(b, "%d:", (int)contact);
    OK(read_lead_by_crm(p->w->reader, PORTAL, contact, &p->w->arena, &l));
    l.n_properties = l.state == LEAD_MERGED ? 0 : l.n_properties; /* it is nobody any more */
    for (size_t i = 0; i < l.n_properties; i++) {
        const struct property *f = &l.properties[i];

        if (f->value.len)
            sbuf_printf(b, " %.*s=%.*s@%d", STR_ARG(f->name), STR_ARG(f->value),
                        (int)(f->at - START));
    }
    sbuf_char(b, '\n');
}

static void end_of(const struct news *const order[], size_t n, struct sbuf *b)
{
    void *state = NULL;

    assert_int_equal(pipeline_setup(&state), 0);
    struct pipeline *p = state;
    load(p, BASIC_SOURCES);
    p->now += 100000;
    for (int contact = FIRST_CONTACT; contact < FIRST_CONTACT + CONTACTS; contact++)
        tell(p, "contact.creation", contact);
    for (size_t i = 0; i < n; i++)
        hear(p, order[i]);
    sbuf_reset(b);
    for (int contact = FIRST_CONTACT; contact < FIRST_CONTACT + CONTACTS; contact++)
        write_facts(p, contact, b);
    assert_int_equal(pipeline_teardown(&state), 0);
}

struct walk {
    const struct news *order[MOST];
    size_t n;
    struct sbuf first, this;
    const char *wanted;
};

static void compare(struct walk *w)
{
    bool is_first = !w->first.len;

    end_of(w->order, w->n, is_first ? &w->first : &w->this);
    if (is_first && !str_is(sbuf_str(&w->first), w->wanted))
        fail_msg("it ends in\n%.*s", STR_ARG(sbuf_str(&w->first)));
    if (is_first || str_eq(sbuf_str(&w->first), sbuf_str(&w->this)))
        return;
    for (size_t i = 0; i < w->n; i++)
        print_message("%s at %d\n", w->order[i]->type, (int)w->order[i]->at);
    fail_msg("ends in\n%.*snot in\n%.*s", STR_ARG(sbuf_str(&w->this)),
             STR_ARG(sbuf_str(&w->first)));
}

static void permute(struct walk *w, size_t from)
{
    if (from == w->n) {
        compare(w);
        return;
    }
    for (size_t i = from; i < w->n; i++) {
        const struct news *swap = w->order[from];

        w->order[from] = w->order[i];
        w->order[i] = swap;
        permute(w, from + 1);
        swap = w->order[from];
        w->order[from] = w->order[i];
        w->order[i] = swap;
    }
}

static void ends_the_same(const struct news *news, size_t n, const char *wanted)
{
    struct walk w = {.n = n, .first = SBUF(1 << 16), .this = SBUF(1 << 16), .wanted = wanted};

    for (size_t i = 0; i < n; i++)
        w.order[i] = &news[i];
    permute(&w, 0);
    sbuf_free(&w.first);
    sbuf_free(&w.this);
}

static void changes_and_associations(void **state)
{
    static const struct news news[] = {
        {"deal.propertyChange", 10, 90, 0, "dealstage", "new"},
        {"deal.propertyChange", 20, 90, 0, "dealstage", "won"},
        {"deal.associationChange", 15, 90, 7, NULL, NULL},
        {"deal.associationChange", 16, 90, 8, NULL, NULL},
        {"deal.associationChange", 30, 90, 8, NULL, "gone"},
    };

    (void)state;
    ends_the_same(news, ARRAY_LEN(news), "7: deal_id=90@20 deal_stage=won@20 deals=1@20\n8:\n9:\n");
}

static void two_deals_deletion_and_restore(void **state)
{
    static const struct news news[] = {
        {"deal.propertyChange", 10, 90, 0, "amount", "5"},
        {"deal.propertyChange", 20, 91, 0, "dealstage", "won"},
        {"deal.associationChange", 5, 90, 7, NULL, NULL},
        {"deal.associationChange", 6, 91, 7, NULL, NULL},
        {"deal.deletion", 30, 91, 0, NULL, NULL},
    };

    (void)state;
    ends_the_same(news, ARRAY_LEN(news), "7: deal_amount=5@10 deal_id=90@10 deals=1@10\n8:\n9:\n");
}

static void readings_and_associations(void **state)
{
    static const struct news news[] = {
        {"read", 20, 90, 7, "amount", "5"},
        {"read", 40, 90, 8, "amount", "6"},
        {"deal.associationChange", 10, 90, 9, NULL, NULL}, /* the readings say otherwise */
        {"deal.associationChange", 30, 90, 7, NULL, NULL}, /* and so does the later one */
        {"deal.associationChange", 50, 90, 9, NULL, NULL}, /* newer than both */
    };

    (void)state;
    ends_the_same(news, ARRAY_LEN(news),
                  "7:\n8: deal_amount=6@40 deal_id=90@40 deals=1@40\n"
                  "9: deal_amount=6@40 deal_id=90@50 deals=1@50\n");
}

static void merges_of_deals(void **state)
{
    static const struct news news[] = {
        {"deal.propertyChange", 10, 90, 0, "amount", "5"},
        {"deal.propertyChange", 20, 91, 0, "dealstage", "won"},
        {"deal.associationChange", 5, 90, 7, NULL, NULL},
        {"deal.associationChange", 6, 91, 8, NULL, NULL},
        {"deal.merge", 30, 91, 90, NULL, NULL},
    };

    (void)state;
    ends_the_same(news, ARRAY_LEN(news),
                  "7: deal_amount=5@10 deal_id=91@30 deal_stage=won@20 deals=1@30\n"
                  "8: deal_amount=5@10 deal_id=91@30 deal_stage=won@20 deals=1@30\n9:\n");
}

static void merges_of_contacts(void **state)
{
    static const struct news news[] = {
        {"deal.propertyChange", 10, 90, 0, "amount", "5"},
        {"deal.associationChange", 5, 90, 7, NULL, NULL},
        {"deal.associationChange", 25, 91, 8, NULL, NULL},
        {"deal.associationChange", 6, 91, 7, NULL, "gone"},
        {"contact.merge", 30, 8, 7, NULL, NULL}, /* 7 into 8 */
    };

    (void)state;
    ends_the_same(news, ARRAY_LEN(news), "7:\n8: deal_amount=5@10 deal_id=90@25 deals=2@25\n9:\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_and_associations),
        cmocka_unit_test(two_deals_deletion_and_restore),
        cmocka_unit_test(readings_and_associations),
        cmocka_unit_test(merges_of_deals),
        cmocka_unit_test(merges_of_contacts),
    };

    fault_install(); /* nothing is armed: it only leaves out the syncs */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fault_remove();
    return failed;
}
