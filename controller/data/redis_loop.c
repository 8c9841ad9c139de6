#include "controller/data/redis_loop.h"

#include <stdlib.h>
#include <uv.h>

struct attached {
    uv_poll_t poll;
    redisAsyncContext *ac; /* NULL: gone */
    int events;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct attached *a = poll->data;
    /* An error shows in both directions; the first call may end the context. */
    if ((status < 0 || events & UV_READABLE) && a->ac)
        redisAsyncHandleRead(a->ac);
    if ((status < 0 || events & UV_WRITABLE) && a->ac)
        redisAsyncHandleWrite(a->ac);
}

static void want(struct attached *a, int events)
{
    a->events = events;
    if (events)
        uv_poll_start(&a->poll, events, on_poll);
    else
        uv_poll_stop(&a->poll);
}

static void add_read(void *data)
{
    struct attached *a = data;
    want(a, a->events | UV_READABLE);
}

static void del_read(void *data)
{
    struct attached *a = data;
    want(a, a->events & ~UV_READABLE);
}

static void add_write(void *data)
{
    struct attached *a = data;
    want(a, a->events | UV_WRITABLE);
}

static void del_write(void *data)
{
    struct attached *a = data;
    want(a, a->events & ~UV_WRITABLE);
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

static void cleanup(void *data)
{
    struct attached *a = data;
    a->ac = NULL;
    uv_poll_stop(&a->poll);
    uv_close((uv_handle_t *)&a->poll, on_closed);
}

enum err redis_loop_attach(redisAsyncContext *ac, struct uv_loop_s *loop)
{
    struct attached *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->ac = ac;
    a->poll.data = a;
    if (uv_poll_init(loop, &a->poll, ac->c.fd) != 0) {
        free(a);
        return ERR_IO;
    }
    ac->ev.data = a;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = cleanup;
    return OK;
}
