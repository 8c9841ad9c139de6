#include "worker/media/sctp_link.h"

#include <stdlib.h>

#include "common/log.h"
#include "proto/dcep.h"
#include "proto/pipe.h"
#include "worker/engine/dtls.h"
#include "worker/media/data_consumer.h"
#include "worker/media/data_producer.h"
#include "worker/media/fail.h"
#include "worker/media/subchannel_tag.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

/* Streams each way, and for how many of them the library allocates memory, 104 bytes a pair, before
 * they are used. Programs behind plain transports number their streams as they like, and need not
 * know how streams are added: they get all that there can be. */
enum {
    STREAMS = 1024,
    STREAMS_AT_FIRST = 16,
    STREAMS_PLAIN = 65535,
    STREAMS_PLAIN_AT_FIRST = 1024
};

_Static_assert((int)PARAM_SCTP_STATE_CLOSED == (int)ASSOC_CLOSED, "SCTP states");
_Static_assert((int)ASSOC_PACKET_MAX <= (int)DTLS_SEND_MAX, "a packet fits a DTLS record");

enum err sctp_link_open(struct transport *t, usec now, const struct sctp_link_options *o,
                        struct field_error *f)
{
    t->max_send_message_size = o->max_send_message;
    t->max_receive_message_size = o->max_receive_message;
    if (!o->enable)
        return OK;
    struct sctp_link *l = calloc(1, sizeof *l);
    if (!l)
        return fail_plain(f, ERR_NOMEM);
    l->transport = t;
    bool plain = t->ops->type == TRANSPORT_TYPE_PLAIN;
    uint16_t streams = plain ? STREAMS_PLAIN : STREAMS;
    l->config =
        (struct assoc_config){.group = &t->worker->sctp_group,
                              .owner = l,
                              .port = ASSOC_PORT,
                              .out_streams = streams,
                              .in_streams = streams,
                              .streams_at_first = plain ? STREAMS_PLAIN_AT_FIRST : STREAMS_AT_FIRST,
                              .max_send_message = o->max_send_message,
                              .max_receive_message = o->max_receive_message,
                              .send_buffer = o->send_buffer,
                              .stream_send_buffer = o->stream_send_buffer,
                              .receive_buffer = o->receive_buffer,
                              .low_threshold = o->low_threshold,
                              .data_channels = o->data_channels};
    enum err e = assoc_open(&l->assoc, now, &l->config);
    if (e != OK) {
        free(l);
        return fail_plain(f, e);
    }
    t->sctp = l;
    timer_set_earlier(&t->worker->sctp_timer, assocs_deadline());
    return OK;
}

void sctp_link_close(struct transport *t, usec now)
{
    struct sctp_link *l = t->sctp;
    if (!l)
        return;
    struct assoc_item it;
    if (now != USEC_NEVER) {
        assoc_abort(l->assoc);
        while (assoc_poll(l->assoc, now, &it)) {
            if (it.kind == ASSOC_PACKET)
                t->ops->sctp_packet(t, now, it.bytes);
        }
    }
    assoc_close(l->assoc);
    sctp_listener_fini(&l->listener);
    free(l);
    t->sctp = NULL;
}

static void tell_state(const struct transport *t, enum assoc_state state)
{
    struct transport_sctp_state_change_event event = {.sctp_state = (int)state,
                                                      .has_sctp_state = true};
    worker_notify(t->worker, t->object.id, EVENT_TRANSPORT_SCTP_STATE_CHANGE, &event);
}

void sctp_link_up(struct transport *t)
{
    if (!t->sctp || assoc_get_state(t->sctp->assoc) != ASSOC_NEW)
        return;
    enum err e = assoc_connect(t->sctp->assoc);
    if (e != OK)
        log_warn("sctp.connect", "id=%s error=%s", t->object.id, err_name(e));
}

void sctp_link_lost(struct transport *t)
{
    if (!t->sctp)
        return;
    enum assoc_state before = assoc_get_state(t->sctp->assoc);
    assoc_abort(t->sctp->assoc);
    if (before != ASSOC_FAILED && before != ASSOC_CLOSED)
        tell_state(t, ASSOC_CLOSED);
}

void sctp_link_input(struct transport *t, usec now, struct slice packet)
{
    if (t->sctp)
        assoc_input(t->sctp->assoc, now, packet);
}

bool sctp_link_is_packet(const void *bytes, size_t n)
{
    enum { HEADER_LEN = 12 };
    struct rd r = rd_of(bytes, n);
    uint16_t from = rd_u16(&r);
    uint16_t to = rd_u16(&r);
    return n >= HEADER_LEN && from == ASSOC_PORT && to == ASSOC_PORT;
}

/* ---- what the association has to tell ---- */

static struct sctp_negotiated_capabilities negotiated(const struct sctp_link *l)
{
    return (struct sctp_negotiated_capabilities){
        .negotiated_max_outbound_streams = assoc_out_streams(l->assoc),
        .has_negotiated_max_outbound_streams = true,
        .negotiated_max_inbound_streams = assoc_in_streams(l->assoc),
        .has_negotiated_max_inbound_streams = true};
}

static void on_state(const struct sctp_link *l, enum assoc_state state)
{
    const struct transport *t = l->transport;
    if (state == ASSOC_CONNECTED) {
        struct sctp_negotiated_capabilities streams = negotiated(l);
        struct transport_sctp_negotiated_capabilities_event event = {.negotiated_capabilities =
                                                                         &streams};
        worker_notify(t->worker, t->object.id, EVENT_TRANSPORT_SCTP_NEGOTIATED_CAPABILITIES,
                      &event);
    }
    tell_state(t, state);
}

static void on_message(const struct sctp_link *l, usec now, const struct assoc_item *it)
{
    /* Channels are negotiated by signaling; their in-band opening (RFC 8832) says nothing new. */
    if (it->ppid == PPID_DCEP && l->config.data_channels)
        return;
    struct data_producer *p = sctp_listener_find(&l->listener, it->stream);
    struct data_message m = {.ppid = it->ppid, .bytes = it->bytes};
    uint16_t subchannels[SUBCHANNEL_TAG_SUBCHANNELS];
    if (l->transport->ops->type == TRANSPORT_TYPE_PIPE && (m.ppid & SUBCHANNEL_TAG_PPID) != 0 &&
        subchannel_tag_read(&m, subchannels) != OK)
        return;
    if (p)
        data_producer_message(p, now, &m);
}

static void drain(struct sctp_link *l, usec now)
{
    struct transport *t = l->transport;
    struct assoc_item it;
    while (assoc_poll(l->assoc, now, &it)) {
        switch (it.kind) {
        case ASSOC_PACKET:
            t->ops->sctp_packet(t, now, it.bytes);
            break;
        case ASSOC_STATE_CHANGED:
            on_state(l, it.state);
            break;
        case ASSOC_MESSAGE:
            on_message(l, now, &it);
            break;
        case ASSOC_STREAMS_RESET:
            break;
        case ASSOC_BUFFERED_LOW:
            data_consumer_buffered_low(t, it.stream, it.buffered);
            break;
        }
    }
}

void sctp_links_flush(struct worker *w, usec now)
{
    struct assoc *a;
    while ((a = assocs_ready(&w->sctp_group)) != NULL)
        drain(assoc_owner(a), now);
    timer_set(&w->sctp_timer, assocs_deadline());
}

/* ---- what it is ---- */

enum err sctp_link_dump(const struct transport *t, struct arena *arena,
                        struct transport_dump_response *out)
{
    const struct sctp_link *l = t->sctp;
    if (!l)
        return OK;
    const struct assoc_config *c = &l->config;
    struct sctp_parameters *p = arena_alloc(arena, sizeof *p);
    struct sctp_negotiated_capabilities *streams = arena_alloc(arena, sizeof *streams);
    struct sctp_listener_dump *listener = arena_alloc(arena, sizeof *listener);
    if (!p || !streams || !listener)
        return ERR_NOMEM;
    *p = (struct sctp_parameters){.port = c->port,
                                  .has_port = true,
                                  .os = c->out_streams,
                                  .has_os = true,
                                  .mis = c->in_streams,
                                  .has_mis = true,
                                  .max_message_size = c->max_receive_message,
                                  .has_max_message_size = true,
                                  .max_send_message_size = c->max_send_message,
                                  .has_max_send_message_size = true,
                                  .max_receive_message_size = c->max_receive_message,
                                  .has_max_receive_message_size = true,
                                  .send_buffer_size = c->send_buffer,
                                  .has_send_buffer_size = true,
                                  .per_stream_send_queue_limit = c->stream_send_buffer,
                                  .has_per_stream_send_queue_limit = true,
                                  .max_receiver_window_buffer_size = c->receive_buffer,
                                  .has_max_receiver_window_buffer_size = true,
                                  .is_data_channel = c->data_channels,
                                  .has_is_data_channel = true};
    *streams = negotiated(l);
    out->sctp_parameters = p;
    out->sctp_listener = listener;
    out->has_sctp_state = sctp_link_state(l, &out->sctp_state);
    out->sctp_negotiated_capabilities =
        assoc_get_state(l->assoc) == ASSOC_CONNECTED ? streams : NULL;
    listener->stream_id_table =
        arena_array(arena, t->n_data_producers, sizeof *listener->stream_id_table);
    if (!listener->stream_id_table)
        return ERR_NOMEM;
    list_each (node, &t->data_producers) {
        const struct data_producer *d = container_of(node, struct data_producer, in_transport);
        if (d->type == DATA_TYPE_SCTP)
            listener->stream_id_table[listener->n_stream_id_table++] = (struct number_string){
                .key = d->stream.stream_id, .has_key = true, .value = d->object.id};
    }
    return OK;
}
