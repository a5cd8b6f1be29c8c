/* connectors/registry.c - the services we can speak with; a new one is one line here. */
#include "connectors_priv.h"

const struct connector_type *const connector_types[] = {
    &slack_connector, &notion_connector, &google_sheets_connector, &hubspot_connector,
    &email_connector, &http_connector,   &zapier_connector,        &rest_hooks_connector,
};
const size_t n_connector_types = ARRAY_LEN(connector_types);
