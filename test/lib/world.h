/* A worker without sockets, in virtual time: requests by JSON through its pipe protocol, datagrams
 * between it and scripted endpoints. For tests of the object tree. No IO. */
#ifndef WEIR_TEST_WORLD_H
#define WEIR_TEST_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/rng.h"
#include "test/lib/rtc_peer.h"
#include "worker/api/api.h"
#include "worker/media/worker.h"

enum { WORLD_SOCKET_SHARED = 0, WORLD_SOCKET_SHARED_TCP = 0, WORLD_ENDPOINTS = 1024 };

struct world;

/* An address outside the worker. */
struct endpoint {
    struct addr at;
    void (*receive)(struct endpoint *e, uint8_t *bytes, size_t n);
    struct world *world;
    void *ctx;
};

struct datagram;

struct world {
    struct worker *worker; /* owned */
    struct api api;
    struct frame_queue out;
    struct rng rng;
    usec now;
    json_t *events; /* owned array: notifications, oldest first */
    struct endpoint *endpoints[WORLD_ENDPOINTS];
    size_t n_endpoints;
    struct datagram *first; /* on their way */
    struct datagram **last;
    uint16_t next_sock;
    uint16_t next_port;
    size_t open_sockets;
    unsigned next_id;
    uint64_t sent;                 /* datagrams by the worker */
    const char *transport_options; /* JSON of browser_create's; NULL: {} */
    bool bursts;                   /* datagrams to the worker are one burst until world_settle */
    bool count_only;               /* the worker's datagrams are counted, not delivered */
    /* True: this datagram of the worker is lost. NULL: none. */
    bool (*lose)(struct world *w, const uint8_t *bytes, size_t n);
};

/* Aborts when it cannot. */
void world_init(struct world *w);
void world_fini(struct world *w);

/* data: JSON in which ' stands for ", after formatting; NULL: none. Returns the response's data (or
 * true when it has none); NULL: refused, and the response is in *error if that is not NULL. */
json_t *world_call(struct world *w, const char *method, const char *handler, json_t **error,
                   const char *data, ...) __attribute__((format(printf, 5, 6)));
/* As world_call for what must succeed and whose answer does not matter. */
void world_do(struct world *w, const char *method, const char *handler, const char *data, ...)
    __attribute__((format(printf, 4, 5)));
/* The error name of what must be refused, followed by the reason: "TypeError rtpParameters...".
 * Valid until the next call. */
const char *world_refused(struct world *w, const char *method, const char *handler,
                          const char *data, ...) __attribute__((format(printf, 4, 5)));

/* Notifications of this event for this handler (NULL: any) so far. */
size_t world_events(const struct world *w, const char *handler, const char *event);
/* The data of the newest; NULL: none. Borrowed. */
json_t *world_last_event(const struct world *w, const char *handler, const char *event);

/* Registers e; its address must be its own. */
void world_add(struct world *w, struct endpoint *e, const char *ip, uint16_t port);
/* A datagram from e to a socket of the worker. */
void world_send(struct world *w, const struct endpoint *e, uint16_t sock, const void *bytes,
                size_t n);
/* Delivers everything that is under way, and what that causes. */
void world_settle(struct world *w);
/* Lets time pass, with all timers of the worker, in steps of at most 10 ms; tick(ctx) after each
 * step may drive endpoints. */
void world_pass(struct world *w, usec time, void (*tick)(void *ctx, usec now), void *ctx);

/* ---- a browser ---- */

struct browser {
    struct endpoint endpoint;
    struct rtc_peer peer;
    char transport[64];
    void (*on_rtp)(struct browser *b, uint8_t *bytes, size_t n);
    void (*on_rtcp)(struct browser *b, uint8_t *bytes, size_t n);
    void (*on_data)(struct browser *b, struct slice message);
    void *ctx;
};

/* The process-wide identity that all browsers share. */
struct dtls_identity *world_identity(void);
/* Creates a WebRTC transport in the router, connects ICE and DTLS; aborts when that fails. */
void browser_connect(struct browser *b, struct world *w, const char *router, const char *transport,
                     bool dtls_server);
/* Only creates it and sets up the peer. */
void browser_create(struct browser *b, struct world *w, const char *router, const char *transport,
                    bool dtls_server);
void browser_fini(struct browser *b);

#endif
