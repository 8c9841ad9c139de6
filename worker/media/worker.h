/* The root of the worker's object tree: routers, transports, the shared port's demultiplexing,
 * timers. Does no IO itself: datagrams come in by worker_datagram, what is to be sent is in
 * worker->txq, sockets are opened through struct worker_io. One thread. */
#ifndef WEIR_WORKER_MEDIA_WORKER_H
#define WEIR_WORKER_MEDIA_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/packet.h"
#include "common/rng.h"
#include "common/time.h"
#include "worker/media/txq.h"

/* A socket that media wants bound. */
struct udp_listen {
    struct addr ip;    /* port: 0 for any */
    uint16_t port_min; /* with port 0: the range to choose from, 0: the system's */
    uint16_t port_max;
    uint32_t recv_buffer; /* bytes, 0: the system's */
    uint32_t send_buffer;
    bool ipv6_only;
    bool reuse_port;
};

/* What media asks of io. */
struct worker_io {
    void *ctx; /* borrowed */
    /* Binds a UDP socket (a plain or pipe transport's own, or a webRtcServer's). port 0: any, from
     * the range port_min..port_max when that is set. *sock: the index for tuples; *port: what was
     * bound. ERR_BUSY: the port is taken; ERR_RANGE: the address is not this machine's; ERR_IO
     * otherwise. */
    enum err (*open_udp)(void *ctx, const struct udp_listen *listen, uint16_t *sock,
                         uint16_t *port);
    /* The same for a listening TCP socket (RFC 4571 framing). */
    enum err (*open_tcp)(void *ctx, const struct udp_listen *listen, uint16_t *sock,
                         uint16_t *port);
    /* UDP sockets and TCP listeners are numbered apart. */
    void (*close_udp)(void *ctx, uint16_t sock);
    void (*close_tcp_listener)(void *ctx, uint16_t sock);
    /* Closes a TCP connection by its tuple; worker_tcp_closed is not called for it. */
    void (*close_tcp)(void *ctx, const struct tuple *tuple);
};

/* An address of the worker's own shared port, on which all WebRTC transports are reachable by
 * default. */
struct worker_listen {
    struct addr bound;  /* with the port that was bound */
    char announced[64]; /* IP or host name put into candidates; "" : bound's IP */
    uint16_t sock;      /* index of the socket */
    uint8_t proto;      /* enum tuple_proto */
};

enum { WORKER_MAX_LISTENS = 16 };

struct worker_config {
    struct worker_io io;
    struct worker_listen listens[WORKER_MAX_LISTENS];
    size_t n_listens;
    uint16_t rtc_port_min; /* for listenInfos without a port or range; 0: the system's */
    uint16_t rtc_port_max;
    struct rng *rng;       /* borrowed */
    const char *dtls_cert; /* PEM file, or NULL: self-signed */
    const char *dtls_key;
    size_t max_packets;       /* bound of the packet pool */
    bool use_retransmissions; /* reserved by `disable...`-like settings; true by default */
    /* Tells the controller: `event` is an enum pipe_event, `data` the event's struct (or NULL). */
    void (*notify)(void *ctx, const char *handler_id, int event, const void *data);
    void *notify_ctx; /* borrowed */
};

/* What came and was not used, and what exists; since the worker started. */
struct worker_counters {
    uint64_t dropped_malformed;   /* not STUN, DTLS, RTP or RTCP */
    uint64_t dropped_unknown;     /* from an address that no transport knows */
    uint64_t dropped_unauthentic; /* SRTP that did not authenticate */
    uint64_t dropped_send;        /* could not be made: too large, or refused by SRTP */
    uint64_t transports;          /* now, as those below */
    uint64_t producers;
    uint64_t consumers;
    uint64_t data_producers;
    uint64_t data_consumers;
};

struct worker;

MUST_CHECK enum err worker_open(const struct worker_config *config, usec now, usec wall,
                                struct worker **out);
/* Closes children first; NULL is fine. */
void worker_close(struct worker *w);

struct txq *worker_txq(struct worker *w);
const struct worker_config *worker_get_config(const struct worker *w);
const struct worker_counters *worker_get_counters(const struct worker *w);
usec worker_started_at(const struct worker *w);
size_t worker_router_count(const struct worker *w);
struct packet_pool *worker_pool(struct worker *w);

/* One datagram, or one RFC 4571 frame, read into p (data, len, arrived_at). The caller keeps its
 * reference. */
void worker_datagram(struct worker *w, usec now, const struct tuple *from, struct packet *p);
/* Of n datagrams that came together the one at `at` is the next to be given to worker_datagram: a
 * hint, by which the memory that those behind it will need is fetched. */
void worker_fetch_ahead(const struct worker *w, const struct tuple *from, struct packet *const *p,
                        size_t n, size_t at);
/* After the last of the datagrams that were there to be read. */
void worker_burst_end(struct worker *w, usec now);
/* Whether a look for more pays before the burst ends: part of a frame came, whose rest is probably
 * just arriving. */
bool worker_burst_is_open(const struct worker *w);
void worker_tcp_closed(struct worker *w, usec now, const struct tuple *tuple);

/* Everything that is due. Call when worker_deadline has come, and not more often. */
void worker_timeout(struct worker *w, usec now);
/* USEC_NEVER when idle. */
usec worker_deadline(const struct worker *w);

#endif
