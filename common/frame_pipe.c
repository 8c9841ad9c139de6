#include "common/frame_pipe.h"

#include <string.h>

void frame_pipe_init(struct frame_pipe *p, uv_loop_t *loop, size_t queue_limit,
                     void (*on_frame)(void *ctx, struct slice frame),
                     void (*on_broken)(void *ctx, const char *why), void *ctx)
{
    memset(p, 0, offsetof(struct frame_pipe, read_buf));
    frame_reader_init(&p->reader);
    frame_queue_init(&p->queue, queue_limit);
    p->on_frame = on_frame;
    p->on_broken = on_broken;
    p->ctx = ctx;
    uv_pipe_init(loop, &p->in, 0);
    uv_pipe_init(loop, &p->out, 0);
    p->in.data = p->out.data = p->write.data = p;
    p->open_handles = 2;
}

static void broken(struct frame_pipe *p, const char *why)
{
    if (p->broken || p->closing)
        return;
    p->broken = true;
    uv_read_stop((uv_stream_t *)&p->in);
    p->on_broken(p->ctx, why);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct frame_pipe *p = h->data;
    (void)suggested;
    *buf = uv_buf_init(p->read_buf, sizeof p->read_buf);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct frame_pipe *p = s->data;
    if (n < 0) {
        broken(p, n == UV_EOF ? "the other side closed the pipe" : uv_strerror((int)n));
        return;
    }
    enum err e = frame_reader_feed(&p->reader, buf->base, (size_t)n);
    struct slice frame;
    while (e == OK && !p->closing && !p->broken && frame_reader_next(&p->reader, &frame))
        p->on_frame(p->ctx, frame);
    if (p->closing)
        return;
    if (e == OK)
        e = frame_reader_error(&p->reader);
    if (e != OK)
        broken(p, err_text(e));
}

void frame_pipe_start(struct frame_pipe *p)
{
    uv_read_start((uv_stream_t *)&p->in, on_alloc, on_read);
}

static void on_written(uv_write_t *w, int status)
{
    struct frame_pipe *p = w->data;
    p->writing = false;
    if (p->closing)
        return;
    if (status < 0)
        broken(p, uv_strerror(status));
    else
        frame_pipe_flush(p);
}

void frame_pipe_flush(struct frame_pipe *p)
{
    while (!p->writing && !p->closing && !p->broken) {
        struct slice rest = frame_queue_peek(&p->queue);
        if (rest.n == 0)
            return;
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)rest.p, (unsigned)rest.n);
        int wrote = uv_try_write((uv_stream_t *)&p->out, &buf, 1);
        if (wrote > 0) {
            frame_queue_consume(&p->queue, (size_t)wrote);
            continue;
        }
        /* Full, or failed: a real write tells when it goes on, or reports the failure later. The
         * queue may move while it is under way, so it gets bytes of its own. */
        size_t n = rest.n < sizeof p->write_buf ? rest.n : sizeof p->write_buf;
        memcpy(p->write_buf, rest.p, n);
        frame_queue_consume(&p->queue, n);
        buf = uv_buf_init(p->write_buf, (unsigned)n);
        p->writing = uv_write(&p->write, (uv_stream_t *)&p->out, &buf, 1, on_written) == 0;
        if (!p->writing)
            return;
    }
}

static void on_handle_closed(uv_handle_t *h)
{
    struct frame_pipe *p = h->data;
    if (--p->open_handles > 0)
        return;
    frame_reader_fini(&p->reader);
    frame_queue_fini(&p->queue);
    if (p->closed)
        p->closed(p->ctx);
}

void frame_pipe_close(struct frame_pipe *p, void (*closed)(void *ctx))
{
    if (p->closing)
        return;
    p->closing = true;
    p->closed = closed;
    uv_close((uv_handle_t *)&p->in, on_handle_closed);
    uv_close((uv_handle_t *)&p->out, on_handle_closed);
}
