#include "controller/room/room_pipe.h"
#include "controller/room/session.h"

bool app_data_fits(json_t *app_data)
{
    if (!app_data)
        return true;
    if (!json_is_object(app_data))
        return false;
    size_t n = json_dumpb(app_data, NULL, 0, JSON_COMPACT);
    return n <= APP_DATA_BYTES_MAX;
}

void on_produce(struct sig_call *call)
{
    const struct sig_produce *in = call->data;
    struct room_peer *p = call->session->peer;
    struct room_transport *t = transport_find(p, in->transport_id);
    if (!t || t->use != USE_PRODUCE) {
        sig_fail(call, ERR_NOT_FOUND, "transportId is no producer transport of this peer");
        return;
    }
    if (p->role == ROLE_VIEWER) {
        sig_fail(call, ERR_DENIED, "viewers do not produce: join with another role");
        return;
    }
    if (p->n_producers >= call->session->rooms->config.producers_per_peer_max) {
        sig_fail(call, ERR_FULL, "this peer has as many producers as it may have");
        return;
    }
    if (!app_data_fits(in->app_data)) {
        sig_fail(call, ERR_TYPE, "appData must be an object of at most 4096 bytes");
        return;
    }
    struct field_error error;
    enum err e = producer_open(t, call->request, (enum media_kind)in->kind, in->rtp_parameters,
                               in->paused, in->app_data, NULL, &error);
    if (e != OK)
        sig_fail(call, e, error.reason);
}

static struct room_producer *producer_of_call(struct sig_call *call)
{
    const struct sig_on_producer *in = call->data;
    struct room_producer *p = producer_of_peer(call->session->peer, in->producer_id);
    if (!p)
        sig_fail(call, ERR_NOT_FOUND, "producerId is no producer of this peer");
    return p;
}

static void set_paused(struct sig_call *call, bool paused)
{
    struct room_producer *p = producer_of_call(call);
    if (!p)
        return;
    struct op about = {.producer = p};
    enum err e = op_start(call->session->peer, call->request,
                          paused ? METHOD_PRODUCER_PAUSE : METHOD_PRODUCER_RESUME, p->id, NULL,
                          op_answer, &about);
    if (e != OK) {
        sig_fail(call, e, "the media worker is away, try again");
        return;
    }
    if (p->paused == paused)
        return;
    p->paused = paused;
    pipes_set_paused(&p->pipes, paused);
    producers_changed(p->transport->peer->room, p, NULL);
    if (p->observed)
        observe_paused(p, paused);
}

void on_pause_producer(struct sig_call *call)
{
    set_paused(call, true);
}

void on_resume_producer(struct sig_call *call)
{
    set_paused(call, false);
}

void on_close_producer(struct sig_call *call)
{
    struct room_producer *p = producer_of_call(call);
    if (!p)
        return;
    producer_close(p, true);
    sig_answer(call, NULL);
}

static void on_stats(struct op *op, enum err e, const char *reason, const void *data)
{
    if (e != OK) {
        op_fail(op, e, reason);
        return;
    }
    json_t *whole = shape_encode(&producer_get_stats_response_shape, data);
    op_reply(op, whole ? json_incref(json_object_get(whole, "stats")) : NULL);
    json_decref(whole);
}

void on_get_producer_stats(struct sig_call *call)
{
    struct room_producer *p = producer_of_call(call);
    if (!p)
        return;
    struct op about = {.producer = p};
    enum err e = op_start(call->session->peer, call->request, METHOD_PRODUCER_GET_STATS, p->id,
                          NULL, on_stats, &about);
    if (e != OK)
        sig_fail(call, e, "the media worker is away, try again");
}
