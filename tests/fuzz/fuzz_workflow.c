/* tests/fuzz/fuzz_workflow.c - a workflow's request: the target on the first line, then the body.
 */
#include "source.h"

#include "../../src/ingest/mapping_priv.h"

#define KEY "not-to-be-guessed"

static void check_key(const struct source *s, struct str target, struct arena *a)
{
    struct request r = fuzz_request(STR("{}"));
    struct str decoded;

    r.raw.target = target;
    if (s->type->verify(s, request_raw(&r), a, NULL))
        return;
    /* Escapes stand for one character each, so that the whole target shows what it says. */
    assert_true(!form_decode(target, a, &decoded) || fuzz_holds(decoded, "key=" KEY));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source *s =
        fuzz_source(&workflow_source, "api_key = " KEY "\napi_key_query = key\n"
                                      "enrolment = run\nportal = 7\n");
    struct str rest = fuzz_text(data, size), target = STR("");
    struct arena a AUTO(arena_free) = {0};

    (void)fuzz_line(&rest, &target); /* "" of "" */
    check_key(s, target, &a);
    struct request r = fuzz_request(rest.at ? rest : STR(""));
    fuzz_decode(s, &r);
    return 0;
}
