/* learn.h - what the steps of training hand to each other.
 *
 *   columns -> screen -> knows -> encoding -> folds -> logistic, grow/search -> choose -> train
 *
 * All of it lives in the arena of the lesson. Nothing here reads a clock or a global; chance comes
 * from the seed, and each piece of work has its own, so that the number of threads changes nothing.
 */
#ifndef FUNNELD_MODEL_LEARN_H
#define FUNNELD_MODEL_LEARN_H

#include "funneld/model/booster.h"
#include "funneld/model/train.h"
#include "sidecar.h"

enum {
    LEARN_FOLDS = 5,
    LEARN_BINS = 10, /* of a number, where it is looked at like a text */
    FEW_LEADS = 50,  /* below, or with fewer of the rarer class, only rules */
    FEW_OF_A_CLASS = 10,
    TREES_FROM_LEADS = 200,
};

/* A column by its values: each row has the number of one. */
struct learn_column {
    struct str name;
    enum input_kind kind;
    bool out; /* screened out; the report says why */
    bool keep;
    const struct column *from;
    const uint32_t *code; /* [n]: 0 missing, else 1 + its level; NULL where the table has numbers */
    const struct str *levels; /* folded */
    const uint32_t *counts;   /* [n_levels]: rows that have it */
    size_t n_levels;
    const double *value; /* [n]: NULL for a text; NaN where missing */
    struct str *sentinels;
    size_t n_sentinels, n_missing;
    double tells; /* share of the outcome that it tells by itself; 0: was not looked at */
};

struct fold {
    const uint32_t *train, *test; /* rows, rising */
    size_t n_train, n_test;
};

struct lesson {
    const struct training_set *set;
    const struct train_options *o;
    struct arena *arena;
    const uint32_t *row; /* [n]: of the table, those that are learnt from */
    size_t n, n_positive;
    const bool *positive;  /* [n] */
    const uint32_t *lead;  /* [n]: the number of a row's lead, from 0 */
    const uint32_t *first; /* [n_leads]: the first row of each, rising */
    size_t n_leads;
    struct learn_column *columns;
    size_t n_columns;
    struct input *inputs;
    const struct learn_column **input_columns;
    size_t n_inputs, n_features;
    const float *x; /* [n][n_features] */
    struct fold folds[LEARN_FOLDS];
    size_t n_folds;
    bool by_time;
    double *base; /* [n]: rate of the rows that the row's fold learns from; NaN: in no fold */
    struct training_report *report;
    struct str *warnings;
    size_t n_warnings, warnings_cap;
};

/* A generator for one purpose (splitmix64). */
uint64_t learn_random(uint64_t *state);
uint64_t learn_seed(const struct lesson *l, uint64_t purpose);
bool learn_stopped(const struct lesson *l);
void learn_progress(const struct lesson *l, double share, const char *what);
void learn_warn(struct lesson *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
double learn_time(const struct lesson *l, size_t i); /* of row i; its number where none is known */
int64_t learn_at(const struct lesson *l, size_t i);  /* Unix ms, 0: not known */

/* Runs fn(arg, job) for each job on the threads that the options allow; false from one, or the
 * stop flag, ends it: then the result is false. */
typedef bool learn_job(void *arg, size_t job);
bool learn_parallel(const struct lesson *l, size_t n_jobs, learn_job *fn, void *arg);

/* leads.c: a lead is positive if one of its rows is. */
struct leads {
    size_t n, positive;
};
void leads_number(struct lesson *l);
struct leads leads_count(const struct lesson *l, const uint32_t rows[], size_t n); /* NULL: all */
bool leads_both(struct leads c);            /* enough of each kind */
bool leads_suffice(const struct lesson *l); /* there are enough to learn anything at all */
/* order.c: by time, or rows where it is the same; and the most frequent first. */
struct moment {
    double at;
    uint32_t row;
};
void moments_sort(struct moment m[], size_t n);
struct ranked {
    uint32_t count, level;
};
void ranked_sort(struct ranked r[], size_t n);

/* columns.c */
void columns_read(struct lesson *l);
/* screen.c: what can be seen without the outcome. */
void screen(struct lesson *l);
void screen_out(struct lesson *l, struct learn_column *c, const char *kind, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void screen_suspect(struct lesson *l, const struct learn_column *c, const char *kind,
                    const char *fmt, ...) PRINTF_LIKE(4, 5);
/* bins.c: each row of a column as a small number, 0 is missing; returns how many there are. */
size_t column_bins(const struct lesson *l, const struct learn_column *c, size_t max,
                   uint32_t ret[]);
/* knows.c: what knows too much. */
void knows_too_much(struct lesson *l);
/* merit.c: the numbers of some columns, those to be kept first, then those that tell most. */
void merit_order(const struct learn_column *const columns[], size_t n, size_t ret[]);
/* encoding.c: inputs of the columns that are left, and x. */
void encoding_learn(struct lesson *l);
/* folds.c */
void folds_make(struct lesson *l);
double folds_known_at(const struct lesson *l, size_t i); /* when row i's outcome was known */
/* gains.c: log loss by log-odds of the rows that are in a fold; a row's own; and how much better
 * `by` is than `than`, with the standard error. */
double margin_loss(double margin, bool positive);
double margins_loss(const struct lesson *l, const double margins[]);
struct gain margins_gain(const struct lesson *l, const double by[], const double than[]);

#endif
