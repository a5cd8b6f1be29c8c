/* observe/log.h - one line per event of our own, for the person at 3 a.m.
 *
 *     log_write(LOG_WARN, "delivery.retry", L_ID("delivery", d->id), L_STR("connector", name),
 *               L_INT("attempt", n), L_INT("status", 429), L_END);
 *
 * logfmt or JSON to standard error, one write(2) per line. Stable keys (design 1.6), an event
 * name, ids always; no secrets, no bodies, no e-mail addresses. Any thread.
 */
#ifndef FUNNELD_OBSERVE_LOG_H
#define FUNNELD_OBSERVE_LOG_H

#include <stdint.h>

#include "funneld/base/rc.h"
#include "funneld/base/str.h"
#include "funneld/config/option.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_settings {
    int64_t level, format;
};
extern const struct section_spec log_spec;

struct log_field {
    const char *key; /* NULL ends the list */
    enum { LOG_F_STR, LOG_F_INT } type;
    struct str text;
    int64_t number;
};

#define L_STR(k, s)  ((struct log_field){.key = (k), .type = LOG_F_STR, .text = (s)})
#define L_TEXT(k, t) ((struct log_field){.key = (k), .type = LOG_F_STR, .text = str_of(t)})
#define L_INT(k, n)  ((struct log_field){.key = (k), .type = LOG_F_INT, .number = (n)})
#define L_WHY(w)     L_TEXT("reason", (w)->text)
#define L_END        ((struct log_field){0})

void log_configure(const struct log_settings *s);
void log_write(enum log_level level, const char *ev, ...); /* struct log_field ..., L_END */
bool log_enabled(enum log_level level);

#endif
