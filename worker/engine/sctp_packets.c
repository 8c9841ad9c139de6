/* The packets that an association wants sent. */
#include <stdlib.h>
#include <string.h>

#include "worker/engine/sctp_assoc.h"

enum {
    LENGTH_BYTES = 2,
    FIRST_BYTES = 4096,
    COMMON_HEADER_LEN = 12,
    CHUNK_HEADER_LEN = 4,
    DATA_HEADER_LEN = 16, /* RFC 9260 3.3.1 */
    CHUNK_DATA = 0
};

static bool make_room(struct packet_queue *q, size_t n)
{
    if (q->head > 0) {
        memmove(q->bytes, q->bytes + q->head, q->tail - q->head);
        q->tail -= q->head;
        q->head = 0;
    }
    if (q->cap - q->tail >= n)
        return true;
    size_t cap = q->cap ? q->cap : FIRST_BYTES;
    while (cap - q->tail < n)
        cap *= 2;
    uint8_t *bytes = cap <= ASSOC_WAITING_MAX ? realloc(q->bytes, cap) : NULL;
    if (!bytes)
        return false;
    q->bytes = bytes;
    q->cap = cap;
    return true;
}

/* Which bytes of messages leave for the first time: the DATA chunks with a new TSN. */
static void note_data(struct assoc *a, const uint8_t *bytes, size_t n)
{
    struct rd r = rd_of(bytes, n);
    rd_skip(&r, COMMON_HEADER_LEN);
    while (!r.bad && rd_left(&r) >= CHUNK_HEADER_LEN) {
        uint8_t type = rd_u8(&r);
        (void)rd_u8(&r);
        size_t len = rd_u16(&r);
        if (len < CHUNK_HEADER_LEN)
            return;
        size_t body = len - CHUNK_HEADER_LEN;
        size_t padding = -len & 3;
        if (type != CHUNK_DATA || len < DATA_HEADER_LEN) {
            rd_skip(&r, body);
        } else {
            uint32_t tsn = rd_u32(&r);
            uint16_t sid = rd_u16(&r);
            rd_skip(&r, len - CHUNK_HEADER_LEN - 6);
            if (r.bad)
                return;
            if (!a->any_tsn || (int32_t)(tsn - a->last_tsn) > 0) {
                a->any_tsn = true;
                a->last_tsn = tsn;
                assoc_note_sent(a, sid, len - DATA_HEADER_LEN);
            }
        }
        if (rd_left(&r) < padding)
            return;
        rd_skip(&r, padding);
    }
}

void packets_push(struct assoc *a, const void *bytes, size_t n)
{
    struct packet_queue *q = &a->packets;
    note_data(a, bytes, n);
    if (n > UINT16_MAX ||
        (q->cap - q->tail < n + LENGTH_BYTES && !make_room(q, n + LENGTH_BYTES))) {
        a->stats.dropped_packets++;
        return;
    }
    put_u16(q->bytes + q->tail, (uint16_t)n);
    memcpy(q->bytes + q->tail + LENGTH_BYTES, bytes, n);
    q->tail += LENGTH_BYTES + n;
}

bool packets_pop(struct packet_queue *q, struct slice *out)
{
    if (q->head == q->tail) {
        packets_fini(q); /* most associations are idle most of the time */
        return false;
    }
    struct rd r = rd_of(q->bytes + q->head, q->tail - q->head);
    size_t n = rd_u16(&r);
    *out = rd_bytes(&r, n);
    q->head += LENGTH_BYTES + n;
    return true;
}

void packets_fini(struct packet_queue *q)
{
    free(q->bytes);
    *q = (struct packet_queue){.bytes = NULL};
}
