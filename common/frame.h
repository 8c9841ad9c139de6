/* Length-prefixed frames, both directions: a little-endian u32, then that many bytes. Sans-IO: the
 * owner of the pipe feeds what it read and writes what is queued. */
#ifndef WEIR_COMMON_FRAME_H
#define WEIR_COMMON_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

enum {
    FRAME_MAX = 4 << 20,   /* most bytes of one frame, without its length */
    FRAME_HEAD = 4,        /* bytes of the length */
    FRAME_KEEP = 64 << 10, /* a buffer that is empty is not kept larger than this */
};

/* ---- receiving ---- */

struct frame_reader {
    uint8_t *buf; /* owned */
    size_t start; /* of the bytes not yet taken */
    size_t len;   /* of the bytes not yet taken */
    size_t cap;
    enum err err; /* sticky */
};

void frame_reader_init(struct frame_reader *r);
void frame_reader_fini(struct frame_reader *r);

/* Takes n bytes, in any pieces; ends the life of slices from frame_reader_next. Take out all frames
 * after each feed: ERR_FULL (nothing taken, not sticky) when more than two frames of the greatest
 * size would be buffered. ERR_NOMEM and the errors of the framing are sticky. */
MUST_CHECK enum err frame_reader_feed(struct frame_reader *r, const void *bytes, size_t n);

/* The next whole frame, valid until the next call; false when there is none yet or the framing is
 * broken: ask frame_reader_error. */
bool frame_reader_next(struct frame_reader *r, struct slice *out);

/* OK; ERR_MALFORMED: a frame without bytes; ERR_TOO_LARGE: a frame over FRAME_MAX; ERR_NOMEM. The
 * stream cannot be read on after an error. */
enum err frame_reader_error(const struct frame_reader *r);

/* Whether the stream would end in the middle of a frame if it ended now. */
bool frame_reader_partial(const struct frame_reader *r);

/* ---- sending ---- */

struct frame_queue {
    uint8_t *buf; /* owned */
    size_t start; /* of the bytes not yet written */
    size_t len;   /* of the bytes not yet written */
    size_t cap;
    size_t limit; /* most bytes that may wait */
};

/* limit in bytes, lengths included. */
void frame_queue_init(struct frame_queue *q, size_t limit);
void frame_queue_fini(struct frame_queue *q);

/* Appends one frame. ERR_FULL over the limit, ERR_TOO_LARGE over FRAME_MAX, ERR_MALFORMED for
 * n = 0, ERR_NOMEM; the queue is as before then. */
MUST_CHECK enum err frame_queue_push(struct frame_queue *q, const void *body, size_t n);

/* What is to be written next: everything that waits, as one piece; valid until the next push. */
struct slice frame_queue_peek(const struct frame_queue *q);
/* The first n bytes of the peeked piece were written. */
void frame_queue_consume(struct frame_queue *q, size_t n);

#endif
