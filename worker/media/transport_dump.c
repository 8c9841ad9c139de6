/* What all kinds of transports say of themselves; each kind adds its own. */
#include "worker/media/consumer.h"
#include "worker/media/producer.h"
#include "worker/media/trace_types.h"
#include "worker/media/transport.h"
#include "worker/media/transport_data.h"

static enum err dump_ids(const struct transport *t, struct arena *arena,
                         struct transport_dump_response *out)
{
    out->producer_ids = arena_array(arena, t->n_producers, sizeof *out->producer_ids);
    out->consumer_ids = arena_array(arena, t->n_consumers, sizeof *out->consumer_ids);
    if (!out->producer_ids || !out->consumer_ids)
        return ERR_NOMEM;
    list_each (node, &t->producers) {
        out->producer_ids[out->n_producer_ids++] =
            container_of(node, struct producer, in_transport)->object.id;
    }
    list_each (node, &t->consumers) {
        out->consumer_ids[out->n_consumer_ids++] =
            container_of(node, struct consumer, in_transport)->object.id;
    }
    return OK;
}

static enum err dump_consumer_ssrcs(const struct transport *t, struct arena *arena,
                                    struct transport_dump_response *out)
{
    size_t n = t->ssrcs.used;
    struct number_string *media = arena_array(arena, n, sizeof *media);
    struct number_string *rtx = arena_array(arena, n, sizeof *rtx);
    if (!media || !rtx)
        return ERR_NOMEM;
    out->map_ssrc_consumer_id = media;
    out->map_rtx_ssrc_consumer_id = rtx;
    list_each (node, &t->consumers) {
        const struct consumer *c = container_of(node, struct consumer, in_transport);
        for (size_t i = 0; i < c->rtp_parameters->n_encodings; i++) {
            const struct rtp_encoding_parameters *e = &c->rtp_parameters->encodings[i];
            media[out->n_map_ssrc_consumer_id++] =
                (struct number_string){.key = e->ssrc, .has_key = true, .value = c->object.id};
            if (e->rtx)
                rtx[out->n_map_rtx_ssrc_consumer_id++] = (struct number_string){
                    .key = e->rtx->ssrc, .has_key = true, .value = c->object.id};
        }
    }
    return OK;
}

static void dump_producer_names(const struct producer *p, struct rtp_listener_dump *out)
{
    const char *mid = p->rtp_parameters->mid;
    if (mid)
        out->mid_table[out->n_mid_table++] = (struct key_string){.key = mid, .value = p->object.id};
    for (size_t i = 0; i < p->n_streams; i++) {
        const struct producer_stream *s = &p->streams[i];
        const char *rid = p->rtp_parameters->encodings[i].rid;
        if (rid)
            out->rid_table[out->n_rid_table++] =
                (struct key_string){.key = rid, .value = p->object.id};
        if (s->has_ssrc)
            out->ssrc_table[out->n_ssrc_table++] =
                (struct number_string){.key = s->ssrc, .has_key = true, .value = p->object.id};
        if (s->has_rtx_ssrc)
            out->ssrc_table[out->n_ssrc_table++] =
                (struct number_string){.key = s->rtx_ssrc, .has_key = true, .value = p->object.id};
    }
}

static enum err dump_listener(const struct transport *t, struct arena *arena,
                              struct transport_dump_response *out)
{
    struct rtp_listener_dump *l = arena_alloc(arena, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    size_t streams = 0;
    list_each (node, &t->producers) {
        streams += container_of(node, struct producer, in_transport)->n_streams;
    }
    l->ssrc_table = arena_array(arena, 2 * streams, sizeof *l->ssrc_table);
    l->mid_table = arena_array(arena, t->n_producers, sizeof *l->mid_table);
    l->rid_table = arena_array(arena, streams, sizeof *l->rid_table);
    if (!l->ssrc_table || !l->mid_table || !l->rid_table)
        return ERR_NOMEM;
    list_each (node, &t->producers) {
        dump_producer_names(container_of(node, struct producer, in_transport), l);
    }
    out->rtp_listener = l;
    return OK;
}

static enum err dump_extensions(const struct transport *t, struct arena *arena,
                                struct transport_dump_response *out)
{
    struct recv_rtp_header_extensions *x = arena_alloc(arena, sizeof *x);
    if (!x)
        return ERR_NOMEM;
    const uint8_t *ids = t->recv_ext.of;
    *x = (struct recv_rtp_header_extensions){.mid = ids[RTP_EXT_MID],
                                             .has_mid = ids[RTP_EXT_MID] != 0,
                                             .rid = ids[RTP_EXT_RID],
                                             .has_rid = ids[RTP_EXT_RID] != 0,
                                             .rrid = ids[RTP_EXT_RRID],
                                             .has_rrid = ids[RTP_EXT_RRID] != 0,
                                             .abs_send_time = ids[RTP_EXT_ABS_SEND_TIME],
                                             .has_abs_send_time = ids[RTP_EXT_ABS_SEND_TIME] != 0,
                                             .transport_wide_cc01 = ids[RTP_EXT_TWCC],
                                             .has_transport_wide_cc01 = ids[RTP_EXT_TWCC] != 0};
    out->recv_rtp_header_extensions = x;
    return OK;
}

enum err transport_dump(struct transport *t, struct arena *arena,
                        struct transport_dump_response *out)
{
    *out =
        (struct transport_dump_response){.id = t->object.id,
                                         .type = t->ops->type,
                                         .max_send_message_size = t->max_send_message_size,
                                         .max_receive_message_size = t->max_receive_message_size};
    enum err e = dump_ids(t, arena, out);
    if (e == OK)
        e = dump_consumer_ssrcs(t, arena, out);
    if (e == OK)
        e = dump_extensions(t, arena, out);
    if (e == OK)
        e = dump_listener(t, arena, out);
    if (e == OK)
        e = transport_data_dump(t, arena, out);
    if (e == OK)
        e = trace_types_list(t->trace, arena, &out->trace_event_types, &out->n_trace_event_types);
    return e == OK ? t->ops->dump(t, arena, out) : e;
}
