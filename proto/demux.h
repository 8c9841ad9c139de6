/* Which protocol a datagram speaks, from its first bytes: RFC 7983 (STUN, DTLS, RTP) and RFC 5761
 * section 4 (RTCP among RTP). Pure; no IO. */
#ifndef WEIR_PROTO_DEMUX_H
#define WEIR_PROTO_DEMUX_H

#include <stddef.h>
#include <stdint.h>

enum packet_class { PACKET_UNKNOWN, PACKET_STUN, PACKET_DTLS, PACKET_RTP, PACKET_RTCP };

/* A guess for routing only: the parser of the class decides whether the packet is well formed. */
static inline enum packet_class packet_class(const uint8_t *p, size_t n)
{
    if (n < 2)
        return PACKET_UNKNOWN;
    uint8_t b = p[0];
    /* RFC 7983 7: [0..3] STUN, [20..63] DTLS, [128..191] RTP or RTCP; the rest (ZRTP, TURN channel)
     * is not for us. */
    if (b <= 3)
        return PACKET_STUN;
    if (b >= 20 && b <= 63)
        return PACKET_DTLS;
    if (b >= 128 && b <= 191) /* RFC 5761 4: payload types 64..95 with the marker bit are RTCP */
        return p[1] >= 192 && p[1] <= 223 ? PACKET_RTCP : PACKET_RTP;
    return PACKET_UNKNOWN;
}

#endif
