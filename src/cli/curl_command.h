/* cli/curl_command.h - a request as a curl command for a POSIX shell. Pure. */
#ifndef FUNNELD_CLI_CURL_COMMAND_H
#define FUNNELD_CLI_CURL_COMMAND_H

#include "funneld/base/sbuf.h"
#include "funneld/lead/event.h"

struct signed_request {
    struct str url;
    struct field headers[4];
    size_t n_headers;
    struct str body;
    struct str body_file; /* curl reads it itself; missing: the body stands in the command */
};

void curl_command(const struct signed_request *r, struct sbuf *out);

#endif
