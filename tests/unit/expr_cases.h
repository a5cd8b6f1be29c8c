/* tests/unit/expr_cases.h - what an expression means, row by row. */
#ifndef FUNNELD_TESTS_EXPR_CASES_H
#define FUNNELD_TESTS_EXPR_CASES_H

#include <stdbool.h>

static const struct {
    const char *text;
    bool expected;
} meanings[] = {
    /* texts */
    {"event.property == \"demo_requested\" and event.value == \"true\"", true},
    {"event.type == 'contact.propertyChange'", true},
    {"event.source != \"zapier\"", true},
    {"event.source == \"HubSpot\"", false},
    {"event.data.plan == \"Pro-Plan\"", true},
    {"event.data.a-b.c == \"x\"", true},
    {"event.data.quote == \"say \\\"hi\\\" \\\\\"", true},
    {"event.data.quote == 'say \"hi\" \\\\'", true},
    {"event.data.empty == \"\"", true},
    {"lead.company > \"Analytical\"", true},
    {"lead.company < \"B\"", true},
    {"\"hubspot\" == event.source", true},
    /* numbers */
    {"score >= 80", true},
    {"score>=80 and score.previous<80", true},
    {"score >= 80.1", false},
    {"probability >= 72.5", true},
    {"probability > 72.5 or probability < 72.5", false},
    {"probability >= 50 and score >= 80", true},
    {"churn >= 0 or churn < 101", false}, /* no model says it */
    {"not churn > 10", true},
    {"probability >= 70 and probability.previous < 70", true},
    {"probability.previous == 69.9 and probability.previous <= probability", true},
    {"probability.previous >= 70", false},
    {"churn.previous == 20.5", true}, /* one said it once */
    {"score.previous >= 79.95", false},
    {"score.previous == 79.9", true},
    {"score.previous == 79.90", true},
    {"80 <= score", true},
    {"score == \"80\"", true},
    {"score > 80 or score < 80", false},
    {"score <= 79 or score >= 81", false},
    {"score <= 80 and score >= 80", true},
    {"score > -5", true},
    {"lead.amount == 12.5", true},
    {"lead.amount == 12.500", true},
    {"lead.amount >= 12.51", false},
    {"event.data.minus == -12.5", true},
    {"event.data.minus < -12", true},
    {"event.data.pad == 7", true},
    {"0.5 < 1 and -0.5 < 0.25", true},
    {"lead.company == 12", false},
    {"lead.company != 12", false}, /* no number at all: every comparison is false */
    {"not lead.company == 12", true},
    {"event.data.exp == 1000", false},
    {"event.data.exp != 1000", false},
    {"event.data.empty < 1", false},
    {"event.data.big == 9007199254740993", true},
    {"event.data.big == 9007199254740992", false}, /* the same double */
    {"event.data.big > 9007199254740992", true},
    {"lead.amount == \"12.50\"", false}, /* text beside text: byte by byte */
    {"lead.zip > \"10\"", true},
    {"lead.zip > 10", false},
    {"lead.amount == lead.limit", true}, /* two names: by value */
    {"lead.zip < lead.amount", true},
    {"lead.company == lead.amount", false},
    {"score > lead.amount", true},
    {"-0 == 0", true},
    {"1 == 1.0", true},
    /* null */
    {"lead.nosuch == \"\"", false},
    {"lead.nosuch != \"x\"", false},
    {"lead.cleared != \"x\"", false},
    {"not lead.nosuch == \"x\"", true},
    {"not (lead.nosuch != \"x\")", true},
    {"event.data.nothing matches \"*\"", false},
    {"event.data.empty matches \"*\"", true},
    {"lead.nosuch in (\"\", \"a\")", false},
    {"lead.nosuch contains \"\"", false},
    {"lead.nosuch == lead.nosuch", false},
    {"lead.zip == lead.nosuch or lead.zip != lead.nosuch", false},
    {"lead.company contains lead.nosuch", false},
    {"event.data.nosuch == \"x\" or event.data.nosuch != \"x\"", false},
    {"lead.nosuch < 5 or lead.nosuch >= 5", false},
    /* in */
    {"event.source in (\"zapier\", \"hubspot\")", true},
    {"event.source in [\"zapier\", 'hubspot']", true},
    {"event.source in (\"zapier\")", false},
    {"not event.source in (\"zapier\")", true},
    {"lead.amount in (1, 12.50)", true},
    {"score.band in (\"warm\", \"hot\")", true},
    {"event.value in (lead.zip, \"true\")", true},
    {"score in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 80)", true}, /* more than the list begins with */
    {"5 in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)", true},
    /* contains */
    {"lead.company contains \"ENGINES\"", true},
    {"lead.company contains \"\"", true},
    {"lead.company contains \"enginez\"", false},
    {"lead.company contains \"Ltd\"", true},
    {"lead.zip contains \"9\"", true},
    {"lead.amount contains 2.5", true},
    {"lead.email contains event.data.a-b.c", true},
    /* matches */
    {"lead.email matches \"*@EXAMPLE.com\"", true},
    {"lead.email matches \"ada@*\"", true},
    {"lead.email matches \"a*a*m\"", true},
    {"event.data.az matches \"AZ[@`{\"", true}, /* beside the letters nothing has two cases */
    {"event.data.az matches \"AZ{@`{\"", false},
    {"event.data.az matches \"AZ[``{\"", false},
    {"lead.email matches \"a*z*m\"", false},
    {"lead.email matches \"example\"", false},
    {"lead.email matches \"?da@example.???\"", true},
    {"lead.email matches \"??da@example.com\"", false},
    {"lead.email matches \"**com\"", true},
    {"lead.email matches \"\"", false},
    {"event.data.empty matches \"\"", true},
    {"event.data.empty matches \"?\"", false},
    {"event.data.greek matches \"???\"", true},
    {"event.data.greek matches \"??\"", false},
    {"event.data.greek matches \"*\xCE\xB3\"", true},
    /* time */
    {"event.time == \"2026-01-01\"", true},
    {"event.time >= \"2026-01-01T00:00:00.001Z\"", false},
    {"event.time >= \"2026-01-01T01:00:00+02:00\"", true},
    {"event.time < 1767225600001", true},
    {"event.time == 1767225600000", true},
    {"\"2025-12-31\" < event.time", true},
    {"event.time < event.data.date", true},
    {"event.time > event.data.plan or event.time <= event.data.plan", false},
    {"event.data.date > 5 or score < event.data.date", false}, /* a date beside a number */
    {"event.time in (\"2026-01-01\", \"2027-01-01\")", true},
    /* bands */
    {"score.band == \"hot\"", true},
    {"score.band != \"hot\"", false},
    {"score.band != lead.company", true},
    /* and, or, not, ( ) */
    {"1 == 1 or 1 == 1 and 1 == 2", true},
    {"(1 == 1 or 1 == 1) and 1 == 2", false},
    {"not 1 == 2 and 1 == 1", true},
    {"not (1 == 2 or 1 == 1)", false},
    {"not not 1 == 1", true},
    {"not (not 1 == 1 and 1 == 1)", true},
    {"1 == 2 or 1 == 2 or 1 == 1", true},
    {"1 == 1 and 1 == 1 and 1 == 2", false},
    {"((((score > 1))))", true},
    {"1 == 2 and 1 == 1 or 1 == 1", true},
    {"(1 == 2 or 1 == 1) and (1 == 2 or 1 == 1)", true},
    {"  score\n\t>= 80\r\n  and 1 == 1 ", true},
};

#endif
