/* One measured call: who sends what to whom. No IO. */
#ifndef WEIR_TEST_BENCH_CALL_H
#define WEIR_TEST_BENCH_CALL_H

#include <stddef.h>

#include "worker/engine/srtp_key.h"

enum {
    CALL_FRAME_BYTES = 10416, /* of video: 2.5 Mbit/s of RTP at 30 frames a second */
    CALL_PACKET = 1200,       /* bytes of a full RTP packet without extensions */
    CALL_AUDIO_PACKET = 112   /* bytes of an Opus packet of 20 ms at 40 kbit/s, with its header */
};

enum viewers_kind { VIEWERS_PLAIN, VIEWERS_WEBRTC };

enum call_media {
    CALL_VIDEO_FULL, /* frames of full packets and a shorter last one */
    CALL_VIDEO_EVEN, /* frames of about equal ones, some longer by one byte, as browsers do */
    CALL_AUDIO       /* one small packet a frame */
};

struct call {
    enum viewers_kind kind; /* the sender's and the viewers' */
    enum call_media media;
    enum srtp_suite suite; /* of plain ones; WebRTC negotiates AEAD_AES_128_GCM */
    size_t n;              /* viewers */
    int fps;               /* frames or audio packets a second */
    /* Of the producer; 0: none. */
    int key_frame_request_delay_ms;
};

static inline size_t call_frame_packets(const struct call *c)
{
    return c->media == CALL_AUDIO ? 1 : (CALL_FRAME_BYTES + CALL_PACKET - 1) / CALL_PACKET;
}

#endif
