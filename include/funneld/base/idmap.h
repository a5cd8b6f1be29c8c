/* base/idmap.h - a number for each of some ids. Pure; one thread owns one. */
#ifndef FUNNELD_BASE_IDMAP_H
#define FUNNELD_BASE_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap { /* zeroed: empty */
    struct idmap_slot *slots;
    size_t cap, n;
};

int64_t *idmap_find(const struct idmap *m, int64_t id); /* NULL; valid until a change */
void idmap_set(struct idmap *m, int64_t id, int64_t value);
bool idmap_remove(struct idmap *m, int64_t id); /* false: was not there */
void idmap_clear(struct idmap *m);
void idmap_free(struct idmap *m);

#endif
