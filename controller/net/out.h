/* What waits to be sent on a connection: bytes and stretches of files, in order. No IO but
 * closing files. */
#ifndef WEIR_CONTROLLER_NET_OUT_H
#define WEIR_CONTROLLER_NET_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/blob.h"

struct out_chunk;

enum { OUT_PIECES_MAX = 32 };

struct out {
    struct out_chunk *first; /* owned */
    struct out_chunk *last;  /* in the same list */
    size_t memory;           /* bytes waiting that are not in files */
    unsigned files;          /* stretches of files that wait */
};

/* Bytes in all queues of the process, shared ones as often as they are queued. */
size_t out_total(void);

void out_fini(struct out *o);
bool out_empty(const struct out *o);

/* All return false when memory is exhausted, with nothing queued (blob and fd given back). */
/* Room for n bytes that the caller fills before anything else is called; NULL: out of memory. */
uint8_t *out_reserve(struct out *o, size_t n);
bool out_bytes(struct out *o, const void *p, size_t n);
/* Takes over the reference. */
bool out_blob(struct out *o, struct blob *b);
/* Likewise; n bytes of it from offset. */
bool out_blob_range(struct out *o, struct blob *b, size_t offset, size_t n);
/* Takes over fd; n bytes from offset. */
bool out_file(struct out *o, int fd, uint64_t offset, uint64_t n);

/* What stands in front: pieces of memory, or, when there are none, a stretch of a file. */
struct out_front {
    struct iovec pieces[OUT_PIECES_MAX];
    size_t n_pieces;
    int fd;
    uint64_t offset;
    size_t n;  /* bytes, of the pieces or in the file */
    bool more; /* something follows */
};

/* At most max bytes of what is in front; stays valid until the queue is changed. The queue must not
 * be empty. */
void out_look(const struct out *o, size_t max, struct out_front *front);
/* Removes n bytes, no more than out_look showed. */
void out_sent(struct out *o, size_t n);
/* Forgets what has not begun to be sent. */
void out_drop_unsent(struct out *o);

#endif
