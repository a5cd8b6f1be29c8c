/* tests/unit/test_slack.c - what Slack is told. */
#include "cm.h"

#include "slack_test.h"

static void a_lead_becomes_header_fields_reasons_and_a_link(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TOKEN);
    fixture_build(&f);
    golden(&f, "slack/post.http");
    assert_false(f.request.repeatable);
}

static void a_lead_without_crm_record_has_no_link(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TOKEN);
    f.parcels[0].crm_url = STR_NULL;
    f.parcels[0].d.facts.reasons = STR("");
    f.leads[0].n_properties = 0;
    fixture_build(&f);
    golden(&f, "slack/bare.http");
}

static void what_models_say_stands_beside_the_score(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TOKEN);
    fixture_chances(&f);
    fixture_build(&f);
    golden(&f, "slack/chances.http");
}

static void the_language_of_the_messages_is_kept(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TOKEN);
    f.parcels[0].language = LANGUAGE_ES;
    fixture_build(&f);
    golden(&f, "slack/spanish.http");
}

static void a_webhook_gets_the_message_without_channel_and_token(void **state)
{
    (void)state;
    fixture_start(&f, WITH_WEBHOOK);
    fixture_build(&f);
    golden(&f, "slack/webhook.http");
    assert_null(fixture_header(&f.request, "Authorization").at);
}

static void a_template_replaces_the_built_in_message(void **state)
{
    struct expr_error error;

    (void)state;
    fixture_start(&f, WITH_TOKEN);
    fixture_put(&f, 0, "firstname", "<!channel> & co");
    assert_int_equal(template_compile(STR("*{{lead.firstname}}* has {{score}}: {{reasons}}"),
                                      &f.arena, fixture_template(&f, 0), &error),
                     RC_OK);
    fixture_build(&f);
    golden(&f, "slack/template.http");
}

/* Every text of the message, one after another. */
static struct str texts_of(struct json_doc *doc)
{
    const json *blocks;
    struct str all;

    assert_int_equal(json_parse(f.request.body, doc, NULL), RC_OK);
    blocks = json_get(doc->root, "blocks");
    all = arena_str(&f.arena, json_string(json_get(doc->root, "text")));
    for (const json *b = json_first(blocks); b; b = json_next(b)) {
        struct str one = json_string(json_path(b, "text.text"));

        all = arena_printf(&f.arena, "%.*s\n%.*s", STR_ARG(all), STR_ARG(one));
        for (const json *x = json_first(json_get(b, "fields")); x; x = json_next(x))
            all = arena_printf(&f.arena, "%.*s\n%.*s", STR_ARG(all),
                               STR_ARG(json_string(json_get(x, "text"))));
    }
    return all;
}

static void what_a_lead_types_cannot_ping_or_link(void **state)
{
    struct json_doc doc = {0};
    struct str all;

    (void)state;
    fixture_start(&f, WITH_TOKEN);
    fixture_put(&f, 0, "lastname", "<!channel>");
    fixture_put(&f, 0, "company", "<https://evil.example|Login> & <@U1>");
    f.parcels[0].d.facts.reasons = STR("<!here>\nsecond line");
    fixture_build(&f);
    all = texts_of(&doc);
    assert_null(str_chr(all, '<'));
    assert_null(str_chr(all, '>'));
    assert_non_null(str_find(all, STR("&lt;!channel&gt;")));
    assert_non_null(str_find(all, STR("&lt;https://evil.example|Login&gt; &amp; &lt;@U1&gt;")));
    assert_non_null(str_find(all, STR("&lt;!here&gt;\nsecond line")));
    json_doc_free(&doc);
}

static void a_hostile_lead_is_shown_as_it_is_called(void **state)
{
    struct json_doc doc = {0};

    (void)state;
    fixture_start(&f, WITH_TOKEN);
    fixture_hostile_reasons(&f);
    fixture_build(&f);
    golden(&f, "slack/post_hostile.http");
    assert_null(str_chr(texts_of(&doc), '<'));
    json_doc_free(&doc);
    assert_int_equal(fixture_judge(&f, 200, "{\"ok\":false,\"error\":\"invalid_blocks\"}"),
                     JUDGED_CONTINUE);
    fixture_build(&f);
    golden(&f, "slack/text_only_hostile.http");
    assert_null(str_chr(f.request.body, '<'));
    fixture_end(&f);

    fixture_start(&f, WITH_WEBHOOK);
    fixture_hostile_reasons(&f);
    fixture_build(&f);
    golden(&f, "slack/webhook_hostile.http");
}

static size_t points(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.at[i] & 0xc0) != 0x80;
    return n;
}

static void long_texts_are_cut_between_characters_and_entities(void **state)
{
    (void)state;
    /* & grows to five: somewhere the cut meets an entity; two euro signs shift where. */
    for (size_t shift = 0; shift < 6; shift++) {
        struct json_doc doc = {0};
        struct sbuf b = SBUF(1 << 20);
        const json *block, *text = NULL;

        fixture_start(&f, WITH_TOKEN);
        for (size_t i = 0; i < shift; i++)
            sbuf_text(&b, "\xe2\x82\xac");
        for (size_t i = 0; i < 4000; i++)
            sbuf_text(&b, "&");
        f.parcels[0].d.facts.reasons = sbuf_str(&b);
        fixture_build(&f);
        assert_int_equal(json_parse(f.request.body, &doc, NULL), RC_OK);
        block = json_first(json_get(doc.root, "blocks"));
        for (; block; block = json_next(block))
            if (str_starts(json_string(json_path(block, "text.text")), STR("\xe2\x82\xac")) ||
                str_starts(json_string(json_path(block, "text.text")), STR("&amp;")))
                text = json_path(block, "text.text");
        assert_non_null(text);
        assert_true(points(json_string(text)) <= 2900);
        assert_true(points(json_string(text)) > 2890);
        assert_true(str_ends(json_string(text), STR("&amp;\xe2\x80\xa6")));
        json_doc_free(&doc);
        sbuf_free(&b);
        fixture_end(&f);
    }
}

static void a_long_template_is_cut_before_an_entity(void **state)
{
    struct expr_error error;

    (void)state;
    for (size_t shift = 0; shift < 6; shift++) {
        struct sbuf b = SBUF(1 << 20), name = SBUF(1 << 20);
        struct json_doc doc = {0};
        struct str text;

        fixture_start(&f, WITH_TOKEN);
        for (size_t i = 0; i < shift; i++)
            sbuf_text(&b, "x");
        sbuf_text(&b, "{{lead.firstname}}");
        for (size_t i = 0; i < 1000; i++)
            sbuf_text(&name, "&");
        fixture_put(&f, 0, "firstname", name.at);
        assert_int_equal(template_compile(sbuf_str(&b), &f.arena, fixture_template(&f, 0), &error),
                         RC_OK);
        fixture_build(&f);
        assert_int_equal(json_parse(f.request.body, &doc, NULL), RC_OK);
        text = json_string(json_path(doc.root, "blocks.0.text.text"));
        assert_true(text.len <= 2900 && text.len > 2890);
        assert_true(str_ends(text, STR("&amp;")));
        json_doc_free(&doc);
        sbuf_free(&b);
        sbuf_free(&name);
        fixture_end(&f);
    }
}

static void settings_that_cannot_work_are_refused(void **state)
{
    (void)state;
    refused("type = slack\n", "needs a token or a webhook");
    refused(WITH_TOKEN "webhook = " HOOK "\n", "not both");
    refused("type = slack\ntoken = x\n", "needs the id of a channel");
    refused("type = slack\ntoken = x\nchannel = #sales\n", "by its id");
    refused(WITH_WEBHOOK "channel = C1\n", "its own channel only");
    refused(WITH_WEBHOOK "on_ambiguous = look\n", "cannot look");
    refused("type = slack\nwebhook = http://hooks.example.com/s3cret\n", "on this machine only");
    refused("type = slack\nwebhook = s3cret\n", "no address");
    fixture_start(&f, "type = slack\nwebhook = http://127.0.0.1:8080/services/x\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(a_lead_becomes_header_fields_reasons_and_a_link),
        T(a_hostile_lead_is_shown_as_it_is_called),
        T(a_lead_without_crm_record_has_no_link),
        T(what_models_say_stands_beside_the_score),
        T(the_language_of_the_messages_is_kept),
        T(a_webhook_gets_the_message_without_channel_and_token),
        T(a_template_replaces_the_built_in_message),
        T(what_a_lead_types_cannot_ping_or_link),
        T(long_texts_are_cut_between_characters_and_entities),
        T(a_long_template_is_cut_before_an_entity),
        T(settings_that_cannot_work_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
