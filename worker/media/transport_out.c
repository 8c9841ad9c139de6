/* RTP and RTCP that go out: written into a slot, sealed there, queued for the end of the turn. */
#include <string.h>

#include "worker/media/transport.h"
#include "worker/media/transport_bwe.h"
#include "worker/media/transport_pace.h"
#include "worker/media/worker_state.h"
#include "worker/rtp/layer_packet.h"

/* What is in the slot goes out, sealed now or with others. False: SRTP refused. */
static bool commit(struct transport *t, const struct rtp_out *o, uint8_t *slot, size_t len)
{
    struct worker *w = t->worker;
    if (t->batch) {
        seal_batch_add(&w->seal_batch, &w->txq, t->rtp_dest, t->sealer, len, o->again);
        return true;
    }
    enum err e = !t->sealer ? OK
                 : o->again ? seal_protect_rtp_again(t->sealer, slot, &len)
                            : seal_protect_rtp(t->sealer, slot, &len);
    if (e == OK)
        txq_commit(&w->txq, t->rtp_dest, len);
    return e == OK;
}

/* What waits to be sealed keeps its place in front of what comes now. */
static uint8_t *reserve(struct worker *w)
{
    if (w->seal_batch.n > 0)
        seal_batch_flush(&w->seal_batch, &w->txq);
    return txq_reserve(&w->txq);
}

/* Returns the length. */
static size_t write_header(const struct rtp_out *o, uint8_t *slot)
{
    size_t ext = ext_layout_write(o->layout, o->brought, o->time, o->number, slot + RTP_HEADER_LEN);
    slot[0] = (uint8_t)((ext > 0 ? 0x90 : 0x80) | (o->padding > 0 ? 0x20 : 0));
    slot[1] = (uint8_t)((o->marker ? 0x80 : 0) | o->payload_type);
    put_u16(slot + 2, o->seq);
    put_u32(slot + 4, o->timestamp);
    put_u32(slot + 8, o->ssrc);
    return RTP_HEADER_LEN + ext;
}

/* Returns the length. */
static size_t write_rtp(const struct rtp_out *o, uint8_t *slot)
{
    const struct rtp_view *v = o->view;
    uint8_t *p = slot + write_header(o, slot);
    if (o->rtx) {
        put_u16(p, o->osn);
        p += 2;
    }
    if (v->payload_len > 0)
        memcpy(p, v->data + v->payload_at, v->payload_len);
    if (o->patch != 0)
        layer_patch_payload(o->codec, o->patch, p, v->payload_len);
    p += v->payload_len;
    if (o->padding > 0) {
        memset(p, 0, o->padding);
        p += o->padding;
        p[-1] = o->padding;
    }
    return (size_t)(p - slot);
}

/* A peer without an address is the controller, or not there yet. */
static size_t give_rtp(struct transport *t, usec now, const struct rtp_out *o)
{
    uint8_t bytes[TX_SLOT_CAP];
    if (!t->connected || !t->ops->take_rtp)
        return 0;
    size_t len = write_rtp(o, bytes);
    t->ops->take_rtp(t, o->ssrc, slice_of(bytes, len));
    flow_add(o->rtx ? &t->rtx_sent : &t->rtp_sent, now, len);
    return len;
}

static bool is_numbered(const struct rtp_out *o)
{
    return o->layout->number_at != 0 && !o->again;
}

/* It was not sent, so its number goes to the next: a gap would be taken for a loss. */
static void take_number_back(struct transport *t, const struct rtp_out *o)
{
    if (is_numbered(o) && (uint16_t)(o->number + 1) == t->twcc_number)
        t->twcc_number = o->number;
}

static size_t refuse(struct transport *t, const struct rtp_out *o)
{
    t->worker->counters.dropped_send++;
    take_number_back(t, o);
    return 0;
}

static void count(struct transport *t, usec now, const struct rtp_out *o, size_t len)
{
    if (is_numbered(o))
        transport_bwe_sent(t, now, o->number, len);
    if (o->probe)
        transport_bwe_padded(t, now, len);
    else
        flow_add(o->rtx ? &t->rtx_sent : &t->rtp_sent, now, len);
}

static uint16_t offset_of(const struct rtp_view *v, struct slice e)
{
    return e.n > 0 ? (uint16_t)(e.p - v->data) : 0;
}

/* Whether what is sent is what came, behind another header. */
static bool is_payload_kept(const struct rtp_out *o)
{
    return !o->rtx && !o->again && o->patch == 0 && o->padding == 0 && o->view->payload_len > 0;
}

/* Encrypts on the way into the slot. Returns the length, 0: SRTP refused. */
static size_t seal_from_source(struct transport *t, const struct rtp_out *o, uint8_t *slot)
{
    const struct rtp_view *v = o->view;
    size_t len = write_header(o, slot) + v->payload_len;
    size_t sealed = len;
    if (seal_protect_rtp_from(t->sealer, slot, v->data + v->payload_at, &sealed) != OK)
        return 0;
    txq_commit(&t->worker->txq, t->rtp_dest, sealed);
    return len;
}

static size_t send_now(struct transport *t, usec now, const struct rtp_out *o)
{
    struct worker *w = t->worker;
    uint8_t *slot = t->batch ? seal_batch_reserve(&w->seal_batch, &w->txq) : reserve(w);
    size_t len;
    if (t->sealer && !t->batch && is_payload_kept(o)) {
        len = seal_from_source(t, o, slot);
        if (len == 0)
            return refuse(t, o);
    } else {
        len = write_rtp(o, slot);
        if (!commit(t, o, slot, len))
            return refuse(t, o);
    }
    count(t, now, o, len);
    if (t->pace && !o->probe)
        pacer_spend(&t->pace->pacer, now, len);
    return len;
}

/* The number is for what leaves next. */
static size_t wait_for_turn(struct transport *t, usec now, const struct rtp_out *o)
{
    struct rtp_view v;
    take_number_back(t, o);
    struct packet *p = transport_pace_room(t->pace, now);
    if (!p) {
        struct rtp_out last = *o;
        if (is_numbered(o))
            last.number = transport_next_number(t);
        return send_now(t, now, &last);
    }
    struct paced what = {.packet = p};
    p->len = (uint32_t)write_rtp(o, p->data);
    if (rtp_parse(&v, p->data, p->len) == OK) {
        const uint8_t *ids = o->layout->ids.of;
        what.time_at = offset_of(&v, rtp_ext_find(&v, ids[RTP_EXT_ABS_SEND_TIME]));
        what.number_at = offset_of(&v, rtp_ext_find(&v, ids[RTP_EXT_TWCC]));
    }
    transport_pace_put(t->pace, now, &what);
    return p->len;
}

void transport_send_paced(struct transport *t, usec now, const struct paced *p)
{
    static const struct ext_layout unnumbered;
    struct worker *w = t->worker;
    size_t len = p->packet->len;
    if (!t->rtp_dest || !t->connected) {
        w->counters.dropped_send++;
        return;
    }
    struct ext_layout numbered = {.number_at = 1};
    struct rtp_out o = {.layout = p->number_at != 0 ? &numbered : &unnumbered};
    uint8_t *slot = t->batch ? seal_batch_reserve(&w->seal_batch, &w->txq) : reserve(w);
    memcpy(slot, p->packet->data, len);
    if (p->time_at != 0)
        put_u24(slot + p->time_at, abs_send_time_of(now));
    if (p->number_at != 0)
        put_u16(slot + p->number_at, o.number = transport_next_number(t));
    pacer_spend(&t->pace->pacer, now, len);
    if (commit(t, &o, slot, len))
        count(t, now, &o, len);
    else
        (void)refuse(t, &o);
}

size_t transport_send_rtp(struct transport *t, usec now, const struct rtp_out *o)
{
    if (RTP_HEADER_LEN + ext_layout_max(o->layout, o->brought) + 2 + o->view->payload_len +
            o->padding + SEAL_OVERHEAD >
        TX_SLOT_CAP)
        return refuse(t, o);
    if (!t->rtp_dest || !t->connected)
        return give_rtp(t, now, o);
    if (t->pace && o->may_wait && !transport_pace_passes(t->pace, now))
        return wait_for_turn(t, now, o);
    return send_now(t, now, o);
}

void transport_send_rtcp(struct transport *t, usec now, const struct wr *out)
{
    struct worker *w = t->worker;
    size_t len = wr_len(out);
    if (!t->connected || len == 0 || len + SEAL_OVERHEAD > TX_SLOT_CAP)
        return;
    if (!t->rtcp_dest) {
        if (!t->ops->take_rtcp)
            return;
        t->ops->take_rtcp(t, slice_of(out->start, len));
        flow_add(&t->sent, now, len);
        return;
    }
    uint8_t *slot = reserve(w);
    memcpy(slot, out->start, len);
    if (t->sealer && seal_protect_rtcp(t->sealer, slot, &len) != OK) {
        w->counters.dropped_send++;
        return;
    }
    txq_commit(&w->txq, t->rtcp_dest, len);
    flow_add(&t->sent, now, len);
}
