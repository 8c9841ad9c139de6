/* Single packets and feedback messages, told one by one where enableTraceEvent asked for it. Costs
 * one test of a bit mask where it did not. No IO. */
#ifndef WEIR_WORKER_MEDIA_TRACE_H
#define WEIR_WORKER_MEDIA_TRACE_H

#include "common/time.h"
#include "proto/pipe.h"
#include "proto/rtcp_report.h"
#include "proto/rtp.h"

struct producer;
struct consumer;
struct rtp_out;

void trace_producer_rtp(const struct producer *p, usec now, const struct rtp_view *v,
                        bool key_frame, bool rtx);
/* type: nack, pli or fir, which were sent. */
void trace_producer_feedback(const struct producer *p, usec now, enum producer_trace_type type,
                             uint32_t ssrc);
void trace_producer_sr(const struct producer *p, usec now, const struct rtcp_sr *sr);

/* What was sent; len: of the RTP packet. */
void trace_consumer_rtp(const struct consumer *c, usec now, const struct rtp_out *out, size_t len,
                        bool key_frame);
/* type: nack, pli or fir, which came. */
void trace_consumer_feedback(const struct consumer *c, usec now, enum consumer_trace_type type,
                             uint32_t ssrc);

#endif
