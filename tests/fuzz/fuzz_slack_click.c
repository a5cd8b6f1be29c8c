/* tests/fuzz/fuzz_slack_click.c - the body of a click into events; what is signed, and what is not.
 *
 * An input that begins with `{` is a payload, put into a form as Slack does; any other is the body.
 */
#include "source.h"

#include "funneld/base/url.h"

static struct str form_of(struct str payload, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 24);

    sbuf_text(&b, "payload=");
    url_encode(&b, payload);
    return arena_str(a, sbuf_str(&b));
}

/* Signed by us it is let in; with one byte more it is not. */
static void check_signature(const struct source *s, struct str body, struct arena *a)
{
    struct request r = request_signed(s, NULL, body, FUZZ_NOW, a);

    assert_int_equal(s->type->verify(s, request_raw(&r), a, NULL), REFUSED_NOT);
    r.raw.body = arena_printf(a, "%.*s&", STR_ARG(body));
    if (r.raw.body.len == body.len + 1) /* no NUL in it */
        assert_int_equal(s->type->verify(s, request_raw(&r), a, NULL), REFUSED_SIGNATURE);
}

static void check_click(const struct event *e)
{
    assert_true(!e->lead.at || (e->state == EVENT_PROCESSED && e->lead.len >= 10));
    assert_int_equal(e->remote.at != NULL, e->answered.at != NULL);
    assert_int_equal(e->effect == EFFECT_PROPERTIES, e->state == EVENT_PROCESSED);
    assert_false(fuzz_holds(e->body, "hooks.slack.com/actions"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    const struct source *s = fuzz_source(&slack_source, "secret = one\n");
    struct str input = fuzz_text(data, size);
    bool payload = str_starts(input, STR("{"));
    struct request r = fuzz_request(payload ? form_of(input, &a) : input);
    struct why why = {0};
    struct event *events = NULL;
    size_t n = 0;

    request_set(&r, "Content-Type", STR("application/x-www-form-urlencoded"));
    check_signature(s, r.raw.body, &a);
    enum refusal refused = s->type->decode(s, request_raw(&r), &a, &events, &n, &why);
    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    for (size_t i = 0; !refused && i < n; i++) {
        check_event(s, &events[i], &a);
        if (!fuzz_holds(input, "hooks.slack.com/actions"))
            check_click(&events[i]);
    }
    return 0;
}
