/* base/ref.h - shared immutable things: swap a pointer, count references. Any thread. */
#ifndef FUNNELD_BASE_REF_H
#define FUNNELD_BASE_REF_H

#include <stdatomic.h>
#include <stddef.h>

struct ref {
    atomic_int count;              /* starts at 1 */
    void (*destroy)(struct ref *); /* called by whoever drops the last one */
};

static inline void ref_init(struct ref *r, void (*destroy)(struct ref *))
{
    atomic_init(&r->count, 1);
    r->destroy = destroy;
}

static inline struct ref *ref_take(struct ref *r)
{
    atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed);
    return r;
}

static inline void ref_drop(struct ref *r)
{
    if (r && atomic_fetch_sub_explicit(&r->count, 1, memory_order_acq_rel) == 1)
        r->destroy(r);
}

#endif
