/* tests/fuzz/verify.h - a request that we signed, then changed by the input.
 *
 * Lines up to an empty one, then the body:
 *     :sign v3            signed over the body, as `funneld sign` does; without it, by nobody
 *     :drop NAME          a header less
 *     :method M  :target T  :later MS   :flip N (a bit of the body)
 *     Name: value         a header more
 */
#ifndef FUNNELD_TESTS_FUZZ_VERIFY_H
#define FUNNELD_TESTS_FUZZ_VERIFY_H

#include "source.h"

struct changed {
    struct request request; /* as it arrives */
    struct request signed_one;
    bool is_signed;
};

static void sign(const struct source *s, struct str version, struct str body, struct arena *a,
                 struct changed *ret)
{
    struct request r = request_signed(s, arena_text(a, version), body, FUZZ_NOW, a);

    if (!r.n || ret->is_signed)
        return;
    ret->signed_one = ret->request = r;
    ret->is_signed = true;
}

static void flip(struct changed *c, int64_t bit, struct arena *a)
{
    struct str body = arena_str(a, c->request.raw.body);

    if (bit < 0 || (uint64_t)bit / 8 >= body.len)
        return;
    ((char *)(uintptr_t)body.at)[bit / 8] ^= (char)(1 << bit % 8); /* the arena's copy is ours */
    c->request.raw.body = body;
}

static void change(const struct source *s, struct str line, struct arena *a, struct changed *c)
{
    bool order = line.len && line.at[0] == ':';
    struct str value, name = fuzz_split(line, order ? ' ' : ':', &value);
    int64_t n = 0;

    if (str_is(name, ":sign"))
        sign(s, value, c->request.raw.body, a, c);
    else if (str_is(name, ":drop"))
        request_drop(&c->request, arena_text(a, value));
    else if (str_is(name, ":method"))
        c->request.raw.method = value;
    else if (str_is(name, ":target"))
        c->request.raw.target = value;
    else if (str_is(name, ":later") && str_int64(value, &n) && llabs(n) < DAYS_MS)
        c->request.raw.received_at += n;
    else if (str_is(name, ":flip") && str_int64(value, &n))
        flip(c, n, a);
    else if (!order && c->request.n < REQUEST_HEADERS)
        request_add(&c->request, arena_text(a, name), value);
}

static struct changed fuzz_change(const struct source *s, struct str input, struct arena *a)
{
    const char *end = str_find(input, STR("\n\n"));
    struct str lines = {input.at, end ? (size_t)(end - input.at) : input.len}, line;
    struct changed c = {.request = fuzz_request(str_from(input, lines.len + (end ? 2 : 0)))};

    while (fuzz_line(&lines, &line))
        change(s, line, a, &c);
    return c;
}

/* It was sent once. */
static MAYBE struct str fuzz_header(const struct request *r, const char *name)
{
    size_t n;
    struct str value = request_header(r, name, &n);

    assert_int_equal(n, 1);
    return value;
}

/* What is accepted was signed by us over this time, which is near, and this body. */
static MAYBE void fuzz_is_ours(const struct changed *c, const char *time_header)
{
    const struct request *now = &c->request, *then = &c->signed_one;

    assert_true(c->is_signed);
    fuzz_same(fuzz_header(now, time_header), fuzz_header(then, time_header));
    fuzz_same(now->raw.body, then->raw.body);
    assert_true(llabs(now->raw.received_at - FUZZ_NOW) <= 5 * MINUTES_MS + SECONDS_MS);
}

/* Of a source that signs a time: is_ours is asked of what it accepts. */
static MAYBE void fuzz_verify(const struct source *s, struct str input, const char *secret,
                              void (*is_ours)(const struct changed *c))
{
    struct arena a AUTO(arena_free) = {0};
    struct changed c = fuzz_change(s, input, &a);
    struct why why = {0};
    enum refusal refused = s->type->verify(s, request_raw(&c.request), &a, &why);
    enum refusal head = s->type->verify_head(s, request_raw(&c.request), &a, NULL);

    assert_true(refused == REFUSED_NOT || refused == REFUSED_SIGNATURE ||
                refused == REFUSED_TIMESTAMP);
    assert_true(head == REFUSED_NOT || head == refused);
    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    assert_false(fuzz_holds(str_of(why.text), secret));
    if (refused == REFUSED_NOT)
        is_ours(&c);
    if (c.is_signed)
        assert_int_equal(s->type->verify(s, request_raw(&c.signed_one), &a, NULL), REFUSED_NOT);
}

#endif
