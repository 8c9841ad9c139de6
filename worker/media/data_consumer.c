#include "worker/media/data_consumer.h"

#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "proto/pipe.h"
#include "worker/media/data_producer.h"
#include "worker/media/data_stream.h"
#include "worker/media/fail.h"
#include "worker/media/sctp_link.h"
#include "worker/media/subchannel_tag.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

struct data_consumer *data_consumer_of(struct object *o)
{
    return o ? container_of(o, struct data_consumer, object) : NULL;
}

static void notify(const struct data_consumer *c, enum pipe_event event, const void *data)
{
    worker_notify(c->transport->worker, c->object.id, (int)event, data);
}

/* ---- life cycle ---- */

static void free_consumer(struct data_consumer *c)
{
    object_fini(&c->object);
    free(c->label);
    free(c->protocol);
    free(c->subchannels);
    free(c);
}

static struct data_consumer *on_stream(const struct transport *t, uint16_t stream)
{
    list_each (node, &t->data_consumers) {
        struct data_consumer *c = container_of(node, struct data_consumer, in_transport);
        if (c->type == DATA_TYPE_SCTP && c->stream.stream_id == stream)
            return c;
    }
    return NULL;
}

static enum err take_stream(struct data_consumer *c, const struct sctp_stream_parameters *p,
                            struct field_error *f)
{
    const struct transport *t = c->transport;
    enum err e = data_stream_check(t, c->type, p, f);
    if (e != OK || c->type != DATA_TYPE_SCTP)
        return e;
    if (on_stream(t, p->stream_id))
        return fail(f, ERR_EXISTS, "sctpStreamParameters.streamId", "in use in this transport");
    c->stream = *p;
    c->low_threshold = t->sctp->config.low_threshold;
    return OK;
}

static enum err init(struct data_consumer *c, const struct transport_consume_data_request *in,
                     struct field_error *f)
{
    enum err e = take_stream(c, in->sctp_stream_parameters, f);
    if (e == OK)
        e = data_consumer_set_subchannels(c, in->subchannels, in->n_subchannels, f);
    if (e != OK)
        return e;
    c->label = strdup(in->label ? in->label : "");
    c->protocol = strdup(in->protocol ? in->protocol : "");
    if (!c->label || !c->protocol)
        return fail_plain(f, ERR_NOMEM);
    e = object_init(&c->object, &c->transport->worker->objects, OBJECT_DATA_CONSUMER,
                    in->data_consumer_id);
    return e == ERR_EXISTS ? fail(f, e, "dataConsumerId", "an object with this id exists")
           : e != OK       ? fail_plain(f, e)
                           : OK;
}

enum err data_consumer_open(struct transport *t, struct data_producer *p,
                            const struct transport_consume_data_request *in,
                            struct data_consumer **out, struct field_error *f)
{
    if (p->n_consumers >= DATA_PRODUCER_MAX_CONSUMERS)
        return fail(f, ERR_FULL, "dataProducerId", "it has too many data consumers");
    struct data_consumer *c = calloc(1, sizeof *c);
    if (!c)
        return fail_plain(f, ERR_NOMEM);
    c->transport = t;
    c->producer = p;
    c->type = (enum data_type)in->type;
    c->paused = in->paused;
    c->producer_paused = p->paused;
    enum err e = init(c, in, f);
    if (e != OK) {
        free_consumer(c);
        return e;
    }
    list_add(&p->consumers, &c->in_producer);
    p->n_consumers++;
    list_add(&t->data_consumers, &c->in_transport);
    t->n_data_consumers++;
    t->worker->counters.data_consumers++;
    *out = c;
    return OK;
}

void data_consumer_close(struct data_consumer *c, usec now)
{
    struct transport *t = c->transport;
    if (c->type == DATA_TYPE_SCTP && now != USEC_NEVER)
        assoc_reset_stream(t->sctp->assoc, now, c->stream.stream_id);
    list_remove(&c->in_producer);
    c->producer->n_consumers--;
    list_remove(&c->in_transport);
    t->n_data_consumers--;
    t->worker->counters.data_consumers--;
    free_consumer(c);
}

void data_consumer_producer_closed(struct data_consumer *c, usec now)
{
    notify(c, EVENT_DATA_CONSUMER_DATA_PRODUCER_CLOSE, NULL);
    data_consumer_close(c, now);
}

void data_consumer_pause(struct data_consumer *c)
{
    c->paused = true;
}

void data_consumer_resume(struct data_consumer *c)
{
    c->paused = false;
}

void data_consumer_producer_paused(struct data_consumer *c, bool paused)
{
    c->producer_paused = paused;
    notify(c,
           paused ? EVENT_DATA_CONSUMER_DATA_PRODUCER_PAUSE
                  : EVENT_DATA_CONSUMER_DATA_PRODUCER_RESUME,
           NULL);
}

/* ---- subchannels ---- */

static bool has_subchannel(const struct data_consumer *c, uint16_t subchannel)
{
    for (size_t i = 0; i < c->n_subchannels; i++) {
        if (c->subchannels[i] == subchannel)
            return true;
    }
    return false;
}

enum err data_consumer_add_subchannel(struct data_consumer *c, uint16_t subchannel,
                                      struct field_error *f)
{
    if (has_subchannel(c, subchannel))
        return OK;
    if (c->n_subchannels == SUBCHANNELS_MAX)
        return fail(f, ERR_FULL, "subchannel", "too many subchannels");
    uint16_t *grown = realloc(c->subchannels, (c->n_subchannels + 1) * sizeof *grown);
    if (!grown)
        return fail_plain(f, ERR_NOMEM);
    c->subchannels = grown;
    c->subchannels[c->n_subchannels++] = subchannel;
    return OK;
}

void data_consumer_remove_subchannel(struct data_consumer *c, uint16_t subchannel)
{
    for (size_t i = 0; i < c->n_subchannels; i++) {
        if (c->subchannels[i] != subchannel)
            continue;
        c->subchannels[i] = c->subchannels[--c->n_subchannels];
        return;
    }
}

enum err data_consumer_set_subchannels(struct data_consumer *c, const uint16_t *list, size_t n,
                                       struct field_error *f)
{
    uint16_t *all = n > 0 ? malloc(n * sizeof *all) : NULL;
    if (n > 0 && !all)
        return fail_plain(f, ERR_NOMEM);
    free(c->subchannels);
    c->subchannels = all;
    c->n_subchannels = 0;
    for (size_t i = 0; i < n; i++) {
        if (!has_subchannel(c, list[i]))
            c->subchannels[c->n_subchannels++] = list[i];
    }
    return OK;
}

static bool is_piped(const struct data_consumer *c)
{
    return c->transport->ops->type == TRANSPORT_TYPE_PIPE;
}

/* A pipe carries everything, unless it was told what is wanted behind it; what is to be ignored is
 * for those behind it to say. */
static bool wants(const struct data_consumer *c, const struct data_message *m)
{
    if (is_piped(c) && c->n_subchannels == 0)
        return true;
    if (m->has_required && !has_subchannel(c, m->required))
        return false;
    if (m->has_ignored && !is_piped(c) && has_subchannel(c, m->ignored))
        return false;
    for (size_t i = 0; i < m->n_subchannels; i++) {
        if (has_subchannel(c, m->subchannels[i]))
            return true;
    }
    return m->n_subchannels == 0;
}

/* ---- messages ---- */

static void sent(struct data_consumer *c, size_t bytes)
{
    c->messages++;
    c->bytes += bytes;
}

static enum err send_sctp(struct data_consumer *c, usec now, uint32_t ppid, struct slice message)
{
    struct assoc_sending how = data_stream_sending(&c->stream, ppid);
    enum err e = assoc_send(c->transport->sctp->assoc, now, &how, message);
    if (e == OK)
        sent(c, message.n);
    else if (e == ERR_FULL)
        notify(c, EVENT_DATA_CONSUMER_SCTP_SENDBUFFER_FULL, NULL);
    return e;
}

static void send_tagged(struct data_consumer *c, usec now, const struct data_message *m)
{
    uint8_t tag[SUBCHANNEL_TAG_MAX];
    size_t n = subchannel_tag_write(m, tag);
    uint8_t *bytes = n > 0 ? malloc(n + m->bytes.n) : NULL;
    if (!bytes)
        return;
    memcpy(bytes, tag, n);
    memcpy(bytes + n, m->bytes.p, m->bytes.n);
    (void)!send_sctp(c, now, m->ppid | SUBCHANNEL_TAG_PPID, slice_of(bytes, n + m->bytes.n));
    free(bytes);
}

static void tell_controller(struct data_consumer *c, const struct data_message *m)
{
    char *text = malloc(BASE64_TEXT_MAX(m->bytes.n));
    if (!text)
        return;
    base64_write(m->bytes.p, m->bytes.n, text);
    struct data_consumer_message_event event = {.ppid = m->ppid, .has_ppid = true, .data = text};
    notify(c, EVENT_DATA_CONSUMER_MESSAGE, &event);
    sent(c, m->bytes.n);
    free(text);
}

void data_consumer_message(struct data_consumer *c, usec now, const struct data_message *m)
{
    if (c->paused || c->producer_paused || !wants(c, m))
        return;
    if (is_piped(c) && subchannel_tag_needed(m))
        send_tagged(c, now, m);
    else if (c->type == DATA_TYPE_SCTP)
        (void)!send_sctp(c, now, m->ppid, m->bytes); /* not connected: nobody is there to get it */
    else if (m->bytes.n <= c->transport->max_send_message_size)
        tell_controller(c, m);
}

enum err data_consumer_send(struct data_consumer *c, usec now, uint32_t ppid, struct slice message,
                            struct field_error *f)
{
    if (c->type != DATA_TYPE_SCTP)
        return fail(f, ERR_TYPE, "handlerId", "not a data consumer over SCTP");
    enum err e = send_sctp(c, now, ppid, message);
    switch ((int)e) {
    case OK:
        return OK;
    case ERR_STATE:
        return fail(f, e, "", "SCTP is not connected");
    case ERR_RANGE:
        return fail(f, e, "", "the peer does not take this stream");
    case ERR_TOO_LARGE:
        return fail(f, e, "data", "larger than maxSendMessageSize");
    case ERR_FULL:
        return fail(f, e, "", "sctpsendbufferfull");
    default:
        return fail_plain(f, e);
    }
}

void data_consumer_buffered_low(struct transport *t, uint16_t stream, uint32_t buffered)
{
    const struct data_consumer *c = on_stream(t, stream);
    struct buffered_amount event = {.buffered_amount = buffered, .has_buffered_amount = true};
    if (c)
        notify(c, EVENT_DATA_CONSUMER_BUFFERED_AMOUNT_LOW, &event);
}

enum err data_consumer_set_low_threshold(struct data_consumer *c, uint32_t bytes,
                                         struct field_error *f)
{
    if (c->type == DATA_TYPE_SCTP &&
        assoc_set_low_threshold(c->transport->sctp->assoc, c->stream.stream_id, bytes) != OK)
        return fail_plain(f, ERR_NOMEM);
    c->low_threshold = bytes;
    return OK;
}

uint32_t data_consumer_buffered(const struct data_consumer *c)
{
    return c->type == DATA_TYPE_SCTP
               ? assoc_buffered(c->transport->sctp->assoc, c->stream.stream_id)
               : 0;
}

/* ---- what it is ---- */

void data_consumer_dump(const struct data_consumer *c, struct data_consumer_dump_response *out)
{
    *out = (struct data_consumer_dump_response){.id = c->object.id,
                                                .data_producer_id = c->producer->object.id,
                                                .type = (int)c->type,
                                                .has_type = true,
                                                .label = c->label,
                                                .protocol = c->protocol,
                                                .buffered_amount = data_consumer_buffered(c),
                                                .has_buffered_amount = true,
                                                .buffered_amount_low_threshold = c->low_threshold,
                                                .has_buffered_amount_low_threshold = true,
                                                .paused = c->paused,
                                                .has_paused = true,
                                                .data_producer_paused = c->producer_paused,
                                                .has_data_producer_paused = true,
                                                .subchannels = c->subchannels,
                                                .n_subchannels = c->n_subchannels};
    if (c->type == DATA_TYPE_SCTP)
        out->sctp_stream_parameters = (struct sctp_stream_parameters *)&c->stream;
}

void data_consumer_stats(const struct data_consumer *c, usec now,
                         struct data_consumer_get_stats_response *out)
{
    *out = (struct data_consumer_get_stats_response){.type = "data-consumer",
                                                     .timestamp = (uint64_t)(now / USEC_PER_MSEC),
                                                     .has_timestamp = true,
                                                     .label = c->label,
                                                     .protocol = c->protocol,
                                                     .messages_sent = c->messages,
                                                     .has_messages_sent = true,
                                                     .bytes_sent = c->bytes,
                                                     .has_bytes_sent = true,
                                                     .buffered_amount = data_consumer_buffered(c),
                                                     .has_buffered_amount = true};
}
