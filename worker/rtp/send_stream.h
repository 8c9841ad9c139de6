/* One sent RTP stream with its RTX stream: counts, sender reports on the sender's own clock,
 * receiver reports, retransmission. Sans-IO. Owned by a consumer, which builds the packets. */
#ifndef WEIR_RTP_SEND_STREAM_H
#define WEIR_RTP_SEND_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/packet.h"
#include "common/time.h"
#include "proto/rtcp_fb.h"
#include "proto/rtcp_report.h"
#include "proto/rtcp_sdes.h"
#include "proto/rtcp_xr.h"
#include "worker/rtp/history.h"
#include "worker/rtp/rate.h"
#include "worker/rtp/sr_map.h"
#include "worker/rtp/stream.h"

/* What a receiver may have sent again: as many packets as it was sent, and this many saved up. So
 * whatever it asks for, at most doubles what it costs. */
enum { SEND_RESENDS_SAVED = 1024 };

enum { SEND_SR_MEMORY = 4 }; /* sender reports that a receiver may refer back to */

/* A packet that was handed to the network. */
struct sent_rtp {
    struct packet *packet; /* as received, a reference is kept; NULL: cannot be retransmitted */
    uint32_t timestamp;    /* outgoing */
    uint32_t patch;        /* given back with a retransmission; the consumer's meaning */
    uint16_t seq;          /* outgoing */
    uint16_t len;          /* bytes of the RTP packet */
    uint16_t payload_len;
    bool marker;
};

/* A packet to send again. With has_rtx wrap it (proto/rtx.h) with rtx_seq, else send it as it was.
 */
struct resend {
    struct packet *packet; /* borrowed until the next call */
    uint32_t timestamp;
    uint32_t patch;
    uint16_t seq;
    uint16_t rtx_seq;
    bool marker;
};

/* What every packet looks at comes first, on adjacent cache lines. */
struct send_stream {
    struct stream_params params;
    struct history history;
    uint16_t max_seq;
    bool started;
    bool paused;
    uint32_t max_timestamp;
    uint64_t packets;
    uint64_t bytes;
    uint64_t octets; /* payload, as sender reports count */
    struct rate rate;
    uint16_t rtx_seq; /* of the next RTX packet */
    uint16_t resends; /* that it may still ask for */
    struct score score;
    uint64_t rtx_packets;
    uint64_t rtx_octets;
    uint64_t retransmitted;
    uint64_t repaired;
    uint64_t not_kept; /* asked for, but too old or never here */
    uint64_t nacks;
    uint64_t nack_packets;
    uint64_t plis;
    uint64_t firs;
    usec rtt; /* 0: unknown */
    uint8_t fraction_lost;
    int32_t lost;
    uint32_t jitter;
    uint64_t sr_ntp[SEND_SR_MEMORY];
    usec sr_at[SEND_SR_MEMORY];
    uint8_t sr_next;
    uint32_t rrt_mid; /* receiver reference time that awaits its answer */
    usec rrt_at;      /* 0: none */
    uint64_t score_sent;
    int32_t score_lost;
    uint64_t score_repaired;
    uint64_t score_retransmitted;
};

/* first_rtx_seq: random (RFC 3550 5.1). */
void send_stream_init(struct send_stream *s, const struct stream_params *params,
                      uint16_t first_rtx_seq);
void send_stream_fini(struct send_stream *s);

/* Fetches into the cache what send_stream_sent will need beside s itself. */
void send_stream_prefetch(const struct send_stream *s);

/* Each packet, once. */
void send_stream_sent(struct send_stream *s, usec now, const struct sent_rtp *p);

/* One item of a NACK: fills out with what to send again, newest requests last; returns how many.
 * Left out: what is not kept, what was sent again less than a round trip ago, and what is more than
 * the stream's budget. With cap less
 * than NACK_ITEM_SEQS the rest is left for the next NACK. */
size_t send_stream_nack(struct send_stream *s, usec now, struct rtcp_nack_item item,
                        struct resend *out, size_t cap);
/* Counts one NACK message; the items go to send_stream_nack. */
void send_stream_nack_message(struct send_stream *s);
/* The newest kept packet unasked, to probe or for a tail that may be lost; false when there is none
 * or no RTX. */
bool send_stream_probe(struct send_stream *s, usec now, struct resend *out);
/* Nothing of what was sent so far is sent again: the receiver needs none of it. */
void send_stream_forget(struct send_stream *s);
/* A retransmission of len bytes went out. */
void send_stream_resent(struct send_stream *s, usec now, size_t len, size_t payload_len);
/* A packet went out on the RTX stream that nobody asked for. */
void send_stream_repeated(struct send_stream *s, size_t payload_len);

/* Our sender report: the point of the source's line at which the sender is now, with ts_offset
 * added to its timestamps (what the consumer adds). False before the source's own first report, or
 * before the first packet: then none is sent, as one made up from arrival times would break
 * synchronisation. n_reports is 0. */
bool send_stream_sr(struct send_stream *s, usec now, const struct sr_map *source,
                    uint32_t ts_offset, struct rtcp_sr *out);
/* The same point for the RTX stream; only after send_stream_sr was true. */
void send_stream_rtx_sr(const struct send_stream *s, const struct rtcp_sr *sr, struct rtcp_sr *out);
struct rtcp_sdes_chunk send_stream_sdes(const struct send_stream *s);

/* A report block about params.ssrc: loss, jitter, round trip, score. */
void send_stream_rr(struct send_stream *s, usec now, const struct rtcp_report *report);
/* A receiver reference time (its whole NTP time), and the answer to it; false when there is none to
 * give. The caller sets out->ssrc. */
void send_stream_rrt(struct send_stream *s, usec now, uint64_t ntp);
bool send_stream_dlrr(const struct send_stream *s, usec now, struct rtcp_dlrr *out);

/* Paused: the history is given back. */
void send_stream_pause(struct send_stream *s);
void send_stream_resume(struct send_stream *s);
void send_stream_stats(struct send_stream *s, usec now, struct stream_stats *out);

#endif
