#include "controller/hls/multivariant_playlist.h"

#include <inttypes.h>

#include "controller/hls/hls_names.h"
#include "controller/hls/text.h"

enum { HEAD_MAX = 128, LINE_MAX_BYTES = 2 * HLS_NAME_MAX + 384 };

/* It has been made in this run, or is about to be. */
static bool is_there(const struct hls_track *t)
{
    uint64_t peak;
    uint64_t average;
    hls_track_bandwidth(t, &peak, &average);
    return !hls_track_spec(t)->absent && hls_track_init(t) && peak > 0;
}

static bool is_on_its_side(const struct media_format *f)
{
    return f->rotation % 180 != 0;
}

static unsigned shown_width(const struct media_format *f)
{
    return is_on_its_side(f) ? f->height : f->width;
}

static unsigned shown_height(const struct media_format *f)
{
    return is_on_its_side(f) ? f->width : f->height;
}

/* What passes through may become smaller while it is sent; who begins to play then has no use for
 * the same picture made larger. */
static bool is_needed(struct presentation *p, const struct hls_track *t)
{
    const struct hls_track *top = presentation_leader(p);
    return t == top || !hls_track_spec(top)->copied || !hls_track_init(top) ||
           shown_height(&hls_track_init(t)->format) < shown_height(&hls_track_init(top)->format);
}

/* The sound that goes with pictures; NULL: none. */
static const struct hls_track *sound_of(struct presentation *p)
{
    for (size_t i = 0; i < presentation_n_tracks(p); i++) {
        const struct hls_track *t = presentation_track(p, i);
        if (!hls_track_spec(t)->video && is_there(t))
            return t;
    }
    return NULL;
}

static bool has_video(struct presentation *p)
{
    for (size_t i = 0; i < presentation_n_tracks(p); i++) {
        if (hls_track_spec(presentation_track(p, i))->video)
            return true;
    }
    return false;
}

/* Pictures a second, over the newest segment; 0: unknown. */
static double frame_rate(const struct hls_track *t)
{
    const struct hls_segment *s = hls_track_segment(t, hls_track_next_msn(t) - 1);
    if (!s || s->duration <= 0)
        return 0;
    return (double)s->frames * (double)USEC_PER_SEC / (double)s->duration;
}

static void print_sound(struct text *out, const struct hls_track *t)
{
    text_print(
        out,
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"Sound\",DEFAULT=YES,AUTOSELECT=YES,"
        "CHANNELS=\"%u\",URI=\"%s.m3u8\"\n",
        hls_track_init(t)->format.channels, hls_track_spec(t)->name);
}

static void print_variant(struct text *out, const struct hls_track *t,
                          const struct hls_track *sound)
{
    const struct media_format *f = &hls_track_init(t)->format;
    uint64_t peak;
    uint64_t average;
    uint64_t sound_peak = 0;
    uint64_t sound_average = 0;
    hls_track_bandwidth(t, &peak, &average);
    if (sound)
        hls_track_bandwidth(sound, &sound_peak, &sound_average);
    text_print(out,
               "#EXT-X-STREAM-INF:BANDWIDTH=%" PRIu64 ",AVERAGE-BANDWIDTH=%" PRIu64 ",CODECS=\"%s",
               peak + sound_peak, average + sound_average, f->codec);
    if (sound)
        text_print(out, ",%s", hls_track_init(sound)->format.codec);
    text_print(out, "\"");
    if (f->video)
        text_print(out, ",RESOLUTION=%ux%u", shown_width(f), shown_height(f));
    if (f->video && frame_rate(t) > 0)
        text_print(out, ",FRAME-RATE=%.3f", frame_rate(t));
    if (sound)
        text_print(out, ",AUDIO=\"sound\"");
    text_print(out, "\n%s.m3u8\n", hls_track_spec(t)->name);
}

struct blob *multivariant_playlist_print(struct presentation *p)
{
    const struct hls_track *sound = sound_of(p);
    bool video = has_video(p);
    struct text out;
    text_init(&out, HEAD_MAX + HLS_TRACKS_MAX * LINE_MAX_BYTES);
    text_print(&out, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    if (video && sound)
        print_sound(&out, sound);
    for (size_t i = 0; i < presentation_n_tracks(p); i++) {
        const struct hls_track *t = presentation_track(p, i);
        if (is_there(t) && hls_track_spec(t)->video == video && (!video || is_needed(p, t)))
            print_variant(&out, t, video ? sound : NULL);
    }
    return text_take(&out);
}
