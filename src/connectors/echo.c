/* connectors/echo.c - what we write to a CRM comes back as its news. */
#include "funneld/connectors/connector.h"

bool is_own_echo(const struct connector connectors[], size_t n, const struct event *e)
{
    if (!str_is(e->type, "contact.propertyChange"))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct connector *c = &connectors[i];

        if (c->type->writes && c->type->writes(c->settings, e->property))
            return true;
    }
    return false;
}
