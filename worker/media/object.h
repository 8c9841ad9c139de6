/* What every object of the tree has: an id that is unique in the worker, by which requests find it.
 * No IO. */
#ifndef WEIR_WORKER_MEDIA_OBJECT_H
#define WEIR_WORKER_MEDIA_OBJECT_H

#include <stddef.h>

#include "common/err.h"

enum object_kind {
    OBJECT_WEBRTC_SERVER,
    OBJECT_ROUTER,
    OBJECT_TRANSPORT,
    OBJECT_PRODUCER,
    OBJECT_CONSUMER,
    OBJECT_DATA_PRODUCER,
    OBJECT_DATA_CONSUMER,
    OBJECT_RTP_OBSERVER
};

struct object_entry;

struct object {
    char *id; /* owned */
    enum object_kind kind;
    struct objects *registry;   /* parent, outlives us; NULL: not in it */
    struct object_entry *entry; /* owned by the registry */
};

struct objects {
    struct object_entry *by_id; /* owned hash */
    size_t count;
};

/* Registers it under a copy of id. ERR_EXISTS, ERR_NOMEM. */
MUST_CHECK enum err object_init(struct object *o, struct objects *registry, enum object_kind kind,
                                const char *id);
/* Fine for a zeroed one. */
void object_fini(struct object *o);
/* NULL: unknown, or of another kind. */
struct object *object_find(const struct objects *registry, enum object_kind kind, const char *id);

#endif
