/* A transport's SCTP association: opened with the transport, connected when its layer below is, fed
 * with packets; messages go to the data producer of their stream. No IO. */
#ifndef WEIR_WORKER_MEDIA_SCTP_LINK_H
#define WEIR_WORKER_MEDIA_SCTP_LINK_H

#include "common/fields.h"
#include "proto/pipe_transport.h"
#include "worker/engine/sctp.h"
#include "worker/media/sctp_listener.h"

struct transport;
struct worker;

struct sctp_link {
    struct transport *transport; /* parent, outlives us */
    struct assoc *assoc;         /* owned */
    struct assoc_config config;  /* as asked for */
    struct sctp_listener listener;
};

/* What the options of every kind of transport say, by TRANSPORT_OPTIONS_FIELDS. */
struct sctp_link_options {
    bool enable;
    uint32_t max_send_message;
    uint32_t max_receive_message;
    uint32_t send_buffer;
    uint32_t stream_send_buffer;
    uint32_t receive_buffer;
    uint32_t low_threshold;
    bool data_channels;
};

/* From the struct of a kind's options; channels: whether it carries data channels of WebRTC. */
#define SCTP_LINK_OPTIONS(o, channels)                                                             \
    ((struct sctp_link_options){                                                                   \
        .enable = (o)->enable_sctp,                                                                \
        .max_send_message =                                                                        \
            (o)->has_max_send_message_size ? (o)->max_send_message_size : 256 * 1024,              \
        .max_receive_message =                                                                     \
            (o)->has_max_receive_message_size ? (o)->max_receive_message_size : 256 * 1024,        \
        .send_buffer = (o)->has_sctp_send_buffer_size ? (o)->sctp_send_buffer_size : 2000000,      \
        .stream_send_buffer = (o)->has_sctp_per_stream_send_queue_limit                            \
                                  ? (o)->sctp_per_stream_send_queue_limit                          \
                                  : 2000000,                                                       \
        .receive_buffer = (o)->has_sctp_max_receiver_window_buffer_size                            \
                              ? (o)->sctp_max_receiver_window_buffer_size                          \
                              : 5242880,                                                           \
        .low_threshold = (o)->has_sctp_default_stream_buffered_amount_low_threshold                \
                             ? (o)->sctp_default_stream_buffered_amount_low_threshold              \
                             : 1024,                                                               \
        .data_channels = (channels)})

/* Sets the transport's message sizes; with `enable` opens t->sctp too. */
MUST_CHECK enum err sctp_link_open(struct transport *t, usec now, const struct sctp_link_options *o,
                                   struct field_error *f);
/* Says goodbye (unless now is USEC_NEVER) and frees it; fine without one. Data producers and
 * consumers must be gone. */
void sctp_link_close(struct transport *t, usec now);

/* All of these are fine for a transport without SCTP. */

/* The layer below is up: connects, if that was not done. */
void sctp_link_up(struct transport *t);
/* The layer below is gone for good. */
void sctp_link_lost(struct transport *t);
/* One packet from the peer. Call sctp_links_flush when convenient, in the same turn. */
void sctp_link_input(struct transport *t, usec now, struct slice packet);
/* Source and destination are the port that links have: over UDP without DTLS, SCTP is told by it.
 */
bool sctp_link_is_packet(const void *bytes, size_t n);

/* Sends and tells whatever all associations have to send and tell, and sets the worker's timer. To
 * be called after anything that used one; never from within itself. */
void sctp_links_flush(struct worker *w, usec now);

MUST_CHECK enum err sctp_link_dump(const struct transport *t, struct arena *arena,
                                   struct transport_dump_response *out);
/* For getStats. */
static inline bool sctp_link_state(const struct sctp_link *l, int *state)
{
    if (l)
        *state = (int)assoc_get_state(l->assoc);
    return l != NULL;
}

#endif
