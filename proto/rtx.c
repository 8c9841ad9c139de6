#include "proto/rtx.h"

static void mark_rtx(struct rtp_view *v, uint8_t payload_type, uint32_t ssrc, uint16_t seq)
{
    rtp_set_payload_type(v, payload_type);
    rtp_set_ssrc(v, ssrc);
    rtp_set_seq(v, seq);
}

enum err rtx_encode(struct wr *w, const struct rtp_view *v, uint8_t payload_type, uint32_t ssrc,
                    uint16_t seq, struct rtp_view *out)
{
    struct rtp_view made = *v;
    size_t len = (size_t)v->payload_at + RTX_OSN_LEN + v->payload_len;
    if (w->bad || wr_left(w) < len || len > RTP_PACKET_MAX)
        return ERR_TOO_LARGE;
    wr_bytes(w, v->data, v->payload_at);
    wr_u16(w, v->seq);
    wr_bytes(w, rtp_payload(v), v->payload_len);
    made.data = w->start;
    made.padding = 0;
    made.payload_len = (uint16_t)(v->payload_len + RTX_OSN_LEN);
    made.len = (uint16_t)len;
    made.data[0] &= 0xdf;
    mark_rtx(&made, payload_type, ssrc, seq);
    if (out != NULL)
        *out = made;
    return OK;
}

enum err rtx_wrap(struct rtp_view *v, uint8_t payload_type, uint32_t ssrc, uint16_t seq, size_t cap)
{
    size_t len = (size_t)v->payload_at + RTX_OSN_LEN + v->payload_len;
    if (len > cap || len > RTP_PACKET_MAX)
        return ERR_TOO_LARGE;
    rtp_drop_padding(v);
    uint8_t *payload = rtp_payload(v);
    memmove(payload + RTX_OSN_LEN, payload, v->payload_len);
    put_u16(payload, v->seq);
    v->payload_len = (uint16_t)(v->payload_len + RTX_OSN_LEN);
    v->len = (uint16_t)len;
    mark_rtx(v, payload_type, ssrc, seq);
    return OK;
}

enum err rtx_osn(const struct rtp_view *v, uint16_t *osn)
{
    struct rd r = rd_slice(rtp_payload_slice(v));
    *osn = rd_u16(&r);
    return r.bad ? ERR_TRUNCATED : OK;
}

enum err rtx_decode(struct rtp_view *v, uint8_t payload_type, uint32_t ssrc)
{
    uint16_t osn = 0;
    if (rtx_osn(v, &osn) != OK)
        return ERR_TRUNCATED;
    rtp_drop_padding(v);
    uint8_t *payload = rtp_payload(v);
    v->payload_len = (uint16_t)(v->payload_len - RTX_OSN_LEN);
    v->len = (uint16_t)(v->len - RTX_OSN_LEN);
    memmove(payload, payload + RTX_OSN_LEN, v->payload_len);
    rtp_set_payload_type(v, payload_type);
    rtp_set_ssrc(v, ssrc);
    rtp_set_seq(v, osn);
    return OK;
}
