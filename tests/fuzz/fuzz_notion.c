/* tests/fuzz/fuzz_notion.c - what Notion is told, and what is made of its answers. */
#include "talk.h"

#define TOKEN   "ntn_not-to-be-shown"
#define SECTION "type = notion\ntoken = " TOKEN "\ndatabase = 668d797c76fa49349b05ad288df2d136\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture bare, logging;
    struct str input = fuzz_text(data, size);

    talk_load(&bare, SECTION);
    talk_load(&logging, SECTION "log = yes\nlog_max = 3\n");
    fuzz_talk(fuzz_holds(input, "@log\n") ? &logging : &bare, TOKEN, input, NULL, NULL);
    return 0;
}
