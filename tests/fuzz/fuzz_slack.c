/* tests/fuzz/fuzz_slack.c - what Slack is told, and what is made of its answers. */
#include "talk.h"

#define TOKEN "xoxb-not-to-be-shown"
#define HOOK  "T0/B0/not-to-be-shown"

/* An input that begins with `!` takes the incoming webhook instead of the bot, with `+` a bot that
 * does all that it can. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture bot, all, webhook;
    struct str input = fuzz_text(data, size);

    if (str_starts(input, STR("!")))
        fuzz_talk(talk_load(&webhook,
                            "type = slack\nwebhook = https://hooks.slack.com/services/" HOOK "\n"),
                  HOOK, str_from(input, 1), NULL, NULL);
    else if (str_starts(input, STR("+")))
        fuzz_talk(talk_load(&all, "type = slack\ntoken = " TOKEN "\nchannel = C0123456789\n"
                                  "buttons = yes\nthread = yes\nmention_owner = yes\n"),
                  TOKEN, str_from(input, 1), NULL, NULL);
    else
        fuzz_talk(talk_load(&bot, "type = slack\ntoken = " TOKEN "\nchannel = C0123456789\n"),
                  TOKEN, input, NULL, NULL);
    return 0;
}
