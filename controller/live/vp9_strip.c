#include "controller/live/vp9_strip.h"

#include <string.h>

#include "proto/rtp.h"
#include "proto/vp9.h"

enum { MARKER = 0x80, BEGINS = 0x08, ENDS = 0x04 };

size_t vp9_strip(uint8_t *packet, size_t n)
{
    struct rtp_view v;
    struct vp9_desc d;
    if (rtp_parse(&v, packet, n) != OK || vp9_parse(&d, rtp_payload_slice(&v)) != OK ||
        d.spatial > 0)
        return n;
    size_t gone = d.header_len - 1u;
    packet[v.payload_at + gone] = (uint8_t)((d.start ? BEGINS : 0) | (d.end ? ENDS : 0));
    /* ffmpeg wants the marker where the frame ends, of whatever layer. */
    packet[1] = (uint8_t)((packet[1] & ~MARKER) | (d.end ? MARKER : 0));
    memmove(packet + gone, packet, v.payload_at);
    return gone;
}
