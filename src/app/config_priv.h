/* app/config_priv.h - checks across parts. */
#ifndef FUNNELD_APP_CONFIG_PRIV_H
#define FUNNELD_APP_CONFIG_PRIV_H

#include "funneld/app/config.h"

/* Adds what is wrong between sections; sets c->crm and each source's enrich_with. */
void config_check(struct config *c);
/* exposure.c: a file that anybody can write is a problem. */
void config_check_writable(struct config *c);

#endif
