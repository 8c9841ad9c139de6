#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "controller/live/pipeline_state.h"
#include "controller/live/sender_clock.h"
#include "controller/rtc/ortc.h"

enum { SDP_MAX = 16 * 1024 };

static const struct pipeline_env *env_of(const struct run *r)
{
    return &r->pipeline->config.env;
}

static enum err ask(struct run *r, enum pipe_method method, const char *handler_id,
                    const void *data, fleet_reply_fn *reply)
{
    const struct pipeline_env *env = env_of(r);
    enum err e = env->request(env->ctx, r->plan.worker, method, handler_id, data, reply, r);
    if (e == OK && reply)
        r->pending++;
    return e;
}

static void refused(struct run *r, enum err e, const char *why)
{
    r->worker_gone = r->worker_gone || e == ERR_CLOSED;
    pipeline_fail(r->pipeline, e == ERR_CLOSED ? PIPELINE_WORKER_LOST : PIPELINE_REFUSED,
                  why && why[0] ? why : err_text(e));
}

/* ---- ports and parameters ---- */

static enum err prepare(struct run *r, const struct live_source *source)
{
    enum err e = OK;
    for (size_t i = 0; i < r->plan.n_inputs && e == OK; i++) {
        const struct plan_input *in = &r->plan.inputs[i];
        r->inputs[i].kind = in->kind;
        e = run_input_prepare(r, &r->inputs[i], &source->cells[in->cell].tracks[in->kind]);
    }
    return e;
}

/* ---- ffmpeg ---- */

static void finish_cleaning(struct run *r);

static void on_line(void *ctx, const char *line)
{
    struct run *r = ctx;
    char name[PLAYLIST_NAME_MAX];
    usec start;
    usec end;
    if (pipeline_parse_segment(line, r->prefix, name, &start, &end) == OK)
        pipeline_on_segment(r->pipeline, name, start, end);
}

static void on_output(void *ctx, size_t output, const void *bytes, size_t n)
{
    const struct run *r = ctx;
    pipeline_on_output(r->pipeline, output, bytes, n);
}

static void on_ffmpeg_exit(void *ctx, const struct ffmpeg_exit *how)
{
    struct run *r = ctx;
    char why[FFMPEG_WORDS_MAX + 64];
    r->ffmpeg = NULL;
    if (r->pipeline->state == PIPELINE_CLEANING) {
        finish_cleaning(r);
        return;
    }
    /* A machine without fonts: pictures without names are better than none. */
    if (r->names && r->pipeline->state != PIPELINE_ACTIVE && how->signal == 0)
        r->pipeline->no_names = true;
    if (how->signal)
        snprintf(why, sizeof why, "ffmpeg got signal %d", how->signal);
    else
        snprintf(why, sizeof why, "ffmpeg exited with %d: %s", how->status, how->last_words);
    pipeline_fail(r->pipeline, PIPELINE_EXITED, why);
}

void run_ask_key_frame(struct run *r, struct run_input *t, uint64_t now)
{
    t->key_asked_ms = now;
    (void)ask(r, METHOD_CONSUMER_REQUEST_KEY_FRAME, t->consumer_id, NULL, NULL);
}

static void on_resumed(void *ctx, enum err e, const char *reason, const void *data)
{
    struct run *r = ctx;
    (void)data;
    r->pending--;
    if (e != OK)
        refused(r, e, reason);
}

static void resume(struct run *r, struct run_input *t)
{
    if (t->resumed)
        return;
    t->resumed = true;
    if (t->relay)
        env_of(r)->relay_start(t->relay);
    enum err e = ask(r, METHOD_CONSUMER_RESUME, t->consumer_id, NULL, on_resumed);
    if (e != OK)
        refused(r, e, NULL);
}

/* Those of a kind; false: the run failed. */
static bool resume_kind(struct run *r, enum media_kind kind)
{
    for (size_t i = 0; i < r->plan.n_inputs; i++) {
        if (r->inputs[i].kind == kind)
            resume(r, &r->inputs[i]);
        if (r->pipeline->state != PIPELINE_PRIMING)
            return false;
    }
    return true;
}

/* ffmpeg listens: media may flow. Until sender reports have come, which a browser's audio takes
 * seconds for, ffmpeg counts each stream's time from its first packet: so the sound starts when the
 * picture does. Else it would jump when the report comes. Of a composite the time of arrival
 * counts. */
static void on_listening(void *ctx)
{
    struct run *r = ctx;
    struct pipeline *p = r->pipeline;
    uint64_t now = pipeline_now(p);
    if (p->state != PIPELINE_LAUNCHING)
        return;
    bool pictures = r->plan.tracks[MEDIA_KIND_VIDEO].mode == TRACK_RTP;
    pipeline_set_state(p, PIPELINE_PRIMING);
    if (pictures && !resume_kind(r, MEDIA_KIND_VIDEO))
        return;
    if ((!pictures || p->config.encoding.composite) && !resume_kind(r, MEDIA_KIND_AUDIO))
        return;
    for (size_t i = 0; i < r->plan.n_inputs; i++) {
        if (r->inputs[i].kind == MEDIA_KIND_VIDEO)
            run_ask_key_frame(r, &r->inputs[i], now);
    }
    run_on_timer(r, now);
}

/* With each key frame, since the sender's first report may come after the first of them. Of a
 * composite the time of arrival counts. */
void run_set_wall(struct run *r)
{
    struct pipeline *p = r->pipeline;
    const struct run_input *first = &r->inputs[0];
    struct live_source source = {0};
    if (!p->presentation || !first->has_first)
        return;
    usec wall = first->first_arrival;
    p->config.env.describe(p->config.env.ctx, &source);
    const struct live_track *t = &source.cells[0].tracks[MEDIA_KIND_VIDEO];
    if (!p->config.encoding.composite && source.n_cells > 0 && t->producer_id &&
        strcmp(t->producer_id, r->plan.inputs[0].producer_id) == 0)
        wall = sender_clock_time(t, first->first_rtp, first->params.codecs[0].clock_rate, wall);
    presentation_run_wall(p->presentation, wall);
}

/* By the worker's trace: a key frame goes to ffmpeg. */
static void on_event(void *ctx, enum pipe_event event, const void *data)
{
    struct run_input *t = ctx;
    struct run *r = t->run;
    const struct consumer_trace_event *trace = data;
    if (event != EVENT_CONSUMER_TRACE || trace->type != CONSUMER_TRACE_KEYFRAME)
        return;
    run_note_key_frame(t, pipeline_now(r->pipeline));
    if (!t->has_first && trace->info && trace->info->rtp_packet) {
        t->has_first = true;
        t->first_rtp = trace->info->rtp_packet->timestamp;
        t->first_arrival = r->pipeline->config.env.wall(r->pipeline->config.env.ctx);
    }
    run_set_wall(r);
    if (r->pipeline->state == PIPELINE_PRIMING)
        (void)resume_kind(r, MEDIA_KIND_AUDIO);
}

static enum err make_sdp(const struct run *r, char out[SDP_MAX])
{
    struct rtp_input inputs[LIVE_INPUTS_MAX];
    for (size_t i = 0; i < r->plan.n_inputs; i++)
        inputs[i] = (struct rtp_input){
            .kind = r->inputs[i].kind, .port = r->inputs[i].port, .params = &r->inputs[i].params};
    return pipeline_sdp(inputs, r->plan.n_inputs, out, SDP_MAX);
}

/* What is encoded how, in this run. */
static struct encoding encoding_of(struct run *r)
{
    struct encoding e = r->pipeline->config.encoding;
    e.names = r->names = e.composite && e.names && !r->pipeline->no_names;
    return e;
}

static void launch(struct run *r)
{
    struct pipeline *p = r->pipeline;
    char sdp[SDP_MAX];
    char name[sizeof p->room_id + 16];
    char why[FFMPEG_WORDS_MAX];
    struct command c;
    pipeline_set_state(p, PIPELINE_LAUNCHING);
    snprintf(r->prefix, sizeof r->prefix, "%s-%u", p->folder.token, p->runs);
    snprintf(name, sizeof name, "%s#%u", p->room_id, p->runs);
    struct ffmpeg_config config = {.path = p->config.ffmpeg_path,
                                   .name = name,
                                   .on_listening = on_listening,
                                   .on_line = on_line,
                                   .on_output = on_output,
                                   .on_exit = on_ffmpeg_exit,
                                   .ctx = r};
    for (size_t i = 0; i < r->plan.n_inputs; i++) {
        config.ports[config.n_ports++] = r->inputs[i].port;
        config.ports[config.n_ports++] = (uint16_t)(r->inputs[i].port + 1);
    }
    struct encoding encoding = encoding_of(r);
    struct pipeline_output outputs[PIPELINE_OUTPUTS_MAX];
    if (encoding.cmaf)
        config.n_outputs = pipeline_outputs(&r->plan, &encoding, outputs);
    command_init(&c);
    pipeline_command(&c, &r->plan, &encoding, p->folder.path, r->prefix);
    config.args = c.args;
    enum err e = c.bad ? ERR_TOO_LARGE : pipeline_begin_media(p, r);
    if (config.n_ports > 0) {
        config.input = sdp;
        e = e == OK ? make_sdp(r, sdp) : e;
    }
    snprintf(why, sizeof why, "%s", err_text(e));
    if (e == OK)
        e = p->config.env.launch(p->config.env.ctx, &config, &r->ffmpeg, why);
    command_fini(&c);
    if (e != OK)
        pipeline_fail(p, PIPELINE_NO_FFMPEG, why);
    else
        pipeline_arm(p, r->step_ms + LAUNCH_LIMIT_MS);
}

/* ---- consumers ---- */

static void on_consumed(void *ctx, enum err e, const char *reason, const void *data)
{
    struct run *r = ctx;
    (void)data;
    r->pending--;
    if (e != OK)
        refused(r, e, reason);
    else if (r->pending == 0)
        launch(r);
}

/* ffmpeg cannot put the spatial layers of VP9 together, so it gets the lowest, whole. */
static enum err choose_layer(struct run *r, const struct run_input *t)
{
    const struct rtp_encoding_parameters *first = t->consumable.encodings;
    struct consumer_layers lowest = {.spatial_layer = 0, .has_spatial_layer = true};
    struct consumer_set_preferred_layers_request request = {.preferred_layers = &lowest};
    bool svc = run_input_is_vp9(t) && t->consumable.n_encodings == 1 &&
               ortc_scalability(first->scalability_mode).spatial > 1;
    return svc ? ask(r, METHOD_CONSUMER_SET_PREFERRED_LAYERS, t->consumer_id, &request, NULL) : OK;
}

static enum err consume(struct run *r, size_t i)
{
    struct run_input *t = &r->inputs[i];
    enum media_kind kind = t->kind;
    struct transport_consume_request request = {.consumer_id = t->consumer_id,
                                                .producer_id = r->plan.inputs[i].producer_id,
                                                .kind = (int)kind,
                                                .rtp_parameters = &t->params,
                                                .type = (int)ortc_producer_type(&t->consumable),
                                                .consumable_rtp_encodings = t->consumable.encodings,
                                                .n_consumable_rtp_encodings =
                                                    t->consumable.n_encodings,
                                                .paused = true,
                                                .has_paused = true};
    enum err e = ask(r, METHOD_TRANSPORT_CONSUME, t->transport_id, &request, on_consumed);
    if (e != OK || kind != MEDIA_KIND_VIDEO)
        return e;
    e = choose_layer(r, t);
    if (e != OK)
        return e;
    /* Its trace shows when key frames go to ffmpeg. */
    int events[] = {CONSUMER_TRACE_KEYFRAME};
    struct consumer_enable_trace_event_request trace = {.events = events, .n_events = 1};
    const struct pipeline_env *env = env_of(r);
    env->listen(env->ctx, &t->listener, r->plan.worker, t->consumer_id, on_event, t);
    return ask(r, METHOD_CONSUMER_ENABLE_TRACE_EVENT, t->consumer_id, &trace, NULL);
}

static void make_consumers(struct run *r)
{
    pipeline_set_state(r->pipeline, PIPELINE_CONSUMERS);
    for (size_t i = 0; i < r->plan.n_inputs; i++) {
        enum err e = consume(r, i);
        if (e != OK) {
            refused(r, e, NULL);
            return;
        }
    }
    if (r->pending == 0)
        launch(r);
    else
        pipeline_arm(r->pipeline, r->step_ms + STEP_LIMIT_MS);
}

/* ---- transports ---- */

static void on_transport(void *ctx, enum err e, const char *reason, const void *data)
{
    struct run *r = ctx;
    (void)data;
    r->pending--;
    if (e != OK)
        refused(r, e, reason);
    else if (r->pending == 0)
        make_consumers(r);
}

/* The worker takes requests in order, so the connect need not wait for the answer. RTCP comes on
 * the RTP port, which ffmpeg reads as well. */
static enum err make_transport(struct run *r, struct run_input *t)
{
    const struct pipeline_env *env = env_of(r);
    struct listen_info listen = {
        .protocol = PARAM_PROTOCOL_UDP, .has_protocol = true, .ip = "127.0.0.1"};
    struct plain_transport_options options = {.listen_info = &listen,
                                              .rtcp_mux = true,
                                              .has_rtcp_mux = true,
                                              .comedia = false,
                                              .has_comedia = true};
    struct router_create_plain_transport_request create = {.transport_id = t->transport_id,
                                                           .options = &options};
    struct plain_transport_connect_request connect = {.ip = "127.0.0.1",
                                                      .port = t->relay ? env->relay_port(t->relay)
                                                                       : t->port,
                                                      .has_port = true};
    enum err e =
        ask(r, METHOD_ROUTER_CREATE_PLAIN_TRANSPORT, r->plan.router_id, &create, on_transport);
    if (e != OK)
        return e;
    t->transport_asked = true;
    env->load(env->ctx, r->plan.worker, 2); /* the transport and its consumer */
    return ask(r, METHOD_PLAIN_TRANSPORT_CONNECT, t->transport_id, &connect, on_transport);
}

static void make_transports(struct run *r)
{
    for (size_t i = 0; i < r->plan.n_inputs; i++) {
        enum err e = make_transport(r, &r->inputs[i]);
        if (e != OK) {
            refused(r, e, NULL);
            return;
        }
    }
    if (r->pending == 0)
        make_consumers(r);
    else
        pipeline_arm(r->pipeline, r->step_ms + STEP_LIMIT_MS);
}

void run_begin(struct pipeline *p, const struct plan *plan, const struct live_source *source)
{
    struct run *r = calloc(1, sizeof *r);
    if (!r) {
        log_error("hls.no_memory", "room=%s", p->room_id);
        p->start_ms = pipeline_now(p) + BACKOFF_MAX_MS;
        pipeline_arm(p, p->start_ms);
        return;
    }
    r->pipeline = p;
    r->plan = *plan;
    r->knew_size = p->config.encoding.source_width > 0;
    arena_init(&r->arena, PARAMETERS_BYTES_MAX);
    p->run = r;
    pipeline_set_state(p, PIPELINE_TRANSPORTS);
    enum err e = prepare(r, source);
    if (e == ERR_FULL)
        pipeline_fail(p, PIPELINE_NO_PORTS, "every port from hls.port_min to hls.port_max is used");
    else if (e != OK)
        pipeline_fail(p, PIPELINE_REFUSED, err_text(e));
    else
        make_transports(r);
}

/* ---- waiting for others ---- */

void run_on_timer(struct run *r, uint64_t now)
{
    struct pipeline *p = r->pipeline;
    switch (p->state) {
    case PIPELINE_TRANSPORTS:
    case PIPELINE_CONSUMERS:
        if (now >= r->step_ms + STEP_LIMIT_MS)
            pipeline_fail(p, PIPELINE_REFUSED, "the media worker does not answer");
        else
            pipeline_arm(p, r->step_ms + STEP_LIMIT_MS);
        break;
    case PIPELINE_LAUNCHING:
        if (now >= r->step_ms + LAUNCH_LIMIT_MS)
            pipeline_fail(p, PIPELINE_STALLED, "ffmpeg does not listen");
        else
            pipeline_arm(p, r->step_ms + LAUNCH_LIMIT_MS);
        break;
    case PIPELINE_PRIMING:
        run_prime(r, now);
        break;
    case PIPELINE_ACTIVE:
        run_watch(r, now);
        break;
    case PIPELINE_IDLE:
    case PIPELINE_WAITING:
    case PIPELINE_CLEANING:
    case PIPELINE_ENDED:
    case PIPELINE_STATE_COUNT:
        break;
    }
}

/* ---- giving back ---- */

static void close_transport(struct run *r, struct run_input *t)
{
    const struct pipeline_env *env = env_of(r);
    if (!t->transport_asked || r->worker_gone)
        return;
    struct router_close_transport_request request = {.transport_id = t->transport_id};
    env->load(env->ctx, r->plan.worker, -2);
    (void)ask(r, METHOD_ROUTER_CLOSE_TRANSPORT, r->plan.router_id, &request, NULL);
}

static void finish_cleaning(struct run *r)
{
    const struct pipeline_env *env = env_of(r);
    pipeline_end_media(r->pipeline);
    for (size_t i = 0; i < r->plan.n_inputs; i++) {
        struct run_input *t = &r->inputs[i];
        env->unlisten(env->ctx, &t->listener);
        close_transport(r, t);
        ports_give(r->pipeline->config.ports, t->port);
        t->port = 0;
        if (t->relay)
            env->relay_close(t->relay);
        t->relay = NULL;
    }
    pipeline_on_cleaned(r->pipeline);
}

void run_clean(struct run *r, unsigned grace_ms)
{
    const struct pipeline_env *env = env_of(r);
    /* Answers that are still under way belong to nobody from now on. */
    env->forget(env->ctx, r->plan.worker, r);
    if (r->ffmpeg)
        env->stop(env->ctx, r->ffmpeg, grace_ms);
    else
        finish_cleaning(r);
}

void run_free(struct run *r)
{
    arena_fini(&r->arena);
    free(r);
}
