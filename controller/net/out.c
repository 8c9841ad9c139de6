#include "controller/net/out.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct out_chunk {
    struct out_chunk *next; /* owned by the queue */
    struct blob *blob;      /* ref; NULL: the bytes are below, or in the file */
    int fd;                 /* owned; -1: none */
    uint64_t at;            /* sent so far, or the offset in the file */
    uint64_t end;
    bool begun;
    uint8_t bytes[];
};

static size_t total;

size_t out_total(void)
{
    return total;
}

static void account(struct out *o, size_t more, size_t less)
{
    o->memory += more - less;
    total += more - less;
}

static void chunk_free(struct out *o, struct out_chunk *c)
{
    blob_unref(c->blob);
    if (c->fd >= 0) {
        close(c->fd);
        o->files--;
    }
    free(c);
}

void out_fini(struct out *o)
{
    while (o->first) {
        struct out_chunk *next = o->first->next;
        chunk_free(o, o->first);
        o->first = next;
    }
    account(o, 0, o->memory);
    *o = (struct out){0};
}

bool out_empty(const struct out *o)
{
    return !o->first;
}

static struct out_chunk *append(struct out *o, size_t inline_n, uint64_t at, uint64_t end)
{
    struct out_chunk *c = malloc(sizeof *c + inline_n);
    if (!c)
        return NULL;
    *c = (struct out_chunk){.fd = -1, .at = at, .end = end};
    if (o->last)
        o->last->next = c;
    else
        o->first = c;
    o->last = c;
    return c;
}

uint8_t *out_reserve(struct out *o, size_t n)
{
    struct out_chunk *c = append(o, n, 0, n);
    if (!c)
        return NULL;
    account(o, n, 0);
    return c->bytes;
}

bool out_bytes(struct out *o, const void *p, size_t n)
{
    if (n == 0)
        return true;
    uint8_t *room = out_reserve(o, n);
    if (room)
        memcpy(room, p, n);
    return room != NULL;
}

bool out_blob_range(struct out *o, struct blob *b, size_t offset, size_t n)
{
    if (n == 0) {
        blob_unref(b);
        return true;
    }
    struct out_chunk *c = append(o, 0, offset, offset + n);
    if (!c) {
        blob_unref(b);
        return false;
    }
    c->blob = b;
    account(o, n, 0);
    return true;
}

bool out_blob(struct out *o, struct blob *b)
{
    return out_blob_range(o, b, 0, b->n);
}

bool out_file(struct out *o, int fd, uint64_t offset, uint64_t n)
{
    if (n == 0) {
        close(fd);
        return true;
    }
    struct out_chunk *c = append(o, 0, offset, offset + n);
    if (!c) {
        close(fd);
        return false;
    }
    c->fd = fd;
    o->files++;
    return true;
}

void out_look(const struct out *o, size_t max, struct out_front *front)
{
    const struct out_chunk *c = o->first;
    uint64_t left = c->end - c->at;
    front->n_pieces = 0;
    if (c->fd >= 0) {
        front->fd = c->fd;
        front->offset = c->at;
        front->n = left < max ? (size_t)left : max;
        front->more = front->n < left || c->next;
        return;
    }
    bool cut = false;
    front->n = 0;
    for (; c && c->fd < 0 && front->n_pieces < OUT_PIECES_MAX && front->n < max; c = c->next) {
        left = c->end - c->at;
        size_t room = max - front->n;
        size_t n = left < room ? (size_t)left : room;
        const uint8_t *p = (c->blob ? c->blob->bytes : c->bytes) + c->at;
        front->pieces[front->n_pieces++] = (struct iovec){(void *)(uintptr_t)p, n};
        front->n += n;
        cut = n < left;
    }
    front->more = cut || c;
}

void out_sent(struct out *o, size_t n)
{
    while (n > 0) {
        struct out_chunk *c = o->first;
        size_t took = c->end - c->at < n ? (size_t)(c->end - c->at) : n;
        c->begun = true;
        c->at += took;
        n -= took;
        if (c->fd < 0)
            account(o, 0, took);
        if (c->at < c->end)
            return;
        o->first = c->next;
        if (!o->first)
            o->last = NULL;
        chunk_free(o, c);
    }
}

void out_drop_unsent(struct out *o)
{
    struct out_chunk *keep = o->first && o->first->begun ? o->first : NULL;
    struct out_chunk *c = keep ? keep->next : o->first;
    while (c) {
        struct out_chunk *next = c->next;
        if (c->fd < 0)
            account(o, 0, c->end - c->at);
        chunk_free(o, c);
        c = next;
    }
    o->first = o->last = keep;
    if (keep)
        keep->next = NULL;
}
