/* What a WebRTC transport's send-side estimate (worker/bwe/estimator.h) lives on: packets that went
 * out, the peer's feedback, REMB and reports, padding for probes, limits, what consumers could use.
 * Made with the first video consumer that negotiated transport-cc or goog-remb; before, and for
 * other kinds of transports, all of this does nothing. No IO. */
#ifndef WEIR_WORKER_MEDIA_TRANSPORT_BWE_H
#define WEIR_WORKER_MEDIA_TRANSPORT_BWE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/time.h"
#include "proto/pipe_transport.h"
#include "proto/rtcp.h"
#include "proto/rtcp_report.h"

struct transport;
struct consumer;

/* A new consumer, before it becomes active. ERR_NOMEM. */
MUST_CHECK enum err transport_bwe_consumer(struct transport *t, usec now, const struct consumer *c);
/* What consumers could use has changed. */
void transport_bwe_changed(struct transport *t, usec now);
/* Fine for one that has none. */
void transport_bwe_close(struct transport *t);

/* Fetches into the cache what transport_bwe_sent will need; in two steps, as seal_prefetch. */
void transport_bwe_prefetch(const struct transport *t, int step);

/* The same for transport_bwe_twcc. */
void transport_bwe_prefetch_feedback(const struct transport *t, int step);

/* ---- inputs ---- */
/* Each packet with a transport-wide number; len: of the RTP packet. */
void transport_bwe_sent(struct transport *t, usec now, uint16_t number, size_t len);
/* A retransmission or repetition, beside transport_bwe_sent. */
void transport_bwe_resent(struct transport *t, usec now, size_t len);
/* Padding of a probe; counted apart from media. */
void transport_bwe_padded(struct transport *t, usec now, size_t len);
void transport_bwe_twcc(struct transport *t, usec now, const struct rtcp_block *b);
void transport_bwe_remb(struct transport *t, usec now, const struct rtcp_block *b);
/* Of one of its consumers, after that took it. */
void transport_bwe_report(struct transport *t, usec now, struct consumer *c,
                          const struct rtcp_report *r);
/* The transport's limits changed. */
void transport_bwe_limits(struct transport *t);

/* ---- answers ---- */
/* False: nothing is estimated. */
bool transport_bwe_available(const struct transport *t, uint64_t *bps);
/* How many packets, n at most, may be sent again now: retransmissions of a second take no more than
 * the estimate, or they would keep the link full that lost the packets. */
size_t transport_bwe_resends(struct transport *t, usec now, size_t n);
/* At how many bit/s a burst may leave; 0: no limit. */
uint64_t transport_bwe_pace(const struct transport *t);
void transport_bwe_stats(struct transport *t, usec now, struct transport_get_stats_response *out);

#endif
