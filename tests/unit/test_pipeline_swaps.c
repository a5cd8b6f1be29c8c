/* tests/unit/test_pipeline_swaps.c - models are swapped while events come in and leads are looked
 * at again: by three threads, as in the daemon. */
#include "served_world.h"

#include <pthread.h>
#include <sched.h>

#include "funneld/pipeline/rescore.h"

enum { FORMS = 600, SWAPS = 150, PEOPLE = 20 };

static atomic_int answered;

static void on_done(struct work *work)
{
    (void)work;
    atomic_fetch_add(&answered, 1);
}

static void send_work(struct pipeline *p, struct work *work, enum work_kind kind)
{
    work->kind = kind;
    work->done = on_done;
    work->mail.weight = 1;
    OK(writer_submit(p->writer, work));
}

static void wait_for(int n)
{
    while (atomic_load(&answered) < n)
        (void)sched_yield();
}

/* Every other swap is to none. */
static struct models *next_models(int i)
{
    return i % 2 ? models_of(demo_model(), age_model()) : models_of(NULL, NULL);
}

struct looker {
    struct pipeline *p;
    struct models *models;
    atomic_bool stop;
    size_t seen;
};

static void *look_again(void *looker)
{
    struct looker *l = looker;
    struct rescoring *s = mem_alloc(sizeof *s);
    struct reader *reader = NULL;

    OK(reader_open(arena_text(&s->arena, l->p->w->path), &reader, NULL));
    s->rules = l->p->rules;
    s->models = l->models;
    for (s->before = INT64_MAX; !atomic_load(&l->stop) || !l->seen;) { /* it may begin late */
        OK(rescore_read(reader, s, l->p->now));
        l->seen += s->n_seen;
        if (s->done)
            s->before = INT64_MAX;
    }
    reader_close(reader);
    arena_free(&s->arena);
    free(s);
    return NULL;
}

static void swaps_under_load_lose_no_event(void **state)
{
    struct pipeline *p = *state;
    struct intake *forms = mem_array(FORMS, sizeof *forms);
    struct command *swaps = mem_array(SWAPS, sizeof *swaps);
    struct looker looker = {.p = p, .models = models_of(demo_model(), age_model())};
    pthread_t writer, looks;

    load(p, BASIC_SOURCES RULES);
    for (int i = 0; i < FORMS; i++)
        forms[i] =
            decoded(p, "zapier",
                    form_json(p, arena_printf(&p->w->arena, "p%d@example.com", i % PEOPLE).at,
                              p->now, ",\"page\":\"x\""));
    atomic_store(&answered, 0);
    assert_int_equal(pthread_create(&writer, NULL, writer_run, p->writer), 0);
    assert_int_equal(pthread_create(&looks, NULL, look_again, &looker), 0);
    for (int i = 0; i < FORMS; i++) {
        send_work(p, &forms[i].work, WORK_INTAKE);
        if (i % (FORMS / SWAPS))
            continue;
        struct command *c = &swaps[i / (FORMS / SWAPS)];
        c->kind = COMMAND_MODELS;
        c->arg = next_models(i / (FORMS / SWAPS));
        send_work(p, &c->work, WORK_COMMAND);
    }
    wait_for(FORMS + SWAPS);
    atomic_store(&looker.stop, true);
    assert_int_equal(pthread_join(looks, NULL), 0);
    writer_close(p->writer);
    assert_int_equal(pthread_join(writer, NULL), 0);
    for (int i = 0; i < FORMS; i++)
        COUNTS(forms[i], 1, 0, 0);
    for (int i = 0; i < SWAPS; i++)
        OK(swaps[i].work.rc);
    CHANCE(email_lead(p, "p19@example.com").probability, 119); /* the last swap was to models */
    assert_true(looker.seen > 0);
    ref_drop(&looker.models->ref);
    free(forms);
    free(swaps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(swaps_under_load_lose_no_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
