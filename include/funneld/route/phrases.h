/* route/phrases.h - what funneld says of its own accord, in the language of [messages]. Pure.
 *
 * One table: a new language is a column, a new sentence a line. {1} .. {9} are values, so that a
 * language may put them in its own order. Words that programs read (band names in expressions,
 * columns of Notion and Sheets) are English everywhere and do not stand here.
 */
#ifndef FUNNELD_ROUTE_PHRASES_H
#define FUNNELD_ROUTE_PHRASES_H

#include "funneld/base/mem.h"

enum language { LANGUAGE_EN, LANGUAGE_ES, LANGUAGE_COUNT };
extern const char *const language_names[LANGUAGE_COUNT + 1]; /* "en" (ISO 639-1); ends in NULL */

/*    name           English                           Spanish */
#define PHRASE_LIST(X)                                                                             \
    X(TITLE_COLD, "{1} is cold", "{1}: lead frío") /* one for each band, in the order of the */    \
    X(TITLE_WARM, "{1} is warm", "{1}: lead templado")                                             \
    X(TITLE_HOT, "{1} is hot", "{1}: lead caliente")                                               \
    X(SUMMARY, "{1}: score {2}", "{1}, puntuación {2}")                                            \
    X(SCORE, "Score", "Puntuación")                                                                \
    X(SCORE_BEFORE, "{1} (before: {2})", "{1} (antes: {2})")                                       \
    X(EMAIL, "E-mail", "Correo electrónico")                                                       \
    X(COMPANY, "Company", "Empresa")                                                               \
    X(JOB_TITLE, "Job title", "Cargo")                                                             \
    X(PHONE, "Phone", "Teléfono")                                                                  \
    X(REASONS, "Reasons", "Motivos")                                                               \
    X(CONVERTS, "{1} % likely to convert", "{1} % de probabilidad de conversión")                  \
    X(LEAVES, "{1} % likely to leave", "{1} % de probabilidad de irse")                            \
    X(OPEN_CRM, "Open in the CRM", "Abrir en el CRM")                                              \
    X(ORIGIN, "{1} from {2} at {3}, route {4}", "{1} de {2}, {3}, ruta {4}")                       \
    X(CLAIM, "Claim", "Asignarme")                                                                 \
    X(SNOOZE, "Snooze", "Posponer")                                                                \
    X(NOT_A_FIT, "Not a fit", "No encaja")                                                         \
    X(CLAIMED_BY, "Claimed by {1} at {2}", "Asignado a {1}, {2}")                                  \
    X(NOT_A_FIT_BY, "Not a fit, says {1} at {2}", "No encaja, según {1}, {2}")                     \
    X(SNOOZED_BY, "Snoozed by {1} until {2}", "Pospuesto por {1} hasta {2}")                       \
    X(OWNER, "Owner: {1}", "Responsable: {1}")                                                     \
    X(DIGEST_TITLE, "{1} leads at once", "{1} leads a la vez")                                     \
    X(DIGEST_BANDS, "{1} hot, {2} warm, {3} cold", "{1} calientes, {2} templados, {3} fríos")      \
    X(DIGEST_MORE, "and {1} more", "y {1} más")

enum phrase {
#define X(name, english, spanish) PHRASE_##name,
    PHRASE_LIST(X)
#undef X
        PHRASE_COUNT
};

const char *phrase_text(enum language l, enum phrase p); /* as it stands in the table */
/* With its values in it; a missing value leaves nothing. */
struct str phrase_with(enum language l, enum phrase p, const struct str values[], size_t n,
                       struct arena *a);

#define PHRASE_WITH(l, p, a, ...)                                                                  \
    phrase_with((l), (p), (const struct str[]){__VA_ARGS__},                                       \
                sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str), (a))

#endif
