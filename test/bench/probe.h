/* A socket whose packets the kernel stamps, and a plain transport without SRTP that sends to it:
 * for benches that ask when something arrived. Does IO; aborts where it cannot. */
#ifndef WEIR_TEST_BENCH_PROBE_H
#define WEIR_TEST_BENCH_PROBE_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "test/bench/call.h"
#include "test/lib/worker_driver.h"

struct probe {
    int fd;
    char id[16]; /* of its transport in the router "room" */
    struct sockaddr_in address;
    struct worker_driver *driver; /* borrowed; NULL: a socket alone */
};

void probe_open(struct probe *p, struct worker_driver *driver, const char *id);
/* Has the kernel stamp what fd receives. */
void probe_stamp(int fd);
/* The stamp of a message, by CLOCK_REALTIME; 0: none. */
uint64_t probe_stamp_of(struct msghdr *m);
void probe_close(struct probe *p);
/* Its transport consumes the producer "cam" as the consumer "c-<id>-<ssrc>". It may ask for key
 * frames. */
void probe_consume(const struct probe *p, const struct call *call, uint32_t ssrc);
/* Gives all that has come, with the time of its arrival by CLOCK_REALTIME. */
void probe_read(struct probe *p,
                void (*on_packet)(void *ctx, uint64_t arrived_ns, uint8_t *bytes, size_t n),
                void *ctx);

#endif
