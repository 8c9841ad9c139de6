/* One sender of video into a worker: VP8-like frames at 30 a second, each a burst of RTP packets,
 * with a sender report every second. As a plain SRTP endpoint or as a WebRTC client. */
#ifndef WEIR_TEST_BENCH_SENDER_H
#define WEIR_TEST_BENCH_SENDER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"
#include "test/bench/viewers.h"
#include "test/lib/rtc_peer.h"

enum {
    SENDER_FPS = 30,
    SENDER_FRAME_BYTES = 10416, /* 2.5 Mbit/s of RTP */
    SENDER_PACKET = 1200,       /* bytes of a full RTP packet to a viewer without extensions */
    SENDER_BURST_MAX = 32
};

/* How a frame is cut. */
enum sender_cut {
    SENDER_CUT_FULL, /* full packets and a shorter last one */
    SENDER_CUT_EVEN  /* about equal ones, some longer by one byte, as browsers do */
};

struct sender {
    enum viewers_kind kind;
    enum sender_cut cut;
    struct worker_driver *driver; /* borrowed */
    int fd;
    struct sockaddr_in worker;
    struct rng rng;
    struct rtc_peer rtc;   /* WebRTC */
    struct sealer *sealer; /* plain, owned */
    uint16_t seq;
    uint32_t timestamp;
    uint32_t packets;
    uint32_t octets;
    int64_t next_sr; /* usec */
    bool key;        /* the next frame is a key frame */
    uint64_t plis;
    size_t n; /* datagrams of the burst under construction */
    size_t lens[SENDER_BURST_MAX];
    uint8_t burst[SENDER_BURST_MAX][RTC_PEER_PACKET_MAX];
};

/* Creates the transport "up" and the producer "cam" in the router "room", and connects. */
void sender_open(struct sender *s, struct worker_driver *driver, enum viewers_kind kind,
                 enum sender_cut cut);
void sender_close(struct sender *s);
/* Sends one frame, and what else is due; returns how many RTP packets it was. */
size_t sender_frame(struct sender *s);
/* Packets of a frame. */
size_t sender_frame_packets(const struct sender *s);

#endif
