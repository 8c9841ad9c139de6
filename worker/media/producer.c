#include "worker/media/producer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields_clone.h"
#include "proto/pipe.h"
#include "worker/media/consumer.h"
#include "worker/media/forward_batch.h"
#include "worker/media/fail.h"
#include "worker/media/rtp_listener.h"
#include "worker/media/rtp_observer.h"
#include "worker/media/scalability.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

enum { KEEP_MAX = 256 * 1024 }; /* bytes that one producer keeps of its parameters */

struct producer *producer_of(struct object *o)
{
    return o ? container_of(o, struct producer, object) : NULL;
}

static enum err refuse_encoding(struct field_error *f, size_t i, const char *list,
                                const char *member, const char *why)
{
    char path[64];
    snprintf(path, sizeof path, "%s[%zu].%s", list, i, member);
    return fail(f, ERR_TYPE, path, "%s", why);
}

static enum err check_encodings(const struct rtp_parameters *p, const struct rtp_mapping *m,
                                struct field_error *f)
{
    static const char mapping[] = "rtpMapping.encodings";
    static const char encodings[] = "rtpParameters.encodings";
    if (p->n_encodings == 0)
        return fail(f, ERR_TYPE, encodings, "empty");
    if (p->n_encodings > PRODUCER_MAX_STREAMS)
        return fail(f, ERR_RANGE, encodings, "more than %d", PRODUCER_MAX_STREAMS);
    if (m->n_encodings != p->n_encodings)
        return fail(f, ERR_TYPE, mapping,
                    "must have one entry for each of rtpParameters.encodings");
    for (size_t i = 0; i < p->n_encodings; i++) {
        const struct rtp_encoding_parameters *e = &p->encodings[i];
        if (p->n_encodings == 1 && !e->has_ssrc && !e->rid && !p->mid)
            return refuse_encoding(f, i, encodings, "ssrc",
                                   "missing, and there is neither rid nor mid");
        /* Several streams cannot be told apart without a name for each. */
        if (p->n_encodings > 1 && !e->has_ssrc && !e->rid)
            return refuse_encoding(f, i, encodings, "ssrc", "missing, and there is no rid");
        if (p->n_encodings > 1 && !m->encodings[i].has_ssrc && !m->encodings[i].rid)
            return refuse_encoding(f, i, mapping, "ssrc", "missing, and there is no rid");
        for (size_t j = 0; j < i; j++) {
            const struct rtp_encoding_parameters *other = &p->encodings[j];
            if (e->has_ssrc && other->has_ssrc && e->ssrc == other->ssrc)
                return refuse_encoding(f, i, encodings, "ssrc", "used twice");
            if (e->rid && other->rid && strcmp(e->rid, other->rid) == 0)
                return refuse_encoding(f, i, encodings, "rid", "used twice");
            if (m->encodings[i].mapped_ssrc == m->encodings[j].mapped_ssrc)
                return refuse_encoding(f, i, mapping, "mappedSsrc", "used twice");
        }
    }
    return OK;
}

static enum err check_mapping(struct producer *p, const struct rtp_mapping *m,
                              struct field_error *f)
{
    memset(p->mapped_pt, CODEC_TABLE_NONE, sizeof p->mapped_pt);
    for (size_t i = 0; i < m->n_codecs; i++) {
        const struct rtp_codec_mapping *c = &m->codecs[i];
        char path[64];
        snprintf(path, sizeof path, "rtpMapping.codecs[%zu].payloadType", i);
        if (!codec_table_get(&p->codecs, c->payload_type))
            return fail(f, ERR_TYPE, path, "not in rtpParameters.codecs");
        p->mapped_pt[c->payload_type] = c->mapped_payload_type;
    }
    for (size_t i = 0; i < p->codecs.n; i++) {
        const struct codec_entry *e = &p->codecs.entries[i];
        if (!codec_is_rtx(e->codec) && p->mapped_pt[e->payload_type] == CODEC_TABLE_NONE)
            return fail(f, ERR_TYPE, "rtpMapping.codecs", "nothing for payload type %u",
                        e->payload_type);
    }
    return OK;
}

/* As mediasoup calls it: several encodings are simulcast, one with layers is svc, also where these
 * are temporal only. */
static enum rtp_type type_of(const struct producer *p)
{
    const struct rtp_parameters *r = p->rtp_parameters;
    if (r->n_encodings > 1)
        return RTP_TYPE_SIMULCAST;
    struct scalability s = scalability_parse(r->encodings[0].scalability_mode);
    return s.spatial <= 1 && s.temporal <= 1 ? RTP_TYPE_SIMPLE : RTP_TYPE_SVC;
}

static enum err keep_parameters(struct producer *p, const struct transport_produce_request *in,
                                struct field_error *f)
{
    arena_init(&p->keep, KEEP_MAX);
    p->rtp_parameters = arena_alloc(&p->keep, sizeof *p->rtp_parameters);
    p->rtp_mapping = arena_alloc(&p->keep, sizeof *p->rtp_mapping);
    if (!p->rtp_parameters || !p->rtp_mapping ||
        shape_clone(&rtp_parameters_shape, in->rtp_parameters, p->rtp_parameters, &p->keep) != OK ||
        shape_clone(&rtp_mapping_shape, in->rtp_mapping, p->rtp_mapping, &p->keep) != OK)
        return fail_plain(f, ERR_NOMEM);
    return OK;
}

static void on_stream_timer(struct timer *timer, usec now)
{
    producer_stream_timeout(container_of(timer, struct producer_stream, timer), now);
}

static enum err make_streams(struct producer *p, usec key_frame_delay, struct field_error *f)
{
    p->n_streams = p->rtp_parameters->n_encodings;
    p->streams = calloc(p->n_streams, sizeof *p->streams);
    if (!p->streams) {
        p->n_streams = 0;
        return fail_plain(f, ERR_NOMEM);
    }
    for (size_t i = 0; i < p->n_streams; i++) {
        const struct rtp_encoding_parameters *e = &p->rtp_parameters->encodings[i];
        struct producer_stream *s = &p->streams[i];
        s->producer = p;
        s->index = (uint8_t)i;
        s->mapped_ssrc = p->rtp_mapping->encodings[i].mapped_ssrc;
        s->has_ssrc = e->has_ssrc;
        s->ssrc = e->ssrc;
        s->has_rtx_ssrc = e->has_ssrc && e->rtx != NULL;
        s->rtx_ssrc = e->rtx ? e->rtx->ssrc : 0;
        keyframe_init(&s->keyframe, key_frame_delay);
        if (timer_add(&p->transport->worker->timers, &s->timer, on_stream_timer) != OK)
            return fail_plain(f, ERR_NOMEM);
    }
    return OK;
}

static enum err init(struct producer *p, const struct transport_produce_request *in,
                     struct field_error *f)
{
    size_t bad;
    enum err e = keep_parameters(p, in, f);
    if (e == OK)
        e = check_encodings(p->rtp_parameters, p->rtp_mapping, f);
    if (e == OK)
        e = codec_table_init(&p->codecs, p->rtp_parameters, p->kind, &p->keep, f);
    if (e == OK)
        e = check_mapping(p, p->rtp_mapping, f);
    if (e != OK)
        return e;
    const struct rtp_parameters *r = p->rtp_parameters;
    if (ext_ids_init(&p->ext, r->header_extensions, r->n_header_extensions, &bad) != OK)
        return refuse_encoding(f, bad, "rtpParameters.headerExtensions", "id",
                               "this id or uri is used twice");
    codec_table_complete(&p->codecs, p->rtp_parameters);
    p->type = type_of(p);
    e = make_streams(p, (usec)in->key_frame_request_delay * USEC_PER_MSEC, f);
    return e == OK ? rtp_listener_add(p->transport, p, f) : e;
}

static void free_producer(struct producer *p)
{
    forward_batch_drop(p->transport->worker, p);
    for (size_t i = 0; i < p->n_streams; i++) {
        timer_drop(&p->streams[i].timer);
        held_fini(&p->streams[i].held);
        gop_cache_fini(&p->streams[i].gop);
        layer_stream_fini(&p->streams[i].layers);
        if (p->streams[i].started)
            recv_stream_fini(&p->streams[i].recv);
    }
    free(p->streams);
    free(p->consumers);
    arena_fini(&p->keep);
    object_fini(&p->object);
    free(p);
}

enum err producer_open(struct transport *t, usec now, const struct transport_produce_request *in,
                       struct producer **out, struct field_error *f)
{
    (void)now;
    struct producer *p = calloc(1, sizeof *p);
    if (!p)
        return fail_plain(f, ERR_NOMEM);
    enum err e = object_init(&p->object, &t->worker->objects, OBJECT_PRODUCER, in->producer_id);
    if (e != OK) {
        free(p);
        return e == ERR_EXISTS ? fail(f, e, "producerId", "an object with this id exists")
                               : fail_plain(f, e);
    }
    p->transport = t;
    list_init(&p->observers);
    p->kind = (enum media_kind)in->kind;
    p->paused = in->paused;
    e = init(p, in, f);
    if (e != OK) {
        free_producer(p);
        return e;
    }
    list_add(&t->producers, &p->in_transport);
    t->n_producers++;
    t->worker->counters.producers++;
    *out = p;
    return OK;
}

void producer_close(struct producer *p, usec now)
{
    struct transport *t = p->transport;
    rtp_observer_producer_closed(p, now);
    while (p->n_consumers > 0)
        consumer_producer_closed(p->consumers[p->n_consumers - 1]);
    rtp_listener_remove(t, p);
    list_remove(&p->in_transport);
    t->n_producers--;
    t->worker->counters.producers--;
    free_producer(p);
}

enum err producer_attach(struct producer *p, struct consumer *c)
{
    if (p->n_consumers >= PRODUCER_MAX_CONSUMERS)
        return ERR_FULL;
    if (p->n_consumers == p->cap_consumers) {
        size_t cap = p->cap_consumers ? p->cap_consumers * 2 : 8;
        struct consumer **grown = realloc(p->consumers, cap * sizeof(struct consumer *));
        if (!grown)
            return ERR_NOMEM;
        p->consumers = grown;
        p->cap_consumers = cap;
    }
    c->producer_slot = p->n_consumers;
    p->consumers[p->n_consumers++] = c;
    return OK;
}

void producer_detach(struct producer *p, struct consumer *c)
{
    struct consumer *last = p->consumers[--p->n_consumers];
    p->consumers[c->producer_slot] = last;
    last->producer_slot = c->producer_slot;
    for (size_t i = 0; p->n_consumers == 0 && i < p->n_streams; i++) {
        keyframe_cancel(&p->streams[i].keyframe);
        held_clear(&p->streams[i].held);
    }
}

void producer_pause(struct producer *p, usec now)
{
    if (p->paused)
        return;
    p->paused = true;
    rtp_observer_producer_paused(p, now);
    for (size_t i = 0; i < p->n_streams; i++) {
        keyframe_cancel(&p->streams[i].keyframe);
        held_clear(&p->streams[i].held);
        gop_cache_clear(&p->streams[i].gop);
        if (p->streams[i].started)
            recv_stream_pause(&p->streams[i].recv);
    }
    for (size_t i = 0; i < p->n_consumers; i++)
        consumer_producer_paused(p->consumers[i], now, true);
}

void producer_resume(struct producer *p, usec now)
{
    if (!p->paused)
        return;
    p->paused = false;
    for (size_t i = 0; i < p->n_streams; i++) {
        if (p->streams[i].started)
            recv_stream_resume(&p->streams[i].recv, now);
    }
    for (size_t i = 0; i < p->n_consumers; i++)
        consumer_producer_paused(p->consumers[i], now, false);
}

void producer_trace(struct producer *p, const int *types, size_t n)
{
    p->trace = 0;
    for (size_t i = 0; i < n; i++)
        p->trace |= 1U << types[i];
}
