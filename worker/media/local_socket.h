/* A socket that a transport is reached on: the worker's shared one, or one of its own that was
 * bound for it; and how a pair of addresses shows in messages. IO only through struct worker_io. */
#ifndef WEIR_WORKER_MEDIA_LOCAL_SOCKET_H
#define WEIR_WORKER_MEDIA_LOCAL_SOCKET_H

#include "common/fields.h"
#include "proto/transport_parameters.h"
#include "worker/media/worker.h"

struct local_socket {
    struct worker_listen at;
    bool own;             /* to be closed by us */
    bool expose_internal; /* tell the bound address beside the announced one */
};

/* Binds what a listenInfo asks for. Errors name the field under path. */
MUST_CHECK enum err local_socket_open(struct worker *w, const struct listen_info *info,
                                      const char *path, struct local_socket *out,
                                      struct field_error *f);
/* Fine for a zeroed one. */
void local_socket_close(struct worker *w, struct local_socket *s);

/* What peers are told: the announced address, or the bound one. */
const char *local_socket_address(const struct worker_listen *at, char *buf, size_t n);

struct tuple_text {
    struct transport_tuple tuple; /* points into what follows */
    char local[ADDR_TEXT_MAX + 64];
    char remote[ADDR_TEXT_MAX];
};

/* remote: NULL while unknown. */
void tuple_describe(struct tuple_text *out, const struct worker_listen *local,
                    const struct addr *remote);
/* The same in the arena, for dumps; NULL: no memory. */
struct transport_tuple *tuple_dump(struct arena *arena, const struct worker_listen *local,
                                   const struct addr *remote);

#endif
