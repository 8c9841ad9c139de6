/* What the benches measure with and print: CPU time, medians, a table on standard output and a line
 * of JSON per figure in build/bench.json. */
#ifndef WEIR_TEST_BENCH_FIGURES_H
#define WEIR_TEST_BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { FIGURES_ROUNDS_MAX = 64 };

/* Nanoseconds of CPU that the calling thread has used. */
uint64_t figures_cpu_ns(void);

/* Values of one figure over the rounds; the first is dropped, as caches and buffers are cold. */
struct samples {
    double of[FIGURES_ROUNDS_MAX];
    size_t n;
};

void samples_add(struct samples *s, double value);
/* Without the first, unless it is the only one. 0 when there is none. */
double samples_median(const struct samples *s);

/* A number from the environment, or fallback. */
double figures_setting(const char *name, double fallback);

/* Starts the file of figures; append: other benches of this run have written to it. NULL: it cannot
 * be opened. */
FILE *figures_open(const char *path, bool append);
/* {"bench":"...",<labels>,"figure":"...","value":...}; labels is JSON without the braces. */
void figures_write(FILE *f, const char *bench, const char *labels, const char *figure,
                   double value);

#endif
