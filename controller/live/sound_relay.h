/* The way of one sender's sound from the worker to an ffmpeg that mixes: a UDP socket on loopback
 * that fills what is missing with silence (silence_splice.h), so that a microphone can be muted
 * without another run. Loop's thread; the socket and a timer are the only IO. */
#ifndef WEIR_CONTROLLER_LIVE_SOUND_RELAY_H
#define WEIR_CONTROLLER_LIVE_SOUND_RELAY_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

struct uv_loop_s;
struct sound_relay;

struct sound_relay_config {
    struct uv_loop_s *loop;
    uint16_t target;      /* ffmpeg's port, on 127.0.0.1 */
    struct slice silence; /* silence_payload of its codec; not empty */
    uint8_t payload_type;
    uint32_t ssrc; /* of what goes to ffmpeg */
    uint32_t clock_rate;
};

/* ERR_IO: no socket. What comes before it is started is dropped. */
MUST_CHECK enum err sound_relay_open(const struct sound_relay_config *config,
                                     struct sound_relay **out);
/* Where the worker sends to, on 127.0.0.1. */
uint16_t sound_relay_port(const struct sound_relay *r);
/* ffmpeg listens. */
void sound_relay_start(struct sound_relay *r);
/* NULL is fine. Its memory goes with a later turn of the loop. */
void sound_relay_close(struct sound_relay *r);

#endif
