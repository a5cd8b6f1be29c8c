/* deliver/curl/trouble.c - what a code of curl's says of what is to be mended. */
#include "exchange_priv.h"

enum http_trouble trouble_of(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return TROUBLE_NAME;
    case CURLE_COULDNT_CONNECT:
        return TROUBLE_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return TROUBLE_TIME;
    case CURLE_SSL_CONNECT_ERROR:
        return TROUBLE_TLS;
    case CURLE_PEER_FAILED_VERIFICATION:
        return TROUBLE_CERTIFICATE;
    case CURLE_SSL_CACERT_BADFILE:
        return TROUBLE_ROOTS;
    default:
        return TROUBLE_OTHER;
    }
}
