/* SRTP and SRTCP (RFC 3711, RFC 7714): a sealer protects what is sent, an opener checks and
 * decrypts what is received; both in place. Sans-IO. After the first packet of an SSRC (or
 * seal_add_ssrc) nothing allocates.
 *
 * Sealed RTCP grows by the tag and the 4 bytes of its index: leave SEAL_OVERHEAD bytes. */
#ifndef WEIR_WORKER_ENGINE_SEAL_H
#define WEIR_WORKER_ENGINE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "worker/engine/srtp_key.h"

enum {
    /* Most bytes by which any packet of any suite grows. */
    SEAL_OVERHEAD = 16 + 4,
    /* Most SSRCs of one sealer or opener. A peer that authenticated could name 2^32 of them. */
    SEAL_SSRC_MAX = 4096,
    /* Packets behind the newest one that are still accepted; libsrtp's users take 1024 too. */
    SEAL_REPLAY_WINDOW = 1024,
};

struct sealer;
struct opener;

/* Once per process, before the first sealer, from the thread that will seal. */
MUST_CHECK enum err seal_global_init(void);
void seal_global_fini(void);
/* "ipsec-mb" or "openssl": what this process seals with. */
const char *seal_backend(void);

/* ---- sending ---- */

/* ERR_RANGE: the key's lengths do not fit its suite. */
MUST_CHECK enum err seal_open(struct sealer **out, const struct srtp_key *key);
/* NULL is fine. */
void seal_close(struct sealer *s);

/* Fetches into the cache what sealing the next RTP packets takes; a step at a time, each some time
 * after the one before: first the sealer, then what it points to. */
void seal_prefetch(const struct sealer *s, int step);

enum srtp_suite seal_suite(const struct sealer *s);
/* Bytes by which a protected RTP packet grows (RTCP: this suite's RTCP tag and 4 more). */
size_t seal_overhead(const struct sealer *s);

/* Makes the context of an SSRC ahead of its first packet. Exists already: OK. ERR_FULL, ERR_NOMEM.
 * Without it the first packet does so. */
MUST_CHECK enum err seal_add_ssrc(struct sealer *s, uint32_t ssrc);
/* Unknown is fine. The SSRC must not come back under the same key: its packet index would restart
 * (RFC 3711 9.1, two-time pad). */
void seal_remove_ssrc(struct sealer *s, uint32_t ssrc);

/* pkt: a whole RTP packet of *len bytes, in a buffer with at least seal_overhead() bytes more;
 * *len grows by that. ERR_MALFORMED: not an RTP packet. ERR_REPLAY: this sequence number was sealed
 * already, or is more than SEAL_REPLAY_WINDOW behind. ERR_FULL, ERR_NOMEM: no context. Nothing is
 * written then. */
MUST_CHECK enum err seal_protect_rtp(struct sealer *s, uint8_t *pkt, size_t *len);
/* As seal_protect_rtp, where pkt begins with the header only and all behind that is at payload:
 * spares a copy. *len: of both. */
MUST_CHECK enum err seal_protect_rtp_from(struct sealer *s, uint8_t *pkt, const uint8_t *payload,
                                          size_t *len);
/* As seal_protect_rtp, for a retransmission without RTX: the same sequence number again. The
 * caller vouches that the packet equals the first one byte for byte (header extensions too):
 * otherwise GCM would give its authentication key away (RFC 7714 8.3, 9.4). */
MUST_CHECK enum err seal_protect_rtp_again(struct sealer *s, uint8_t *pkt, size_t *len);
/* A whole RTCP compound packet; *len grows by up to SEAL_OVERHEAD. */
MUST_CHECK enum err seal_protect_rtcp(struct sealer *s, uint8_t *pkt, size_t *len);

/* Many packets, of many sealers, at once: the same as seal_protect_rtp on each, in order. */
struct seal_job {
    struct sealer *sealer;
    uint8_t *pkt;
    size_t len;      /* in and out */
    bool again;      /* as seal_protect_rtp_again */
    enum err result; /* out */
};
void seal_protect_rtp_batch(struct seal_job *jobs, size_t n);

/* The floor that a bench compares with: the suite's cipher and authentication over len bytes in
 * place with 16 bytes of room behind, without RTP parsing, replay or index bookkeeping. */
void seal_cipher_only(struct sealer *s, uint64_t nonce, uint8_t *buf, size_t len);

/* ---- receiving ---- */

MUST_CHECK enum err opener_open(struct opener **out, const struct srtp_key *key);
/* NULL is fine. */
void opener_close(struct opener *o);
/* Fetches into the cache what opening the next RTCP packet takes; in two steps, as seal_prefetch.
 */
void opener_prefetch_rtcp(const struct opener *o, int step);

/* Checks and decrypts; *len shrinks. ERR_MALFORMED: not SRTP; ERR_AUTH: forged or damaged;
 * ERR_REPLAY: seen before, or too old; ERR_FULL, ERR_NOMEM: authentic, but one SSRC too many. The
 * bytes are undefined after ERR_AUTH. A context is made only after a packet authenticated. */
MUST_CHECK enum err opener_unprotect_rtp(struct opener *o, uint8_t *pkt, size_t *len);
MUST_CHECK enum err opener_unprotect_rtcp(struct opener *o, uint8_t *pkt, size_t *len);
/* Makes room; unknown is fine. Replay window and roll-over counter of the SSRC are forgotten:
 * should the peer go on with it after 65,536 packets, nothing of it opens any more. So it is not
 * for a producer that closes (its track may come back), but for an SSRC that said BYE or is long
 * silent. */
void opener_remove_ssrc(struct opener *o, uint32_t ssrc);
/* SSRCs with a context now. */
size_t opener_ssrc_count(const struct opener *o);

#endif
