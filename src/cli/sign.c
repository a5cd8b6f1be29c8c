/* cli/sign.c - a test webhook as a curl command, signed as the source would. */
#include "cli_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "curl_command.h"
#include "funneld/base/json.h"
#include "funneld/base/url.h"

enum { BODY_MAX = 64 << 20 }; /* as large as [server] max_body can be */

static void closep(FILE **f)
{
    if (*f && *f != stdin)
        (void)fclose(*f); /* it was only read */
}

static int read_body(struct cli *cli, const char *path, struct str *ret)
{
    FILE *f AUTO(closep) = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    char piece[8192];
    size_t n;

    if (!f)
        return cli_fail(cli, "cannot open %s: %s", path, strerror(errno));
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        sbuf_add(&b, (struct str){piece, n});
    if (ferror(f))
        return cli_fail(cli, "cannot read %s: %s", path, strerror(errno));
    if (sbuf_seal(&b, &cli->arena, ret))
        return cli_fail(cli, "%s is over 64 MiB, more than any source takes", path);
    return DONE;
}

static int find_source(struct cli *cli, const struct source **ret)
{
    struct sbuf known AUTO(sbuf_free) = SBUF(16 * 1024);
    struct str name = str_of(cli->args.words[0]);

    *ret = config_source(cli->config, name);
    if (*ret)
        return DONE;
    for (size_t i = 0; i < cli->config->n_sources; i++)
        sbuf_printf(&known, "%s%.*s", i ? ", " : "", STR_ARG(cli->config->sources[i].name));
    if (!known.len)
        return cli_usage(cli, "there is no [source NAME] in the configuration");
    return cli_usage(cli, "there is no source %.*s: it is one of %.*s", STR_ARG(str_cut(name, 80)),
                     STR_ARG(sbuf_str(&known)));
}

static int check_arguments(const struct cli *cli)
{
    static const char *const versions[] = {"v1", "v2", "v3"};
    struct why why = {0};
    struct url url;
    int status = DONE;

    if (cli_has(cli, ARG_VERSION))
        status = cli_choice(cli, ARG_VERSION, versions, ARRAY_LEN(versions));
    if (status == DONE && cli_has(cli, ARG_URL) && url_parse(cli_value(cli, ARG_URL), &url, &why))
        return cli_usage(cli, "--url %.200s: %s", cli->args.values[ARG_URL], why.text);
    return status;
}

static void print_json(const struct signed_request *r, struct sbuf *out)
{
    json_open(out, '{');
    json_kv_text(out, "method", "POST");
    json_kv(out, "url", r->url);
    json_key(out, "headers");
    json_open(out, '{');
    for (size_t i = 0; i < r->n_headers; i++) {
        json_key_str(out, r->headers[i].name);
        json_str(out, r->headers[i].value);
    }
    json_close(out, '}');
    json_kv(out, "body", r->body);
    json_close(out, '}');
    sbuf_char(out, '\n');
}

static int print(struct cli *cli, struct signed_request *r)
{
    const char *path = cli->args.values[ARG_BODY];

    if (cli_has(cli, ARG_JSON)) {
        if (!str_is_utf8(r->body))
            return cli_fail(cli, "the body is not UTF-8, and JSON can hold nothing else");
        print_json(r, &cli->out);
        return DONE;
    }
    if (path && strcmp(path, "-") != 0)
        r->body_file = str_of(path);
    else if (memchr(r->body.at, 0, r->body.len))
        return cli_fail(cli, "a command line cannot hold a body with NUL bytes: use --body FILE");
    curl_command(r, &cli->out);
    return DONE;
}

int cli_sign(struct cli *cli)
{
    struct signed_request r = {0};
    const struct source *source;
    struct why why = {0};
    int status = check_arguments(cli);

    if (status == DONE)
        status = cli_load(cli);
    if (status == DONE)
        status = find_source(cli, &source);
    if (status == DONE && cli_has(cli, ARG_BODY))
        status = read_body(cli, cli->args.values[ARG_BODY], &r.body);
    if (status != DONE)
        return status;
    if (!cli_has(cli, ARG_BODY))
        r.body = source->type->sample(cli->now_ms, &cli->arena);
    if (source->type->sign(source, cli_value(cli, ARG_URL), cli_value(cli, ARG_VERSION), r.body,
                           cli->now_ms, &cli->arena, r.headers, &r.n_headers, &r.url, &why))
        return cli_usage(cli, "%s", why.text);
    return print(cli, &r);
}
