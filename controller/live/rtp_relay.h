/* A UDP socket on loopback between the worker and ffmpeg, for what ffmpeg cannot take as it comes:
 * sound that is mixed, whose pauses are filled with silence (silence_splice.h), and VP9
 * (vp9_strip.h). Loop's thread; the socket and a timer are the only IO. */
#ifndef WEIR_CONTROLLER_LIVE_RTP_RELAY_H
#define WEIR_CONTROLLER_LIVE_RTP_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

struct uv_loop_s;
struct rtp_relay;

struct rtp_relay_config {
    struct uv_loop_s *loop;
    uint16_t target;      /* ffmpeg's port, on 127.0.0.1 */
    bool vp9;             /* else sound */
    struct slice silence; /* of sound: silence_payload of its codec; not empty */
    uint8_t payload_type; /* likewise */
    uint32_t ssrc;        /* likewise: of what goes to ffmpeg */
    uint32_t clock_rate;  /* likewise */
};

/* ERR_IO: no socket. What comes before it is started is dropped. */
MUST_CHECK enum err rtp_relay_open(const struct rtp_relay_config *config, struct rtp_relay **out);
/* Where the worker sends to, on 127.0.0.1. */
uint16_t rtp_relay_port(const struct rtp_relay *r);
/* ffmpeg listens. */
void rtp_relay_start(struct rtp_relay *r);
/* NULL is fine. Its memory goes with a later turn of the loop. */
void rtp_relay_close(struct rtp_relay *r);

#endif
