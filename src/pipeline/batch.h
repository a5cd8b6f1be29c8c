/* pipeline/batch.h - one transaction in the making: what it works with, what follows its commit. */
#ifndef FUNNELD_PIPELINE_BATCH_H
#define FUNNELD_PIPELINE_BATCH_H

#include "funneld/observe/metrics.h"
#include "funneld/model/served.h"
#include "funneld/pipeline/replay.h"
#include "funneld/pipeline/writer.h"

/* batch.c: counted and told only once the commit has succeeded. */
struct count {
    struct series *series;
    int64_t n;
    struct count *next;
};

struct notice {
    struct str connector; /* in the batch's arena */
    struct due_row row;
    struct notice *next;
};

/* How long the writer may still explain what models say. */
struct explaining {
    int64_t left_us, at_us; /* as of this time by the steady clock; 0: it never did */
};

struct batch {
    struct store *store;
    struct reader *reader; /* the store's own */
    const struct rules *rules;
    const struct models *models;   /* NULL: not known; what they said stays */
    struct explaining *explaining; /* NULL: as long as it takes */
    int64_t now_ms;
    struct arena *arena; /* for one event or other work; emptied after it */
    struct arena *kept;  /* until the commit was told: counts and notices */
    struct count *counts;
    struct notice *notices, **last_notice;
    size_t events; /* for METRIC_COMMIT_EVENTS */
    bool rescan;
    struct replay *replay; /* by which stored events take effect; NULL: they come in */
    bool silent;           /* what happens now was imported: nobody is told, nobody is asked */
    bool careful;  /* each event in a savepoint; without, one that fails is the whole group's end */
    bool stumbled; /* and then this is set */
};

/* What an undone event had counted and told is taken back as well. */
struct batch_mark {
    struct count *counts;
    struct notice **last_notice;
};
struct batch_mark batch_mark(const struct batch *b);
void batch_undo(struct batch *b, struct batch_mark mark);

void batch_count(struct batch *b, struct series *s, int64_t n);
void batch_notice(struct batch *b, struct str connector, const struct due_row *row);

/* past.c and event.c: what a rule that fires for an event puts into the ledger. */
struct ledger_row rule_row(const struct rule *rule, const struct event *e, int64_t event);
void take_score(struct lead *lead, const struct verdict_score *v);
struct lead_view view_lead(const struct lead *lead, const struct ledger_row *rows, size_t n_rows,
                           int64_t at, struct arena *a);
/* What was said of a lead before an event: nothing of a new one. */
struct before_event {
    int64_t score;
    enum band band;
    int64_t probability, churn; /* tenths of a percent */
};
/* The lead's new score and chances; *ret_rows are its ledger, for the explanation. */
MUST_CHECK enum rc evaluate_lead(struct batch *b, struct lead *lead, int64_t at,
                                 struct ledger_row **ret_rows, size_t *ret_n);

/* rescore.c: models_judge by these rules, of the goals that the lead is among the leads of; */
void judge_lead(const struct models *m, const struct rules *r, const struct lead_view *v,
                struct lead *lead);
/* and the view's lead with what its firings are worth and models say at the view's time. */
struct lead lead_by_now(const struct models *m, const struct rules *r, const struct lead_view *v);

/* event.c: dedupe -> lead -> score -> route -> queue. *ret_fresh: it was not there before. */
MUST_CHECK enum rc process_event(struct batch *b, const struct event *e, bool *ret_fresh);
/* The same, and an event that the store refuses is kept raw as unprocessable, so that nothing is
 * lost and its neighbours go on. Fails only where the whole group does: a batch that is not careful
 * stumbles over such an event, and is to be done again with care. */
MUST_CHECK enum rc process_alone(struct batch *b, const struct event *e, bool *ret_fresh,
                                 bool *ret_raw);

/* The event is one of the lead's from now on; NULL: of nobody. */
MUST_CHECK enum rc keep_event(struct batch *b, const struct event *e, int64_t event,
                              struct lead *lead);
/* From the lead on, for one whose dedupe key is claimed. */
MUST_CHECK enum rc process_linked(struct batch *b, const struct event *e, int64_t event);

/* activity.c: counts an event that is not one of the lead's yet; of a lead that was never counted,
 * also those that are. */
MUST_CHECK enum rc count_activity(struct batch *b, const struct event *e, struct lead *lead);

/* identity.c: the number in "<database id>-<n>"; false: of another database, or no such text. */
bool own_id(const struct batch *b, struct str public_id, int64_t *ret);
/* RC_NONE: an event that names its lead names nobody, for this reason. */
MUST_CHECK enum rc check_lead(struct batch *b, const struct event *e, const char **ret_reason);
/* Whose event it is. *ret lives in the batch's arena and has an id. *ret_absorbed: the
 * event is about a record that was merged into this lead. */
MUST_CHECK enum rc find_lead(struct batch *b, const struct event *e, struct lead *ret,
                             bool *ret_absorbed);
/* The same, where there is one: RC_NONE. */
MUST_CHECK enum rc read_lead_of(struct batch *b, const struct event *e, struct lead *ret);
/* From a merged lead to the one that lives on. */
MUST_CHECK enum rc follow_merges(struct batch *b, struct lead *lead);
MUST_CHECK enum rc merge_leads(struct batch *b, const struct event *e, struct lead *into);
/* After a fold or a merge: a lead known by e-mail alone that turns out to be this CRM contact.
 * *lead may become the other, older one. */
MUST_CHECK enum rc join_by_email(struct batch *b, struct lead *lead);

/* import.c */
/* The CRM's history has what came in before as well: retention purges an event and by what it would
 * be known again, but not what it is worth. */
MUST_CHECK enum rc fired_before_purge(struct batch *b, const struct event *e,
                                      const struct lead *lead, struct str rule, bool *ret);
bool is_alike(int64_t a, int64_t b); /* times of what is told twice */

/* object.c: what is told of a company, deal or ticket, and to which leads. */
/* The most leads that one event of an object is told to at once; others learn of it when the CRM is
 * asked about them again. And the most objects of one lead that are looked at. */
enum { TOLD_MAX = 100, OBJECTS_MAX = 200 };
MUST_CHECK enum rc process_object(struct batch *b, const struct event *e, int64_t event);
/* After an event of a contact: where it says so, an object has it now or has it no more. */
MUST_CHECK enum rc note_association(struct batch *b, const struct event *e, int64_t event);
/* A lead that may have missed something of its objects is told. */
MUST_CHECK enum rc tell_missed(struct batch *b, const struct event *e, const struct lead *lead);
/* outputs.c: routes to queue rows, and the question who a contact is. */
MUST_CHECK enum rc queue_enrichment(struct batch *b, const struct event *e, int64_t event,
                                    struct lead *lead, bool *ret_waiting);
/* And what an object is, and whose; the caller saves it. */
MUST_CHECK enum rc queue_object_read(struct batch *b, const struct event *e, int64_t event,
                                     struct object *o, bool of_nobody);
MUST_CHECK enum rc queue_routes(struct batch *b, const struct event *e, int64_t event,
                                struct lead *lead, const struct ledger_row *rows, size_t n_rows,
                                struct before_event before, bool enrichment_waits);
/* The message that the event answers is brought up to date, saying what it said. */
MUST_CHECK enum rc queue_answer(struct batch *b, const struct event *e, int64_t event,
                                struct lead *lead);

/* The connector of that name, which the configuration has. */
const struct source *source_find(const struct rules *r, struct str name); /* NULL: none */
const struct connector *connector_find(const struct rules *r, struct str name);
/* What a message says of the lead as it is given, its score evaluated. */
void state_facts(const struct rules *r, const struct event *e, const struct lead *lead,
                 const struct ledger_row *rows, size_t n_rows, struct before_event before,
                 struct arena *a, struct delivery_facts *ret);
/* And why the models say what they say, in words. The lead is as it was when they were asked. In a
 * flood most go without: explaining takes a tenth of the writer's time at most. */
void state_chance_reasons(struct batch *b, const struct lead_view *v, struct delivery_facts *ret);
/* To each of its subscribers, where it has any. The caller saves the lead. */
MUST_CHECK enum rc queue_delivery(struct batch *b, const struct connector *c, struct lead *lead,
                                  struct delivery *d);

/* replay.c: one slice. */
MUST_CHECK enum rc replay_slice(struct batch *b, struct replay *p);

/* verdict.c: how attempts ended. */
MUST_CHECK enum rc apply_attempts(struct batch *b, const struct attempts *w);
MUST_CHECK enum rc apply_verdicts(struct batch *b, struct verdicts *w);

/* The whole group is lost with these; anything else concerns one event or command. */
static inline bool loses_group(enum rc rc)
{
    return rc == RC_FULL || rc == RC_IO || rc == RC_CORRUPT || rc == RC_BUSY;
}

/* What funneld_leads{band} changes by when a lead goes from one to the other; NULL: to no lead of
 * its own. */
void count_band(struct batch *b, const struct lead *before, const struct lead *after);

#endif
