#include "common/blob.h"

#include <stdlib.h>

struct blob *blob_new(size_t n)
{
    struct blob *b = malloc(sizeof *b + n);
    if (b) {
        b->refs = 1;
        b->n = n;
    }
    return b;
}

struct blob *blob_ref(struct blob *b)
{
    b->refs++;
    return b;
}

void blob_unref(struct blob *b)
{
    if (b && --b->refs == 0)
        free(b);
}
