#include "worker/media/data_stream.h"

#include "worker/media/fail.h"
#include "worker/media/sctp_link.h"
#include "worker/media/transport.h"

enum err data_stream_check(const struct transport *t, enum data_type type,
                           const struct sctp_stream_parameters *p, struct field_error *f)
{
    bool direct = t->ops->type == TRANSPORT_TYPE_DIRECT;
    if (direct != (type == DATA_TYPE_DIRECT))
        return fail(f, ERR_TYPE, "type", "direct in direct transports, sctp in all others");
    if (direct)
        return OK;
    if (!t->sctp)
        return fail(f, ERR_TYPE, "type", "SCTP is not enabled in this transport");
    if (!p)
        return fail(f, ERR_TYPE, "sctpStreamParameters", "missing");
    if (p->has_max_packet_life_time && p->has_max_retransmits)
        return fail(f, ERR_TYPE, "sctpStreamParameters.maxRetransmits",
                    "not together with maxPacketLifeTime");
    if (p->has_ordered && p->ordered && (p->has_max_packet_life_time || p->has_max_retransmits))
        return fail(f, ERR_TYPE, "sctpStreamParameters.ordered",
                    "not with maxPacketLifeTime or maxRetransmits");
    return OK;
}

/* Ordered unless said otherwise, where a limit says it too. */
struct assoc_sending data_stream_sending(const struct sctp_stream_parameters *p, uint32_t ppid)
{
    bool limited = p->has_max_packet_life_time || p->has_max_retransmits;
    struct assoc_sending s = {
        .stream = p->stream_id, .unordered = p->has_ordered ? !p->ordered : limited, .ppid = ppid};
    if (p->has_max_packet_life_time) {
        s.reliability = ASSOC_MAX_LIFETIME;
        s.limit = p->max_packet_life_time;
    } else if (p->has_max_retransmits) {
        s.reliability = ASSOC_MAX_RETRANSMITS;
        s.limit = p->max_retransmits;
    }
    return s;
}
