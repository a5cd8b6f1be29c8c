/* deliver/curl/mail.c - one mail on a curl easy handle.
 *
 * What came of it is decided by the reply to the last command, which curl's codes do not tell
 * apart: they only say that something went wrong. Until the server has asked for the message (354)
 * nothing can have been accepted; from then on, without an answer, it may have been.
 */
#include "mail_priv.h"

#include <string.h>
#include <sys/socket.h>

#include "exchange_priv.h"
#include "funneld/base/clock.h"
#include "funneld/base/url.h"

enum { CONNECT_MAX_MS = 10000, ADDRESS_MAX = 320 };

static const char message_end[] = ".";

/* curl sends addresses as they are: a CR LF inside would be a command of its own. */
static bool is_address(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] <= ' ' || s.at[i] > '~' || strchr("<>", s.at[i]))
            return false;
    return s.len > 2 && s.len <= ADDRESS_MAX && str_chr(s, '@');
}

/* A CR or LF alone is how a second mail is smuggled into the first; curl changes neither. */
static bool is_message(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '\0' || (s.at[i] == '\n' && (i == 0 || s.at[i - 1] != '\r')))
            return false;
        if (s.at[i] == '\r' && (i + 1 == s.len || s.at[i + 1] != '\n'))
            return false;
    }
    return str_ends(s, STR("\r\n"));
}

static bool is_login(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] < 0x20 || s.at[i] == 0x7f)
            return false;
    return true;
}

enum rc mail_check(const struct http_request *r, struct why *why)
{
    const struct envelope *e = r->envelope;
    struct url url;

    if (mail_url_parse(r->url, &url, why))
        return why_wrap(RC_INVALID, why, "the address of the mail server");
    if (!r->only_connects && (!is_address(e->from) || !is_address(e->to)))
        return why_fail(RC_INVALID, why, "an address of the envelope is not one");
    if (!is_login(e->user) || !is_login(e->password))
        return why_fail(RC_INVALID, why, "user or password holds a control character");
    if (!r->only_connects && !is_message(r->body))
        return why_fail(RC_INVALID, why, "the message holds a line that does not end in CR LF");
    if (e->clear_text && (!host_is_loopback(url.host) || str_is(url.scheme, "smtps")))
        return why_fail(RC_INVALID, why, "mail in clear text goes to this machine only");
    return RC_OK;
}

static size_t on_send(char *to, size_t size, size_t n, void *self)
{
    struct mail_exchange *x = self;
    size_t len = size * n < x->unsent.len ? size * n : x->unsent.len;

    x->message_began = true;
    x->command = message_end;
    if (len)
        memcpy(to, x->unsent.at, len);
    x->unsent = str_from(x->unsent, len);
    return len;
}

static bool is_command(struct str line, const char *name)
{
    struct str rest = str_from(line, strlen(name));

    return str_starts(line, str_of(name)) && rest.len && strchr(" \r", rest.at[0]);
}

/* What is no command goes on with AUTH. */
static void sent(struct mail_exchange *x, struct str line)
{
    static const char *const commands[] = {"EHLO", "HELO", "STARTTLS", "AUTH",
                                           "NOOP", "MAIL", "RCPT",     "DATA"};

    if (is_command(line, "NOOP") && !x->logs_in && x->call.request->envelope->user.len)
        x->no_login = true;
    if (is_command(line, "QUIT") || x->no_login)
        x->leaving = true;
    if (x->leaving) /* the answer is the one before */
        return;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (is_command(line, commands[i])) {
            x->command = commands[i];
            x->status = 0;
            sbuf_reset(&x->reply);
        }
    x->logs_in |= is_command(line, "AUTH");
}

/* "250-SIZE 1000", ..., "250 OK": all lines of a reply, one behind the other. */
static void received(struct mail_exchange *x, struct str line)
{
    int64_t code;

    if (x->leaving || line.len < 3 || !str_int64((struct str){line.at, 3}, &code))
        return;
    if (x->status != (int)code)
        sbuf_reset(&x->reply);
    x->status = (int)code;
    sbuf_text(&x->reply, x->reply.len ? " " : "");
    sbuf_add(&x->reply, str_trim(line));
}

static int on_debug(CURL *easy, curl_infotype type, char *at, size_t len, void *self)
{
    (void)easy;
    if (type == CURLINFO_HEADER_OUT)
        sent(self, (struct str){at, len});
    else if (type == CURLINFO_HEADER_IN)
        received(self, (struct str){at, len});
    return 0;
}

static int on_progress(void *self, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct mail_exchange *x = self;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(x->stopping) ? 1 : 0;
}

static size_t on_answer(char *at, size_t size, size_t n, void *self)
{
    (void)at;
    (void)self;
    return size * n;
}

#define SET(option, value) ok &= curl_easy_setopt(easy, option, value) == CURLE_OK

static bool set_watching(struct mail_exchange *x, CURL *easy)
{
    bool ok = true;

    SET(CURLOPT_VERBOSE, 1L); /* or on_debug hears nothing */
    SET(CURLOPT_DEBUGFUNCTION, on_debug);
    SET(CURLOPT_DEBUGDATA, x);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, x);
    SET(CURLOPT_WRITEFUNCTION, on_answer);
    SET(CURLOPT_ERRORBUFFER, x->curl_error);
    return ok;
}

static bool set_text(CURL *easy, CURLoption option, struct str value)
{
    char *text AUTO(mem_freep) = mem_text(value); /* curl copies it */

    return !value.len || curl_easy_setopt(easy, option, text) == CURLE_OK;
}

static bool set_connection(struct mail_exchange *x, CURL *easy)
{
    const struct envelope *e = x->call.request->envelope;
    long timeout = (long)x->call.timeout_ms;
    bool ok = set_text(easy, CURLOPT_URL, x->call.request->url);

    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_USE_SSL, (long)(e->clear_text ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_TIMEOUT_MS, timeout);
    SET(CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_MAX_MS ? timeout : (long)CONNECT_MAX_MS);
    SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, (timeout + 999) / 1000);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_SASL_IR, 1L);
    return ok && set_text(easy, CURLOPT_CAINFO, x->call.ca_file) &&
           set_text(easy, CURLOPT_USERNAME, e->user) &&
           set_text(easy, CURLOPT_PASSWORD, e->password);
}

static bool set_mail(struct mail_exchange *x, CURL *easy, const struct curl_slist *to)
{
    const struct http_request *r = x->call.request;

    bool ok = true;

    if (r->only_connects) { /* a login that nothing follows would be a connection that broke */
        SET(CURLOPT_CUSTOMREQUEST, "NOOP");
        SET(CURLOPT_FRESH_CONNECT, 1L); /* nobody logs in again */
        return ok;
    }
    SET(CURLOPT_MAIL_RCPT, to);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, on_send);
    SET(CURLOPT_READDATA, x);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body.len);
    return ok && set_text(easy, CURLOPT_MAIL_FROM, r->envelope->from);
}

static struct curl_slist *recipient(const struct mail_exchange *x)
{
    char *to AUTO(mem_freep) = mem_text(x->call.request->envelope->to);

    return curl_slist_append(NULL, to);
}

static void begin(struct mail_exchange *x)
{
    x->reply.max = REPLY_MAX;
    x->error.max = MAIL_ERROR_MAX;
    sbuf_reset(&x->reply);
    sbuf_reset(&x->error);
    x->curl_error[0] = '\0';
    x->unsent = x->call.request->body;
    x->command = "";
    x->status = 0;
    x->leaving = x->message_began = x->logs_in = x->no_login = false;
}

static CURLcode perform(struct mail_exchange *x, CURL *easy)
{
    struct curl_slist *to = recipient(x);
    CURLcode code = CURLE_OUT_OF_MEMORY;

    curl_easy_reset(easy); /* keeps the connection */
    if (to && set_watching(x, easy) && set_connection(x, easy) && set_mail(x, easy, to))
        code = curl_easy_perform(easy);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, NULL);
    curl_slist_free_all(to);
    return code;
}

/* The server closed a connection that was kept for a while, before or while it was used. */
static bool was_stale(const struct mail_exchange *x, CURL *easy, CURLcode code)
{
    long connects = 1;

    return code != CURLE_OK && !x->message_began && (x->status < 400 || x->status == 421) &&
           curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK && connects == 0;
}

static bool is_definite(const struct mail_exchange *x, CURLcode code)
{
    return (code == CURLE_OK && x->status / 100 == 2) || x->status >= 400 ||
           code == CURLE_USE_SSL_FAILED || code == CURLE_LOGIN_DENIED || x->no_login;
}

/* curl's own words for a server without STARTTLS or without a way to log in, where no reply says
 * it; the command is what was wanted. */
static void name_what_lacks(struct mail_exchange *x, CURLcode code)
{
    if (x->status >= 400)
        return;
    if (code == CURLE_USE_SSL_FAILED)
        x->command = "STARTTLS";
    else if (code == CURLE_LOGIN_DENIED || x->no_login)
        x->command = "AUTH";
}

static void write_error(struct mail_exchange *x, CURLcode code)
{
    struct str words = str_trim(str_of(x->curl_error));
    struct url url = {.host = STR("the mail server")};

    rc_ignored(mail_url_parse(x->call.request->url, &url, NULL)); /* it was checked */
    sbuf_add(&x->error, str_cut(url.host, 100));
    sbuf_text(&x->error, ": ");
    if (x->message_began)
        sbuf_text(&x->error, "the message was sent, but no answer came; ");
    sbuf_add(&x->error, words.len ? str_cut(words, 300) : str_of(curl_easy_strerror(code)));
}

void mail_send(struct mail_exchange *x, CURL **easy, struct http_response *ret)
{
    CURLcode code = CURLE_OUT_OF_MEMORY;

    for (int tries = 0; tries < 2; tries++) {
        begin(x);
        if (!*easy)
            *easy = curl_easy_init();
        code = *easy ? perform(x, *easy) : CURLE_OUT_OF_MEMORY;
        if (!*easy || !was_stale(x, *easy, code))
            break;
        mail_close(*easy);
        *easy = NULL;
    }
    *ret = (struct http_response){.retry_after_ms = -1, .command = x->command};
    if (is_definite(x, code)) {
        name_what_lacks(x, code);
        ret->fate = HTTP_ANSWERED;
        ret->status = x->status;
        ret->command = x->command;
        ret->body = sbuf_str(&x->reply);
        return;
    }
    write_error(x, code);
    ret->fate = x->message_began ? HTTP_UNKNOWN : HTTP_NOT_SENT;
    ret->trouble = trouble_of(code);
    ret->error = sbuf_str(&x->error);
}

/* With nothing more to read, curl sends its QUIT and goes, however silent the server is. */
void mail_close(CURL *easy)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    if (!easy)
        return;
    (void)curl_easy_setopt(easy, CURLOPT_VERBOSE, 0L); /* whoever listened may be gone */
    (void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD)
        (void)shutdown(fd, SHUT_RD);
    curl_easy_cleanup(easy);
}

void mail_exchange_clear(struct mail_exchange *x)
{
    sbuf_free(&x->reply);
    sbuf_free(&x->error);
}
