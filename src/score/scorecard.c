/* score/scorecard.c - from the [score], [group] and [rule] sections to a scorecard. */
#include "funneld/score/scorecard.h"

#include <stdlib.h>

#include "scorecard_priv.h"

enum {
    POINTS_MAX = 10 * 1000 * 1000
}; /* tenths: a million; sums of many rows stay far from 2^63 */

struct score_settings {
    int64_t warm, hot, bands;
};

struct group_settings {
    int64_t max;
};

struct rule_settings {
    struct str when, group, why;
    int64_t points, half_life_ms, max;
};

static const char *const bands_names[] = {[BANDS_POINTS] = "points",
                                          [BANDS_PROBABILITY] = "probability",
                                          [BANDS_QUARTILE] = "quartile",
                                          NULL};

static const struct option score_options[] = {
    {"warm", OPTION_DECIMAL, offsetof(struct score_settings, warm), "40", -POINTS_MAX, POINTS_MAX,
     NULL, 0, NULL, "a lead with this score is warm"},
    {"hot", OPTION_DECIMAL, offsetof(struct score_settings, hot), "80", -POINTS_MAX, POINTS_MAX,
     NULL, 0, NULL, "a lead with this score is hot; not less than warm"},
    {"bands", OPTION_CHOICE, offsetof(struct score_settings, bands), "points", 0, 0, bands_names, 0,
     NULL,
     "what warm and hot are of: points, probability (in percent), or quartile (hot: the best "
     "quarter, "
     "warm: the one below it); points while no model is in use"},
};

static const struct option group_options[] = {
    {"max", OPTION_DECIMAL, offsetof(struct group_settings, max), NULL, 1, POINTS_MAX, NULL,
     OPTION_REQUIRED, "60", "all rules of this group together add no more than this"},
};

static const struct option rule_options[] = {
    {"when", OPTION_TEXT, offsetof(struct rule_settings, when), NULL, 0, 0, NULL, OPTION_REQUIRED,
     "event.property == \"demo_requested\" and event.value == \"true\"",
     "with event.*: adds points each time; without: adds them while it is true"},
    {"points", OPTION_DECIMAL, offsetof(struct rule_settings, points), NULL, -POINTS_MAX,
     POINTS_MAX, NULL, OPTION_REQUIRED, "35", "may be negative"},
    {"half_life", OPTION_DURATION, offsetof(struct rule_settings, half_life_ms), "0", 0, INT64_MAX,
     NULL, 0, "30d", "points halve in this time; 0 = never; only with event.*"},
    {"max", OPTION_DECIMAL, offsetof(struct rule_settings, max), NULL, 1, POINTS_MAX, NULL, 0, "50",
     "this rule alone adds no more than this"},
    {"group", OPTION_TEXT, offsetof(struct rule_settings, group), NULL, 0, 0, NULL, 0, "engagement",
     "the [group NAME] that it belongs to"},
    {"why", OPTION_TEXT, offsetof(struct rule_settings, why), NULL, 0, 0, NULL, 0,
     "asked for a demo", "the reason in words; else the rule's name"},
};

const struct section_spec score_spec = {
    .kind = "score",
    .options = score_options,
    .n_options = ARRAY_LEN(score_options),
    .size = sizeof(struct score_settings),
    .help = "what a score is called",
};

const struct section_spec group_spec = {
    .kind = "group",
    .named = true,
    .options = group_options,
    .n_options = ARRAY_LEN(group_options),
    .size = sizeof(struct group_settings),
    .help = "a ceiling for several rules",
};

const struct section_spec rule_spec = {
    .kind = "rule",
    .named = true,
    .options = rule_options,
    .n_options = ARRAY_LEN(rule_options),
    .size = sizeof(struct rule_settings),
    .help = "what is worth points",
};

/* What all the steps of building need. */
struct build {
    const struct conf *conf;
    struct arena *arena;
    struct conf_problems *problems;
    struct scorecard *card;
};

/* The entry, where it is there and has no problem of its own yet. */
static const struct conf_entry *sound_entry(const struct conf_section *s, const char *key)
{
    const struct conf_entry *e = conf_find(s, key);

    return e && !e->broken ? e : NULL;
}

static size_t count_kind(const struct conf *conf, const char *kind)
{
    size_t n = 0;

    for (size_t i = 0; i < conf->n_sections; i++)
        n += str_is(conf->sections[i].kind, kind);
    return n;
}

/* The next section of this kind at or after *from, or NULL. */
static struct conf_section *next_section(const struct conf *conf, const char *kind, size_t *from)
{
    while (*from < conf->n_sections) {
        struct conf_section *s = &conf->sections[(*from)++];

        if (str_is(s->kind, kind))
            return s;
    }
    return NULL;
}

static void build_bands(const struct build *b)
{
    struct score_settings settings = {0};
    struct conf_section *s = conf_section_find(b->conf, "score", NULL);

    if (s)
        conf_bind(s, &score_spec, &settings, b->arena, b->problems);
    else
        conf_defaults(&score_spec, &settings, b->arena);
    if (settings.hot < settings.warm)
        conf_problem(b->problems, s, s ? conf_find(s, "hot") : NULL, "raise hot or lower warm",
                     "hot is less than warm");
    b->card->warm = settings.warm;
    b->card->hot = settings.hot;
    b->card->bands = (enum bands)settings.bands;
}

/* False with a problem when there are more than evaluating has room for. */
static bool few_enough(const struct build *b, const char *kind, size_t n, size_t max)
{
    if (n <= max)
        return true;
    conf_problem(b->problems, NULL, NULL, NULL, "%zu sections [%s NAME]; at most %zu are possible",
                 n, kind, max);
    return false;
}

static void build_groups(const struct build *b)
{
    size_t n = count_kind(b->conf, "group"), from = 0;
    struct group *groups = arena_array(b->arena, n, sizeof *groups), *g = groups;

    if (!few_enough(b, "group", n, SCORE_MAX_GROUPS))
        return;
    for (struct conf_section *s; (s = next_section(b->conf, "group", &from)); g++) {
        struct group_settings settings = {0};

        conf_bind(s, &group_spec, &settings, b->arena, b->problems);
        *g = (struct group){arena_str(b->arena, s->name), settings.max};
    }
    b->card->groups = groups;
    b->card->n_groups = n;
}

size_t scorecard_group(const struct scorecard *c, struct str name)
{
    if (!name.at)
        return NOT_FOUND;
    for (size_t i = 0; i < c->n_groups; i++)
        if (str_eq(c->groups[i].name, name))
            return i;
    return NOT_FOUND;
}

static void check_group(const struct build *b, const struct conf_section *s, const struct rule *r)
{
    const char *names[SCORE_MAX_GROUPS];
    struct str group = r->group;

    if (!group.at || r->group_at != NOT_FOUND)
        return;
    for (size_t i = 0; i < b->card->n_groups; i++)
        names[i] = arena_text(b->arena, b->card->groups[i].name);
    const char *near = conf_nearest(group, names, b->card->n_groups);
    struct str hint = near ? arena_printf(b->arena, "did you mean %s?", near)
                           : arena_printf(b->arena, "add a section [group %.*s]", STR_ARG(group));
    conf_problem(b->problems, s, conf_find(s, "group"), hint.at, "there is no group %.*s",
                 STR_ARG(group));
}

static void compile_when(const struct build *b, const struct conf_section *s, struct rule *r)
{
    const struct conf_entry *when = sound_entry(s, "when");
    struct expr_error error;

    if (!when)
        return;
    if (expr_compile(when->value, EXPR_EVENT | EXPR_LEAD, b->arena, &r->when, &error))
        expr_problem(b->problems, s, when, &error);
    else
        r->engagement = expr_uses(r->when) & EXPR_EVENT;
}

/* "demo-request" reads "demo request" */
static struct str name_in_words(struct str name, struct arena *a)
{
    char *text = arena_alloc(a, name.len + 1);

    for (size_t i = 0; i < name.len; i++)
        text[i] = name.at[i] == '-' || name.at[i] == '_' ? ' ' : name.at[i];
    return (struct str){text, name.len};
}

static struct rule build_rule(const struct build *b, struct conf_section *s)
{
    struct rule_settings settings = {0};
    struct rule r = {.name = arena_str(b->arena, s->name)};

    conf_bind(s, &rule_spec, &settings, b->arena, b->problems);
    r.group = settings.group.len ? settings.group : STR_NULL;
    r.points = settings.points;
    r.half_life_ms = settings.half_life_ms;
    r.max = conf_find(s, "max") ? settings.max : INT64_MAX;
    r.why = settings.why.len ? settings.why : name_in_words(r.name, b->arena);
    compile_when(b, s, &r);
    r.group_at = scorecard_group(b->card, r.group);
    check_group(b, s, &r);
    if (r.when && !r.engagement && r.half_life_ms)
        conf_problem(b->problems, s, conf_find(s, "half_life"),
                     "leave half_life out, or use event.* in when",
                     "only a rule about an event decays; this one holds while it is true");
    return r;
}

static int by_name(const void *a, const void *b, void *self)
{
    const struct rule *rules = self;

    return str_cmp(rules[*(const size_t *)a].name, rules[*(const size_t *)b].name);
}

static void build_rules(const struct build *b)
{
    size_t n = count_kind(b->conf, "rule"), from = 0, i = 0;
    struct rule *rules = arena_array(b->arena, n, sizeof *rules);
    size_t *order = arena_array(b->arena, n, sizeof *order);

    if (!few_enough(b, "rule", n, SCORE_MAX_RULES))
        return;
    for (struct conf_section *s; (s = next_section(b->conf, "rule", &from)); i++) {
        rules[i] = build_rule(b, s);
        order[i] = i;
    }
    qsort_r(order, n, sizeof *order, by_name, rules);
    b->card->rules = rules;
    b->card->n_rules = n;
    b->card->by_name = order;
}

static void write_sections(const struct build *b, const struct section_spec *spec,
                           struct sbuf *text)
{
    size_t from = 0;

    for (struct conf_section *s; (s = next_section(b->conf, spec->kind, &from));) {
        sbuf_printf(text, "\n[%s %.*s]\n", spec->kind, STR_ARG(s->name));
        for (size_t i = 0; i < spec->n_options; i++) {
            const struct conf_entry *e = conf_find(s, spec->options[i].key);

            if (e)
                conf_write_entry(text, e->key, e->raw);
        }
    }
}

/* Bands are always written: their defaults may be others one day. */
static void write_text(const struct build *b)
{
    struct sbuf text AUTO(sbuf_free) = SBUF(SIZE_MAX / 2); /* no larger than the file was */
    struct arena *a = b->arena;

    sbuf_printf(&text, "[score]\nwarm=%s\nhot=%s\n", tenths_text(b->card->warm, a).at,
                tenths_text(b->card->hot, a).at);
    if (b->card->bands != BANDS_POINTS) /* once there was nothing else */
        sbuf_printf(&text, "bands=%s\n", bands_names[b->card->bands]);
    write_sections(b, &group_spec, &text);
    write_sections(b, &rule_spec, &text);
    b->card->text = arena_str(a, sbuf_str(&text));
}

void scorecard_build(const struct conf *conf, struct arena *a, struct scorecard *ret,
                     struct conf_problems *problems)
{
    struct scorecard card = {0};
    const struct build b = {conf, a, problems, &card};

    build_bands(&b);
    build_groups(&b);
    build_rules(&b);
    write_text(&b);
    *ret = card;
}
