#include "test/bench/figures.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t figures_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void samples_add(struct samples *s, double value)
{
    if (s->n < FIGURES_ROUNDS_MAX)
        s->of[s->n++] = value;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double samples_median(const struct samples *s)
{
    double sorted[FIGURES_ROUNDS_MAX];
    size_t first = s->n > 1;
    size_t n = s->n - first;
    if (n == 0)
        return 0;
    memcpy(sorted, s->of + first, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double figures_setting(const char *name, double fallback)
{
    const char *text = getenv(name);
    return text && *text ? atof(text) : fallback;
}

FILE *figures_open(const char *path, bool append)
{
    return fopen(path, append ? "ae" : "we");
}

void figures_write(FILE *f, const char *bench, const char *labels, const char *figure, double value)
{
    if (f)
        fprintf(f, "{\"bench\":\"%s\",%s,\"figure\":\"%s\",\"value\":%.6g}\n", bench, labels,
                figure, value);
}
