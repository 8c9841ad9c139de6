/* Bytes that several owners share, counted by hand: one thread. */
#ifndef WEIR_COMMON_BLOB_H
#define WEIR_COMMON_BLOB_H

#include <stddef.h>
#include <stdint.h>

struct blob {
    unsigned refs;
    size_t n;
    uint8_t bytes[];
};

struct blob *blob_new(size_t n); /* one reference; NULL: out of memory */
struct blob *blob_ref(struct blob *b);
void blob_unref(struct blob *b); /* NULL is fine */

#endif
