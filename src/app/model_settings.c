/* app/model_settings.c - what [model] can be told. */
#include "funneld/app/config.h"
#include "funneld/base/clock.h"

#define MODEL(field) offsetof(struct model_settings, field)

static const char *const on_drift[] = {"fall_back", "retrain", "warn", NULL};

static const struct option model_options[] = {
    {.key = "check_every",
     .type = OPTION_DURATION,
     .offset = MODEL(check_every_ms),
     .fallback = "24h",
     .min = SECONDS_MS,
     .max = 366 * DAYS_MS,
     .help = "How often the models in use are held against what became of the leads."},
    {.key = "retrain",
     .type = OPTION_DURATION,
     .offset = MODEL(retrain_ms),
     .fallback = "0",
     .max = 3660 * DAYS_MS,
     .help = "How often a new model is trained from the store; it takes over when it beats the one "
             "in use on the newest leads. 0: only by hand."},
    {.key = "on_drift",
     .type = OPTION_CHOICE,
     .offset = MODEL(on_drift),
     .choices = on_drift,
     .fallback = "fall_back",
     .help =
         "When a model is worse than none: fall_back to the model before it, or to rules alone; "
         "retrain and then, if that does not help, fall back; or only warn."},
};

const struct section_spec model_spec = {
    .kind = "model",
    .options = model_options,
    .n_options = ARRAY_LEN(model_options),
    .size = sizeof(struct model_settings),
    .help = "How models are looked after while the daemon runs.",
};
