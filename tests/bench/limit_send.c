/* limit_send.c - the bare curl_multi loop: posts one text over kept connections, one thread. */
#include <curl/curl.h>
#include <stdlib.h>

#include "funneld/base/clock.h"
#include "limits.h"

enum { WAIT_MS = 1000 };

struct sender {
    CURLM *multi;
    CURL **handles;
    size_t n_handles, unsent, unanswered;
};

static size_t ignore(char *at, size_t size, size_t n, void *self)
{
    (void)at, (void)self;
    return size * n;
}

static CURL *handle_new(const char *url, const char *body, size_t len, struct curl_slist *headers)
{
    CURL *h = curl_easy_init();

    need(h && curl_easy_setopt(h, CURLOPT_URL, url) == CURLE_OK &&
             curl_easy_setopt(h, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
             curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)len) == CURLE_OK &&
             curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
             curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
             curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, ignore) == CURLE_OK,
         "a curl handle");
    return h;
}

static void send_on(struct sender *s, CURL *handle)
{
    if (!s->unsent)
        return;
    s->unsent--;
    need(curl_multi_add_handle(s->multi, handle) == CURLM_OK, "sending");
}

static void take_answers(struct sender *s)
{
    int left;

    for (CURLMsg *m; (m = curl_multi_info_read(s->multi, &left));) {
        CURL *handle = m->easy_handle;
        long status = 0;

        need(m->data.result == CURLE_OK, curl_easy_strerror(m->data.result));
        need(curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
                 status == 200,
             "a request");
        need(curl_multi_remove_handle(s->multi, handle) == CURLM_OK, "taking an answer");
        s->unanswered--;
        send_on(s, handle);
    }
}

static void run(struct sender *s)
{
    int running;

    for (size_t i = 0; i < s->n_handles; i++)
        send_on(s, s->handles[i]);
    for (;;) {
        need(curl_multi_perform(s->multi, &running) == CURLM_OK, "curl_multi_perform");
        take_answers(s);
        if (!s->unanswered)
            return;
        need(curl_multi_poll(s->multi, NULL, 0, WAIT_MS, NULL) == CURLM_OK, "curl_multi_poll");
    }
}

void bare_send(const char *url, const char *body_file, size_t requests, size_t connections)
{
    size_t len;
    char *body = text_of_file(body_file, &len);
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json; charset=utf-8");

    need(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "curl");
    need(headers && curl_slist_append(headers, "Expect:"), "headers");
    struct sender s = {.multi = curl_multi_init(),
                       .handles = mem_array(connections, sizeof(CURL *)),
                       .n_handles = connections,
                       .unsent = requests,
                       .unanswered = requests};
    need(s.multi && curl_multi_setopt(s.multi, CURLMOPT_MAXCONNECTS, (long)connections) == CURLM_OK,
         "curl_multi");
    for (size_t i = 0; i < connections; i++)
        s.handles[i] = handle_new(url, body, len, headers);
    int64_t began = clock_mono_us();
    run(&s);
    print_rate(requests, clock_mono_us() - began);
    for (size_t i = 0; i < connections; i++)
        curl_easy_cleanup(s.handles[i]);
    need(curl_multi_cleanup(s.multi) == CURLM_OK, "cleaning up");
    curl_slist_free_all(headers);
    curl_global_cleanup();
    free(s.handles);
    free(body);
}
