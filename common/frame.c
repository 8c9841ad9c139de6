#include "common/frame.h"

#include <assert.h>
#include <stdlib.h>

/* Room for n more bytes behind start + len. The bytes move to the front only when at least as many
 * were taken there, and a new buffer has twice the room that is needed: so a byte is copied a few
 * times at most, however small the pieces. false: out of memory, nothing has changed. */
static bool make_room(uint8_t **buf, size_t *start, size_t len, size_t *cap, size_t n)
{
    if (*cap - *start - len >= n)
        return true;
    if (len + n <= *cap && *start >= len) {
        memcpy(*buf, *buf + *start, len);
        *start = 0;
        return true;
    }
    size_t want = *cap > 0 ? *cap : 1024;
    while (want < 2 * (len + n))
        want *= 2;
    uint8_t *larger = malloc(want);
    if (!larger)
        return false;
    if (len > 0)
        memcpy(larger, *buf + *start, len);
    free(*buf);
    *buf = larger;
    *start = 0;
    *cap = want;
    return true;
}

static void shrink_if_empty(uint8_t **buf, size_t *start, size_t len, size_t *cap)
{
    if (len > 0)
        return;
    *start = 0;
    if (*cap > FRAME_KEEP) {
        free(*buf);
        *buf = NULL;
        *cap = 0;
    }
}

/* ---- receiving ---- */

void frame_reader_init(struct frame_reader *r)
{
    *r = (struct frame_reader){0};
}

void frame_reader_fini(struct frame_reader *r)
{
    free(r->buf);
    *r = (struct frame_reader){0};
}

enum err frame_reader_feed(struct frame_reader *r, const void *bytes, size_t n)
{
    if (r->err)
        return r->err;
    const size_t most = (size_t)2 * (FRAME_MAX + FRAME_HEAD);
    if (n > most || r->len > most - n)
        return ERR_FULL;
    shrink_if_empty(&r->buf, &r->start, r->len, &r->cap);
    if (n == 0)
        return OK;
    if (!make_room(&r->buf, &r->start, r->len, &r->cap, n))
        return r->err = ERR_NOMEM;
    memcpy(r->buf + r->start + r->len, bytes, n);
    r->len += n;
    return OK;
}

bool frame_reader_next(struct frame_reader *r, struct slice *out)
{
    if (r->err || r->len < FRAME_HEAD) {
        shrink_if_empty(&r->buf, &r->start, r->len, &r->cap);
        return false;
    }
    const uint8_t *head = r->buf + r->start;
    uint32_t n = (uint32_t)head[3] << 24 | (uint32_t)head[2] << 16 | (uint32_t)head[1] << 8 |
                 (uint32_t)head[0];
    if (n == 0 || n > FRAME_MAX) {
        r->err = n == 0 ? ERR_MALFORMED : ERR_TOO_LARGE;
        return false;
    }
    if (r->len - FRAME_HEAD < n)
        return false;
    *out = slice_of(head + FRAME_HEAD, n);
    r->start += FRAME_HEAD + n;
    r->len -= FRAME_HEAD + n;
    return true;
}

enum err frame_reader_error(const struct frame_reader *r)
{
    return r->err;
}

bool frame_reader_partial(const struct frame_reader *r)
{
    return r->len > 0;
}

/* ---- sending ---- */

void frame_queue_init(struct frame_queue *q, size_t limit)
{
    *q = (struct frame_queue){.limit = limit};
}

void frame_queue_fini(struct frame_queue *q)
{
    free(q->buf);
    *q = (struct frame_queue){0};
}

enum err frame_queue_push(struct frame_queue *q, const void *body, size_t n)
{
    if (n == 0)
        return ERR_MALFORMED;
    if (n > FRAME_MAX)
        return ERR_TOO_LARGE;
    if (q->len > q->limit || FRAME_HEAD + n > q->limit - q->len)
        return ERR_FULL;
    if (!make_room(&q->buf, &q->start, q->len, &q->cap, FRAME_HEAD + n))
        return ERR_NOMEM;
    uint8_t *p = q->buf + q->start + q->len;
    p[0] = (uint8_t)n;
    p[1] = (uint8_t)(n >> 8);
    p[2] = (uint8_t)(n >> 16);
    p[3] = (uint8_t)(n >> 24);
    memcpy(p + FRAME_HEAD, body, n);
    q->len += FRAME_HEAD + n;
    return OK;
}

struct slice frame_queue_peek(const struct frame_queue *q)
{
    return (struct slice){.p = q->len > 0 ? q->buf + q->start : NULL, .n = q->len};
}

void frame_queue_consume(struct frame_queue *q, size_t n)
{
    assert(n <= q->len);
    q->start += n;
    q->len -= n;
    shrink_if_empty(&q->buf, &q->start, q->len, &q->cap);
}
