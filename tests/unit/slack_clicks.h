/* tests/unit/slack_clicks.h - a slack source from configuration text, and presses of buttons. */
#ifndef FUNNELD_TESTS_SLACK_CLICKS_H
#define FUNNELD_TESTS_SLACK_CLICKS_H

#include "funneld/base/clock.h"
#include "funneld/base/sbuf.h"
#include "funneld/base/url.h"
#include "request.h"

#define NOW INT64_C(1769081994066) /* 2026-01-22T11:39:54.066Z */

struct clicks {
    struct arena a;
    struct conf_problems problems;
    struct source source;
};

static inline const struct source_type *slack_type(void)
{
    for (size_t i = 0; i < n_source_types; i++)
        if (strcmp(source_types[i]->name, "slack") == 0)
            return source_types[i];
    return NULL;
}

static inline void start(struct clicks *f, const char *lines)
{
    struct conf conf;

    *f = (struct clicks){.source = {.name = STR("buttons"), .type = slack_type()}};
    struct str text = arena_printf(&f->a, "[source buttons]\ntype = slack\n%s", lines);
    conf_problems_init(&f->problems, &f->a);
    assert_int_equal(conf_read_text(STR("t.conf"), text, &f->a, &conf, &f->problems), RC_OK);
    void *settings = arena_alloc(&f->a, f->source.type->spec->size);
    f->source.settings = settings;
    conf_bind(&conf.sections[0], f->source.type->spec, settings, &f->a, &f->problems);
    f->source.type->check(settings, &conf.sections[0], STR_NULL, &f->problems);
}

static inline void stop(struct clicks *f)
{
    arena_free(&f->a);
}

#define CLICKS(f, lines)                                                                           \
    struct clicks f AUTO(stop);                                                                    \
    start(&f, lines)

/* As Slack sends it: the whole message, addresses that act, a token of old. */
#define PAYLOAD(action, rest)                                                                      \
    "{\"type\":\"block_actions\",\"user\":{\"id\":\"U0ADA\",\"username\":\"ada\",\"name\":"        \
    "\"ada\","                                                                                     \
    "\"team_id\":\"T1\"},\"api_app_id\":\"A1\",\"token\":\"old-token\",\"container\":{\"type\":"   \
    "\"message\",\"message_ts\":\"1767225600.000247\",\"channel_id\":\"C0123456789\"},"            \
    "\"trigger_id\":\"1.2.3\",\"team\":{\"id\":\"T1\",\"domain\":\"x\"},\"channel\":{\"id\":"      \
    "\"C0123456789\",\"name\":\"sales\"},\"message\":{\"ts\":\"1767225600.000247\",\"text\":"      \
    "\"Ada\"},\"response_url\":\"https://hooks.slack.com/actions/T1/2/secret\",\"actions\":["      \
    "{\"action_id\":\"" action "\",\"block_id\":\"0a1b2c3d-41\",\"value\":\"0a1b2c3d-7\","         \
    "\"type\":\"button\",\"action_ts\":\"1769081990.123456\"}]" rest "}"

static inline struct str form_of(const char *payload, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    struct str ret;

    sbuf_text(&b, "payload=");
    url_encode(&b, str_of(payload));
    assert_int_equal(sbuf_seal(&b, a, &ret), RC_OK);
    return ret;
}

static inline struct request request_of(struct str body, int64_t now)
{
    struct request r = {.raw = {.method = STR("POST"),
                                .target = STR("/webhooks/slack"),
                                .body = body,
                                .received_at = now,
                                .request_id = STR("req-1")}};

    request_add(&r, "Content-Type", STR("application/x-www-form-urlencoded"));
    return r;
}

static inline enum refusal decode_form(struct clicks *f, struct str body, struct event **ret,
                                       size_t *ret_n, struct why *why)
{
    struct request r = request_of(body, NOW);

    return f->source.type->decode(&f->source, request_raw(&r), &f->a, ret, ret_n, why);
}

static inline struct event click_of(struct clicks *f, const char *payload)
{
    struct event *events = NULL;
    size_t n = 0;

    assert_int_equal(decode_form(f, form_of(payload, &f->a), &events, &n, NULL), REFUSED_NOT);
    assert_int_equal(n, 1);
    return events[0];
}

#endif
