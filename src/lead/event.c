/* lead/event.c - the names of an event's states. */
#include "funneld/lead/event.h"

const char *event_state_name(enum event_state s)
{
    static const char *const names[] = {
        [EVENT_PROCESSED] = "processed",
        [EVENT_UNPROCESSABLE] = "unprocessable",
        [EVENT_UNLINKED] = "unlinked",
    };

    return names[s];
}
