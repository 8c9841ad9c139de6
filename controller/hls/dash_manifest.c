#include "controller/hls/dash_manifest.h"

#include <inttypes.h>
#include <stdio.h>

#include "controller/hls/hls_names.h"
#include "controller/hls/text.h"

enum {
    HEAD_MAX = 1024,
    PERIOD_MAX = 256,
    TRACK_MAX = 4 * HLS_NAME_MAX + 512,
    SEGMENT_MAX = 64,
    DELAY_SEGMENTS = 3
};

static double seconds(usec t)
{
    return (double)t / (double)USEC_PER_SEC;
}

/* Where the run that segment `from` belongs to ends: at the next discontinuity. */
static uint64_t period_end(const struct hls_track *leader, uint64_t from)
{
    uint64_t m = from + 1;
    while (m < hls_track_next_msn(leader) && !hls_track_segment(leader, m)->discontinuity)
        m++;
    return m;
}

static const struct hls_segment *closed(const struct hls_track *t, uint64_t msn)
{
    return msn < hls_track_next_msn(t) ? hls_track_segment(t, msn) : NULL;
}

/* Its first segment of the period that is there; NULL: none. */
static const struct hls_segment *first_of(const struct hls_track *t, uint64_t from, uint64_t to)
{
    for (uint64_t m = from; m < to; m++) {
        const struct hls_segment *s = closed(t, m);
        if (s && !s->gap)
            return s;
    }
    return NULL;
}

static void print_timeline(struct text *out, const struct hls_track *t, uint64_t from, uint64_t to)
{
    text_print(out, "<SegmentTimeline>");
    for (uint64_t m = from; m < to; m++) {
        const struct hls_segment *s = closed(t, m);
        if (!s || s->gap)
            break;
        text_print(out, "<S t=\"%" PRId64 "\" d=\"%" PRId64 "\"/>", s->start, s->duration);
    }
    text_print(out, "</SegmentTimeline>");
}

static void print_track(struct text *out, const struct hls_track *t, uint64_t from, uint64_t to,
                        usec start)
{
    char name[HLS_NAME_MAX];
    uint64_t peak;
    uint64_t average;
    const struct hls_segment *first = first_of(t, from, to);
    const struct hls_init *init = first ? hls_track_find_init(t, first->init) : NULL;
    if (!init)
        return;
    const struct media_format *f = &init->format;
    hls_track_bandwidth(t, &peak, &average);
    text_print(out, "<Representation id=\"%s\" codecs=\"%s\" bandwidth=\"%" PRIu64 "\"",
               hls_track_spec(t)->name, f->codec, peak);
    bool turned = f->rotation % 180 != 0;
    if (f->video)
        text_print(out, " width=\"%" PRIu32 "\" height=\"%" PRIu32 "\"",
                   turned ? f->height : f->width, turned ? f->width : f->height);
    else
        text_print(out, " audioSamplingRate=\"%" PRIu32 "\"", f->sample_rate);
    hls_name_init(name, t, first->init);
    text_print(out, "><SegmentTemplate timescale=\"%d\" presentationTimeOffset=\"%" PRId64 "\" ",
               (int)USEC_PER_SEC, start);
    text_print(out,
               "initialization=\"%s\" media=\"%s-%s-$Number$.m4s\" startNumber=\"%" PRIu64 "\">",
               name, hls_track_spec(t)->name,
               presentation_get_config(hls_track_presentation(t))->token, first->msn);
    print_timeline(out, t, first->msn, to);
    text_print(out, "</SegmentTemplate></Representation>");
}

static bool any_of(struct presentation *p, bool video, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < presentation_n_tracks(p); i++) {
        const struct hls_track *t = presentation_track(p, i);
        if (hls_track_spec(t)->video == video && first_of(t, from, to))
            return true;
    }
    return false;
}

static void print_set(struct text *out, struct presentation *p, bool video, uint64_t from,
                      uint64_t to, usec start)
{
    const char *type = video ? "video" : "audio";
    if (!any_of(p, video, from, to))
        return;
    text_print(out,
               "<AdaptationSet contentType=\"%s\" mimeType=\"%s/mp4\" segmentAlignment=\"true\" "
               "startWithSAP=\"1\">",
               type, type);
    for (size_t i = 0; i < presentation_n_tracks(p); i++) {
        const struct hls_track *t = presentation_track(p, i);
        if (hls_track_spec(t)->video == video)
            print_track(out, t, from, to, start);
    }
    text_print(out, "</AdaptationSet>\n");
}

static void print_head(struct text *out, struct presentation *p, const struct hls_segment *first,
                       const struct hls_segment *last)
{
    const struct presentation_config *c = presentation_get_config(p);
    bool ended = presentation_ended(p);
    text_print(out,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD "
               "xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
               "profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" type=\"%s\" "
               "minBufferTime=\"PT%.3fS\" ",
               ended ? "static" : "dynamic", seconds(c->segment));
    if (ended) {
        text_print(out, "mediaPresentationDuration=\"PT%.3fS\">\n",
                   seconds(last->start + last->duration));
        return;
    }
    text_print(out, "availabilityStartTime=\"");
    text_print_wall(out, first->wall - first->start);
    text_print(out, "\" publishTime=\"");
    text_print_wall(out, last->wall + last->duration);
    text_print(out,
               "\" minimumUpdatePeriod=\"PT%.3fS\" timeShiftBufferDepth=\"PT%.3fS\" "
               "suggestedPresentationDelay=\"PT%.3fS\">\n",
               seconds(c->segment), seconds(c->window), DELAY_SEGMENTS * seconds(c->segment));
}

struct blob *dash_manifest_print(struct presentation *p)
{
    const struct hls_track *leader = presentation_leader(p);
    uint64_t first = leader ? hls_track_first_msn(leader) : 0;
    uint64_t next = leader ? hls_track_next_msn(leader) : 0;
    struct text out;
    if (first == next)
        return NULL;
    size_t n = (size_t)(next - first);
    size_t periods = 0;
    for (uint64_t m = first; m < next; m = period_end(leader, m))
        periods++;
    text_init(&out, HEAD_MAX + periods * (PERIOD_MAX + HLS_TRACKS_MAX * TRACK_MAX) +
                        n * HLS_TRACKS_MAX * SEGMENT_MAX);
    print_head(&out, p, hls_track_segment(leader, first), hls_track_segment(leader, next - 1));
    for (uint64_t m = first; m < next;) {
        uint64_t end = period_end(leader, m);
        usec start = hls_track_segment(leader, m)->start;
        text_print(&out, "<Period id=\"%" PRIu64 "\" start=\"PT%.6fS\">\n", m, seconds(start));
        print_set(&out, p, true, m, end, start);
        print_set(&out, p, false, m, end, start);
        text_print(&out, "</Period>\n");
        m = end;
    }
    text_print(&out, "</MPD>\n");
    return text_take(&out);
}
