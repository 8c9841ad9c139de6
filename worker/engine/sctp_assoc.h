/* The inside of an association, for worker/engine/sctp*.c only. No IO. */
#ifndef WEIR_WORKER_ENGINE_SCTP_ASSOC_H
#define WEIR_WORKER_ENGINE_SCTP_ASSOC_H

#include <usrsctp.h>

#ifndef HASH_NONFATAL_OOM
#define HASH_NONFATAL_OOM 1
#endif
#include <uthash.h>

#include "common/list.h"
#include "worker/engine/sctp.h"
#include "worker/engine/sctp_streams.h"

/* Packets that wait for being polled: records of a length in two bytes and as many bytes. */
struct packet_queue {
    uint8_t *bytes; /* owned */
    size_t cap;
    size_t head;
    size_t tail;
};

/* A message that usrsctp has no room for yet. */
struct out_message {
    struct out_message *next;
    struct assoc_sending how;
    usec expires_at;
    size_t len;
    uint8_t bytes[];
};

/* A message that usrsctp has and did not send whole for the first time. */
struct handed_message {
    struct handed_message *next;
    uint32_t id;
    size_t left; /* bytes */
};

enum stream_reset { RESET_NONE, RESET_WANTED, RESET_UNDER_WAY };

/* A stream that was sent on. */
struct out_stream {
    UT_hash_handle hh;
    uint16_t sid;
    struct list in_active;     /* of struct assoc.active while messages wait */
    struct out_message *first; /* owned */
    struct out_message **last;
    size_t waiting;                      /* bytes of these */
    struct handed_message *handed_first; /* owned; usrsctp sends a stream's messages in order */
    struct handed_message **handed_last;
    size_t handed; /* bytes left of these */
    uint32_t low_threshold;
    bool above;   /* more than the threshold since it was last told */
    bool low_due; /* to be told */
    enum stream_reset reset;
    bool we_reset; /* we began; the peer's own reset is the answer */
};

/* A message that has arrived in part. */
struct in_stream {
    UT_hash_handle hh;
    uint16_t sid;
    uint32_t ppid;
    uint8_t *bytes; /* owned */
    size_t len;
    size_t cap;
    bool dropping; /* too large: skipped until it ends */
};

struct assoc {
    UT_hash_handle hh;
    uintptr_t id; /* what usrsctp knows of us */
    struct assoc_config config;
    enum assoc_state state;
    bool state_due;        /* CONNECTING is to be told */
    struct socket *socket; /* owned by usrsctp; NULL: closed */
    uint16_t n_out;
    uint16_t n_in;
    struct assoc_streams streams;
    struct packet_queue packets;
    struct list in_ready; /* of its group */
    struct list in_busy;  /* of those that wait for room or for a reset */

    struct out_stream *out; /* owned hash */
    struct list active;     /* of out_stream.in_active, in the order of their turns */
    size_t waiting;         /* sum over streams, as those below */
    size_t handed;
    unsigned low_due;
    unsigned resets_wanted;
    uint32_t last_tsn; /* highest that was sent */
    bool any_tsn;
    uint32_t last_handed_id;
    bool moved;       /* something left for the first time since progress_at */
    usec progress_at; /* when something was handed over or left for the first time */

    struct in_stream *in;       /* owned hash */
    size_t assembling;          /* bytes in it */
    struct in_stream *finished; /* of `in`: handed out, freed by the next reading */
    struct assoc_stats stats;
};

/* ---- sctp_process.c ---- */

/* Starts usrsctp when it is not running, and gives a an id. */
enum err assocs_add(struct assoc *a, usec now);
void assocs_remove(struct assoc *a);
void assocs_mark_ready(struct assoc *a);
/* pump is called for it with each timeout while it is busy. */
void assocs_mark_busy(struct assoc *a, bool busy);
/* For every socket: tells who is to be polled. */
void assocs_upcall(struct socket *so, void *arg, int flags);

/* ---- sctp.c ---- */

void assoc_set_state(struct assoc *a, enum assoc_state to);

/* ---- sctp_packets.c ---- */

void packets_push(struct assoc *a, const void *bytes, size_t n);
bool packets_pop(struct packet_queue *q, struct slice *out);
void packets_fini(struct packet_queue *q);

/* ---- sctp_send.c ---- */

/* Hands to usrsctp what it has room for, and asks for the resets that are wanted. */
void assoc_pump(struct assoc *a, usec now);
/* n bytes of the oldest message on sid left for the first time. */
void assoc_note_sent(struct assoc *a, uint16_t sid, size_t n);
/* usrsctp gave up this message: what is left of it is never sent. */
void assoc_note_given_up(struct assoc *a, uint16_t sid, uint32_t id);
/* Everything that was handed over is sent and acknowledged. */
void assoc_note_dry(struct assoc *a);
/* The answer to our resets: n = 0 means all. */
void assoc_note_reset_done(struct assoc *a, const uint16_t *sids, size_t n);
void assoc_note_reset_by_peer(struct assoc *a, usec now, const uint16_t *sids, size_t n);
bool assoc_next_low(struct assoc *a, struct assoc_item *out);
void assoc_drop_out(struct assoc *a);

/* ---- sctp_receive.c ---- */

/* Reads from usrsctp until there is an item. */
bool assoc_read(struct assoc *a, usec now, struct assoc_item *out);
void assoc_drop_in(struct assoc *a);

#endif
