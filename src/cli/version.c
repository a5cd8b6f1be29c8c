/* cli/version.c - which funneld this is and what it is made of. */
#include "cli_priv.h"

#include "funneld/base/crypto.h"
#include "funneld/base/json.h"
#include "funneld/deliver/transport.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZER "address"
#elif defined(__SANITIZE_THREAD__)
#define SANITIZER "thread"
#else
#define SANITIZER NULL
#endif

static const struct {
    const char *name;
    const char *(*version)(void);
} libraries[] = {
    {"sqlite", store_library},      {"libmicrohttpd", http_library}, {"gnutls", tls_library},
    {"libcurl", transport_library}, {"openssl", crypto_library},     {"cjson", json_library},
};

static void print_json(struct sbuf *out)
{
    json_open(out, '{');
    json_kv_text(out, "version", FUNNELD_VERSION);
    json_kv_text(out, "compiler", "gcc " __VERSION__);
    json_kv_text(out, "sanitizer", SANITIZER);
    json_kv_int(out, "schema", store_schema_version());
    json_key(out, "libraries");
    json_open(out, '{');
    for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
        json_kv_text(out, libraries[i].name, libraries[i].version());
    json_close(out, '}');
    json_close(out, '}');
    sbuf_char(out, '\n');
}

int cli_version(struct cli *cli)
{
    const char *sanitizer = SANITIZER;

    if (cli_has(cli, ARG_JSON)) {
        print_json(&cli->out);
        return DONE;
    }
    sbuf_printf(&cli->out, "funneld %s\n\n%-14s gcc %s%s%s\n%-14s %d\n", FUNNELD_VERSION,
                "built by", __VERSION__, sanitizer ? ", sanitizer " : "",
                sanitizer ? sanitizer : "", "schema", store_schema_version());
    for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
        sbuf_printf(&cli->out, "%-14s %s\n", libraries[i].name, libraries[i].version());
    return DONE;
}
