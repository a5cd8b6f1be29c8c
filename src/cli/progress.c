/* cli/progress.c - a bar, or a line now and then. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "funneld/base/clock.h"

enum { WIDTH = 30 };
#define BAR_US  INT64_C(100000)
#define LINE_US INT64_C(10000000)

struct progress progress_begin(const char *what)
{
    int64_t now = clock_mono_us();

    return (struct progress){
        .what = what, .began_us = now, .shown_us = now, .terminal = isatty(STDERR_FILENO) == 1};
}

/* What standard error does not take is lost: it is no answer. */
static void bar(struct progress *p, double share, const char *detail)
{
    static const char full[] = "##############################";
    int done = share < 0 ? 0 : (int)(share * WIDTH);

    if (share < 0)
        (void)fprintf(stderr, "\r\033[K%s: %s", p->what, detail);
    else
        (void)fprintf(stderr, "\r\033[K%s [%.*s%*s] %3.0f %% %s", p->what, done, full, WIDTH - done,
                      "", share * 100, detail);
    (void)fflush(stderr);
    p->any = true;
}

void progress_show(struct progress *p, double share, const char *detail)
{
    int64_t now = clock_mono_us();

    if (now - p->shown_us < (p->terminal ? BAR_US : LINE_US))
        return;
    p->shown_us = now;
    share = share > 1 ? 1 : share;
    if (p->terminal)
        bar(p, share, detail);
    else if (share < 0)
        (void)fprintf(stderr, "%s: %s\n", p->what, detail);
    else
        (void)fprintf(stderr, "%s: %.0f %%, %s\n", p->what, share * 100, detail);
}

void progress_end(struct progress *p)
{
    if (p->any)
        (void)fprintf(stderr, "\r\033[K");
    p->any = false;
}
