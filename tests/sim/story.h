/* tests/sim/story.h - what happens in a run, line by line: hashed whole, its end kept for print. */
#ifndef FUNNELD_SIM_STORY_H
#define FUNNELD_SIM_STORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "funneld/base/rc.h"

void story_begin(bool aloud); /* aloud: each line is printed as it comes */
void story(const char *fmt, ...) PRINTF_LIKE(1, 2);
uint64_t story_hash(void);  /* of all lines */
void story_print(FILE *to); /* the last ones */

/* A promise is broken: the first of a run is remembered. */
void broken(const char *fmt, ...) PRINTF_LIKE(1, 2);
const char *story_broken(void); /* NULL: none is */

#endif
