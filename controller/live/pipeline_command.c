#include "controller/live/pipeline_command.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/live/composite_filter.h"
#include "controller/live/ffmpeg.h"
#include "proto/sdp.h"

enum { FMTP_MAX = 512, AUDIO_RATE = 48000, FILLER_FPS = 10, COMPOSITE_FPS = 25 };

static double seconds(usec t)
{
    return (double)t / (double)USEC_PER_SEC;
}

static unsigned width_of(unsigned height)
{
    return height * 16 / 9 & ~1u;
}

static unsigned top_height(const struct encoding *e)
{
    return e->low ? LOW_HEIGHT : e->ladder[0].height;
}

struct plan_rules encoding_rules(const struct encoding *e, bool had_video)
{
    return (struct plan_rules){
        .had_video = had_video, .composite = e->composite, .transcodes = e->low};
}

/* ---- outputs ---- */

/* n * to / from, as the nearest even number up to max. */
static unsigned even_part(unsigned n, unsigned to, unsigned from, unsigned max)
{
    uint64_t part = ((uint64_t)n * to + from) / (2 * (uint64_t)from) * 2;
    part = part > max ? max & ~1u : part;
    return part < 2 ? 2 : (unsigned)part;
}

static bool fits(const struct encoding *e)
{
    return e->ladder_fits && !e->low && e->source_width > 0 && e->source_height > 0;
}

/* The source's picture inside a canvas of this height, as it is or smaller. */
static void fit_size(const struct encoding *e, unsigned height, struct pipeline_output *o)
{
    unsigned w = e->source_width;
    unsigned h = e->source_height;
    unsigned width = width_of(height);
    bool wide = (uint64_t)w * height > (uint64_t)h * width;
    if (w <= width && h <= height) {
        o->width = even_part(w, 1, 1, w);
        o->height = even_part(h, 1, 1, h);
    } else {
        o->width = wide ? width : even_part(w, height, h, width);
        o->height = wide ? even_part(h, width, w, height) : height & ~1u;
    }
}

/* As many as the next larger size of the ladder is given. */
static int64_t fit_bps(const struct encoding *e, unsigned height)
{
    size_t i = 0;
    while (i + 1 < e->n_ladder && e->ladder[i + 1].height >= height)
        i++;
    return e->ladder[i].bps;
}

static struct pipeline_output picture(const struct plan *plan, const struct encoding *e, size_t i)
{
    unsigned height = e->low ? LOW_HEIGHT : e->ladder[i].height;
    struct pipeline_output o = {.kind = MEDIA_KIND_VIDEO,
                                .rendition = i,
                                .copied = i == 0 && plan->tracks[MEDIA_KIND_VIDEO].copies,
                                .width = width_of(height),
                                .height = height,
                                .bps = e->ladder[i].bps};
    if (!fits(e))
        return o;
    if (o.copied) {
        o.width = e->source_width;
        o.height = e->source_height;
        return o;
    }
    fit_size(e, height, &o);
    o.bps = fit_bps(e, o.height);
    return o;
}

size_t pipeline_outputs(const struct plan *plan, const struct encoding *e,
                        struct pipeline_output out[PIPELINE_OUTPUTS_MAX])
{
    size_t n = 0;
    size_t renditions = pipeline_renditions(e);
    bool pictures = plan->tracks[MEDIA_KIND_VIDEO].mode != TRACK_NONE;
    for (size_t i = 0; i < renditions && pictures; i++) {
        struct pipeline_output o = picture(plan, e, i);
        if (i == 0 || !fits(e) || o.height < out[n - 1].height)
            out[n++] = o;
    }
    if (plan->tracks[MEDIA_KIND_AUDIO].mode != TRACK_NONE)
        out[n++] = (struct pipeline_output){.kind = MEDIA_KIND_AUDIO, .bps = e->audio_bps};
    return n;
}

size_t pipeline_renditions(const struct encoding *e)
{
    return e->low || !e->cmaf ? 1 : e->n_ladder;
}

/* ---- inputs ---- */

static bool has_plain_picture(const struct plan *p, const struct encoding *e)
{
    return e->composite || p->tracks[MEDIA_KIND_VIDEO].mode == TRACK_FILLER;
}

/* Pictures take an encoder long, and an input that paces itself holds others up; what passes
 * through does neither, nor does sound. */
static bool holds_input_up(const struct plan *p, const struct encoding *e)
{
    struct pipeline_output outputs[PIPELINE_OUTPUTS_MAX];
    size_t n = pipeline_outputs(p, e, outputs);
    bool encodes = false;
    for (size_t i = 0; i < n; i++)
        encodes = encodes || (outputs[i].kind == MEDIA_KIND_VIDEO && !outputs[i].copied);
    return encodes || has_plain_picture(p, e) || p->tracks[MEDIA_KIND_AUDIO].mode == TRACK_FILLER;
}

/* The probing limits stay the defaults: with less of it video is lost without a word. A thread
 * takes packets in while an encoder works, as the socket's own buffer is small; without need it
 * costs a tenth of what passing a stream through takes. A composite's senders have clocks of their
 * own, so there the time of arrival counts. */
static void add_rtp_input(struct command *c, const struct plan *p, const struct encoding *e)
{
    if (holds_input_up(p, e))
        command_add(c, "-thread_queue_size", "2048", NULL);
    if (e->composite)
        command_add(c, "-use_wallclock_as_timestamps", "1", NULL);
    if (e->low)
        command_add(c, "-threads", "1", NULL);
    command_add(c, "-protocol_whitelist", "pipe,udp,rtp", "-localaddr", "127.0.0.1", "-buffer_size",
                "2097152", "-f", "sdp", "-i", "pipe:0", NULL);
}

/* A plain picture: alone it paces itself; under a composite's pictures it follows them. */
static void add_plain_picture(struct command *c, const struct plan *p, const struct encoding *e)
{
    bool alone = p->tracks[MEDIA_KIND_VIDEO].mode == TRACK_FILLER;
    int fps = e->composite ? (e->low ? LOW_FPS : COMPOSITE_FPS) : FILLER_FPS;
    if (alone)
        command_add(c, "-re", NULL);
    command_add(c, "-f", "lavfi", NULL);
    command_opt(c, "-i", "color=c=0x14181f:s=%ux%u:r=%d", width_of(top_height(e)), top_height(e),
                fps);
}

static void add_inputs(struct command *c, const struct plan *p, const struct encoding *e)
{
    if (p->n_inputs > 0)
        add_rtp_input(c, p, e);
    if (has_plain_picture(p, e))
        add_plain_picture(c, p, e);
    if (p->tracks[MEDIA_KIND_AUDIO].mode == TRACK_FILLER) {
        command_add(c, "-re", "-f", "lavfi", NULL);
        command_opt(c, "-i", "anullsrc=r=%d:cl=stereo", AUDIO_RATE);
    }
}

/* RTP tracks are in input 0, each plain one is an input of its own. */
static unsigned plain_picture_input(const struct plan *p)
{
    return p->n_inputs > 0 ? 1 : 0;
}

static unsigned sound_input(const struct plan *p, const struct encoding *e)
{
    if (p->tracks[MEDIA_KIND_AUDIO].mode == TRACK_RTP)
        return 0;
    return plain_picture_input(p) + (has_plain_picture(p, e) ? 1 : 0);
}

/* ---- graphs ---- */

/* Browsers change their resolution while they send; encoders cannot, so everything is fitted into
 * one canvas. */
static void print_fit(struct filter_text *f, const struct plan *p, const struct encoding *e,
                      const struct pipeline_output *o)
{
    if (has_plain_picture(p, e))
        filter_print(f, "scale=%u:%u", o->width, o->height);
    else
        filter_print(f,
                     "scale=%u:%u:force_original_aspect_ratio=decrease:force_divisible_by=2,"
                     "pad=%u:%u:-1:-1,setsar=1",
                     o->width, o->height, o->width, o->height);
    filter_print(f, strstr(e->encoder, "vaapi") ? ",format=nv12,hwupload" : ",format=yuv420p");
}

/* One decoder, and as many sizes as are encoded: [v0], [v1] and so on. */
static void add_picture_graph(struct command *c, const struct plan *p, const struct encoding *e)
{
    struct pipeline_output outputs[PIPELINE_OUTPUTS_MAX];
    struct filter_text *f = arena_alloc(&c->arena, sizeof *f);
    size_t n = pipeline_outputs(p, e, outputs);
    size_t encoded = 0;
    if (!f) {
        c->bad = true;
        return;
    }
    *f = (struct filter_text){0};
    for (size_t i = 0; i < n; i++)
        encoded += outputs[i].kind == MEDIA_KIND_VIDEO && !outputs[i].copied;
    if (encoded == 0)
        return;
    if (e->composite) {
        struct composite_style style = {.width = width_of(top_height(e)),
                                        .height = top_height(e),
                                        .names = e->names,
                                        .low = e->low};
        composite_picture(f, p, &style, plain_picture_input(p));
        filter_print(f, ";[canvas]");
    } else {
        filter_print(f, "[%u:v:0]", has_plain_picture(p, e) ? plain_picture_input(p) : 0);
        if (!has_plain_picture(p, e))
            filter_print(f, "%s", filter_turn(p->inputs[0].rotation));
    }
    filter_print(f, "split=%zu", encoded);
    for (size_t i = 0; i < n; i++) {
        if (outputs[i].kind == MEDIA_KIND_VIDEO && !outputs[i].copied)
            filter_print(f, "[s%zu]", outputs[i].rendition);
    }
    for (size_t i = 0; i < n; i++) {
        if (outputs[i].kind != MEDIA_KIND_VIDEO || outputs[i].copied)
            continue;
        filter_print(f, ";[s%zu]", outputs[i].rendition);
        print_fit(f, p, e, &outputs[i]);
        filter_print(f, "[v%zu]", outputs[i].rendition);
    }
    c->bad = c->bad || f->bad;
    command_opt(c, "-filter_complex", "%s", f->text);
}

static void add_sound_graph(struct command *c, const struct plan *p, const struct encoding *e)
{
    if (!e->composite || p->tracks[MEDIA_KIND_AUDIO].mode != TRACK_RTP)
        return;
    struct filter_text *f = arena_alloc(&c->arena, sizeof *f);
    if (!f) {
        c->bad = true;
        return;
    }
    *f = (struct filter_text){0};
    composite_sound(f, p);
    c->bad = c->bad || f->bad;
    command_opt(c, "-filter_complex", "%s", f->text);
}

/* ---- encoding ---- */

static void add_encoder(struct command *c, const struct plan *p, const struct encoding *e)
{
    bool still = p->tracks[MEDIA_KIND_VIDEO].mode == TRACK_FILLER;
    command_add(c, "-c:v", e->encoder, NULL);
    if (strcmp(e->encoder, "libx264") == 0)
        command_add(c, "-preset", still ? "ultrafast" : e->preset, "-tune", "zerolatency",
                    "-sc_threshold", "0", NULL);
    else
        command_add(c, "-bf", "0", NULL);
    if (strstr(e->encoder, "nvenc"))
        command_add(c, "-forced-idr", "1", "-delay", "0", NULL);
    if (e->low)
        command_add(c, "-threads", "1", NULL);
}

/* Frames keep their own times (vfr on the RTP clock): a rate guessed from the first second would
 * drop frames later. All sizes have their key frames at the same times: where the broadcaster has
 * them, if some of it passes through. */
static void add_encoding(struct command *c, const struct plan *p, const struct encoding *e,
                         const struct pipeline_output *o)
{
    command_add(c, "-fps_mode", "vfr", "-enc_time_base", "1:90000", NULL);
    add_encoder(c, p, e);
    command_opt(c, "-b:v", "%" PRId64, o->bps);
    command_opt(c, "-maxrate", "%" PRId64, o->bps);
    command_opt(c, "-bufsize", "%" PRId64, o->bps);
    command_add(c, "-g", "600", NULL);
    if (p->tracks[MEDIA_KIND_VIDEO].copies)
        command_add(c, "-force_key_frames", "source", NULL);
    else
        command_opt(c, "-force_key_frames",
                    "expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+%.3f))",
                    seconds(e->segment));
}

static void add_picture(struct command *c, const struct plan *p, const struct encoding *e,
                        const struct pipeline_output *o)
{
    if (o->copied) {
        command_add(c, "-map", "0:v:0", "-c:v", "copy", NULL);
        return;
    }
    command_opt(c, "-map", "[v%zu]", o->rendition);
    add_encoding(c, p, e, o);
}

static void add_sound(struct command *c, const struct plan *p, const struct encoding *e)
{
    if (e->composite && p->tracks[MEDIA_KIND_AUDIO].mode == TRACK_RTP) {
        command_add(c, "-map", "[sound]", NULL);
    } else {
        command_opt(c, "-map", "%u:a:0", sound_input(p, e));
        /* Gaps become silence, drift is stretched away. The resampler works from the start
         * (res): else it starts over when it begins to stretch, and forgets by how much. Four of
         * the encoder's frames at a time (85 ms) find its tables in the cache more often. */
        command_add(c, "-af", "aresample=async=1000:flags=res,asetnsamples=n=4096:p=0", NULL);
    }
    command_add(c, "-c:a", "aac", "-aac_coder", "fast", "-ac", "2", NULL);
    command_opt(c, "-ar", "%d", AUDIO_RATE);
    command_opt(c, "-b:a", "%" PRId64, e->audio_bps);
}

static void add_output(struct command *c, const struct plan *p, const struct encoding *e,
                       const struct pipeline_output *o)
{
    if (o->kind == MEDIA_KIND_VIDEO)
        add_picture(c, p, e, o);
    else
        add_sound(c, p, e);
}

/* A fragment a sample, written at once: who reads it cuts parts and segments. Times stay those of
 * the input, also where the encoder's first come before zero, so that the tracks fit together. */
static void add_pipes(struct command *c, const struct plan *p, const struct encoding *e)
{
    struct pipeline_output outputs[PIPELINE_OUTPUTS_MAX];
    size_t n = pipeline_outputs(p, e, outputs);
    for (size_t i = 0; i < n; i++) {
        add_output(c, p, e, &outputs[i]);
        command_add(
            c, "-avoid_negative_ts", "disabled", "-flush_packets", "1", "-f", "mp4", "-movflags",
            "+frag_every_frame+empty_moov+default_base_moof+skip_trailer+frag_discont", NULL);
        command_arg(c, "pipe:%zu", FFMPEG_OUTPUT_FD + i);
    }
}

static void add_segments(struct command *c, const struct plan *p, const struct encoding *e,
                         const char *folder, const char *prefix)
{
    struct pipeline_output outputs[PIPELINE_OUTPUTS_MAX];
    size_t n = pipeline_outputs(p, e, outputs);
    for (size_t i = 0; i < n; i++)
        add_output(c, p, e, &outputs[i]);
    /* 500 ms: a track that falls silent holds the others up for so long, not for 10 s. */
    command_add(c, "-max_interleave_delta", "500000", "-f", "stream_segment", "-segment_format",
                "mpegts", NULL);
    command_opt(c, "-segment_time", "%.3f", seconds(e->segment));
    /* A key frame that comes a little early may cut as well. */
    command_opt(c, "-segment_time_delta", "%.3f", seconds(e->segment) / 4);
    /* flush_packets: the file is whole when its line comes. */
    command_add(c, "-segment_list", "pipe:1", "-segment_list_type", "csv",
                "-individual_header_trailer", "0", "-segment_format_options", "flush_packets=1",
                NULL);
    const char *path = command_pattern_path(c, folder);
    command_arg(c, "%s/%s-%%05d.ts", path ? path : "", prefix);
    c->bad = c->bad || !path;
}

void pipeline_command(struct command *c, const struct plan *plan, const struct encoding *e,
                      const char *folder, const char *prefix)
{
    command_add(c, "ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", NULL);
    /* Sound needs none; ffmpeg would start one for each core. */
    command_add(c, "-filter_threads", "1", NULL);
    if (e->low)
        command_add(c, "-filter_complex_threads", "1", NULL);
    if (strstr(e->encoder, "vaapi"))
        command_add(c, "-vaapi_device", "/dev/dri/renderD128", NULL);
    add_inputs(c, plan, e);
    add_picture_graph(c, plan, e);
    add_sound_graph(c, plan, e);
    if (e->cmaf)
        add_pipes(c, plan, e);
    else
        add_segments(c, plan, e, folder, prefix);
}

/* ---- SDP ---- */

/* "packetization-mode=1;profile-level-id=42e01f" */
static bool print_fmtp(const struct rtp_codec_parameters *codec, char *out, size_t n)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < codec->n_parameters; i++) {
        const struct dict_entry *d = &codec->parameters[i];
        int k;
        if (d->type == DICT_STR)
            k = snprintf(out + used, n - used, "%s%s=%s", i ? ";" : "", d->key, d->str);
        else if (d->type == DICT_REAL)
            k = snprintf(out + used, n - used, "%s%s=%g", i ? ";" : "", d->key, d->real);
        else
            k = snprintf(out + used, n - used, "%s%s=%" PRId64, i ? ";" : "", d->key, d->num);
        if (k < 0 || (size_t)k >= n - used)
            return false;
        used += (size_t)k;
    }
    return true;
}

static enum err describe(const struct rtp_input *in, char *fmtp, struct sdp_rtp_input *out)
{
    const struct rtp_codec_parameters *codec = &in->params->codecs[0];
    const char *slash = strchr(codec->mime_type, '/');
    if (!slash || !print_fmtp(codec, fmtp, FMTP_MAX))
        return ERR_TOO_LARGE;
    *out = (struct sdp_rtp_input){.video = in->kind == MEDIA_KIND_VIDEO,
                                  .codec = slash + 1,
                                  .clock_rate = codec->clock_rate,
                                  .channels = codec->has_channels ? codec->channels : 0,
                                  .payload_type = codec->payload_type,
                                  .port = in->port,
                                  .fmtp = fmtp[0] ? fmtp : NULL};
    return OK;
}

enum err pipeline_sdp(const struct rtp_input *inputs, size_t n_inputs, char *out, size_t n)
{
    struct sdp_rtp_input described[LIVE_INPUTS_MAX];
    char fmtp[LIVE_INPUTS_MAX][FMTP_MAX];
    for (size_t i = 0; i < n_inputs; i++) {
        enum err e = describe(&inputs[i], fmtp[i], &described[i]);
        if (e != OK)
            return e;
    }
    struct wr w = wr_of(out, n - 1);
    enum err e = sdp_print_rtp_inputs(&w, "127.0.0.1", NULL, described, n_inputs);
    if (e == OK)
        out[wr_len(&w)] = '\0';
    return e;
}

/* ---- what it tells ---- */

static bool parse_time(const char **at, char end, usec *out)
{
    char *stop;
    double t = strtod(*at, &stop);
    /* A day is longer than any run lasts between two restarts; the bound keeps the cast defined. */
    if (stop == *at || *stop != end || !isfinite(t) || t < -1e9 || t > 1e9)
        return false;
    *out = (usec)llround(t * (double)USEC_PER_SEC);
    *at = stop + 1;
    return true;
}

enum err pipeline_parse_segment(const char *line, const char *prefix, char name[PLAYLIST_NAME_MAX],
                                usec *start, usec *end)
{
    size_t n = strlen(prefix);
    const char *comma = strchr(line, ',');
    if (!comma || strncmp(line, prefix, n) != 0 || line[n] != '-')
        return ERR_MALFORMED;
    size_t digits = strspn(line + n + 1, "0123456789");
    const char *suffix = line + n + 1 + digits;
    size_t length = (size_t)(comma - line);
    if (digits == 0 || strncmp(suffix, ".ts,", 4) != 0 || length >= PLAYLIST_NAME_MAX)
        return ERR_MALFORMED;
    const char *at = comma + 1;
    if (!parse_time(&at, ',', start) || !parse_time(&at, '\0', end))
        return ERR_MALFORMED;
    memcpy(name, line, length);
    name[length] = '\0';
    return OK;
}
