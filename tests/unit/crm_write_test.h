/* tests/unit/crm_write_test.h - what HubSpot says to a batch of scores. */
#ifndef FUNNELD_TESTS_CRM_WRITE_TEST_H
#define FUNNELD_TESTS_CRM_WRITE_TEST_H

#include "crm_test.h"

#define PATH "/crm/v3/objects/contacts/batch/update"
#define DONE(id)                                                                                   \
    "{\"id\":\"" id "\",\"properties\":{\"funneld_score\":\"87.5\"},\"createdAt\":"                \
    "\"2025-01-01T00:00:00Z\",\"updatedAt\":\"2026-01-01T00:00:00Z\",\"archived\":false}"
#define PARTLY(results, errors)                                                                    \
    "{\"status\":\"COMPLETE\",\"results\":[" results "],\"numErrors\":1,\"errors\":[" errors "]}"
#define ERROR(category, message, context)                                                          \
    "{\"status\":\"error\",\"category\":\"" category "\",\"message\":\"" message                   \
    "\",\"context\":{" context "}}"

#endif
