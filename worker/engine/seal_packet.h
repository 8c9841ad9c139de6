/* Where the parts of SRTP and SRTCP packets lie, and the initialisation vectors made of them.
 * Internal to seal.
 *
 *   RTP:   header | payload, encrypted | tag           both kinds of suite; the tag covers all
 *   RTCP:  8 bytes | rest, encrypted | tag | E, index  AEAD (RFC 7714 9)
 *          8 bytes | rest, encrypted | E, index | tag  AES-CM (RFC 3711 3.4)
 */
#ifndef WEIR_WORKER_ENGINE_SEAL_PACKET_H
#define WEIR_WORKER_ENGINE_SEAL_PACKET_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "worker/engine/seal_cipher.h"

enum {
    SEAL_RTP_HEADER = 12,
    SEAL_RTCP_CLEAR = 8, /* RFC 3711 3.4: up to and with the sender's SSRC */
    SEAL_RTCP_INDEX_LEN = 4,
    SEAL_PACKET_MAX = 65535,
    SEAL_GCM_IV_ROOM = 16, /* what seal_gcm_iv writes: the 12 bytes and zeros */
};
#define SEAL_RTCP_E 0x80000000u /* the E flag: encrypted */

struct seal_rtp_head {
    uint32_t ssrc;
    uint16_t seq;
    size_t len; /* with CSRCs and extension: what stays readable */
};

/* n: bytes of header and payload, without a tag. */
MUST_CHECK static inline enum err seal_rtp_parse(const uint8_t *pkt, size_t n,
                                                 struct seal_rtp_head *out)
{
    if (n > SEAL_PACKET_MAX)
        return ERR_MALFORMED;
    struct rd r = rd_of(pkt, n);
    uint8_t b0 = rd_u8(&r);
    rd_skip(&r, 1);
    uint16_t seq = rd_u16(&r);
    rd_skip(&r, 4);
    uint32_t ssrc = rd_u32(&r);
    rd_skip(&r, (size_t)(b0 & 0x0f) * 4);
    if (b0 & 0x10) {
        rd_skip(&r, 2);
        size_t words = rd_u16(&r);
        rd_skip(&r, words * 4);
    }
    if (r.bad || b0 >> 6 != 2)
        return ERR_MALFORMED;
    out->ssrc = ssrc;
    out->seq = seq;
    out->len = n - rd_left(&r);
    return OK;
}

/* RFC 7714 8.1 (48-bit index of RTP) and 9.1 (31-bit index of RTCP): the same layout. Made in
 * registers and stored at once: read back as a whole after a byte-wise store, it would wait until
 * all stores before it, the packet's copy too, have left the store buffer. */
static inline void seal_gcm_iv(uint8_t iv[SEAL_GCM_IV_ROOM], const uint8_t salt[SEAL_GCM_IV],
                               uint32_t ssrc, uint64_t index)
{
    typedef uint64_t whole __attribute__((vector_size(SEAL_GCM_IV_ROOM)));
    uint64_t high;
    uint32_t low;
    memcpy(&high, salt, sizeof high);
    memcpy(&low, salt + sizeof high, sizeof low);
    high ^= htobe64((uint64_t)ssrc << 16 | index >> 32);
    low ^= htobe32((uint32_t)index);
    whole both = {high, low};
    memcpy(iv, &both, sizeof both);
}

/* RFC 3711 4.1.1: (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16). */
static inline void seal_ctr_iv(uint8_t iv[SEAL_CTR_IV], const uint8_t *salt, uint32_t ssrc,
                               uint64_t index)
{
    put_u32(iv, 0);
    put_u32(iv + 4, ssrc);
    put_u16(iv + 8, (uint16_t)(index >> 32));
    put_u32(iv + 10, (uint32_t)index);
    put_u16(iv + 14, 0);
    for (size_t i = 0; i < SRTP_SALT_MAX; i++)
        iv[i] ^= salt[i];
}

#endif
