#include "controller/live/pipeline_command.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/live/ffmpeg.h"
#include "proto/sdp.h"

enum { FMTP_MAX = 512, AUDIO_RATE = 48000, FILLER_FPS = 10 };

static double seconds(usec t)
{
    return (double)t / (double)USEC_PER_SEC;
}

static unsigned canvas_width(const struct encoding *e)
{
    return e->height * 16 / 9 & ~1u;
}

/* ---- inputs ---- */

static bool any_rtp(const struct plan *p)
{
    return p->tracks[0].mode == TRACK_RTP || p->tracks[1].mode == TRACK_RTP;
}

/* The probing limits stay the defaults: with less of it video is lost without a word. The thread
 * takes packets in while the encoder works; the socket's own buffer is small. */
static void add_rtp_input(struct command *c)
{
    command_add(c, "-protocol_whitelist", "pipe,udp,rtp", "-localaddr", "127.0.0.1",
                "-thread_queue_size", "2048", "-buffer_size", "2097152", "-f", "sdp", "-i",
                "pipe:0", NULL);
}

static void add_filler_input(struct command *c, enum media_kind kind, const struct encoding *e)
{
    command_add(c, "-re", "-f", "lavfi", NULL);
    if (kind == MEDIA_KIND_VIDEO)
        command_opt(c, "-i", "color=c=0x14181f:s=%ux%u:r=%d", canvas_width(e), e->height,
                    FILLER_FPS);
    else
        command_opt(c, "-i", "anullsrc=r=%d:cl=stereo", AUDIO_RATE);
}

static const enum media_kind order[LIVE_KINDS] = {MEDIA_KIND_VIDEO, MEDIA_KIND_AUDIO};

/* RTP tracks are in input 0, each filler is an input of its own. */
static unsigned input_of(const struct plan *p, enum media_kind kind)
{
    unsigned next = any_rtp(p) ? 1 : 0;
    for (size_t i = 0; i < LIVE_KINDS && order[i] != kind; i++)
        next += p->tracks[order[i]].mode == TRACK_FILLER;
    return p->tracks[kind].mode == TRACK_RTP ? 0 : next;
}

static void add_map(struct command *c, const struct plan *p, enum media_kind kind)
{
    if (p->tracks[kind].mode != TRACK_NONE)
        command_opt(c, "-map", "%u:%c:0", input_of(p, kind), kind == MEDIA_KIND_VIDEO ? 'v' : 'a');
}

static void add_inputs(struct command *c, const struct plan *p, const struct encoding *e)
{
    if (any_rtp(p))
        add_rtp_input(c);
    for (size_t i = 0; i < LIVE_KINDS; i++) {
        if (p->tracks[order[i]].mode == TRACK_FILLER)
            add_filler_input(c, order[i], e);
    }
}

/* ---- encoding ---- */

/* Browsers change their resolution while they send; x264 cannot, so everything is fitted into one
 * canvas. Frames keep their own times (vfr on the RTP clock): a rate guessed from the first second
 * would drop frames later. */
static void add_transcoding(struct command *c, const struct track_plan *t, const struct encoding *e)
{
    unsigned w = canvas_width(e);
    if (t->mode == TRACK_RTP)
        command_opt(c, "-vf",
                    "scale=%u:%u:force_original_aspect_ratio=decrease:force_divisible_by=2,"
                    "pad=%u:%u:-1:-1,setsar=1,format=yuv420p",
                    w, e->height, w, e->height);
    else
        command_add(c, "-vf", "format=yuv420p", NULL);
    command_add(c, "-fps_mode", "vfr", "-enc_time_base", "1:90000", "-c:v", "libx264", "-preset",
                t->mode == TRACK_FILLER ? "ultrafast" : e->preset, "-tune", "zerolatency", NULL);
    command_opt(c, "-b:v", "%" PRId64, e->video_bps);
    command_opt(c, "-maxrate", "%" PRId64, e->video_bps);
    command_opt(c, "-bufsize", "%" PRId64, e->video_bps);
    command_add(c, "-g", "600", "-sc_threshold", "0", NULL);
    command_opt(c, "-force_key_frames", "expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+%.3f))",
                seconds(e->segment));
}

static void add_video(struct command *c, const struct plan *p, const struct encoding *e)
{
    const struct track_plan *video = &p->tracks[MEDIA_KIND_VIDEO];
    if (video->mode == TRACK_RTP && video->copies)
        command_add(c, "-c:v", "copy", NULL);
    else if (video->mode != TRACK_NONE)
        add_transcoding(c, video, e);
}

static void add_audio(struct command *c, const struct plan *p, const struct encoding *e)
{
    if (p->tracks[MEDIA_KIND_AUDIO].mode == TRACK_NONE)
        return;
    /* Gaps become silence, drift is stretched away. No first_pts: the resampler starts over when it
     * begins to stretch, and would then fill up from there again, seconds backwards. */
    command_add(c, "-af", "aresample=async=1000", "-c:a", "aac", "-aac_coder", "fast", "-ac", "2",
                NULL);
    command_opt(c, "-ar", "%d", AUDIO_RATE);
    command_opt(c, "-b:a", "%" PRId64, e->audio_bps);
}

/* ---- outputs ---- */

size_t pipeline_outputs(const struct plan *plan, enum media_kind *out)
{
    size_t n = 0;
    for (size_t i = 0; i < LIVE_KINDS; i++) {
        if (plan->tracks[order[i]].mode != TRACK_NONE)
            out[n++] = order[i];
    }
    return n;
}

/* A fragment a sample, written at once: who reads it cuts parts and segments. Times stay those of
 * the input, also where the encoder's first come before zero, so that the tracks fit together. */
static void add_pipes(struct command *c, const struct plan *p, const struct encoding *e)
{
    enum media_kind kinds[LIVE_KINDS];
    size_t n = pipeline_outputs(p, kinds);
    for (size_t i = 0; i < n; i++) {
        add_map(c, p, kinds[i]);
        if (kinds[i] == MEDIA_KIND_VIDEO)
            add_video(c, p, e);
        else
            add_audio(c, p, e);
        command_add(
            c, "-avoid_negative_ts", "disabled", "-flush_packets", "1", "-f", "mp4", "-movflags",
            "+frag_every_frame+empty_moov+default_base_moof+skip_trailer+frag_discont", NULL);
        command_arg(c, "pipe:%zu", FFMPEG_OUTPUT_FD + i);
    }
}

static void add_segments(struct command *c, const struct plan *p, const struct encoding *e,
                         const char *folder, const char *prefix)
{
    for (size_t i = 0; i < LIVE_KINDS; i++)
        add_map(c, p, order[i]);
    add_video(c, p, e);
    add_audio(c, p, e);
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
    add_inputs(c, plan, e);
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

static enum err describe(const struct rtp_input *in, enum media_kind kind, char *fmtp,
                         struct sdp_rtp_input *out)
{
    const struct rtp_codec_parameters *codec = &in->params->codecs[0];
    const char *slash = strchr(codec->mime_type, '/');
    if (!slash || !print_fmtp(codec, fmtp, FMTP_MAX))
        return ERR_TOO_LARGE;
    *out = (struct sdp_rtp_input){.video = kind == MEDIA_KIND_VIDEO,
                                  .codec = slash + 1,
                                  .clock_rate = codec->clock_rate,
                                  .channels = codec->has_channels ? codec->channels : 0,
                                  .payload_type = codec->payload_type,
                                  .port = in->port,
                                  .fmtp = fmtp[0] ? fmtp : NULL};
    return OK;
}

enum err pipeline_sdp(const struct rtp_input inputs[LIVE_KINDS], char *out, size_t n)
{
    struct sdp_rtp_input described[LIVE_KINDS];
    char fmtp[LIVE_KINDS][FMTP_MAX];
    size_t count = 0;
    for (size_t i = 0; i < LIVE_KINDS; i++) {
        const struct rtp_input *in = &inputs[order[i]];
        if (in->port == 0)
            continue;
        enum err e = describe(in, order[i], fmtp[count], &described[count]);
        if (e != OK)
            return e;
        count++;
    }
    struct wr w = wr_of(out, n - 1);
    enum err e = sdp_print_rtp_inputs(&w, "127.0.0.1", NULL, described, count);
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
