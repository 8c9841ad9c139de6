/* RTP that waits to be sealed together: a suite with HMAC-SHA1 costs a third when many packets, of
 * any keys, are sealed at once (docs/adr/0010). The packets lie in the slots that they are sent
 * from. No IO. */
#ifndef WEIR_WORKER_MEDIA_SEAL_BATCH_H
#define WEIR_WORKER_MEDIA_SEAL_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "worker/engine/seal.h"
#include "worker/media/txq.h"

enum { SEAL_BATCH_MAX = 64 };

struct seal_batch {
    size_t n;
    uint64_t refused; /* packets that SRTP refused, since the start */
    struct seal_job jobs[SEAL_BATCH_MAX];
    struct tx_dest *dests[SEAL_BATCH_MAX]; /* borrowed until the flush */
};

/* Whether packets of this sealer gain by waiting. */
static inline bool seal_batch_pays(const struct sealer *s)
{
    enum srtp_suite suite = seal_suite(s);
    return suite == SEAL_AES_128_CM_SHA1_80 || suite == SEAL_AES_128_CM_SHA1_32;
}

/* The slot for the next packet, valid until it is added or anything else reserves. */
uint8_t *seal_batch_reserve(struct seal_batch *b, struct txq *q);
/* Takes the slot reserved last, with len bytes of RTP in it. */
void seal_batch_add(struct seal_batch *b, struct txq *q, struct tx_dest *dest, struct sealer *s,
                    size_t len, bool again);
/* Seals and queues what waits. Before anything else goes into q, and before a destination or a
 * sealer ends. */
void seal_batch_flush(struct seal_batch *b, struct txq *q);

#endif
