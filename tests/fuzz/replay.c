/* tests/fuzz/replay.c - gives each file of the folders named to a fuzzer, without libFuzzer. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

enum { INPUT_MAX = 1 << 20 };

static size_t replay(const char *folder, const char *name, uint8_t *bytes)
{
    struct arena a AUTO(arena_free) = {0};
    struct str path = arena_printf(&a, "%s/%s", folder, name);

    printf("%s\n", path.at); /* before it runs: the last one printed is the one that failed */
    (void)fflush(stdout);
    FILE *f = fopen(path.at, "rb");
    if (!f)
        fail_msg("%s cannot be opened", path.at);
    size_t n = fread(bytes, 1, INPUT_MAX, f);
    (void)fclose(f);                       /* it was read only */
    uint8_t *exact = mem_alloc(n ? n : 1); /* so that a sanitizer sees a read behind the end */
    memcpy(exact, bytes, n);
    (void)LLVMFuzzerTestOneInput(exact, n); /* always 0 */
    free(exact);
    return 1;
}

int main(int argc, char **argv)
{
    uint8_t *bytes = mem_alloc(INPUT_MAX);
    size_t n = 0;

    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);

        if (!dir)
            fail_msg("%s cannot be opened", argv[i]);
        for (struct dirent *e; (e = readdir(dir));)
            n += e->d_name[0] == '.' ? 0 : replay(argv[i], e->d_name, bytes);
        (void)closedir(dir); /* it was read only */
    }
    free(bytes);
    printf("%zu passed, 0 failed\n", n);
    return n ? 0 : 1;
}
