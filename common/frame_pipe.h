/* A pair of pipes that carries frames (common/frame.h) on a libuv loop: both ends of the pipe
 * protocol use it. Does IO. Its owner keeps it in memory until closed() was called. */
#ifndef WEIR_COMMON_FRAME_PIPE_H
#define WEIR_COMMON_FRAME_PIPE_H

#include <stdbool.h>
#include <uv.h>

#include "common/frame.h"

enum { FRAME_PIPE_CHUNK = 64 * 1024 };

struct frame_pipe {
    uv_pipe_t in;
    uv_pipe_t out;
    struct frame_reader reader;
    struct frame_queue queue; /* push frames here, then frame_pipe_flush */
    void (*on_frame)(void *ctx, struct slice frame);
    /* Once: the other side closed, or sent what is no frame, or writing failed. Nothing more comes.
     */
    void (*on_broken)(void *ctx, const char *why);
    void (*closed)(void *ctx); /* of frame_pipe_close */
    void *ctx;                 /* borrowed */
    unsigned open_handles;
    bool broken;
    bool closing;
    bool writing;
    uv_write_t write;
    char read_buf[FRAME_PIPE_CHUNK];
    char write_buf[FRAME_PIPE_CHUNK]; /* what the kernel did not take at once */
};

/* queue_limit: bytes that may wait for the other side. The pipes are then opened (uv_pipe_open) or
 * handed to uv_spawn by the owner. */
void frame_pipe_init(struct frame_pipe *p, uv_loop_t *loop, size_t queue_limit,
                     void (*on_frame)(void *ctx, struct slice frame),
                     void (*on_broken)(void *ctx, const char *why), void *ctx);
/* Starts to read. */
void frame_pipe_start(struct frame_pipe *p);
/* Writes what is queued, now as far as the kernel takes it, the rest by and by. Never calls back
 * from inside. */
void frame_pipe_flush(struct frame_pipe *p);
/* closed(ctx) is called once, later; nothing else is. Repeated calls do nothing. */
void frame_pipe_close(struct frame_pipe *p, void (*closed)(void *ctx));

#endif
