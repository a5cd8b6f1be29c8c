/* observe/log.c - logfmt or JSON lines on standard error. */
#include "funneld/observe/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "funneld/base/clock.h"
#include "funneld/base/json.h"

static const char *const level_names[] = {"debug", "info", "warn", "error", NULL};
static const char *const format_names[] = {"logfmt", "json", NULL};

static const struct option log_options[] = {
    {.key = "level",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct log_settings, level),
     .fallback = "info",
     .choices = level_names,
     .help = "lines below it are not written"},
    {.key = "format",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct log_settings, format),
     .fallback = "logfmt",
     .choices = format_names,
     .help = "of each line"},
};

const struct section_spec log_spec = {
    .kind = "log",
    .options = log_options,
    .n_options = ARRAY_LEN(log_options),
    .size = sizeof(struct log_settings),
    .help = "Lines on standard error. No secrets, no bodies, no e-mail addresses.",
};

static atomic_int current_level = LOG_INFO, current_format = LOG_LOGFMT;

void log_configure(const struct log_settings *s)
{
    atomic_store(&current_level, (int)s->level);
    atomic_store(&current_format, (int)s->format);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&current_level, memory_order_relaxed);
}

static bool plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] <= ' ' || s.at[i] == '"' || s.at[i] == '=' || s.at[i] == 0x7f)
            return false;
    return s.len > 0;
}

static void write_logfmt(struct sbuf *b, const struct log_field *f)
{
    if (b->len)
        sbuf_char(b, ' ');
    sbuf_printf(b, "%s=", f->key);
    if (f->type == LOG_F_INT)
        sbuf_printf(b, "%lld", (long long)f->number);
    else if (plain(f->text))
        sbuf_add(b, f->text);
    else /* JSON's quoting is logfmt's */
        json_quote(b, f->text);
}

static void write_json(struct sbuf *b, const struct log_field *f)
{
    json_key(b, f->key);
    if (f->type == LOG_F_INT)
        json_int(b, f->number);
    else
        json_str(b, f->text);
}

static void write_field(struct sbuf *b, const struct log_field *f, enum log_format format)
{
    if (f->type == LOG_F_STR && !f->text.at)
        return; /* missing: no key either */
    (format == LOG_JSON ? write_json : write_logfmt)(b, f);
}

void log_write(enum log_level level, const char *ev, ...)
{
    struct sbuf line AUTO(sbuf_free) = SBUF(8192);
    enum log_format format = (enum log_format)atomic_load(&current_format);
    char now[TIME_TEXT];
    va_list args;

    if (!log_enabled(level))
        return;
    time_text(clock_now_ms(), now);
    if (format == LOG_JSON)
        json_open(&line, '{');
    const struct log_field head[] = {L_TEXT("ts", now), L_TEXT("level", level_names[level]),
                                     L_TEXT("ev", ev)};
    for (size_t i = 0; i < ARRAY_LEN(head); i++)
        write_field(&line, &head[i], format);
    va_start(args, ev);
    for (;;) {
        struct log_field f = va_arg(args, struct log_field);

        if (!f.key)
            break;
        write_field(&line, &f, format);
    }
    va_end(args);
    if (format == LOG_JSON)
        json_close(&line, '}');
    sbuf_char(&line, '\n');
    (void)!write(STDERR_FILENO, line.at, line.len); /* nowhere to say that it failed */
}
