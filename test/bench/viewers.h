/* N receivers of one worker's media, each on a socket of its own: plain SRTP endpoints, or WebRTC
 * clients with real ICE, DTLS and SRTP. Connected by the bench's process, then run by a process of
 * their own, which receives, decrypts and sends feedback. */
#ifndef WEIR_TEST_BENCH_VIEWERS_H
#define WEIR_TEST_BENCH_VIEWERS_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"
#include "common/time.h"
#include "test/bench/call.h"
#include "test/lib/worker_driver.h"

enum viewers_mode {
    VIEWERS_DRAIN,  /* reads and decrypts everything (VIEWERS_MANY), sends feedback */
    VIEWERS_IGNORE, /* reads nothing, so that the kernel drops at full sockets; sends feedback */
    VIEWERS_SWALLOW /* reads, and throws away: while somebody else sends */
};

enum {
    /* Of a WebRTC viewer's packets, one in so many is asked for again by NACK. */
    VIEWERS_NACK_ONE_IN = 200,
    /* Of so many viewers only one in VIEWERS_SAMPLE decrypts media; the others read, and send their
     * feedback by what stands in the clear. Two cores could not decrypt it all beside the worker.
     */
    VIEWERS_MANY = 1000,
    VIEWERS_SAMPLE = 8,
    VIEWERS_SIZES = 16, /* packets of a frame at most */
    VIEWERS_SIZE_FRAMES = 10
};

/* Between the two processes. */
struct viewers_shared {
    _Atomic int mode; /* enum viewers_mode */
    _Atomic int seen; /* the mode that the viewers follow */
    _Atomic bool end;
    _Atomic uint64_t rtp;      /* media packets that authenticated, or were just read */
    _Atomic uint64_t rtx;      /* retransmissions */
    _Atomic uint64_t bad;      /* did not authenticate */
    _Atomic uint64_t feedback; /* RTCP packets sent */
    /* Of the packets of a frame, as on the wire: the most in the first viewer's first frames, as a
     * frame that does not arrive at once is not padded as a whole. */
    _Atomic uint32_t sizes[VIEWERS_SIZES];
    _Atomic uint32_t n_sizes; /* packets looked at */
};

/* What is not so of all benches; zeros are the usual. */
struct viewers_options {
    bool data;      /* WebRTC: with data channels; then run by this process */
    size_t first;   /* number of the first one, where others are in the same router */
    size_t streams; /* that each consumes, by viewers_consume_one; 0: 1 */
    /* A media packet that was read, deciphered, with the kernel's stamp of its arrival. */
    void (*on_packet)(void *ctx, uint64_t arrived_ns, const uint8_t *bytes, size_t n);
    void *ctx; /* borrowed */
};

struct viewer;

struct viewers {
    struct call call;
    size_t n;
    uint8_t media_pt;              /* that they are sent */
    struct viewer *all;            /* owned */
    struct sockaddr_in *addresses; /* owned; where each receives */
    struct viewers_shared *shared; /* owned, shared memory */
    struct worker_driver *driver;  /* borrowed; NULL: another server's */
    struct rng rng;
    struct viewers_options options;
    usec rtt; /* that their reports make believe; loopback has next to none */
    int pid;  /* of their process; 0: none */
};

/* Connects call->n viewers to the router "room". Aborts when it cannot, as all here. */
void viewers_open(struct viewers *v, struct worker_driver *driver, const struct call *call);
void viewers_open_with(struct viewers *v, struct worker_driver *driver, const struct call *call,
                       const struct viewers_options *options);
/* Each of them sends a message by a data producer, and gets it by a data consumer. */
void viewers_exchange_data(struct viewers *v);
/* Each of them consumes the producer "cam". */
void viewers_consume(struct viewers *v);
/* One of them consumes this producer. */
void viewers_consume_one(struct viewers *v, size_t i, const char *producer);
/* For those that no process of their own runs: reads all that has come, and does what is due. */
void viewers_turn(struct viewers *v);
/* Closes their transports in the worker. */
void viewers_leave(struct viewers *v);
/* Hands them to a process of their own. */
void viewers_start(struct viewers *v);
/* Returns when the viewers follow it. */
void viewers_set_mode(struct viewers *v, enum viewers_mode mode);
void viewers_close(struct viewers *v);

#endif
