/* The usual cast of a test of the worker: a router, a browser that sends Opus and VP8, and what it
 * sends. On top of world.h. */
#ifndef WEIR_TEST_STAGE_H
#define WEIR_TEST_STAGE_H

#include "test/lib/world.h"

enum {
    AUDIO_SSRC = 1111,
    VIDEO_SSRC = 2222,
    VIDEO_RTX_SSRC = 2223,
    AUDIO_PT = 111, /* as the producer sends; consumers get 100 */
    VIDEO_PT = 96,  /* consumers get 101 */
    VIDEO_RTX_PT = 97,
    OUT_AUDIO_PT = 100,
    OUT_VIDEO_PT = 101,
    OUT_VIDEO_RTX_PT = 102,
    EXT_MID = 1,
    EXT_TWCC = 5,
    EXT_AUDIO_LEVEL = 10,
    OUT_EXT_MID = 1,
    OUT_EXT_ABS_SEND_TIME = 4,
    OUT_EXT_TWCC = 5,
    OUT_EXT_AUDIO_LEVEL = 10
};

struct rtp_spec {
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t seq;
    uint16_t twcc;
    bool has_twcc;
    uint8_t pt;
    bool marker;
    bool key;    /* VP8 payload: begins a key frame */
    bool middle; /* VP8 payload: not the first packet of a frame */
    bool rtx;    /* osn in front */
    uint16_t osn;
    uint8_t audio_level; /* 0: no extension */
    const char *mid;     /* NULL: no extension */
    size_t size;         /* of the payload; 0: 200 */
};

/* Returns the length. */
size_t rtp_build(uint8_t buf[1500], const struct rtp_spec *s);

/* transport.produce of Opus as "<id>", VP8 with RTX as "<id>", in a transport. */
void produce_audio(struct world *w, const char *transport, const char *id);
void produce_video(struct world *w, const char *transport, const char *id);
/* transport.consume of these with SSRC and, for video, RTX SSRC ssrc + 1. */
void consume_audio(struct world *w, const char *transport, const char *id, const char *producer,
                   uint32_t ssrc);
void consume_video(struct world *w, const char *transport, const char *id, const char *producer,
                   uint32_t ssrc);
/* The same with transport-cc, so that the way to it is estimated and bursts are paced. */
void consume_video_estimated(struct world *w, const char *transport, const char *id,
                             const char *producer, uint32_t ssrc);
/* The JSON that these send, for variations; valid until the next call. */
const char *produce_audio_json(const char *id);
const char *consume_audio_json(const char *id, const char *producer, uint32_t ssrc);
const char *consume_video_json(const char *id, const char *producer, uint32_t ssrc);
const char *consume_video_estimated_json(const char *id, const char *producer, uint32_t ssrc);
const char *produce_video_json(const char *id);

/* ---- what arrives ---- */

enum { INBOX_MAX = 4096 };

/* The RTP that an endpoint got; the RTCP blocks by kind. */
struct inbox {
    struct {
        uint32_t ssrc;
        uint32_t timestamp;
        uint16_t seq;
        uint16_t osn; /* first payload bytes, of RTX */
        uint16_t payload_len;
        uint8_t pt;
        bool marker;
        bool key;
        int twcc; /* -1: none; so below */
        int audio_level;
        bool abs_send_time;
        char mid[16];
    } rtp[INBOX_MAX];
    size_t n;
    size_t nacks;
    size_t plis;
    size_t firs;
    size_t twccs;
    size_t srs;
    size_t rrs;
    size_t sdeses;
    size_t rembs;
    uint16_t nack_seqs[64]; /* of the last NACK */
    size_t n_nack_seqs;
    uint32_t pli_ssrc;
    uint64_t sr_ntp; /* of the last SR of sr_ssrc */
    uint32_t sr_rtp;
    uint32_t sr_ssrc; /* set to choose; 0: any */
    char cname[64];   /* of the last SDES */
    uint8_t fraction_lost;
    size_t twcc_packets; /* received ones in all feedback */
};

void inbox_rtp(struct inbox *in, uint8_t *bytes, size_t n);
void inbox_rtcp(struct inbox *in, const uint8_t *bytes, size_t n);
/* Sets b's callbacks to fill in. */
void inbox_of_browser(struct inbox *in, struct browser *b);
/* Packets of this SSRC. */
size_t inbox_count(const struct inbox *in, uint32_t ssrc);

/* An endpoint without DTLS: plain RTP and RTCP. */
struct plain_peer {
    struct endpoint endpoint;
    struct inbox *in;
    uint16_t sock; /* of the worker's transport */
};

/* in is emptied. */
void plain_peer_init(struct plain_peer *p, struct world *w, struct inbox *in, const char *ip,
                     uint16_t port);

#endif
