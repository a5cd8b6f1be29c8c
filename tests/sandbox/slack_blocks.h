/* tests/sandbox/slack_blocks.h - the rules of Block Kit. */
#ifndef FUNNELD_TESTS_SLACK_BLOCKS_H
#define FUNNELD_TESTS_SLACK_BLOCKS_H

#include "sandbox.h"

/* NULL: fine (or missing); else Slack's error code, and what is wrong where. */
const char *blocks_check(struct str blocks, struct arena *a, struct str *ret_detail);

#endif
