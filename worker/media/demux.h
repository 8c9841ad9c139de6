/* Which transport a datagram belongs to: by its tuple (every packet), by the ICE username fragment
 * (STUN from a new address), by its socket (sockets that one transport owns). Open addressing for
 * tuples, as that look-up stands on the hot path. No IO. */
#ifndef WEIR_WORKER_MEDIA_DEMUX_H
#define WEIR_WORKER_MEDIA_DEMUX_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"

struct transport;

enum { DEMUX_UFRAG_MAX = 32, DEMUX_SOCKETS = 1 << 16 };

struct demux_slot {
    struct tuple tuple;
    uint32_t tag;                /* upper bits of the hash; 0: the slot is empty */
    struct transport *transport; /* borrowed, removed before it goes */
};

struct demux {
    struct demux_slot *slots; /* owned, a power of two */
    size_t mask;
    size_t used;
    uint64_t salt;              /* remotes choose tuples: they must not choose collisions */
    struct demux_ufrag *ufrags; /* owned hash */
    struct transport **sockets; /* owned, DEMUX_SOCKETS */
};

MUST_CHECK enum err demux_init(struct demux *d, uint64_t salt);
/* Transports must be gone. */
void demux_fini(struct demux *d);

/* ERR_NOMEM. A tuple that is there already changes hands. */
MUST_CHECK enum err demux_add_tuple(struct demux *d, const struct tuple *tuple,
                                    struct transport *transport);
/* Only if it belongs to this transport. */
void demux_remove_tuple(struct demux *d, const struct tuple *tuple,
                        const struct transport *transport);
struct transport *demux_by_tuple(const struct demux *d, const struct tuple *tuple);

/* ufrag: NUL-terminated, at most DEMUX_UFRAG_MAX - 1 bytes. ERR_EXISTS, ERR_NOMEM, ERR_TOO_LARGE.
 */
MUST_CHECK enum err demux_add_ufrag(struct demux *d, const char *ufrag,
                                    struct transport *transport);
void demux_remove_ufrag(struct demux *d, const char *ufrag);
struct transport *demux_by_ufrag(const struct demux *d, const void *ufrag, size_t n);

/* Fetches into the cache where the tuple's transport is found. */
void demux_prefetch(const struct demux *d, const struct tuple *tuple);

static inline void demux_set_socket(struct demux *d, uint16_t sock, struct transport *transport)
{
    d->sockets[sock] = transport;
}

static inline struct transport *demux_by_socket(const struct demux *d, uint16_t sock)
{
    return d->sockets[sock];
}

#endif
