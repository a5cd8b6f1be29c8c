/* tests/unit/test_mapping.c - where a sender's JSON has what an event needs. */
#include "cm.h"

#include "source_fixture.h"

#include "../../src/ingest/mapping_priv.h"

#define SECRET "signature = bearer\nsecret = one\n"

static const char person[] =
    "{\"first\":\"one\",\"person\":{\"mail\":\" "
    "Ada@Example.com\",\"name\":\"Ada\",\"tags\":[\"a\",1,true,null],"
    "\"empty\":\"\",\"none\":null,\"deep\":[{\"x\":7},{\"x\":[]}]},"
    "\"kind\":\"signup\",\"a b\":\"blank\",\"a.b\":\"dot\",\"it's\":\"quote\",\"big\":"
    "123456789012345678901,\"when\":1769081990,\"no\":\"n-1\",\"flat__key\":\"F\",\"off\":false}";

static void paths_find_what_they_name(void **state)
{
    static const struct {
        const char *path, *expected; /* NULL: missing */
    } cases[] = {
        {"$.person.name", "Ada"},
        {"$['person']['name']", "Ada"},
        {"$[\"person\"].name", "Ada"},
        {"$['a b']", "blank"},
        {"$['a.b']", "dot"},
        {"$[\"it's\"]", "quote"},
        {"$.person.tags", "a, 1, true"},
        {"$.person.tags[0]", "a"},
        {"$.person.tags[1]", "1"},
        {"$.person.tags[3]", NULL},
        {"$.person.tags[4]", NULL},
        {"$.person.tags[123456789]", NULL},
        {"$.person.deep[0].x", "7"},
        {"$.person.deep[1].x", NULL},
        {"$.person.deep", NULL},
        {"$.person.deep[0]", NULL},
        {"$.person", NULL},
        {"$.person.empty", NULL},
        {"$.person.none", NULL},
        {"$.person.name.x", NULL},
        {"$.person[0]", NULL},
        {"$[0]", NULL},
        {"$.Person.name", NULL},
        {"$.off", "false"},
        {"$.big", "123456789012345678901"},
        {"kind", "signup"},
        {"first", "one"},
        {"person__name", "Ada"},
        {"person__tags", "a, 1, true"},
        {"person__deep__0__x", "7"},
        {"person__deep", NULL},
        {"flat__key", "F"},
        {"nothing", NULL},
        {"'always'", "always"},
        {"'a \"b\" c'", "a \"b\" c"},
        {"''", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a AUTO(arena_free) = {0};
        struct str lines =
            arena_printf(&a, SECRET "map.x = %s\nmap.email = $.person.mail\n", cases[i].path);
        FIXTURE(f, "http", lines.at);

        if (f.problems.n)
            fail_msg("%s: %s", cases[i].path, problem_of(&f));
        struct event e = decode_one(&f, person);
        assert_int_equal(e.state, EVENT_PROCESSED);
        is(e.email, "ada@example.com");
        is(property(&e, "x"), cases[i].expected);
        is(property(&e, "email"), "ada@example.com");
        assert_int_equal(e.n_properties, cases[i].expected ? 2 : 1);
    }
}

static void paths_that_cannot_be_read_are_problems_of_their_line(void **state)
{
    static const struct {
        const char *path, *problem;
    } cases[] = {
        {"$", "$\n     ^"},
        {"$.", "$.\n      ^"},
        {"$person", "$person\n     ^"},
        {"$..x", "$..x\n      ^"},
        {"$.a b", "$.a b\n       ^"},
        {"$.a[", "$.a[\n        ^"},
        {"$.a[x]", "$.a[x]\n        ^"},
        {"$.a[-1]", "$.a[-1]\n        ^"},
        {"$.a[*].b", "$.a[*].b\n        ^"},
        {"$.a[1", "$.a[1\n        ^"},
        {"$.a[1234567890]", "counted from 0"},
        {"$['a]", "the quote is not closed"},
        {"$['a'", "a ] is missing"},
        {"$['a'x", "$['a'x\n         ^"},
        {"$.\xC3\xA9.", "$.\xC3\xA9.\n        ^"},
        {"a b", "a b\n     ^"},
        {"a[0]", "a[0]\n     ^"},
        {"person.$.mail", "starts with $"},
        {"'open", "'open\n    ^"},
        {"", "says nothing"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a AUTO(arena_free) = {0};
        FIXTURE(f, "http", arena_printf(&a, SECRET "map.y = $.y\nmap.x = %s\n", cases[i].path).at);

        if (f.problems.n != 1 || !strstr(problem_of(&f), cases[i].problem))
            fail_msg("%s: %s", cases[i].path, problem_of(&f));
        assert_int_equal(f.problems.first->line, 6);
    }
}

static void what_makes_all_events_the_same_is_a_problem(void **state)
{
    static const struct {
        const char *line;
        bool fine;
    } cases[] = {
        {"map.email = 'ada@example.com'\n", false},    {"map.event_id = '1'\n", false},
        {"map.occurred_at = '2026-01-01'\n", false},   {"map.event_type = 'signup'\n", true},
        {"map.campaign = 'spring'\n", true},           {"map.event_type = \"signup\"\n", false},
        {"map.event_type = \"$.kind\"\n", true},       {"map. = $.a\n", false},
        {"map.email = $.a\nmap.email = $.b\n", false}, {"maps.email = $.a\n", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a AUTO(arena_free) = {0};
        struct str text = arena_printf(&a, "[source s]\ntype = http\n" SECRET "%s", cases[i].line);
        const struct source_type *type = type_named("http");
        struct conf_problems problems;
        struct conf conf;

        conf_problems_init(&problems, &a);
        (void)!conf_read_text(STR("t.conf"), text, &a, &conf, &problems);
        void *settings = arena_alloc(&a, type->spec->size);
        conf_bind(&conf.sections[0], type->spec, settings, &a, &problems);
        type->check(settings, &conf.sections[0], STR_NULL, &problems);
        if ((problems.n == 0) != cases[i].fine)
            fail_msg("%s: %zu problems", cases[i].line, problems.n);
    }
}

static void own_fields_come_from_where_the_map_says(void **state)
{
    FIXTURE(f, "http",
            SECRET "map.email = $.person.mail\nmap.event_type = kind\nmap.event_id = $.no\n"
                   "map.occurred_at = $.when\n");
    struct event e = decode_one(&f, person);

    (void)state;
    is(e.type, "signup");
    assert_int_equal(e.occurred_at, INT64_C(1769081990000)); /* it came in seconds */
    assert_int_equal(e.dedupe_window_ms, 0);
    assert_int_equal(e.n_properties, 1);
    is(field_get(e.data, e.n_data, "person__name"), "Ada");
    FIXTURE(fixed, "http", SECRET "map.email = $.person.mail\nmap.event_type = 'form.sent'\n");
    e = decode_one(&fixed, person);
    is(e.type, "form.sent");
    assert_int_equal(e.dedupe_window_ms, 24 * HOURS_MS);
}

static void without_a_map_the_names_are_those_of_zaps(void **state)
{
    FIXTURE(f, "http", SECRET);
    struct event e = decode_one(&f, "{\"email\":\"a@b\",\"event_type\":\"t\",\"event_id\":5,"
                                    "\"occurred_at\":1769081990000,\"x\":1}");

    (void)state;
    is(e.type, "t");
    is(e.email, "a@b");
    assert_int_equal(e.occurred_at, INT64_C(1769081990000));
    assert_int_equal(e.n_properties, 1); /* the address alone */
    is(field_get(e.data, e.n_data, "x"), "1");
    e = decode_one(&f, "{\"email\":\"a@b\"}");
    is(e.type, "http.event");
    assert_int_equal(e.occurred_at, NOW);
}

static void zaps_keep_what_no_map_names(void **state)
{
    FIXTURE(f, "zapier",
            "secret = one\nmap.email = $.person.mail\nmap.firstname = $.person.name\n"
            "map.kind = $.person.tags[0]\nmap.company = nothing\n");
    struct event e =
        decode_one(&f, "{\"top\":1,\"person\":{\"mail\":\"a@b\",\"name\":\"Ada\",\"tags\":[\"x\"]},"
                       "\"email\":\"other@b\",\"kind\":\"own\",\"company\":\"own\","
                       "\"left\":{\"over\":1}}");

    (void)state;
    is(e.email, "a@b");
    is(property(&e, "email"), "a@b");
    is(property(&e, "firstname"), "Ada");
    is(property(&e, "person__name"), NULL); /* it has another name now */
    is(property(&e, "person__mail"), NULL);
    is(property(&e, "person__tags"), "x");
    is(property(&e, "kind"), "x");     /* the map alone sets it */
    is(property(&e, "company"), NULL); /* here as well */
    is(property(&e, "left__over"), "1");
    is(property(&e, "top"), "1");
    assert_int_equal(e.n_properties, 6);
}

static void mapped_addresses_have_to_be_texts(void **state)
{
    static const char *const bodies[] = {
        "{\"m\":[\"a@b\"]}",   "{\"m\":{\"x\":\"a@b\"}}", "{\"m\":\"\"}", "{\"m\":5}", "{}",
        "{\"email\":\"a@b\"}", /* that is not where the map looks */
    };
    FIXTURE(f, "http", SECRET "map.email = $.m\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct event e = decode_one(&f, bodies[i]);

        assert_int_equal(e.state, EVENT_UNPROCESSABLE);
        assert_true(str_starts(e.reason, STR("email ")));
        is(e.body, bodies[i]);
    }
}

static void a_big_body_is_no_reason_to_refuse_what_is_mapped(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    FIXTURE(f, "http", SECRET "map.email = $.last\n");
    FIXTURE(zap, "zapier", "secret = one\nmap.email = $.last\n");

    (void)state;
    sbuf_text(&b, "{");
    for (int i = 0; i < 3000; i++)
        sbuf_printf(&b, "\"k%d\":1,", i);
    sbuf_text(&b, "\"last\":\"a@b\"}");
    assert_int_equal(decode_one(&f, sbuf_str(&b).at).state, EVENT_PROCESSED);
    assert_int_equal(decode_one(&zap, sbuf_str(&b).at).state, EVENT_UNPROCESSABLE);
}

static void hostile_values_stay_what_they_are(void **state)
{
    static const char body[] =
        "{\"m\":\"a@b\",\"n\":\"<!channel> =HYPERLINK(\\\"x\\\")\\r\\n\\u202e\xF0\x9F\x98\x80\"}";
    FIXTURE(f, "http", SECRET "map.email = $.m\nmap.firstname = $.n\n");
    struct event e = decode_one(&f, body);

    (void)state;
    is(property(&e, "firstname"), "<!channel> =HYPERLINK(\"x\")\r\n\xE2\x80\xAE\xF0\x9F\x98\x80");
    struct event again = decode_again(&f, &e);
    is(property(&again, "firstname"), property(&e, "firstname").at);
}

/* What a lead was then must not depend on what the map is now. */
static void stored_events_remember_the_map_of_their_day(void **state)
{
    static const char body[] = "{\"p\":{\"mail\":\"a@b\",\"n\":\"Ada\",\"k\":\"K\"},\"id\":7}";
    FIXTURE(then, "http",
            SECRET "map.email = $.p.mail\nmap.firstname = $.p.n\nmap.event_id = $.id\n");
    FIXTURE(now, "http", SECRET "map.email = $.elsewhere\nmap.lastname = $.p.k\n");
    FIXTURE(none, "zapier", "secret = one\n");
    struct event e = decode_one(&then, body);
    struct event again = decode_again(&now, &e);

    (void)state;
    assert_int_equal(again.state, EVENT_PROCESSED);
    is(again.email, "a@b");
    is(property(&again, "firstname"), "Ada");
    is(property(&again, "lastname"), NULL);
    assert_true(same_key(&e, &again));
    assert_non_null(str_find(e.body, STR(body))); /* what was sent is in it, byte by byte */
    assert_int_equal(decode_one(&none, "{\"email\":\"a@b\"}").body.len, 15); /* needs no more */
}

/* It was read without one, whatever map its source has got since. */
static void what_came_before_there_was_a_map_is_read_without(void **state)
{
    static const char body[] =
        "{\"email\":\"a@b\",\"name\":\"Ada\",\"work\":\"ada@work\",\"type\":\"t\"}";
    FIXTURE(then, "zapier", "secret = one\n");
    FIXTURE(now, "zapier",
            "secret = one\nmap.email = $.work\nmap.firstname = $.name\nmap.event_id = $.type\n");
    FIXTURE(plain, "http", SECRET);
    FIXTURE(standard, "http",
            "signature = standard\nsecret = whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    struct event e = decode_one(&then, body), again = decode_again(&now, &e);

    (void)state;
    is(again.email, "a@b");
    is(property(&again, "name"), "Ada");
    is(property(&again, "firstname"), NULL);
    assert_true(same_key(&e, &again));
    e = decode_one(&plain, "{\"email\":\"a@b\",\"type\":\"t\"}");
    again = decode_again(&standard, &e);
    assert_true(str_eq(e.type, again.type));
}

/* It is asked what another configuration would have made of it. */
static void read_anew_it_is_by_the_map_of_now(void **state)
{
    FIXTURE(then, "http", SECRET "map.email = $.mail\nmap.event_id = $.id\n");
    FIXTURE(now, "http", SECRET "map.email = $.mail\nmap.firstname = $.name\n");
    FIXTURE(later, "http", SECRET);
    struct event e = decode_one(&then, "{\"mail\":\"a@b\",\"name\":\"Ada\",\"id\":7}");
    struct event again = decode_as_stored(&now, e.body, READ_ANEW);

    (void)state;
    is(property(&e, "firstname"), NULL);
    is(property(&again, "firstname"), "Ada");
    e = decode_again(&later, &again); /* and what that was is kept with it */
    assert_int_equal(e.state, EVENT_PROCESSED);
    is(property(&e, "firstname"), "Ada");
    again = decode_as_stored(&later, e.body, READ_ANEW);
    assert_int_equal(again.state, EVENT_UNPROCESSABLE);
}

static void what_was_odd_is_kept_for_a_better_map(void **state)
{
    FIXTURE(then, "http", SECRET "map.email = $.mail\n");
    FIXTURE(now, "http", SECRET "map.email = $.p.mail\n");
    struct event e = decode_one(&then, "{\"p\":{\"mail\":\"a@b\"}}");
    struct event again = decode_again(&now, &e);

    (void)state;
    assert_int_equal(e.state, EVENT_UNPROCESSABLE);
    assert_int_equal(again.state, EVENT_PROCESSED);
    struct event later = decode_again(&then, &again); /* by the map that made sense of it */
    assert_int_equal(later.state, EVENT_PROCESSED);
    assert_true(same_key(&again, &later));
}

static void a_body_that_looks_like_an_envelope_is_none(void **state)
{
    static const char *const bodies[] = {
        "{\"funneld\":{\"map\":{\"email\":\"$.x\"}},\"sent\":{\"x\":\"evil@b\"},\"email\":\"a@b\"}",
        "{\"funneld\":1,\"email\":\"a@b\"}",
        "{\"funneld\":null,\"no\":\"address\"}",
    };
    FIXTURE(f, "zapier", "secret = one\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct event e = decode_one(&f, bodies[i]), again = decode_again(&f, &e);

        assert_int_equal(e.state, again.state);
        assert_true(same_key(&e, &again));
        if (i < 2)
            is(again.email, "a@b");
    }
}

static void damaged_envelopes_are_refused(void **state)
{
    static const char *const bodies[] = {
        "{\"funneld\":{\"map\":{}}}",
        "{\"funneld\":{},\"sent\":{}}",
        "{\"funneld\":1,\"sent\":{}}",
        "{\"funneld\":{\"map\":[]},\"sent\":{}}",
        "{\"funneld\":{\"map\":{\"email\":\"$..\"}},\"sent\":{}}",
        "{\"funneld\":{\"map\":{\"email\":null}},\"sent\":{}}",
        "{",
    };
    FIXTURE(f, "zapier", "secret = one\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        const struct stored_body stored = {str_of(bodies[i]), NOW, READ_AS_IT_CAME};
        struct event e;
        struct why why = {0};

        assert_int_equal(f.source.type->decode_stored(&f.source, &stored, &f.a, &e, &why),
                         RC_INVALID);
        assert_true(why.text[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_what_they_name),
        cmocka_unit_test(paths_that_cannot_be_read_are_problems_of_their_line),
        cmocka_unit_test(what_makes_all_events_the_same_is_a_problem),
        cmocka_unit_test(own_fields_come_from_where_the_map_says),
        cmocka_unit_test(without_a_map_the_names_are_those_of_zaps),
        cmocka_unit_test(zaps_keep_what_no_map_names),
        cmocka_unit_test(mapped_addresses_have_to_be_texts),
        cmocka_unit_test(a_big_body_is_no_reason_to_refuse_what_is_mapped),
        cmocka_unit_test(hostile_values_stay_what_they_are),
        cmocka_unit_test(stored_events_remember_the_map_of_their_day),
        cmocka_unit_test(what_came_before_there_was_a_map_is_read_without),
        cmocka_unit_test(read_anew_it_is_by_the_map_of_now),
        cmocka_unit_test(what_was_odd_is_kept_for_a_better_map),
        cmocka_unit_test(a_body_that_looks_like_an_envelope_is_none),
        cmocka_unit_test(damaged_envelopes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
