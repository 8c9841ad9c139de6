/* Metrics in memory, rendered as Prometheus text (exposition format 0.0.4). One thread. No IO.
 *
 * Register once (allocates), keep the handle, and change it as often as you like: no allocation, no
 * look-up. The handles belong to the registry and live as long as it, or until metric_drop. */
#ifndef WEIR_COMMON_METRICS_H
#define WEIR_COMMON_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct metrics; /* the registry */

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

enum { METRIC_MAX_LABELS = 4, METRIC_MAX_BUCKETS = 24, METRIC_MAX_SERIES = 10000 };

/* A counter or gauge: one time series. */
struct metric {
    double value;
};

struct metric_histogram {
    const double *bounds; /* borrowed, ascending upper bounds without +Inf */
    size_t n_bounds;
    uint64_t counts[METRIC_MAX_BUCKETS + 1]; /* not cumulative; the last is +Inf */
    double sum;
};

struct metric_label {
    const char *name;
    const char *value; /* copied; any UTF-8 */
};

MUST_CHECK enum err metrics_open(struct metrics **out);
void metrics_close(struct metrics *m);

/* A series of the family `name`; asking again for the same name and labels gives the same handle.
 * name and help are borrowed (use literals). Series of one family have the same label names.
 * Never NULL: when memory or METRIC_MAX_SERIES is exhausted, when names are invalid, when the type
 * does not fit the family, or with m NULL, it is a handle that is counted but not shown. */
struct metric *metric_counter(struct metrics *m, const char *name, const char *help,
                              const struct metric_label *labels, size_t n_labels);
struct metric *metric_gauge(struct metrics *m, const char *name, const char *help,
                            const struct metric_label *labels, size_t n_labels);
/* bounds: borrowed, at most METRIC_MAX_BUCKETS. */
struct metric_histogram *metric_histogram(struct metrics *m, const char *name, const char *help,
                                          const struct metric_label *labels, size_t n_labels,
                                          const double *bounds, size_t n_bounds);
/* Forgets one series (a worker, a room that is gone); its handle is dead. */
void metric_drop(struct metrics *m, struct metric *series);

static inline void metric_add(struct metric *c, double n)
{
    c->value += n;
}

static inline void metric_set(struct metric *g, double v)
{
    g->value = v;
}

void metric_observe(struct metric_histogram *h, double v);

/* collect(user) runs at the start of each rendering, to set gauges that are cheaper to ask for than
 * to keep. */
MUST_CHECK enum err metrics_on_collect(struct metrics *m, void (*collect)(void *user), void *user);

/* The whole text, NUL-terminated; free() it. */
MUST_CHECK enum err metrics_render(struct metrics *m, char **out, size_t *n);

#endif
