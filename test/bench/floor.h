/* What the worker's cost is held against: the least that this machine needs to seal the same bytes
 * and send them to the same sockets, and the usual way of doing it. */
#ifndef WEIR_TEST_BENCH_FLOOR_H
#define WEIR_TEST_BENCH_FLOOR_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/engine/srtp_key.h"

struct floor;

/* Frames of n_sizes packets (bytes on the wire, SRTP tag included) to n addresses, by
 * AEAD_AES_128_GCM or AES_CM_128_HMAC_SHA1_80. */
struct floor *floor_open(enum srtp_suite suite, const struct sockaddr_in *addresses, size_t n,
                         const uint32_t *sizes, size_t n_sizes);
void floor_close(struct floor *f);
/* One frame to everybody: the bare cipher over each packet, then UDP_SEGMENT messages by sendmmsg,
 * as few as the sizes allow. Returns nanoseconds of CPU. */
uint64_t floor_frame(struct floor *f);
/* One frame to everybody: libsrtp2 and one sendto a packet. */
uint64_t floor_usual_frame(struct floor *f);

#endif
