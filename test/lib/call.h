/* A call of a camera, a worker and a viewer in virtual time: browsers over links that lose, delay
 * and reorder both ways, with what browsers do about it: NACK and RTX on both legs, reports and
 * round trips, transport-wide feedback, key frames on request. On top of world.h. For simulations
 * only. */
#ifndef WEIR_TEST_CALL_H
#define WEIR_TEST_CALL_H

#include "common/packet.h"
#include "test/lib/link.h"
#include "test/lib/stage.h"
#include "worker/bwe/twcc_receiver.h"
#include "worker/rtp/recv_stream.h"
#include "worker/rtp/send_stream.h"

enum {
    CALL_PACKETS = 65536, /* of the camera, at most */
    CALL_FRAME_PACKETS = 10,
    CALL_KEY_PACKETS = 30,
    CALL_VIEWER_SSRC = 6000
};

/* A browser's way to the worker and back. */
struct path {
    struct browser browser;
    struct link up;
    struct link down;
    /* After so many packets of this SSRC, so many get lost, beside what the links lose. */
    uint32_t lose_up_ssrc;
    uint32_t lose_down_ssrc;
    unsigned lose_up_after;
    unsigned lose_down_after;
    unsigned lose_up;
    unsigned lose_down;
    uint64_t sent_down; /* datagrams by the worker */
    void *owner;
};

struct camera {
    struct path path;
    struct send_stream send;
    struct packet_pool pool;
    struct sr_map clock;
    usec frame_every; /* 0: sends nothing */
    usec next_frame;
    usec report_at;
    uint32_t timestamp;
    uint32_t rrt_ssrc; /* who asked for the round trip */
    uint32_t n;        /* packets sent */
    uint16_t first_seq;
    uint16_t twcc;
    bool key_wanted;
    unsigned keys;
    usec sent_at[CALL_PACKETS];
    bool of_key[CALL_PACKETS];
};

struct viewer {
    struct path path;
    struct recv_stream recv;
    struct twcc_receiver twcc;
    usec report_at;
    bool playing;   /* a key frame has begun */
    uint32_t first; /* packet with which it began */
    uint64_t rtx;   /* packets of the RTX stream */
    uint64_t twice;
    usec got_at[CALL_PACKETS]; /* 0: not yet */
};

struct call {
    struct world world;
    struct camera camera;
    struct viewer viewer;
};

/* A room, the camera's VP8 in transport "up", the viewer's consumer "eye" in "down", connected
 * over perfect links that then become these. c is large: static. */
void call_open(struct call *c, struct link_config leg, uint64_t seed);
void call_close(struct call *c);
/* Lets time pass, exact to the microsecond. */
void call_run(struct call *c, usec time);
/* From the viewer to the worker. */
void call_viewer_rtcp(struct call *c, const struct wr *w);
/* Of the packets that the camera sent between the viewer's first and `to`: how many the viewer got
 * within the time. n: how many there are. */
uint32_t call_in_time(const struct call *c, uint32_t to, usec limit, uint32_t *n);

#endif
