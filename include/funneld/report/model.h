/* report/model.h - what a trained model's sidecar says of it, for people.
 *
 * Pure. A sidecar comes from outside and may say anything: texts are escaped in the page and stay
 * on their line in the text, numbers are bounded where they are drawn. What the report lacks is
 * left out; one without a report at all still says what the model is.
 */
#ifndef FUNNELD_REPORT_MODEL_H
#define FUNNELD_REPORT_MODEL_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/base/sbuf.h"

struct reported_model {
    struct str name;
    int64_t version; /* 0: not kept */
    bool active;
    struct str sidecar;
    int64_t warm, hot; /* tenths of a percent from which a lead is so; 0: not known */
};

/* A page of aligned lines. RC_INVALID: the sidecar is none. */
MUST_CHECK enum rc model_report_text(const struct reported_model *m, struct sbuf *b,
                                     struct why *why);
/* A page of HTML that needs nothing else: no script, no font, no picture from anywhere. */
MUST_CHECK enum rc model_report_html(const struct reported_model *m, struct sbuf *b,
                                     struct why *why);

#endif
