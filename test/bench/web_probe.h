/* A WebRTC viewer with any number of consumers, in the bench's own process, whose packets the
 * kernel stamps. Gives no feedback. Does IO; aborts where it cannot. */
#ifndef WEIR_TEST_BENCH_WEB_PROBE_H
#define WEIR_TEST_BENCH_WEB_PROBE_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"
#include "test/lib/rtc_peer.h"
#include "test/lib/worker_driver.h"

/* Decrypted RTP, with the time of its arrival by CLOCK_REALTIME. */
typedef void web_probe_packet(void *ctx, uint64_t arrived_ns, uint8_t *bytes, size_t n);

struct web_probe {
    int fd;
    char id[16]; /* of its transport in the router "room" */
    struct sockaddr_in worker;
    struct worker_driver *driver; /* borrowed */
    struct rng rng;
    struct rtc_peer rtc;
    uint64_t arrived_ns; /* of what is being read */
    web_probe_packet *on_packet;
    void *ctx; /* of on_packet */
};

/* Connected when it returns. */
void web_probe_open(struct web_probe *p, struct worker_driver *driver, const char *id,
                    web_probe_packet *on_packet, void *ctx);
void web_probe_close(struct web_probe *p);
/* It consumes the video producer "cam" as the consumer "c-<id>-<ssrc>", with RTX; without an
 * estimate, as its consumers stand for as many viewers. */
void web_probe_consume(const struct web_probe *p, uint32_t ssrc);
/* Takes what has come, and does what is due. */
void web_probe_run(struct web_probe *p);

#endif
