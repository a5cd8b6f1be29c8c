/* cli/curl_command.c - every word quoted, every byte of the body as it was signed. */
#include "curl_command.h"

#include "values.h"

static void word(struct sbuf *out, const char *option, struct str value)
{
    sbuf_printf(out, " \\\n  %s ", option);
    shell_quote(out, value);
}

/* --globoff: brackets of an IPv6 address stay what they are. --data-raw: a body that begins with
 * @ is no file name. Neither --data-raw nor --data-binary touches line ends here. */
void curl_command(const struct signed_request *r, struct sbuf *out)
{
    struct sbuf text AUTO(sbuf_free) = SBUF(1 << 20);

    sbuf_text(out, "curl --silent --show-error --include --globoff");
    for (size_t i = 0; i < r->n_headers; i++) {
        sbuf_reset(&text);
        sbuf_printf(&text, "%.*s: %.*s", STR_ARG(r->headers[i].name), STR_ARG(r->headers[i].value));
        word(out, "--header", sbuf_str(&text));
    }
    if (r->body_file.at) {
        sbuf_reset(&text);
        sbuf_printf(&text, "@%.*s", STR_ARG(r->body_file));
        word(out, "--data-binary", sbuf_str(&text));
    } else {
        word(out, "--data-raw", r->body);
    }
    sbuf_text(out, " \\\n  ");
    shell_quote(out, r->url);
    sbuf_char(out, '\n');
}
