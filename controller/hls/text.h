/* A text that is printed into a blob of a bounded size. */
#ifndef WEIR_CONTROLLER_HLS_TEXT_H
#define WEIR_CONTROLLER_HLS_TEXT_H

#include <stddef.h>

#include "common/blob.h"
#include "common/time.h"

struct text {
    struct blob *blob; /* NULL: out of memory, and everything is dropped */
    size_t n;
};

void text_init(struct text *t, size_t max);
/* Beyond max it is cut off. */
void text_print(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "2026-11-20T12:00:00.000Z" */
void text_print_wall(struct text *t, usec wall);
/* Hands the blob over; NULL: out of memory. */
struct blob *text_take(struct text *t);

#endif
