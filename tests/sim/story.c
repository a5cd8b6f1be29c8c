/* tests/sim/story.c - see story.h. */
#include "story.h"

#include <stdarg.h>
#include <string.h>

enum { LINES = 64, WIDTH = 240 };

static struct {
    char lines[LINES][WIDTH];
    uint64_t n, hash;
    bool aloud, is_broken;
    char why[20 * WIDTH];
} told;

void story_begin(bool aloud)
{
    told.n = 0;
    told.hash = UINT64_C(14695981039346656037);
    told.aloud = aloud;
    told.is_broken = false;
}

/* FNV-1a */
static void stir(const char *line)
{
    for (const char *c = line; *c; c++)
        told.hash = (told.hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    told.hash = (told.hash ^ '\n') * UINT64_C(1099511628211);
}

void story(const char *fmt, ...)
{
    char *line = told.lines[told.n++ % LINES];
    va_list args;

    va_start(args, fmt);
    (void)!vsnprintf(line, WIDTH, fmt, args); /* a line is cut, never overrun */
    va_end(args);
    stir(line);
    if (told.aloud)
        (void)!printf("%s\n", line);
}

uint64_t story_hash(void)
{
    return told.hash;
}

void story_print(FILE *to)
{
    for (uint64_t i = told.n > LINES ? told.n - LINES : 0; i < told.n; i++)
        (void)!fprintf(to, "    %s\n", told.lines[i % LINES]);
}

void broken(const char *fmt, ...)
{
    va_list args;

    if (told.is_broken)
        return;
    told.is_broken = true;
    va_start(args, fmt);
    (void)!vsnprintf(told.why, sizeof told.why, fmt, args);
    va_end(args);
}

const char *story_broken(void)
{
    return told.is_broken ? told.why : NULL;
}
