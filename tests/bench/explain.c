/* explain.c - how long a model takes for a probability, and for the reasons of one.
 *
 *     explain TREES SIDECAR      -> {"probability_us":1.23,"explain_us":45.6,"inputs":40}
 *
 * Means over random cells, a tenth of them missing.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "funneld/base/clock.h"
#include "funneld/model/model.h"

enum { ROWS = 64, PROBABILITIES = 200000, EXPLANATIONS = 2000, REASONS = 3 };

static struct str file_text(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0) {
        perror(path);
        exit(1);
    }
    if (st.st_size == 0)
        return STR("");
    void *text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (text == MAP_FAILED) {
        perror(path);
        exit(1);
    }
    return (struct str){text, (size_t)st.st_size};
}

static struct cell *random_rows(size_t n_inputs)
{
    struct cell *cells = mem_array(ROWS * n_inputs, sizeof *cells);

    srandom(1);
    for (size_t i = 0; i < ROWS * n_inputs; i++)
        cells[i].number = random() % 10 ? (double)(random() % 1000) / 100 : NAN;
    return cells;
}

static double probability_us(const struct model *m, const struct cell *cells, size_t n)
{
    int64_t began = clock_mono_us();
    double sum = 0;

    for (int i = 0; i < PROBABILITIES; i++)
        sum += model_probability(m, cells + (size_t)(i % ROWS) * n, 0);
    if (!(sum > 0))
        exit(1);
    return (double)(clock_mono_us() - began) / PROBABILITIES;
}

static double explain_us(const struct model *m, const struct cell *cells, size_t n)
{
    struct arena a = {0};
    int64_t began = clock_mono_us();

    for (int i = 0; i < EXPLANATIONS; i++) {
        if (!model_reasons(m, cells + (size_t)(i % ROWS) * n, 0, REASONS, &a).at)
            exit(1);
        arena_reset(&a);
    }
    arena_free(&a);
    return (double)(clock_mono_us() - began) / EXPLANATIONS;
}

int main(int argc, char **argv)
{
    struct model *m = NULL;
    struct why why = {0};

    if (argc != 3)
        return 2;
    if (model_read(file_text(argv[1]), file_text(argv[2]), &m, &why) != RC_OK) {
        (void)fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    size_t n = model_card(m)->n_inputs;
    struct cell *cells = random_rows(n);
    double probability = probability_us(m, cells, n), explain = explain_us(m, cells, n);
    (void)printf("{\"probability_us\":%.3f,\"explain_us\":%.3f,\"inputs\":%zu}\n", probability,
                 explain, n);
    free(cells);
    model_drop(m);
    return 0;
}
