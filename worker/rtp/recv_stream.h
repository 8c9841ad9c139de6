/* One received RTP stream with its RTX stream: what is to be forwarded, what is missing, statistics
 * and reports. Sans-IO: input, timeout, deadline; RTCP goes into the caller's writer. Owned by a
 * producer. */
#ifndef WEIR_RTP_RECV_STREAM_H
#define WEIR_RTP_RECV_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"
#include "common/time.h"
#include "proto/rtcp_report.h"
#include "proto/rtcp_xr.h"
#include "proto/rtp.h"
#include "worker/rtp/nack.h"
#include "worker/rtp/rate.h"
#include "worker/rtp/reception.h"
#include "worker/rtp/sr_map.h"
#include "worker/rtp/stream.h"

/* Silence after which a stream counts as inactive and its score is 0. */
#define RECV_INACTIVE (1500 * USEC_PER_MSEC)
#define RECV_INACTIVE_DTX (5 * USEC_PER_SEC)

enum recv_verdict {
    RECV_FORWARD,
    RECV_DUPLICATE,
    RECV_TOO_OLD,
    RECV_INVALID /* far out of sequence, or an RTX packet that carries none of this stream */
};

/* A frame whose last packet does not come within this time, with nothing after it that would show
 * the gap, is asked for unseen. Longer than a sender's pacing of one frame. */
enum { RECV_TAIL_US = 60 * 1000, RECV_TAIL_TRIES = 3, RECV_TAIL_ASK = 4 };

struct recv_result {
    enum recv_verdict verdict;
    int64_t seq;         /* extended, with FORWARD */
    bool key_frame;      /* this packet begins a key frame; for H.264 that with the SPS, unless the
                            stream never had one */
    bool restarted;      /* the sender's numbering began anew: sync all rewriters to this packet */
    bool recovered;      /* had been asked for */
    bool late;           /* older than the newest */
    bool want_key_frame; /* more is missing than can be asked for */
    bool padding_only;   /* no payload: counts, but need not be forwarded */
};

struct recv_stream {
    struct stream_params params;
    struct reception rtp;
    struct reception rtx;
    struct nack nack;
    struct rate rate;
    struct sr_map sr;
    struct score score;
    usec rtt;         /* 0: unknown */
    usec last_rtp_at; /* 0: none yet */
    usec rtx_sr_at;
    uint32_t rtx_lsr;
    bool active;
    bool paused;
    bool marks;         /* the sender marks the ends of frames */
    uint8_t tail_tries; /* of asking for a tail */
    usec tail_at;       /* when to ask for what follows the newest packet; USEC_NEVER */
    bool inband_sps;    /* H.264: parameter sets come before key frames */
    uint64_t packets;
    uint64_t bytes;
    uint64_t discarded;
    uint64_t rtx_packets; /* retransmissions received */
    uint64_t rtx_discarded;
    uint64_t repaired;
    uint64_t nacks;
    uint64_t plis;
    uint64_t firs;
    int64_t score_expected; /* totals at the last interval */
    int64_t score_received;
    uint64_t score_repaired;
    uint64_t score_retransmitted;
    uint32_t max_timestamp; /* newest RTP timestamp */
};

/* params are copied. */
void recv_stream_init(struct recv_stream *s, const struct stream_params *params, usec now);
void recv_stream_fini(struct recv_stream *s);

/* v: a packet with params.ssrc. Other payload types than params.payload_type (telephone events,
 * comfort noise) count as well and get FORWARD: whether a consumer wants them is its affair. */
struct recv_result recv_stream_rtp(struct recv_stream *s, usec now, const struct rtp_view *v);
/* v: a packet with params.rtx_ssrc; becomes the original packet in place, with params.ssrc and
 * params.payload_type, when the verdict is FORWARD or DUPLICATE. Probes with padding only are
 * RECV_INVALID, and so is whatever comes before the first RTP packet. */
struct recv_result recv_stream_rtx(struct recv_stream *s, usec now, struct rtp_view *v);

/* Sender report about params.ssrc or params.rtx_ssrc (by sr->ssrc). */
void recv_stream_sr(struct recv_stream *s, usec now, const struct rtcp_sr *sr);
/* The answer to a receiver reference time that was ntp_of_usec(the `now` at which it was sent). */
void recv_stream_dlrr(struct recv_stream *s, usec now, const struct rtcp_dlrr *item);
/* A round-trip time that is known from elsewhere. */
void recv_stream_set_rtt(struct recv_stream *s, usec rtt);

/* The report block for the next RR; ends the interval of fraction lost and updates the score.
 * False before the first packet. */
bool recv_stream_report(struct recv_stream *s, usec now, struct rtcp_report *out);
/* The RTX stream's; false without one. */
bool recv_stream_rtx_report(struct recv_stream *s, usec now, struct rtcp_report *out);

/* Its sender leaves it out, as is known from elsewhere: inactive until its next packet. */
void recv_stream_left_out(struct recv_stream *s);
/* Writes what NACK is due into rtcp (may be full: then later), and notices inactivity. */
void recv_stream_timeout(struct recv_stream *s, usec now, uint32_t sender_ssrc, struct wr *rtcp);
usec recv_stream_deadline(const struct recv_stream *s);

/* PLI and FIR are written here so that they are counted; struct keyframe says when. Uses PLI where
 * the stream may, else FIR (fir_seq: next command number), else nothing and false. */
bool recv_stream_request_key_frame(struct recv_stream *s, uint32_t sender_ssrc, uint8_t *fir_seq,
                                   struct wr *rtcp);

/* While paused nothing is asked for, and silence does not lower the score. */
void recv_stream_pause(struct recv_stream *s);
void recv_stream_resume(struct recv_stream *s, usec now);

/* Wall clock of the sender at an RTP timestamp; false before the first sender report. */
bool recv_stream_wallclock(const struct recv_stream *s, uint32_t rtp_timestamp, uint64_t *ntp);
void recv_stream_stats(struct recv_stream *s, usec now, struct stream_stats *out);

#endif
