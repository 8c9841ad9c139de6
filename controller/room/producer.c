#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields_clone.h"
#include "controller/room/room_pipe.h"
#include "controller/rtc/ortc.h"

/* Key frames cost the broadcaster; a second between them is what the slowest viewer waits at most.
 * Measured by make bench BENCH_ARGS=keyframes. */
enum { KEY_FRAME_REQUEST_DELAY_MS = 1000 };

const char *producer_id(const struct room_producer *p)
{
    return p->id;
}

enum media_kind producer_kind(const struct room_producer *p)
{
    return p->kind;
}

bool producer_paused(const struct room_producer *p)
{
    return p->paused;
}

struct room_peer *producer_peer(const struct room_producer *p)
{
    return p->transport->peer;
}

bool producer_is_screen(const struct room_producer *p)
{
    const char *source = json_string_value(json_object_get(p->app_data, "source"));
    return (source && strcmp(source, "screen") == 0) ||
           json_is_true(json_object_get(p->app_data, "share"));
}

bool producer_silent(const struct room_producer *p)
{
    return p->silent;
}

const struct producer_picture *producer_picture(const struct room_producer *p)
{
    return &p->picture;
}

const struct rtp_parameters *producer_consumable(const struct room_producer *p)
{
    return &p->consumable;
}

void producer_describe(const struct room_producer *p, struct sig_producer_info *out)
{
    *out = (struct sig_producer_info){.producer_id = p->id,
                                      .peer_id = p->transport->peer->id,
                                      .kind = (int)p->kind,
                                      .paused = p->paused,
                                      .app_data = p->app_data};
}

void producers_changed(struct room *room, const struct room_producer *added,
                       const struct room_producer *removed)
{
    struct sig_producer_info info;
    struct sig_producer_gone gone;
    struct sig_producers_changed event = {.added = &info, .removed = &gone};
    const struct room_producer *p = added ? added : removed;
    if (added) {
        producer_describe(added, &info);
        event.n_added = 1;
    }
    if (removed) {
        gone = (struct sig_producer_gone){.producer_id = removed->id,
                                          .peer_id = removed->transport->peer->id};
        event.n_removed = 1;
    }
    room_notify_others(room, p->transport->peer, SIG_EVENT_PRODUCERS_CHANGED, &event);
}

static bool all_silent(const struct producer_score_event *e)
{
    bool silent = e->n_scores > 0;
    for (size_t i = 0; i < e->n_scores; i++)
        silent = silent && e->scores[i].score == 0;
    return silent;
}

static void take_report(struct room_producer *p, const struct producer_trace_event *e)
{
    if (e->type != PRODUCER_TRACE_SR || !e->info)
        return;
    p->has_clock = true;
    p->clock_ntp = (uint64_t)e->info->ntp_sec << 32 | e->info->ntp_frac;
    p->clock_rtp = e->info->rtp_ts;
}

bool producer_clock(struct room_producer *p, uint64_t *ntp, uint32_t *rtp_timestamp)
{
    int events[] = {PRODUCER_TRACE_SR};
    struct producer_enable_trace_event_request trace = {.events = events, .n_events = 1};
    if (p->consumable.n_encodings != 1)
        return false;
    if (!p->clock_asked && p->listener.worker)
        p->clock_asked = fleet_request(p->listener.worker, METHOD_PRODUCER_ENABLE_TRACE_EVENT,
                                       p->id, &trace, NULL, NULL) == OK;
    *ntp = p->clock_ntp;
    *rtp_timestamp = p->clock_rtp;
    return p->has_clock;
}

static void take_picture(struct room_producer *p, enum pipe_event event, const void *data)
{
    const struct producer_video_size_change_event *size = data;
    const struct producer_video_orientation_change_event *orientation = data;
    if (event == EVENT_PRODUCER_VIDEO_SIZE_CHANGE) {
        p->picture.width = size->width;
        p->picture.height = size->height;
    } else {
        p->picture.rotation = orientation->rotation;
    }
    if (p->observed)
        observe_picture(p);
}

static void take_scores(struct room_producer *p, const void *data)
{
    json_t *whole = shape_encode(&producer_score_event_shape, data);
    struct sig_producer_score score = {.producer_id = p->id,
                                       .score = whole ? json_object_get(whole, "scores") : NULL};
    peer_notify(p->transport->peer, SIG_EVENT_PRODUCER_SCORE, &score);
    json_decref(whole);
    bool silent = all_silent(data);
    if (silent != p->silent) {
        p->silent = silent;
        if (p->observed)
            observe_silent(p, silent);
    }
}

static void on_event(void *ctx, enum pipe_event event, const void *data)
{
    if (event == EVENT_PRODUCER_TRACE)
        take_report(ctx, data);
    else if (event == EVENT_PRODUCER_SCORE)
        take_scores(ctx, data);
    else if (event == EVENT_PRODUCER_VIDEO_SIZE_CHANGE ||
             event == EVENT_PRODUCER_VIDEO_ORIENTATION_CHANGE)
        take_picture(ctx, event, data);
}

/* ---- what features see ---- */

void producer_show(struct room_producer *p)
{
    struct room_peer *peer = p->transport->peer;
    struct room_router *origin = room_origin(peer->room);
    if (p->observed || !origin)
        return;
    if (peer->router != origin && pipe_producer(p, origin, &p->home) != OK)
        return; /* the origin's loss is about to be told, or memory ran out */
    p->observed = true;
    observe_producer(p, true);
}

void producer_hide(struct room_producer *p)
{
    pipe_release(&p->home);
    if (!p->observed)
        return;
    p->observed = false;
    observe_producer(p, false);
}

/* ---- life ---- */

static void on_produced(struct op *op, enum err e, const char *reason, const void *data)
{
    struct room_producer *p = op->producer;
    struct room *room = op->peer->room;
    (void)data;
    room_produce_fn *own_done = p->own_done;
    void *own_ctx = p->own_ctx;
    if (e != OK) {
        op_fail(op, e, reason);
        producer_close(p, false);
        if (own_done)
            own_done(own_ctx, e, reason, NULL);
        return;
    }
    p->ready = true;
    HASH_ADD_STR(room->producers, id, p);
    op_reply(op, json_incref(op->answer));
    producers_changed(room, p, NULL);
    producer_show(p);
    if (own_done)
        own_done(own_ctx, OK, "", p);
}

static struct room_producer *producer_new(struct room_transport *t, enum media_kind kind,
                                          bool paused, json_t *app_data)
{
    struct room_producer *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    struct room *room = t->peer->room;
    p->transport = t;
    p->kind = kind;
    p->paused = paused;
    p->app_data = json_incref(app_data);
    list_init(&p->pipes);
    arena_init(&p->arena, PARAMETERS_BYTES_MAX);
    rng_uuid(room->rooms->config.rng, p->id);
    list_add(&t->producers, &p->node);
    t->peer->n_producers++;
    fleet_worker_add_load(peer_worker(t->peer), 1);
    fleet_listen(&p->listener, peer_worker(t->peer), p->id, on_event, p);
    return p;
}

/* What the router makes of the parameters; the consumable ones are kept with the producer. */
static enum err negotiate(struct room_producer *p, struct rtp_parameters *parameters,
                          struct arena *scratch, struct rtp_mapping *mapping,
                          struct field_error *error)
{
    struct rooms *r = p->transport->peer->room->rooms;
    struct rtp_parameters consumable;
    enum err e = ortc_check_parameters(parameters, p->kind, "rtpParameters", scratch, error);
    if (e == OK)
        e = ortc_producer_mapping(parameters, &r->capabilities, r->config.rng, scratch, mapping,
                                  error);
    if (e != OK)
        return e;
    p->type = ortc_producer_type(parameters);
    e = ortc_consumable(p->kind, parameters, &r->capabilities, mapping, scratch, &consumable);
    if (e == OK)
        e = shape_clone(&rtp_parameters_shape, &consumable, &p->consumable, &p->arena);
    if (e != OK)
        *error = (struct field_error){.err = e, .reason = "out of memory"};
    return e;
}

static enum err ask(struct room_producer *p, struct op_request request,
                    struct rtp_parameters *parameters, struct rtp_mapping *mapping)
{
    struct transport_produce_request produce = {
        .producer_id = p->id,
        .kind = (int)p->kind,
        .rtp_parameters = parameters,
        .rtp_mapping = mapping,
        .paused = p->paused,
        .has_paused = true,
        .key_frame_request_delay = p->kind == MEDIA_KIND_VIDEO ? KEY_FRAME_REQUEST_DELAY_MS : 0,
        .has_key_frame_request_delay = true};
    struct op about = {
        .transport = p->transport, .producer = p, .answer = json_pack("{s:s}", "id", p->id)};
    return op_start(p->transport->peer, request, METHOD_TRANSPORT_PRODUCE, p->transport->id,
                    &produce, on_produced, &about);
}

enum err producer_open(struct room_transport *t, struct op_request request, enum media_kind kind,
                       struct rtp_parameters *parameters, bool paused, json_t *app_data,
                       struct room_producer **out, struct field_error *error)
{
    *error = (struct field_error){.err = ERR_UNAVAILABLE,
                                  .reason = "the media worker is away, try again"};
    if (!peer_worker(t->peer))
        return error->err;
    struct room_producer *p = producer_new(t, kind, paused, app_data);
    if (!p) {
        error->err = ERR_NOMEM;
        return ERR_NOMEM;
    }
    struct arena scratch;
    struct rtp_mapping mapping;
    arena_init(&scratch, PARAMETERS_BYTES_MAX);
    enum err e = negotiate(p, parameters, &scratch, &mapping, error);
    if (e == OK) {
        e = ask(p, request, parameters, &mapping);
        if (e != OK)
            *error =
                (struct field_error){.err = e, .reason = "the media worker takes no request now"};
    }
    arena_fini(&scratch);
    if (e != OK)
        producer_close(p, false);
    else if (out)
        *out = p;
    return e;
}

void producer_close(struct room_producer *p, bool tell_worker)
{
    struct room_transport *t = p->transport;
    struct room_peer *peer = t->peer;
    struct room *room = peer->room;
    struct fleet_worker *w = peer_worker(peer);
    ops_end(peer, p, ERR_CLOSED, "the producer was closed");
    if (p->ready) {
        HASH_DEL(room->producers, p);
        p->ready = false;
        producers_changed(room, NULL, p);
        producer_hide(p);
    }
    pipes_close(&p->pipes);
    fleet_unlisten(&p->listener);
    if (w) {
        struct transport_close_producer_request request = {.producer_id = p->id};
        if (tell_worker)
            (void)fleet_request(w, METHOD_TRANSPORT_CLOSE_PRODUCER, t->id, &request, NULL, NULL);
        fleet_worker_add_load(w, -1);
    }
    list_remove(&p->node);
    peer->n_producers--;
    json_decref(p->app_data);
    arena_fini(&p->arena);
    free(p);
}

struct room_producer *producer_of_peer(struct room_peer *peer, const char *id)
{
    struct room_producer *p = NULL;
    HASH_FIND_STR(peer->room->producers, id, p);
    return p && p->transport->peer == peer ? p : NULL;
}
