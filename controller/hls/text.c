#include "controller/hls/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void text_init(struct text *t, size_t max)
{
    *t = (struct text){.blob = blob_new(max)};
}

void text_print(struct text *t, const char *fmt, ...)
{
    if (!t->blob)
        return;
    size_t left = t->blob->n - t->n;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf((char *)t->blob->bytes + t->n, left, fmt, ap);
    va_end(ap);
    if (n > 0)
        t->n += (size_t)n < left ? (size_t)n : left;
}

void text_print_wall(struct text *t, usec wall)
{
    time_t at = (time_t)(wall / USEC_PER_SEC);
    struct tm tm;
    char text[32];
    gmtime_r(&at, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    text_print(t, "%s.%03uZ", text, (unsigned)(wall % USEC_PER_SEC / USEC_PER_MSEC));
}

struct blob *text_take(struct text *t)
{
    struct blob *b = t->blob;
    t->blob = NULL;
    if (b)
        b->n = t->n;
    return b;
}
