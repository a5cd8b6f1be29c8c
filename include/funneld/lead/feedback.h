/* lead/feedback.h - what people say of a lead by the buttons of a message.
 *
 * A connector shows the buttons, a source brings the clicks, and both are pure: these names are
 * all that they share. A click sets properties of the lead, which rules, routes and later messages
 * read like any other.
 */
#ifndef FUNNELD_LEAD_FEEDBACK_H
#define FUNNELD_LEAD_FEEDBACK_H

/* Buttons; the value of each is the lead's public id */
#define BUTTON_CLAIM     "funneld_claim"
#define BUTTON_SNOOZE    "funneld_snooze"
#define BUTTON_NOT_A_FIT "funneld_not_a_fit"
#define BUTTON_CRM       "open_crm" /* a link: the click is Slack's, and says nothing of the lead */

/* Properties */
#define FEEDBACK_OWNER      "funneld_owner"      /* user id of whoever claimed it */
#define FEEDBACK_OWNER_NAME "funneld_owner_name" /* and the name */
#define FEEDBACK_VERDICT    "funneld_feedback"   /* claimed, not_a_fit */
#define FEEDBACK_BY         "funneld_feedback_by"
#define FEEDBACK_UNTIL      "funneld_snoozed_until" /* ISO 8601; empty: no longer */
#define FEEDBACK_SNOOZED_BY "funneld_snoozed_by"

#define FEEDBACK_CLAIMED   "claimed"
#define FEEDBACK_NOT_A_FIT "not_a_fit"

#endif
