/* deliver/mask_priv.h - secrets starred out of what a service answered. */
#ifndef FUNNELD_DELIVER_MASK_PRIV_H
#define FUNNELD_DELIVER_MASK_PRIV_H

#include "funneld/base/http.h"
#include "funneld/connectors/connector.h"

/* The text itself where there is nothing to hide, else a copy in the arena. */
struct str mask_secrets(const struct connector *c, const struct http_request *sent, struct str text,
                        struct arena *a);

#endif
