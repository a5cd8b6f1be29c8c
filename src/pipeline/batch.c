/* pipeline/batch.c - what follows a commit: counted and told, or taken back with what is undone. */
#include "batch.h"

struct batch_mark batch_mark(const struct batch *b)
{
    return (struct batch_mark){b->counts, b->last_notice};
}

void batch_undo(struct batch *b, struct batch_mark mark)
{
    b->counts = mark.counts;
    b->last_notice = mark.last_notice;
    *b->last_notice = NULL;
}

void batch_count(struct batch *b, struct series *s, int64_t n)
{
    struct count *c = ARENA_NEW(b->kept, struct count);

    *c = (struct count){s, n, b->counts};
    b->counts = c;
}

void batch_notice(struct batch *b, struct str connector, const struct due_row *row)
{
    struct notice *n = ARENA_NEW(b->kept, struct notice);

    *n = (struct notice){.connector = arena_str(b->kept, connector), .row = *row};
    *b->last_notice = n;
    b->last_notice = &n->next;
}
