/* tests/sim/services.c - what the services have in common. */
#include "services.h"

#include <assert.h>
#include <stdio.h>

const char *const connector_names[SERVICES] = {
    [SERVICE_SLACK] = "sales-slack", [SERVICE_HOOK] = "hook", [SERVICE_NOTION] = "lead-book",
    [SERVICE_SHEETS] = "lead-log",   [SERVICE_CRM] = "crm",   [SERVICE_CHAT] = "chat",
    [SERVICE_GRID] = "lead-grid",    [SERVICE_MAIL] = "mail", [SERVICE_HTTP] = "warehouse",
    [SERVICE_ZAPS] = "subscribers",
};

void services_begin(bool slack_can_look)
{
    slack_begin(slack_can_look);
    sheets_begin();
    notion_begin();
    crm_begin();
    chat_begin();
    grid_begin();
    receivers_begin();
}

void answer_text(struct exchange *x, int status, const char *text)
{
    x->status = status;
    sbuf_text(x->answer, text);
}

bool query_param(const struct exchange *x, const char *name, struct str *ret)
{
    struct str rest = x->query, part, key;

    while (str_split(&rest, '&', &part))
        if (str_split(&part, '=', &key) && str_is(key, name)) {
            *ret = part;
            return true;
        }
    return false;
}

void posts_add(struct posts *p, struct str delivery, const struct exchange *x)
{
    struct posted *post = &p->items[p->n];

    assert(p->n < POSTS);
    p->n++;
    *post = (struct posted){.at = x->now, .excused = x->jumped};
    (void)!snprintf(post->delivery, PUBLIC_ID, "%.*s", STR_ARG(delivery));
}
