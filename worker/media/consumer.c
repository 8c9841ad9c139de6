#include "worker/media/consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields_clone.h"
#include "proto/pipe.h"
#include "worker/media/fail.h"
#include "worker/media/forward_batch.h"
#include "worker/media/layered_consumer.h"
#include "worker/media/pipe_consumer.h"
#include "worker/media/producer.h"
#include "worker/media/simple_consumer.h"
#include "worker/media/transport.h"
#include "worker/media/transport_bwe.h"
#include "worker/media/transport_pace.h"
#include "worker/media/worker_state.h"
#include "worker/rtp/send_stream.h"

enum { KEEP_MAX = 256 * 1024 }; /* bytes that one consumer keeps of its parameters */

struct consumer *consumer_of(struct object *o)
{
    return o ? container_of(o, struct consumer, object) : NULL;
}

enum err consumer_open(struct transport *t, struct producer *p,
                       const struct transport_consume_request *in, struct consumer **out,
                       struct field_error *f)
{
    enum rtp_type type = (enum rtp_type)in->type;
    if ((enum media_kind)in->kind != p->kind)
        return fail(f, ERR_TYPE, "kind", "not the producer's");
    switch (type) {
    case RTP_TYPE_SIMPLE:
        return simple_consumer_open(t, p, in, out, f);
    case RTP_TYPE_SIMULCAST:
    case RTP_TYPE_SVC:
        return layered_consumer_open(t, p, in, out, f);
    case RTP_TYPE_PIPE:
        return pipe_consumer_open(t, p, in, out, f);
    }
    return fail(f, ERR_TYPE, "type", "unknown");
}

static enum err refuse(struct field_error *f, enum err e, const char *list, size_t i,
                       const char *member, const char *why)
{
    char path[64];
    snprintf(path, sizeof path, "%s[%zu].%s", list, i, member);
    return fail(f, e, path, "%s", why);
}

static enum err check_encodings(const struct consumer *c, struct field_error *f)
{
    const struct rtp_parameters *r = c->rtp_parameters;
    if (r->n_encodings == 0)
        return fail(f, ERR_TYPE, "rtpParameters.encodings", "empty");
    for (size_t i = 0; i < r->n_encodings; i++) {
        if (!r->encodings[i].has_ssrc)
            return refuse(f, ERR_TYPE, "rtpParameters.encodings", i, "ssrc", "missing");
    }
    if (c->n_consumable_encodings == 0)
        return fail(f, ERR_TYPE, "consumableRtpEncodings", "empty");
    for (size_t i = 0; i < c->n_consumable_encodings; i++) {
        if (!c->consumable_encodings[i].has_ssrc)
            return refuse(f, ERR_TYPE, "consumableRtpEncodings", i, "ssrc", "missing");
    }
    return OK;
}

static enum err keep_parameters(struct consumer *c, const struct transport_consume_request *in,
                                struct field_error *f)
{
    arena_init(&c->keep, KEEP_MAX);
    c->n_consumable_encodings = in->n_consumable_rtp_encodings;
    c->rtp_parameters = arena_alloc(&c->keep, sizeof *c->rtp_parameters);
    c->consumable_encodings =
        arena_array(&c->keep, c->n_consumable_encodings, sizeof *c->consumable_encodings);
    if (!c->rtp_parameters || !c->consumable_encodings)
        return fail_plain(f, ERR_NOMEM);
    enum err e =
        shape_clone(&rtp_parameters_shape, in->rtp_parameters, c->rtp_parameters, &c->keep);
    for (size_t i = 0; e == OK && i < c->n_consumable_encodings; i++)
        e = shape_clone(&rtp_encoding_parameters_shape, &in->consumable_rtp_encodings[i],
                        &c->consumable_encodings[i], &c->keep);
    return e == OK ? OK : fail_plain(f, e);
}

static enum err add_ssrcs(struct consumer *c, struct field_error *f)
{
    struct ssrc_map *map = &c->transport->ssrcs;
    const char *list = "rtpParameters.encodings";
    for (size_t i = 0; i < c->rtp_parameters->n_encodings; i++) {
        const struct rtp_encoding_parameters *e = &c->rtp_parameters->encodings[i];
        enum err err = ssrc_map_add(map, e->ssrc, c);
        if (err == ERR_EXISTS)
            return refuse(f, err, list, i, "ssrc", "in use in this transport");
        if (err == OK && e->rtx)
            err = ssrc_map_add(map, e->rtx->ssrc, c);
        if (err == ERR_EXISTS)
            return refuse(f, err, list, i, "rtx.ssrc", "in use in this transport");
        if (err != OK)
            return fail_plain(f, err);
    }
    return OK;
}

static void remove_ssrc(struct consumer *c, uint32_t ssrc)
{
    struct transport *t = c->transport;
    if (ssrc_map_get(&t->ssrcs, ssrc) != c)
        return;
    ssrc_map_remove(&t->ssrcs, ssrc);
    transport_pace_forget(t, ssrc);
    if (t->sealer)
        seal_remove_ssrc(t->sealer, ssrc);
}

static void support(struct consumer *c, uint8_t payload_type)
{
    c->supported[payload_type >> 6] |= UINT64_C(1) << (payload_type & 63);
}

static void prepare_forwarding(struct consumer *c, const struct ext_ids *ids)
{
    struct ext_ids sent = *ids;
    const struct codec_entry *first =
        codec_table_of_encoding(&c->codecs, &c->rtp_parameters->encodings[0]);
    /* Without RTX a lost packet is sent again as it was, byte for byte (see seal.h), and a time of
     * sending would differ. */
    if (first->nack && !c->rtp_parameters->encodings[0].rtx)
        sent.of[RTP_EXT_ABS_SEND_TIME] = 0;
    ext_layout_init(&c->layout, &sent, c->rtp_parameters->mid);
    for (size_t i = 0; i < c->codecs.n && !c->renamed; i++) {
        const struct codec_entry *e = &c->codecs.entries[i];
        if (!codec_is_rtx(e->codec))
            support(c, e->payload_type);
    }
}

static enum err rename_types(struct consumer *c, const struct transport_consume_request *in,
                             struct field_error *f)
{
    if (in->n_payload_types == 0)
        return OK;
    c->renamed = arena_alloc(&c->keep, RTP_PT_MAX + 1);
    if (!c->renamed)
        return fail_plain(f, ERR_NOMEM);
    for (size_t i = 0; i < in->n_payload_types; i++) {
        const struct rtp_codec_mapping *m = &in->payload_types[i];
        const struct codec_entry *e = codec_table_get(&c->codecs, m->mapped_payload_type);
        if (!e)
            return refuse(f, ERR_TYPE, "payloadTypes", i, "mappedPayloadType",
                          "is no codec of rtpParameters");
        c->renamed[m->payload_type] = m->mapped_payload_type;
        if (!codec_is_rtx(e->codec))
            support(c, m->payload_type);
    }
    return OK;
}

static enum err init(struct consumer *c, const struct transport_consume_request *in,
                     struct field_error *f)
{
    struct ext_ids ids;
    size_t bad;
    enum err e = keep_parameters(c, in, f);
    if (e == OK)
        e = check_encodings(c, f);
    if (e == OK)
        e = codec_table_init(&c->codecs, c->rtp_parameters, c->kind, &c->keep, f);
    if (e != OK)
        return e;
    codec_table_complete(&c->codecs, c->rtp_parameters);
    const struct rtp_parameters *r = c->rtp_parameters;
    if (ext_ids_init(&ids, r->header_extensions, r->n_header_extensions, &bad) != OK)
        return refuse(f, ERR_TYPE, "rtpParameters.headerExtensions", bad, "id",
                      "this id or uri is used twice");
    e = rename_types(c, in, f);
    if (e != OK)
        return e;
    prepare_forwarding(c, &ids);
    e = add_ssrcs(c, f);
    if (e != OK)
        return e;
    e = producer_attach(c->producer, c);
    return e == OK ? OK : fail_plain(f, e);
}

enum err consumer_init(struct consumer *c, const struct consumer_ops *ops, struct transport *t,
                       struct producer *p, const struct transport_consume_request *in,
                       struct field_error *f)
{
    enum err e = object_init(&c->object, &t->worker->objects, OBJECT_CONSUMER, in->consumer_id);
    if (e != OK)
        return e == ERR_EXISTS ? fail(f, e, "consumerId", "an object with this id exists")
                               : fail_plain(f, e);
    c->ops = ops;
    c->transport = t;
    c->producer = p;
    c->producer_slot = SIZE_MAX;
    c->kind = (enum media_kind)in->kind;
    c->paused = in->paused;
    c->producer_paused = p->paused;
    c->ignore_dtx = in->ignore_dtx;
    c->pads = t->ops->type == TRANSPORT_TYPE_WEBRTC && ops->type != RTP_TYPE_PIPE;
    c->priority = 1;
    list_init(&c->in_transport);
    e = init(c, in, f);
    if (e != OK) {
        consumer_fini(c);
        return e;
    }
    list_remove(&c->in_transport);
    list_add(&t->consumers, &c->in_transport);
    t->n_consumers++;
    t->worker->counters.consumers++;
    return OK;
}

uint8_t consumer_padding(const struct consumer *c, const struct media_packet *m,
                         const struct send_stream *s)
{
    return c->pads && s->params.has_rtx ? m->padding : 0;
}

void consumer_fini(struct consumer *c)
{
    struct transport *t = c->transport;
    if (!t)
        return;
    for (size_t i = 0; c->rtp_parameters && i < c->rtp_parameters->n_encodings; i++) {
        const struct rtp_encoding_parameters *e = &c->rtp_parameters->encodings[i];
        remove_ssrc(c, e->ssrc);
        if (e->rtx)
            remove_ssrc(c, e->rtx->ssrc);
    }
    if (c->producer_slot != SIZE_MAX)
        producer_detach(c->producer, c);
    if (!list_empty(&c->in_transport)) {
        list_remove(&c->in_transport);
        t->n_consumers--;
        t->worker->counters.consumers--;
    }
    arena_fini(&c->keep);
    object_fini(&c->object);
}

void consumer_close(struct consumer *c)
{
    c->ops->close(c);
}

void consumer_producer_closed(struct consumer *c)
{
    worker_notify(c->transport->worker, c->object.id, EVENT_CONSUMER_PRODUCER_CLOSE, NULL);
    consumer_close(c);
}

void consumer_update(struct consumer *c, usec now)
{
    bool active = c->transport->connected && !c->paused && !c->producer_paused;
    if (active == c->active)
        return;
    /* What waits to be forwarded is in the cache already, and must not come twice. */
    if (active && producer_has_gop(c->producer))
        forward_batch_flush(c->transport->worker, now);
    c->active = active;
    if (active && c->ops->offer)
        transport_bwe_changed(c->transport, now); /* it starts with the layers that it may have */
    if (active)
        c->ops->started(c, now);
    else
        c->ops->stopped(c, now);
}

void consumer_pause(struct consumer *c, usec now)
{
    c->paused = true;
    consumer_update(c, now);
}

void consumer_resume(struct consumer *c, usec now)
{
    c->paused = false;
    consumer_update(c, now);
}

void consumer_producer_paused(struct consumer *c, usec now, bool paused)
{
    c->producer_paused = paused;
    worker_notify(c->transport->worker, c->object.id,
                  paused ? EVENT_CONSUMER_PRODUCER_PAUSE : EVENT_CONSUMER_PRODUCER_RESUME, NULL);
    consumer_update(c, now);
}

/* Of a pipe no single stream counts, and what does not come is no fault of it. */
static uint8_t producer_score(const struct consumer *c)
{
    const struct producer_stream *source = c->ops->source(c);
    return source ? producer_stream_score(source) : c->ops->type == RTP_TYPE_PIPE ? 10 : 0;
}

/* scores: room for one entry a stream of the producer. */
static void fill_score(const struct consumer *c, uint8_t *scores, struct consumer_score *out)
{
    const struct producer *p = c->producer;
    for (size_t i = 0; i < p->n_streams; i++)
        scores[i] = producer_stream_score(&p->streams[i]);
    *out = (struct consumer_score){.score = c->ops->score(c),
                                   .has_score = true,
                                   .producer_score = producer_score(c),
                                   .has_producer_score = true,
                                   .producer_scores = scores,
                                   .n_producer_scores = p->n_streams};
}

enum err consumer_score_now(const struct consumer *c, struct arena *arena,
                            struct consumer_score *out)
{
    uint8_t *scores = arena_alloc(arena, c->producer->n_streams);
    if (!scores)
        return ERR_NOMEM;
    fill_score(c, scores, out);
    return OK;
}

void consumer_check_score(struct consumer *c)
{
    uint8_t scores[PRODUCER_MAX_STREAMS];
    struct consumer_score score;
    fill_score(c, scores, &score);
    if (c->told && score.score == c->told_score && score.producer_score == c->told_producer_score)
        return;
    c->told = true;
    c->told_score = score.score;
    c->told_producer_score = score.producer_score;
    struct consumer_score_event event = {.score = &score};
    worker_notify(c->transport->worker, c->object.id, EVENT_CONSUMER_SCORE, &event);
}

void consumer_trace(struct consumer *c, const int *types, size_t n)
{
    c->trace = 0;
    for (size_t i = 0; i < n; i++)
        c->trace |= 1U << types[i];
}
