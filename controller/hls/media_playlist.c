#include "controller/hls/media_playlist.h"

#include <inttypes.h>

#include "controller/hls/hls_names.h"
#include "controller/hls/text.h"

enum {
    HEAD_MAX = 1024,
    SEGMENT_MAX = 2 * HLS_NAME_MAX + 256,
    PART_MAX = HLS_NAME_MAX + 96,
    REPORT_MAX = HLS_NAME_MAX + 96,
    /* RFC 8216bis 4.4.3.8: CAN-SKIP-UNTIL is at least six target durations. */
    SKIP_TARGETS = 6,
    /* 4.4.4.9: parts need not stay beyond three target durations from the end. */
    PARTS_TARGETS = 3,
    HOLD_BACK_TARGETS = 3,
    HOLD_BACK_PARTS = 3,
    FUTURE_SEGMENTS = 2,
    PART_LEAST_PERCENT = 85
};

static double seconds(usec t)
{
    return (double)t / (double)USEC_PER_SEC;
}

/* 4.4.3.1: no segment's duration, rounded to the nearest integer, is larger. 6.2.4: all playlists
 * of a presentation have the same. */
static unsigned target_of(const struct hls_track *t)
{
    struct presentation *p = hls_track_presentation(t);
    usec longest = presentation_aimed(p);
    for (size_t i = 0; i < presentation_n_tracks(p); i++) {
        usec own = hls_track_longest_segment(presentation_track(p, i));
        longest = own > longest ? own : longest;
    }
    return (unsigned)((longest + USEC_PER_SEC / 2) / USEC_PER_SEC);
}

/* 4.4.4.9: no part is longer, and only a segment's last one shorter than 85 % of it: with few
 * pictures a second, whole ones may not fill what is aimed at. */
static usec part_target(const struct hls_track *t)
{
    usec longest = hls_track_longest_part(t);
    usec aimed = presentation_get_config(hls_track_presentation(t))->part;
    bool fills = longest > 0 && longest <= aimed && longest * 100 >= aimed * PART_LEAST_PERCENT;
    return longest == 0 || fills ? aimed : longest;
}

usec media_playlist_patience(const struct hls_track *t)
{
    return 3 * (usec)target_of(t) * USEC_PER_SEC;
}

/* ---- what is where ---- */

static uint64_t msn_limit(const struct hls_track *t)
{
    uint64_t next = hls_track_next_msn(t);
    return hls_track_segment(t, next) ? next + 1 : next;
}

/* The newest segment from which on all last so long together; the oldest when nothing does. Times
 * do not tell: between two runs there may be none. */
static uint64_t reaching_back(const struct hls_track *t, usec time)
{
    uint64_t first = hls_track_first_msn(t);
    uint64_t m = msn_limit(t);
    while (m > first && time > 0)
        time -= hls_track_segment(t, --m)->duration;
    return m;
}

/* The first segment whose parts are listed, if it has them still. */
static uint64_t parts_from(const struct hls_track *t, unsigned target)
{
    return reaching_back(t, (usec)PARTS_TARGETS * target * USEC_PER_SEC);
}

/* How many segments at the front lie before the skip boundary. */
static uint64_t skippable(const struct hls_track *t, unsigned target)
{
    return reaching_back(t, (usec)SKIP_TARGETS * target * USEC_PER_SEC) - hls_track_first_msn(t);
}

/* ---- lines ---- */

static void print_parts(struct text *out, const struct hls_track *t, const struct hls_segment *s)
{
    char name[HLS_NAME_MAX];
    for (size_t k = 0; s->parts && k < s->n_parts; k++) {
        hls_name_part(name, t, s->msn, (uint32_t)k);
        text_print(out, "#EXT-X-PART:DURATION=%.6f,URI=\"%s\"%s\n", seconds(s->parts[k].duration),
                   name, s->parts[k].independent ? ",INDEPENDENT=YES" : "");
    }
}

/* init: of the segment before, or -1; parts: whether they are listed. */
static void print_segment(struct text *out, const struct hls_track *t, const struct hls_segment *s,
                          int64_t init, bool parts)
{
    char name[HLS_NAME_MAX];
    bool open = s->msn == hls_track_next_msn(t);
    if (s->discontinuity)
        text_print(out, "#EXT-X-DISCONTINUITY\n");
    if ((int64_t)s->init != init || s->discontinuity) {
        hls_name_init(name, t, s->init);
        text_print(out, "#EXT-X-MAP:URI=\"%s\"\n", name);
    }
    text_print(out, "#EXT-X-PROGRAM-DATE-TIME:");
    text_print_wall(out, s->wall);
    text_print(out, "\n");
    if (s->gap)
        text_print(out, "#EXT-X-GAP\n");
    if (parts)
        print_parts(out, t, s);
    if (open)
        return;
    hls_name_segment(name, t, s->msn);
    text_print(out, "#EXTINF:%.6f,\n%s\n", seconds(s->duration), name);
}

static void print_head(struct text *out, const struct hls_track *t, unsigned target)
{
    bool ended = presentation_ended(hls_track_presentation(t));
    double part = seconds(part_target(t));
    text_print(out, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:%u\n", target);
    if (!ended)
        text_print(out,
                   "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=%.6f,HOLD-BACK=%u,"
                   "CAN-SKIP-UNTIL=%u\n#EXT-X-PART-INF:PART-TARGET=%.6f\n",
                   part * HOLD_BACK_PARTS, HOLD_BACK_TARGETS * target, SKIP_TARGETS * target, part);
    text_print(out,
               "#EXT-X-MEDIA-SEQUENCE:%" PRIu64 "\n#EXT-X-DISCONTINUITY-SEQUENCE:%" PRIu64 "\n",
               hls_track_first_msn(t), hls_track_discontinuity_sequence(t));
}

/* 4.4.5.3, 4.4.5.4: the next part, and where the other tracks are. */
static void print_tail(struct text *out, const struct hls_track *t)
{
    struct presentation *p = hls_track_presentation(t);
    uint64_t next = hls_track_next_msn(t);
    const struct hls_segment *open = hls_track_segment(t, next);
    char name[HLS_NAME_MAX];
    if (presentation_ended(p)) {
        text_print(out, "#EXT-X-ENDLIST\n");
        return;
    }
    hls_name_part(name, t, next, open ? (uint32_t)open->n_parts : 0);
    text_print(out, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"%s\"\n", name);
    for (size_t i = 0; i < presentation_n_tracks(p); i++) {
        const struct hls_track *other = presentation_track(p, i);
        uint64_t limit = msn_limit(other);
        const struct hls_segment *last = limit > 0 ? hls_track_segment(other, limit - 1) : NULL;
        if (other == t || !last || hls_track_spec(other)->absent)
            continue;
        text_print(out, "#EXT-X-RENDITION-REPORT:URI=\"%s.m3u8\",LAST-MSN=%" PRIu64,
                   hls_track_spec(other)->name, last->msn);
        if (last->n_parts > 0)
            text_print(out, ",LAST-PART=%zu", last->n_parts - 1);
        text_print(out, "\n");
    }
}

static size_t bound(const struct hls_track *t, uint64_t from, uint64_t parts)
{
    size_t n = HEAD_MAX + HLS_TRACKS_MAX * REPORT_MAX;
    uint64_t limit = msn_limit(t);
    for (uint64_t m = limit; m > from; m--) {
        n += SEGMENT_MAX;
        if (m > parts)
            n += hls_track_segment(t, m - 1)->n_parts * PART_MAX;
    }
    return n;
}

struct blob *media_playlist_print(const struct hls_track *t, bool skip)
{
    unsigned target = target_of(t);
    uint64_t first = hls_track_first_msn(t);
    uint64_t skipped = skip ? skippable(t, target) : 0;
    struct text out;
    uint64_t parts = parts_from(t, target);
    text_init(&out, bound(t, first + skipped, parts));
    print_head(&out, t, target);
    int64_t init = -1;
    if (skipped > 0) {
        text_print(&out, "#EXT-X-SKIP:SKIPPED-SEGMENTS=%" PRIu64 "\n", skipped);
        init = hls_track_segment(t, first + skipped - 1)->init;
    }
    uint64_t limit = msn_limit(t);
    for (uint64_t m = first + skipped; m < limit; m++) {
        const struct hls_segment *s = hls_track_segment(t, m);
        print_segment(&out, t, s, init, m >= parts);
        init = s->init;
    }
    print_tail(&out, t);
    return text_take(&out);
}

/* ---- blocking reload ---- */

enum media_playlist_when media_playlist_when(const struct hls_track *t, uint64_t msn, int64_t part)
{
    uint64_t next = hls_track_next_msn(t);
    const struct hls_segment *s = hls_track_segment(t, msn);
    if (presentation_ended(hls_track_presentation(t)) || msn < next) {
        bool beyond = s && part >= 0 && s->n_parts > 0 && (uint64_t)part >= s->n_parts;
        if (!beyond || msn + 1 < next || presentation_ended(hls_track_presentation(t)))
            return MEDIA_PLAYLIST_NOW;
        return hls_track_segment(t, next) ? MEDIA_PLAYLIST_NOW : MEDIA_PLAYLIST_LATER;
    }
    if (msn > next + FUTURE_SEGMENTS)
        return MEDIA_PLAYLIST_TOO_FAR;
    return part >= 0 && s && (uint64_t)part < s->n_parts ? MEDIA_PLAYLIST_NOW
                                                         : MEDIA_PLAYLIST_LATER;
}
