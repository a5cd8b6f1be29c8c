/* tests/unit/slack_test.h - a slack connector by token or webhook, and the answer to a post. */
#ifndef FUNNELD_TESTS_SLACK_TEST_H
#define FUNNELD_TESTS_SLACK_TEST_H

#include "connector_test.h"

#define WITH_TOKEN   "type = slack\ntoken = xoxb-test\nchannel = C0123456789\n"
#define HOOK         "https://hooks.slack.com/services/T0/B0/s3cret"
#define WITH_WEBHOOK "type = slack\nwebhook = " HOOK "\n"
#define POSTED       "{\"ok\":true,\"channel\":\"C0123456789\",\"ts\":\"1767225600.000247\"}"

#endif
