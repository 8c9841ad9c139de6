/* Packet indices of SRTP and SRTCP: the 48-bit index behind a 16-bit sequence number (RFC 3711
 * 3.3.1) and the replay window (3.3.2); and a table of them by SSRC. Internal to seal. */
#ifndef WEIR_WORKER_ENGINE_SEAL_INDEX_H
#define WEIR_WORKER_ENGINE_SEAL_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "worker/engine/seal.h"

#define SEAL_INDEX_LIMIT ((uint64_t)1 << 48) /* RFC 3711 9.2: most packets under one key */
#define SEAL_RTCP_INDEX_LIMIT ((uint64_t)1 << 31)

/* Zeroed: nothing seen yet. */
struct seal_window {
    uint64_t top;                           /* the highest index that was taken */
    uint64_t seen[SEAL_REPLAY_WINDOW / 64]; /* bit i % SEAL_REPLAY_WINDOW: index i was taken */
    bool started;
};

/* The index that a sequence number most likely means. Never negative: until the first 2^15 packets
 * have passed there is no earlier roll-over, as in libsrtp. */
uint64_t seal_index_guess(const struct seal_window *w, uint16_t seq);

/* OK: index is new. ERR_REPLAY: taken, or behind the window. Changes nothing. */
static inline enum err seal_window_check(const struct seal_window *w, uint64_t index)
{
    if (!w->started || index > w->top)
        return OK;
    if (w->top - index >= SEAL_REPLAY_WINDOW)
        return ERR_REPLAY;
    uint64_t bit = index % SEAL_REPLAY_WINDOW;
    return w->seen[bit / 64] >> (bit % 64) & 1 ? ERR_REPLAY : OK;
}

/* Takes an index, of any age. */
void seal_window_take(struct seal_window *w, uint64_t index);

struct seal_stream {
    uint32_t ssrc;
    struct seal_window window;
};

/* Open addressing, a power of two of slots, at most half full. Zeroed: empty. */
struct seal_streams {
    struct seal_stream **slots; /* owned, and what they point to */
    size_t slot_count;
    size_t count;
    struct seal_stream *last; /* in slots; packets come in runs */
};

void seal_streams_fini(struct seal_streams *t);
/* NULL when absent. */
struct seal_stream *seal_streams_find(struct seal_streams *t, uint32_t ssrc);
/* Found, or made. ERR_FULL at SEAL_SSRC_MAX, ERR_NOMEM. */
MUST_CHECK enum err seal_streams_get(struct seal_streams *t, uint32_t ssrc,
                                     struct seal_stream **out);
void seal_streams_remove(struct seal_streams *t, uint32_t ssrc);

#endif
