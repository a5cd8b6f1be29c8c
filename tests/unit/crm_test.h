/* tests/unit/crm_test.h - a hubspot connector, and what HubSpot answers. */
#ifndef FUNNELD_TESTS_CRM_TEST_H
#define FUNNELD_TESTS_CRM_TEST_H

#include "connector_test.h"

#define SECTION         "type = hubspot\ntoken = pat-test\n"
#define ANSWER(results) "{\"status\":\"COMPLETE\",\"results\":[" results "]}"
#define FAILURE(category, message)                                                                 \
    "{\"status\":\"error\",\"message\":\"" message "\",\"correlationId\":\"corr-1\",\"category\":" \
    "\"" category "\"}"
#define READ "/crm/v3/objects/contacts/batch/read"
#define CONTACT(id, email)                                                                         \
    "{\"id\":\"" id "\",\"properties\":{\"email\":" email ",\"firstname\":\"Ada\",\"company\":"    \
    "null,\"hs_object_id\":\"" id "\"},\"createdAt\":\"2025-01-01T00:00:00Z\",\"updatedAt\":"      \
    "\"2025-12-31T12:00:00.500Z\",\"archived\":false}"

static inline bool asks_for(const char *id)
{
    struct str text = arena_printf(&f.arena, "{\"id\":\"%s\"", id);

    return str_find(f.request.body, text) != NULL;
}

#endif
