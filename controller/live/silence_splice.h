/* RTP of sound without holes: where a sender is muted, or sends little (DTX), packets of silence
 * stand between its own, under one sequence of numbers, since who mixes several waits for all of
 * them. RFC 3550 5.1; pure, no IO. */
#ifndef WEIR_CONTROLLER_LIVE_SILENCE_SPLICE_H
#define WEIR_CONTROLLER_LIVE_SILENCE_SPLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/time.h"

enum {
    /* Silence begins so long after the last packet: jitter is no pause. */
    SILENCE_AFTER_US = 60 * 1000,
    SILENCE_PACKET_US = 20 * 1000, /* what one packet of it lasts */
    SILENCE_PACKET_MAX = 12 + 160  /* bytes */
};

struct silence_splice {
    struct slice payload; /* silence in the sender's codec; static */
    uint8_t payload_type;
    uint32_t ssrc;
    uint32_t clock_rate;
    bool sent;   /* something went out */
    bool silent; /* the last that went out was silence */
    bool joined; /* seq_offset and time_offset are those of what comes */
    usec last;   /* when it went out */
    uint16_t seq;
    uint32_t timestamp;
    uint16_t seq_offset; /* what goes out - what came */
    uint32_t time_offset;
};

/* A 20 ms payload of silence; n 0: none is known of this codec ("audio/opus"). */
struct slice silence_payload(const char *mime_type);

void silence_splice_init(struct silence_splice *s, struct slice payload, uint8_t payload_type,
                         uint32_t ssrc, uint32_t clock_rate);
/* A packet of the sender: renumbered in place. False: it is none of this stream. */
bool silence_splice_packet(struct silence_splice *s, usec now, uint8_t *packet, size_t n);
/* What is due now: writes a packet of silence and returns its size; 0: nothing. */
size_t silence_splice_fill(struct silence_splice *s, usec now, uint8_t out[SILENCE_PACKET_MAX]);

#endif
