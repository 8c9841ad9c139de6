/* Frames: the bytes are cut in pieces by the first byte; whatever comes out goes through a queue
 * and must come out again the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The frame, once more, through a queue and a second reader. */
static void again(struct slice frame)
{
    struct frame_queue q;
    struct frame_reader r;
    struct slice twice;
    frame_queue_init(&q, FRAME_HEAD + frame.n);
    frame_reader_init(&r);
    enum err err = frame_queue_push(&q, frame.p, frame.n);
    assert(err == OK);
    assert(frame_queue_push(&q, "x", 1) == ERR_FULL);
    err = frame_reader_feed(&r, frame_queue_peek(&q).p, frame_queue_peek(&q).n);
    assert(err == OK);
    assert(frame_reader_next(&r, &twice));
    assert(twice.n == frame.n && memcmp(twice.p, frame.p, frame.n) == 0);
    frame_queue_fini(&q);
    frame_reader_fini(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t piece = (size_t)data[0] + 1;
    struct frame_reader r;
    frame_reader_init(&r);
    size_t out = 0;
    for (size_t at = 1; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        if (frame_reader_feed(&r, data + at, n) != OK)
            break;
        struct slice frame;
        while (frame_reader_next(&r, &frame)) {
            assert(frame.n > 0 && frame.n <= FRAME_MAX);
            out += FRAME_HEAD + frame.n;
            again(frame);
        }
    }
    assert(out <= size - 1);
    frame_reader_fini(&r);
    return 0;
}
