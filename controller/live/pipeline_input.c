/* One producer on its way into a run: its port, its parameters, and what stands between the worker
 * and ffmpeg. */
#include <strings.h>

#include "common/fields_clone.h"
#include "controller/live/pipeline_state.h"
#include "controller/live/silence_splice.h"
#include "controller/rtc/ortc.h"

/* What ffmpeg is told to expect: the producer's codec as it is, no RTX and no extensions, since
 * nothing is lost on loopback. Feedback for key frames stays. */
static enum err consumer_params(struct run_input *t, struct rng *rng, struct arena *arena)
{
    static struct rtcp_feedback feedback[] = {{.type = "nack", .parameter = "pli"},
                                              {.type = "ccm", .parameter = "fir"}};
    const struct rtp_codec_parameters *codec = &t->consumable.codecs[0];
    bool video = strncasecmp(codec->mime_type, "video/", 6) == 0;
    struct rtp_codec_capability capability = {.kind = video ? MEDIA_KIND_VIDEO : MEDIA_KIND_AUDIO,
                                              .has_kind = true,
                                              .mime_type = codec->mime_type,
                                              .clock_rate = codec->clock_rate,
                                              .has_clock_rate = true,
                                              .channels = codec->channels,
                                              .has_channels = codec->has_channels,
                                              .parameters = codec->parameters,
                                              .n_parameters = codec->n_parameters,
                                              .rtcp_feedback = feedback,
                                              .n_rtcp_feedback =
                                                  video ? sizeof feedback / sizeof feedback[0] : 0};
    struct rtp_capabilities caps = {.codecs = &capability, .n_codecs = 1};
    struct field_error error;
    return ortc_consumer(&t->consumable, &caps, "0", false, rng, arena, &t->params, &error);
}

bool run_input_is_vp9(const struct run_input *t)
{
    return strcasecmp(t->params.codecs[0].mime_type, "video/VP9") == 0;
}

/* Who mixes waits for all sounds, also for those that are muted; VP9 is not read as it is sent. */
static enum err open_relay(struct run *r, struct run_input *t)
{
    const struct pipeline_env *env = &r->pipeline->config.env;
    const struct rtp_codec_parameters *codec = &t->params.codecs[0];
    bool mixed = r->pipeline->config.encoding.composite && t->kind == MEDIA_KIND_AUDIO;
    struct rtp_relay_config config = {
        .target = t->port,
        .vp9 = run_input_is_vp9(t),
        .silence = silence_payload(codec->mime_type),
        .payload_type = codec->payload_type,
        .ssrc = t->params.n_encodings > 0 ? t->params.encodings[0].ssrc : 0,
        .clock_rate = codec->clock_rate};
    bool needed = config.vp9 || (mixed && config.silence.n > 0);
    return needed ? env->relay(env->ctx, &config, &t->relay) : OK;
}

enum err run_input_prepare(struct run *r, struct run_input *t, const struct live_track *from)
{
    struct pipeline *p = r->pipeline;
    t->run = r;
    rng_uuid(p->config.rng, t->transport_id);
    rng_uuid(p->config.rng, t->consumer_id);
    enum err e = shape_clone(&rtp_parameters_shape, from->consumable, &t->consumable, &r->arena);
    if (e == OK)
        e = consumer_params(t, p->config.rng, &r->arena);
    if (e == OK)
        e = ports_take(p->config.ports, &t->port);
    if (e == OK)
        e = open_relay(r, t);
    return e;
}
