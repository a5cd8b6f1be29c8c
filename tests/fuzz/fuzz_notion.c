/* tests/fuzz/fuzz_notion.c - what Notion is told, and what is made of its answers. */
#include "talk.h"

#define TOKEN "ntn_not-to-be-shown"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture kept;

    talk_load(&kept,
              "type = notion\ntoken = " TOKEN "\ndatabase = 668d797c76fa49349b05ad288df2d136\n");
    fuzz_talk(&kept, TOKEN, fuzz_text(data, size), NULL, NULL);
    return 0;
}
