/* RTP header extensions: RFC 8285 elements in both forms, and the typed values of those that Weir
 * speaks. Pure; no IO. */
#ifndef WEIR_PROTO_RTP_EXT_H
#define WEIR_PROTO_RTP_EXT_H

#include "common/time.h"
#include "proto/rtp.h"

/* suffix, URI as negotiated in SDP and in rtpCapabilities */
#define RTP_EXT_MAP(X)                                                                             \
    X(MID, "urn:ietf:params:rtp-hdrext:sdes:mid")                                                  \
    X(RID, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id")                                        \
    X(RRID, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id")                              \
    X(ABS_SEND_TIME, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time")                 \
    X(TWCC, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01")           \
    X(AUDIO_LEVEL, "urn:ietf:params:rtp-hdrext:ssrc-audio-level")                                  \
    X(DEPENDENCY_DESCRIPTOR,                                                                       \
      "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension")   \
    X(VIDEO_ORIENTATION, "urn:3gpp:video-orientation")                                             \
    X(TOFFSET, "urn:ietf:params:rtp-hdrext:toffset")                                               \
    X(ABS_CAPTURE_TIME, "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time")           \
    X(PLAYOUT_DELAY, "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay")

enum rtp_ext_kind {
#define X(id, uri) RTP_EXT_##id,
    RTP_EXT_MAP(X)
#undef X
        RTP_EXT_KIND_COUNT
};

enum {
    RTP_EXT_PROFILE_ONE = 0xBEDE, /* RFC 8285 4.2 */
    RTP_EXT_PROFILE_TWO = 0x1000, /* RFC 8285 4.3: 0x100 and four bits of the application */
    RTP_EXT_ID_MAX = 14,          /* RFC 8285 4.2: local identifiers 1..14; 15 is reserved */
    RTP_EXT_LEN_MAX = 255
};

enum rtp_ext_form { RTP_EXT_ONE_BYTE, RTP_EXT_TWO_BYTE };

/* RTP_EXT_KIND_COUNT when the URI is unknown. */
enum rtp_ext_kind rtp_ext_kind_of(struct slice uri);
const char *rtp_ext_uri(enum rtp_ext_kind kind);

/* Element by id (1..255); p NULL when it is absent. The bytes lie in the packet: the pointer of
 * rtp_ext_find_mut may be written through. The first element wins if a sender repeats an id. */
struct slice rtp_ext_find(const struct rtp_view *v, uint8_t id);
uint8_t *rtp_ext_find_mut(const struct rtp_view *v, uint8_t id, size_t *len);

/* Where ids 1..14 lie, found in one pass. at is an offset in data, 0: absent. */
struct rtp_ext_index {
    uint16_t at[RTP_EXT_ID_MAX + 1];
    uint8_t len[RTP_EXT_ID_MAX + 1];
};

/* ERR_TRUNCATED: an element runs over the block's end; those before it are in the index and may be
 * used (RFC 8285 asks to ignore what cannot be parsed). */
enum err rtp_ext_index_build(struct rtp_ext_index *x, const struct rtp_view *v);

static inline struct slice rtp_ext_at(const struct rtp_ext_index *x, const struct rtp_view *v,
                                      uint8_t id)
{
    if (id == 0 || id > RTP_EXT_ID_MAX || x->at[id] == 0)
        return (struct slice){0};
    return slice_of(v->data + x->at[id], x->len[id]);
}

static inline uint8_t *rtp_ext_at_mut(const struct rtp_ext_index *x, const struct rtp_view *v,
                                      uint8_t id)
{
    return id == 0 || id > RTP_EXT_ID_MAX || x->at[id] == 0 ? NULL : v->data + x->at[id];
}

/* ---- writing ---- */

struct rtp_ext_item {
    uint8_t id; /* 1..14 in the one-byte form, 1..255 in the other */
    struct slice value;
};

/* The one-byte form when every item fits it: id 1..14, 1..16 bytes. */
enum rtp_ext_form rtp_ext_form_for(const struct rtp_ext_item *items, size_t n);
/* Bytes that rtp_ext_write will write, a multiple of 4; 0 for no items. */
size_t rtp_ext_size(enum rtp_ext_form form, const struct rtp_ext_item *items, size_t n);
/* The whole block: profile, length, elements, zero padding to 32 bits. Nothing for n == 0.
 * ERR_RANGE: an item does not fit the form; ERR_TOO_LARGE: w is full. */
MUST_CHECK enum err rtp_ext_write(struct wr *w, enum rtp_ext_form form,
                                  const struct rtp_ext_item *items, size_t n);
/* A packet like v with other extensions: header, CSRCs, the new block, payload; padding is left
 * out. w must be empty. out (may be NULL) becomes the view of what was written. */
MUST_CHECK enum err rtp_ext_copy_packet(struct wr *w, const struct rtp_view *v,
                                        enum rtp_ext_form form, const struct rtp_ext_item *items,
                                        size_t n, struct rtp_view *out);

/* ---- typed values: readers take an element (absent is ERR_NOT_FOUND, wrong length ERR_MALFORMED),
 * writers fill the caller's bytes ---- */

enum {
    RTP_EXT_TWCC_LEN = 2,
    RTP_EXT_ABS_SEND_TIME_LEN = 3,
    RTP_EXT_AUDIO_LEVEL_LEN = 1,
    RTP_EXT_VIDEO_ORIENTATION_LEN = 1,
    RTP_EXT_TOFFSET_LEN = 3,
    RTP_EXT_ABS_CAPTURE_TIME_LEN = 8, /* 16 with the clock offset */
    RTP_EXT_ABS_CAPTURE_TIME_LONG_LEN = 16,
    RTP_EXT_PLAYOUT_DELAY_LEN = 3,
    RTP_EXT_TEXT_MAX = 32 /* our limit for MID, RID and RRID, without the NUL */
};

/* MID, RID, RRID: RFC 7941 text. out gets a NUL; ERR_TOO_LARGE when it has no room; ERR_MALFORMED
 * unless every byte is an RFC 8851/5888 token character. */
MUST_CHECK enum err rtp_ext_read_text(struct slice e, char *out, size_t n);

/* Unsigned 6.18 fixed point of seconds, wraps every 64 s. */
static inline uint32_t abs_send_time_of(usec at)
{
    uint64_t within = (uint64_t)at % 64000000; /* first, so that no clock overflows the shift */
    return (uint32_t)(((within << 18) + 500000) / 1000000) & 0xffffff;
}
/* 0 .. 64 s - 1 */
static inline usec abs_send_time_to_usec(uint32_t t)
{
    return (usec)(((uint64_t)(t & 0xffffff) * 1000000) >> 18);
}
MUST_CHECK enum err rtp_ext_read_abs_send_time(struct slice e, uint32_t *out);
MUST_CHECK enum err rtp_ext_read_twcc(struct slice e, uint16_t *seq);

/* RFC 6464: level 0..127 is -dBov, so 0 is the loudest and 127 silence. */
struct audio_level {
    uint8_t level;
    bool voice;
};
MUST_CHECK enum err rtp_ext_read_audio_level(struct slice e, struct audio_level *out);
uint8_t rtp_ext_audio_level_byte(struct audio_level l);

/* 3GPP TS 26.114 7.4.5 */
struct video_orientation {
    uint16_t rotation; /* degrees: 0, 90, 180, 270 */
    bool camera_back;
    bool flip;
};
MUST_CHECK enum err rtp_ext_read_video_orientation(struct slice e, struct video_orientation *out);
uint8_t rtp_ext_video_orientation_byte(struct video_orientation o);

/* RFC 5450: signed 24 bits, in units of the RTP timestamp. */
MUST_CHECK enum err rtp_ext_read_toffset(struct slice e, int32_t *out);
void rtp_ext_put_toffset(uint8_t out[RTP_EXT_TOFFSET_LEN], int32_t offset);

/* NTP time, unsigned 32.32 seconds; the offset from the capture clock to the sender's is signed
 * 32.32. */
struct abs_capture_time {
    uint64_t ntp;
    int64_t offset;
    bool has_offset;
};
MUST_CHECK enum err rtp_ext_read_abs_capture_time(struct slice e, struct abs_capture_time *out);
/* Returns the bytes written: 8 or 16. */
size_t rtp_ext_put_abs_capture_time(uint8_t out[RTP_EXT_ABS_CAPTURE_TIME_LONG_LEN],
                                    const struct abs_capture_time *t);

/* Both 0..4095, in units of 10 ms. */
struct playout_delay {
    uint16_t min_10ms;
    uint16_t max_10ms;
};
MUST_CHECK enum err rtp_ext_read_playout_delay(struct slice e, struct playout_delay *out);
void rtp_ext_put_playout_delay(uint8_t out[RTP_EXT_PLAYOUT_DELAY_LEN], struct playout_delay d);

#endif
