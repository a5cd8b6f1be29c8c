/* cli/lists.h - between the lists and what shows one thing whole. */
#ifndef FUNNELD_CLI_LISTS_H
#define FUNNELD_CLI_LISTS_H

#include "cli_priv.h"

/* A growing array of rows that live in the command's arena. */
struct delivery_rows {
    struct cli *cli;
    struct delivery *items;
    size_t n, cap;
};
void keep_delivery(void *self, const struct delivery *d); /* a delivery_seen */

int show_event(struct cli *cli, struct str id);
int show_lead(struct cli *cli, struct str lead);
int show_delivery(struct cli *cli, struct str id);

/* "state       dead": a line of what is shown whole; missing is left out. */
void show_field(struct cli *cli, const char *label, struct str value);
void show_id(struct cli *cli, const char *label, int64_t id); /* 0: missing */
void show_at(struct cli *cli, const char *label, int64_t at); /* 0: missing */
/* Five cells: when, how long, status, verdict, detail. */
void show_attempt(struct text_table *t, const struct attempt_view *at);

#endif
