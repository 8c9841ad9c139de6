/* Bounded cursors over bytes: the only way that wire formats are read and written. No IO.
 * The error is sticky: read or write on, and check `bad` once at the end. Network byte order. */
#ifndef WEIR_COMMON_BYTES_H
#define WEIR_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed view of bytes. */
struct slice {
    const uint8_t *p;
    size_t n;
};

static inline struct slice slice_of(const void *p, size_t n)
{
    return (struct slice){.p = p, .n = n};
}

/* Reader. After an overrun `bad` is set, and all further reads return zeros. */
struct rd {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
};

static inline struct rd rd_of(const void *p, size_t n)
{
    const uint8_t *b = p;
    return (struct rd){.p = b, .end = n > 0 ? b + n : b}; /* an absent slice is NULL and 0 */
}

static inline struct rd rd_slice(struct slice s)
{
    return rd_of(s.p, s.n);
}

static inline size_t rd_left(const struct rd *r)
{
    return (size_t)(r->end - r->p);
}

static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
    if (r->bad || rd_left(r) < n) {
        r->bad = true;
        r->p = r->end;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    return p;
}

static inline uint8_t rd_u8(struct rd *r)
{
    const uint8_t *p = rd_take(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t rd_u16(struct rd *r)
{
    const uint8_t *p = rd_take(r, 2);
    return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

static inline uint32_t rd_u24(struct rd *r)
{
    const uint8_t *p = rd_take(r, 3);
    return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t rd_u32(struct rd *r)
{
    const uint8_t *p = rd_take(r, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t rd_u64(struct rd *r)
{
    uint64_t hi = rd_u32(r);
    return hi << 32 | rd_u32(r);
}

/* The next n bytes as a view; {NULL, 0} when they are not there. */
static inline struct slice rd_bytes(struct rd *r, size_t n)
{
    const uint8_t *p = rd_take(r, n);
    return (struct slice){.p = p, .n = p ? n : 0};
}

static inline void rd_skip(struct rd *r, size_t n)
{
    (void)rd_take(r, n);
}

/* Writer, the reader's twin. After an overflow `bad` is set and nothing more is written. */
struct wr {
    uint8_t *start;
    uint8_t *p;
    uint8_t *end;
    bool bad;
};

static inline struct wr wr_of(void *p, size_t n)
{
    uint8_t *b = p;
    return (struct wr){.start = b, .p = b, .end = b + n};
}

static inline size_t wr_len(const struct wr *w)
{
    return (size_t)(w->p - w->start);
}

static inline size_t wr_left(const struct wr *w)
{
    return (size_t)(w->end - w->p);
}

/* Room for n bytes that the caller fills, or NULL. */
static inline uint8_t *wr_take(struct wr *w, size_t n)
{
    if (w->bad || wr_left(w) < n) {
        w->bad = true;
        return NULL;
    }
    uint8_t *p = w->p;
    w->p += n;
    return p;
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
    uint8_t *p = wr_take(w, 1);
    if (p)
        p[0] = v;
}

static inline void put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put_u24(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 16);
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)v;
}

static inline void put_u32(uint8_t *p, uint32_t v)
{
    put_u16(p, (uint16_t)(v >> 16));
    put_u16(p + 2, (uint16_t)v);
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
    uint8_t *p = wr_take(w, 2);
    if (p)
        put_u16(p, v);
}

static inline void wr_u24(struct wr *w, uint32_t v)
{
    uint8_t *p = wr_take(w, 3);
    if (p)
        put_u24(p, v);
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
    uint8_t *p = wr_take(w, 4);
    if (p)
        put_u32(p, v);
}

static inline void wr_u64(struct wr *w, uint64_t v)
{
    wr_u32(w, (uint32_t)(v >> 32));
    wr_u32(w, (uint32_t)v);
}

static inline void wr_bytes(struct wr *w, const void *src, size_t n)
{
    uint8_t *p = wr_take(w, n);
    if (p && n > 0)
        memcpy(p, src, n);
}

static inline void wr_zeros(struct wr *w, size_t n)
{
    uint8_t *p = wr_take(w, n);
    if (p && n > 0)
        memset(p, 0, n);
}

#endif
