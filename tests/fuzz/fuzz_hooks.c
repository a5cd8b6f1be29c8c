/* tests/fuzz/fuzz_hooks.c - the body of POST /hooks and the query of a sample. */
#include "fuzz.h"

/* In place of the writer: what would have been asked of the store. */
#define wait_for_commit fuzz_commit
#include "../../src/http/hooks.c"

#include <stdio.h>
#include <unistd.h>

#include "funneld/app/config.h"

static const char text[] =
    "[server]\npublic_url = https://own.example.com\nhooks_token = t\n"
    "[source forms]\ntype = zapier\nsecret = s\n"
    "[connector subscribers]\ntype = rest_hooks\nallow = hooks.zapier.com, own.example.com\n"
    "[connector team]\ntype = slack\ntoken = t\nchannel = C1\n"
    "[rule r]\nwhen = event.type == \"x\"\npoints = 1\n"
    "[route hot-lead]\nwhen = score > 1\nto = team, subscribers\n"
    "[route lead.changed]\nwhen = score > 2\nto = subscribers\n"
    "[route quiet]\nwhen = score > 3\nto = team\n";

static struct config *configuration(void)
{
    char path[] = P_tmpdir "/funneld-fuzz-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    assert_int_equal(close(fd), 0);
    struct config *c = config_load(path, FUZZ_NOW);
    assert_int_equal(unlink(path), 0);
    if (c->problems.n)
        fail_msg("%.*s", STR_ARG(c->problems.first->message));
    return c;
}

void fuzz_commit(struct request *r, int64_t now_us)
{
    const struct hook *h = r->hook;

    (void)now_us;
    if (r->conclude == subscribed) {
        assert_true(str_is(h->s.route, "hot-lead") || str_is(h->s.route, "lead.changed"));
        assert_true(str_starts(h->s.target, STR("https://hooks.zapier.com")));
        assert_int_equal(h->s.token.len, 2 * TOKEN_BYTES);
        assert_false(rest_hooks_is_trial(h->s.target));
    }
    r->reply = REPLY_ACCEPTED;
}

static void end(struct request *r)
{
    if (r->reply == REPLY_CONTENT)
        fuzz_is_json(sbuf_str(&r->content));
    else if (r->reply == REPLY_HOOK)
        assert_true(r->detail.len > 0 && r->detail.len < 4096);
    else
        assert_int_equal(r->reply, REPLY_ACCEPTED);
    hook_free(r->hook);
    sbuf_free(&r->content);
    arena_free(&r->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config *config;
    struct str input = fuzz_text(data, size);
    char *body = mem_text(input);

    config = config ? config : configuration();
    struct site_set set = {.sites = config->sites};
    struct request r = {.set = &set, .body = body, .body_len = input.len, .content.max = 1 << 20};
    finish_subscribe(&r);
    end(&r);

    r = (struct request){.set = &set, .content.max = 1 << 20, .target = input, .path = input};
    const char *query = str_chr(input, '?');
    if (query)
        r.path.len = (size_t)(query - input.at);
    finish_sample(&r);
    assert_int_not_equal(r.reply, REPLY_CONTENT);
    end(&r);
    free(body);
    return 0;
}
