/* RTP padding (RFC 3550 5.1, the P bit) that makes the packets of a burst equally long, so that all
 * of it goes to a viewer as one UDP_SEGMENT message: encoders cut a frame into packets that often
 * differ by a byte, and each change of size would begin another message. No IO. */
#ifndef WEIR_WORKER_MEDIA_BURST_PADDING_H
#define WEIR_WORKER_MEDIA_BURST_PADDING_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* Padding may add this part of the longest packet: 17 bytes of 1,100. */
    BURST_PADDING_PART = 64
};

struct burst_packet {
    const void *stream;   /* packets of one stream follow each other, whatever is between them */
    uint16_t payload_len; /* bytes */
    uint16_t ext_len; /* of header extensions that the packet brought: others make other sizes */
    uint8_t padding;  /* out */
};

/* Padding for each, in the order in which they are sent. Where sizes differ by more, a shorter
 * packet ends a message and a longer one begins the next, as without padding. */
void burst_padding(struct burst_packet *packets, size_t n);

#endif
