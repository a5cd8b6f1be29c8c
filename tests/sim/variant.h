/* tests/sim/variant.h - the configurations that a daemon of the simulation may run with: numbers
 * whose meaning the oracle knows by itself, and the files made of them.
 */
#ifndef FUNNELD_SIM_VARIANT_H
#define FUNNELD_SIM_VARIANT_H

#include <stdbool.h>
#include <stdint.h>

struct config;

struct variant {
    const char *name;
    /* Points in tenths. Asking for a demo, each; looking at a page about pricing, halved every
     * page_half_life; a form, each; all of these together no more than cap. Being of Acme. */
    int64_t demo, page, form, cap, acme;
    int64_t page_half_life_ms;
    int64_t hot, book;               /* tenths: told as it gets hot, written down from there on */
    bool slack, notion, sheets, crm; /* which connectors there are; the webhook always is */
    int at_once;                     /* concurrency of slack and notion */
    bool more;  /* mail, a receiver of our own, and whoever subscribes hear of pages */
    bool waits; /* the hot route waits for enrichment */
};

enum { VARIANTS = 5 };
extern const struct variant variants[VARIANTS]; /* the first has every connector */

enum { PORTAL = 62515 };

void variants_load(void);            /* once; makes a folder for them */
const char *variants_database(void); /* in that folder */
void variants_free(void);
struct config *variant_config(int which); /* shared: take a reference */

#endif
