/* tests/fuzz/fuzz_hook.c - what receivers and hooks are told, and what is made of their answers. */
#include "talk.h"

#define SIGNING "wCwLll4COr7oCPK1SNjVGTqLUim"
#define CATCH   "hooks/catch/1234567/not-to-be-shown"

/* An input that begins with `!` takes the catch hook, with `?` a subscriber, with `*` a signed
 * CloudEvent, with `#` a message, instead of a signed event. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        char mark;
        const char *section, *secret;
    } kinds[] = {
        {'!', "type = zapier\nurl = https://hooks.zapier.com/" CATCH "/\n", CATCH},
        {'?', "type = rest_hooks\n", "not-to-be-shown"},
        {'*',
         "type = http\nurl = https://example.com/in\nformat = cloudevents\nsecret = whsec_" SIGNING
         "+bzEhpvFuLUGkSbM=\n",
         SIGNING},
        {'#', "type = http\nurl = https://example.com/in\nformat = message\n", "not-to-be-shown"},
        {0,
         "type = http\nurl = https://example.com/in\nsecret = whsec_" SIGNING
         "+bzEhpvFuLUGkSbM=\nsecret_previous = whsec_ThGV3wIN5Z4NZaM6QnnxGD565OXZgOMJ\n",
         SIGNING},
    };
    static struct fixture fixtures[ARRAY_LEN(kinds)];
    struct str input = fuzz_text(data, size);
    size_t i = 0;

    while (kinds[i].mark && (!input.len || input.at[0] != kinds[i].mark))
        i++;
    if (kinds[i].mark)
        input = str_from(input, 1);
    fuzz_talk(talk_load(&fixtures[i], kinds[i].section), kinds[i].secret, input, NULL, NULL);
    return 0;
}
