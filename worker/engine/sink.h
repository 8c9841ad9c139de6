/* What an engine wants sent or told, in order, in the caller's memory (STYLE.md 18). The caller
 * drains it after each call of an engine, before the next one. No IO, no allocation.
 *
 *     struct sink out;
 *     sink_reset(&out);
 *     ice_input(&ice, now, &from, datagram, &out);
 *     for (size_t i = 0; i < out.count; i++) {
 *         const struct sink_item *it = &out.items[i];
 *         ... it->kind, sink_bytes(&out, it) ...
 *     }
 */
#ifndef WEIR_WORKER_ENGINE_SINK_H
#define WEIR_WORKER_ENGINE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/addr.h"
#include "common/bytes.h"

enum {
    SINK_ITEMS = 40,
    /* Datagrams and data stop here, so that a state change always finds room behind them. */
    SINK_BULK_ITEMS = 32,
    SINK_BYTES = 24 * 1024,
};

enum sink_kind {
    SINK_DATAGRAM, /* send bytes to `tuple`; family 0 there means: to the selected tuple */
    SINK_EVENT,    /* `code` of the engine's enum; arg, tuple and bytes as that enum says */
};

struct sink_item {
    enum sink_kind kind;
    uint32_t code;
    uint32_t arg;
    uint32_t offset; /* of its bytes in sink.bytes */
    uint32_t len;
    struct tuple tuple;
};

struct sink {
    uint32_t count; /* items to drain */
    uint32_t used;  /* bytes in use */
    uint64_t
        dropped; /* items that found no room since sink_init; a peer's retransmission heals it */
    struct sink_item items[SINK_ITEMS];
    uint8_t bytes[SINK_BYTES];
};

static inline void sink_init(struct sink *s)
{
    s->count = 0;
    s->used = 0;
    s->dropped = 0;
}

/* Forgets the items, keeps the count of dropped ones. */
static inline void sink_reset(struct sink *s)
{
    s->count = 0;
    s->used = 0;
}

static inline struct slice sink_bytes(const struct sink *s, const struct sink_item *it)
{
    return slice_of(s->bytes + it->offset, it->len);
}

/* Next item with room for n bytes that the caller fills at sink.bytes + item.offset, or NULL. */
static inline struct sink_item *sink_push(struct sink *s, enum sink_kind kind, size_t n,
                                          size_t item_limit)
{
    if (s->count >= item_limit || n > (size_t)SINK_BYTES - s->used) {
        s->dropped++;
        return NULL;
    }
    struct sink_item *it = &s->items[s->count++];
    memset(it, 0, sizeof *it);
    it->kind = kind;
    it->offset = s->used;
    it->len = (uint32_t)n;
    s->used += (uint32_t)n;
    return it;
}

/* to: NULL for the selected tuple. False (and counted) when there is no room. */
static inline bool sink_datagram(struct sink *s, const struct tuple *to, struct slice bytes)
{
    struct sink_item *it = sink_push(s, SINK_DATAGRAM, bytes.n, SINK_BULK_ITEMS);
    if (!it)
        return false;
    if (to)
        it->tuple = *to;
    if (bytes.n > 0)
        memcpy(s->bytes + it->offset, bytes.p, bytes.n);
    return true;
}

/* An event with a number and perhaps a tuple (NULL: none). */
static inline bool sink_event(struct sink *s, uint32_t code, uint32_t arg,
                              const struct tuple *tuple)
{
    struct sink_item *it = sink_push(s, SINK_EVENT, 0, SINK_ITEMS);
    if (!it)
        return false;
    it->code = code;
    it->arg = arg;
    if (tuple)
        it->tuple = *tuple;
    return true;
}

/* An event that carries bytes. */
static inline bool sink_event_bytes(struct sink *s, uint32_t code, struct slice bytes)
{
    struct sink_item *it = sink_push(s, SINK_EVENT, bytes.n, SINK_BULK_ITEMS);
    if (!it)
        return false;
    it->code = code;
    if (bytes.n > 0)
        memcpy(s->bytes + it->offset, bytes.p, bytes.n);
    return true;
}

#endif
