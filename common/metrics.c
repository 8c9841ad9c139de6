#include "common/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct series {
    union {
        struct metric value;
        struct metric_histogram histogram;
    };
    char *labels;        /* owned; rendered: a="b",c="d" without braces; "" for none */
    struct series *next; /* owned */
};

struct family {
    const char *name; /* borrowed */
    const char *help; /* borrowed */
    enum metric_type type;
    struct series *series; /* owned */
    struct family *next;   /* owned */
};

struct collector {
    void (*collect)(void *user);
    void *user;
    struct collector *next; /* owned */
};

struct metrics {
    struct family *families;      /* owned, in order of registration */
    struct collector *collectors; /* owned */
    size_t n_series;
};

/* Handed out instead of NULL; nobody renders them. */
static struct metric unshown;
static struct metric_histogram unshown_histogram;

enum err metrics_open(struct metrics **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? OK : ERR_NOMEM;
}

static void series_free(struct series *s)
{
    free(s->labels);
    free(s);
}

void metrics_close(struct metrics *m)
{
    if (!m)
        return;
    while (m->families) {
        struct family *f = m->families;
        m->families = f->next;
        while (f->series) {
            struct series *s = f->series;
            f->series = s->next;
            series_free(s);
        }
        free(f);
    }
    while (m->collectors) {
        struct collector *c = m->collectors;
        m->collectors = c->next;
        free(c);
    }
    free(m);
}

/* Prometheus: metric names [a-zA-Z_:][a-zA-Z0-9_:]*, label names without the colon. */
static bool name_ok(const char *s, bool colon)
{
    if (!s || *s == '\0' || (*s >= '0' && *s <= '9'))
        return false;
    for (; *s != '\0'; s++) {
        bool alnum = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
                     (*s >= '0' && *s <= '9') || *s == '_';
        if (!alnum && !(colon && *s == ':'))
            return false;
    }
    return true;
}

/* Label values: backslash, double quote and line feed are escaped. Help: all but the quote. */
static void put_escaped(FILE *f, const char *s, bool quote)
{
    for (; *s != '\0'; s++) {
        if (*s == '\\')
            fputs("\\\\", f);
        else if (*s == '\n')
            fputs("\\n", f);
        else if (*s == '"' && quote)
            fputs("\\\"", f);
        else
            fputc(*s, f);
    }
}

static char *labels_text(const struct metric_label *labels, size_t n)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        fprintf(f, "%s%s=\"", i > 0 ? "," : "", labels[i].name);
        put_escaped(f, labels[i].value, true);
        fputc('"', f);
    }
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static struct family *family_get(struct metrics *m, const char *name, const char *help,
                                 enum metric_type type)
{
    struct family **at = &m->families;
    for (; *at; at = &(*at)->next) {
        if (strcmp((*at)->name, name) == 0)
            return (*at)->type == type ? *at : NULL;
    }
    *at = calloc(1, sizeof **at);
    if (*at) {
        (*at)->name = name;
        (*at)->help = help;
        (*at)->type = type;
    }
    return *at;
}

/* NULL: not to be had. */
static struct series *series_get(struct metrics *m, const char *name, const char *help,
                                 enum metric_type type, const struct metric_label *labels,
                                 size_t n_labels)
{
    if (!m || !name_ok(name, true) || n_labels > METRIC_MAX_LABELS)
        return NULL;
    for (size_t i = 0; i < n_labels; i++) {
        if (!name_ok(labels[i].name, false) || !labels[i].value)
            return NULL;
    }
    struct family *f = family_get(m, name, help, type);
    char *text = f ? labels_text(labels, n_labels) : NULL;
    if (!text)
        return NULL;
    struct series **at = &f->series;
    for (; *at; at = &(*at)->next) {
        if (strcmp((*at)->labels, text) == 0) {
            free(text);
            return *at;
        }
    }
    struct series *s = m->n_series < METRIC_MAX_SERIES ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        free(text);
        return NULL;
    }
    s->labels = text;
    *at = s;
    m->n_series++;
    return s;
}

struct metric *metric_counter(struct metrics *m, const char *name, const char *help,
                              const struct metric_label *labels, size_t n_labels)
{
    struct series *s = series_get(m, name, help, METRIC_COUNTER, labels, n_labels);
    return s ? &s->value : &unshown;
}

struct metric *metric_gauge(struct metrics *m, const char *name, const char *help,
                            const struct metric_label *labels, size_t n_labels)
{
    struct series *s = series_get(m, name, help, METRIC_GAUGE, labels, n_labels);
    return s ? &s->value : &unshown;
}

struct metric_histogram *metric_histogram(struct metrics *m, const char *name, const char *help,
                                          const struct metric_label *labels, size_t n_labels,
                                          const double *bounds, size_t n_bounds)
{
    struct series *s = n_bounds <= METRIC_MAX_BUCKETS
                           ? series_get(m, name, help, METRIC_HISTOGRAM, labels, n_labels)
                           : NULL;
    if (!s)
        return &unshown_histogram;
    s->histogram.bounds = bounds;
    s->histogram.n_bounds = n_bounds;
    return &s->histogram;
}

void metric_drop(struct metrics *m, struct metric *series)
{
    if (!m || series == &unshown)
        return;
    for (struct family *f = m->families; f; f = f->next) {
        for (struct series **at = &f->series; *at; at = &(*at)->next) {
            if (&(*at)->value != series)
                continue;
            struct series *gone = *at;
            *at = gone->next;
            series_free(gone);
            m->n_series--;
            return;
        }
    }
}

void metric_observe(struct metric_histogram *h, double v)
{
    size_t i = 0;
    while (i < h->n_bounds && v > h->bounds[i])
        i++;
    h->counts[i]++;
    h->sum += v;
}

enum err metrics_on_collect(struct metrics *m, void (*collect)(void *user), void *user)
{
    struct collector *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    *c = (struct collector){.collect = collect, .user = user, .next = m->collectors};
    m->collectors = c;
    return OK;
}

static void put_number(FILE *f, double v)
{
    if (isnan(v))
        fputs("NaN", f);
    else if (isinf(v))
        fputs(v > 0 ? "+Inf" : "-Inf", f);
    else if (v == floor(v) && fabs(v) < 1e15)
        fprintf(f, "%.0f", v);
    else
        fprintf(f, "%.17g", v);
}

static void put_bound(FILE *f, double v)
{
    fprintf(f, "%.12g", v);
}

static void put_histogram(FILE *f, const char *name, const struct series *s)
{
    const struct metric_histogram *h = &s->histogram;
    const char *comma = s->labels[0] != '\0' ? "," : "";
    uint64_t total = 0;
    for (size_t i = 0; i <= h->n_bounds; i++) {
        total += h->counts[i];
        fprintf(f, "%s_bucket{%s%sle=\"", name, s->labels, comma);
        if (i < h->n_bounds)
            put_bound(f, h->bounds[i]);
        else
            fputs("+Inf", f);
        fprintf(f, "\"} %llu\n", (unsigned long long)total);
    }
    const char *open = s->labels[0] != '\0' ? "{" : "";
    const char *close = s->labels[0] != '\0' ? "}" : "";
    fprintf(f, "%s_sum%s%s%s ", name, open, s->labels, close);
    put_number(f, h->sum);
    fprintf(f, "\n%s_count%s%s%s %llu\n", name, open, s->labels, close, (unsigned long long)total);
}

static void put_family(FILE *f, const struct family *family)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    fprintf(f, "# HELP %s ", family->name);
    put_escaped(f, family->help ? family->help : "", false);
    fprintf(f, "\n# TYPE %s %s\n", family->name, types[family->type]);
    for (const struct series *s = family->series; s; s = s->next) {
        if (family->type == METRIC_HISTOGRAM) {
            put_histogram(f, family->name, s);
            continue;
        }
        fputs(family->name, f);
        if (s->labels[0] != '\0')
            fprintf(f, "{%s}", s->labels);
        fputc(' ', f);
        put_number(f, s->value.value);
        fputc('\n', f);
    }
}

enum err metrics_render(struct metrics *m, char **out, size_t *n)
{
    for (struct collector *c = m->collectors; c; c = c->next)
        c->collect(c->user);
    FILE *f = open_memstream(out, n);
    if (!f)
        return ERR_NOMEM;
    for (const struct family *family = m->families; family; family = family->next) {
        if (family->series)
            put_family(f, family);
    }
    if (fclose(f) == 0)
        return OK;
    free(*out);
    return ERR_NOMEM;
}
