/* One sender into a worker: VP8-like frames, each a burst of RTP packets, or Opus-like packets,
 * with a sender report every second. As a plain SRTP endpoint or as a WebRTC client. */
#ifndef WEIR_TEST_BENCH_SENDER_H
#define WEIR_TEST_BENCH_SENDER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"
#include "common/time.h"
#include "test/bench/call.h"
#include "test/lib/rtc_peer.h"
#include "test/lib/worker_driver.h"

enum {
    SENDER_BURST_MAX = 32,
    SENDER_FRAMES_KEPT = 256 /* of which it is known when they were sent */
};

struct sender {
    struct call call;
    struct worker_driver *driver; /* borrowed */
    char transport[16];
    char producer[16];
    int fd;
    struct sockaddr_in worker;
    struct rng rng;
    struct rtc_peer rtc;   /* WebRTC */
    struct sealer *sealer; /* plain, owned; NULL: bare RTP */
    uint16_t seq;
    uint32_t timestamp;
    uint32_t packets;
    uint32_t octets;
    int64_t next_sr; /* usec */
    bool key;        /* the next frame is a key frame */
    uint32_t tag;    /* the payload of each packet ends in it and in the number of its frame */
    uint32_t frames;
    uint64_t sent_ns[SENDER_FRAMES_KEPT]; /* by sender_clock_ns(), of the latest frames */
    uint64_t plis;
    size_t n; /* datagrams of the burst under construction */
    size_t lens[SENDER_BURST_MAX];
    uint8_t burst[SENDER_BURST_MAX][RTC_PEER_PACKET_MAX];
};

/* Creates the transport "up" and the producer "cam" in the router "room", and connects. */
void sender_open(struct sender *s, struct worker_driver *driver, const struct call *call);
/* The same with other names: for several senders in one router. */
void sender_open_as(struct sender *s, struct worker_driver *driver, const struct call *call,
                    const char *transport, const char *producer);
/* The same frames as bare RTP to a port of 127.0.0.1, without RTCP: for another server. */
void sender_open_rtp(struct sender *s, const struct call *call, uint16_t port);
void sender_close(struct sender *s);
/* Sends one frame, and what else is due; returns how many RTP packets it was. */
size_t sender_frame(struct sender *s);
/* Frames at their pace; returns when the last has had its time. How many RTP packets it was. */
size_t sender_push(struct sender *s, int frames);
void sender_wait_until(usec at);
/* When the frame was handed to the kernel, before its first packet. */
uint64_t sender_sent_ns(const struct sender *s, uint32_t frame);
/* CLOCK_REALTIME, as the kernel stamps what sockets receive. */
uint64_t sender_clock_ns(void);
/* Reads what the worker says; sender_frame does so too. */
void sender_read(struct sender *s);

#endif
