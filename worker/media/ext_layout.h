/* The header extensions of what one consumer gets (RFC 8285): a block prepared once, in which a
 * packet patches time and number and to which it appends what it brought itself. No IO.
 *
 * One consumer of 500 costs a copy of at most EXT_FIXED_MAX bytes and two stores a packet. */
#ifndef WEIR_WORKER_MEDIA_EXT_LAYOUT_H
#define WEIR_WORKER_MEDIA_EXT_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "common/time.h"
#include "proto/rtp_ext.h"
#include "proto/rtp_parameters.h"

enum {
    EXT_FIXED_MAX = 64, /* block header, MID of 32 bytes, time, number, with element headers */
    EXT_FORWARD_MAX = 6 /* kinds that a packet brings along: see ext_forwarded */
};

/* Ids by kind; 0: not negotiated. */
struct ext_ids {
    uint8_t of[RTP_EXT_KIND_COUNT];
};

/* Unknown URIs are ignored. ERR_EXISTS: an id or a URI stands twice; *bad: its index. */
MUST_CHECK enum err ext_ids_init(struct ext_ids *ids,
                                 const struct rtp_header_extension_parameters *list, size_t n,
                                 size_t *bad);

/* What a received packet brings that its consumers get too, found once a packet. */
struct ext_brought {
    size_t n;
    size_t longest; /* bytes of the longest value */
    struct {
        enum rtp_ext_kind kind;
        struct slice value; /* borrowed from the packet */
    } item[EXT_FORWARD_MAX];
};

/* ids: the producer's. */
void ext_brought_find(struct ext_brought *b, const struct ext_ids *ids, const struct rtp_view *v);

/* Leaves one kind out. */
void ext_brought_drop(struct ext_brought *b, enum rtp_ext_kind kind);

/* Bytes of all values, as a measure of whether two packets bring the same. */
static inline size_t ext_brought_len(const struct ext_brought *b)
{
    size_t len = 0;
    for (size_t i = 0; i < b->n; i++)
        len += b->item[i].value.n;
    return len;
}

struct ext_layout {
    struct ext_ids ids;
    bool two_byte;     /* an id or the MID does not fit the one-byte form */
    uint8_t fixed_len; /* bytes of fixed in use, the 4-byte block header included; 0: none */
    uint8_t time_at;   /* offset of abs-send-time's value in fixed; 0: not sent */
    uint8_t number_at; /* of transport-wide-cc's */
    uint8_t fixed[EXT_FIXED_MAX];
};

/* mid: NULL or "" for none. */
void ext_layout_init(struct ext_layout *l, const struct ext_ids *ids, const char *mid);

/* Most bytes that a block with what b brought can take. */
static inline size_t ext_layout_max(const struct ext_layout *l, const struct ext_brought *b)
{
    return EXT_FIXED_MAX + 4 + b->n * (2 + b->longest) + l->fixed_len;
}

/* Writes the block to out, which has ext_layout_max bytes; returns its length, a multiple of 4, or
 * 0: no extension (the packet's X bit is clear). number is used when the layout has number_at. */
size_t ext_layout_write(const struct ext_layout *l, const struct ext_brought *b, usec now,
                        uint16_t number, uint8_t *out);

#endif
