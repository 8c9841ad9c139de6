/* The last seconds of a stream, from memory to a file. */
#include <stdio.h>

#include "controller/hls/bmff_mux.h"
#include "controller/record/append_file.h"
#include "controller/record/recordings_state.h"

static void on_failed(void *ctx, int why)
{
    (void)ctx; /* told when the file is closed */
    (void)why;
}

/* Where a track's last `seconds` begin: the oldest segment of them that is in memory and of the
 * same run and parameters as the newest. */
static uint64_t first_msn(const struct hls_track *t, usec seconds)
{
    uint64_t next = hls_track_next_msn(t);
    uint64_t msn = next;
    usec sum = 0;
    while (msn > hls_track_first_msn(t) && sum < seconds) {
        const struct hls_segment *s = hls_track_segment(t, msn - 1);
        if (!s->parts || s->init != hls_track_init(t)->id)
            break;
        sum += s->duration;
        msn--;
        if (s->discontinuity)
            break;
    }
    return msn;
}

static enum err add_parts(struct append_file *f, const struct hls_track *t, uint64_t msn,
                          uint32_t track, uint32_t *sequence)
{
    const struct hls_segment *s = hls_track_segment(t, msn);
    enum err e = OK;
    for (size_t k = 0; s && s->parts && k < s->n_parts && e == OK; k++) {
        struct blob *b = bmff_mux_part(s->parts[k].bytes, track, ++*sequence);
        e = b ? append_file_add(f, b) : ERR_NOMEM;
    }
    return e;
}

enum err recording_clip_write(struct uv_loop_s *loop, struct presentation *p, usec seconds,
                              const char *folder, usec *duration,
                              void (*done)(void *ctx, enum err e), void *ctx)
{
    enum { TRACKS = 2 };
    struct hls_track *leader = presentation_leader(p);
    const struct hls_track *tracks[TRACKS];
    const struct blob *inits[TRACKS];
    size_t n = 0;
    char path[RECORDING_PATH_MAX + 16];
    struct blob *init;
    struct append_file *f;
    uint32_t sequence = 0;
    if (!leader || !hls_track_init(leader))
        return ERR_NOT_FOUND;
    tracks[n++] = leader;
    for (size_t i = 0; i < presentation_n_tracks(p) && n < TRACKS; i++) {
        const struct hls_track *t = presentation_track(p, i);
        if (t != leader && !hls_track_spec(t)->video && hls_track_init(t))
            tracks[n++] = t;
    }
    uint64_t from = first_msn(leader, seconds);
    uint64_t to = hls_track_next_msn(leader);
    if (from == to)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < n; i++)
        inits[i] = hls_track_init(tracks[i])->bytes;
    enum err e = bmff_mux_inits(inits, n, &init);
    if (e != OK)
        return e;
    snprintf(path, sizeof path, "%s/0001.mp4", folder);
    struct append_file_config config = {.loop = loop, .path = path, .on_failed = on_failed};
    e = append_file_open(&config, &f);
    if (e != OK) {
        blob_unref(init);
        return e;
    }
    e = append_file_add(f, init);
    *duration = 0;
    for (uint64_t m = from; m < to && e == OK; m++) {
        *duration += hls_track_segment(leader, m)->duration;
        for (size_t i = 0; i < n && e == OK; i++)
            e = add_parts(f, tracks[i], m, (uint32_t)i + 1, &sequence);
    }
    append_file_close(f, e == OK ? done : NULL, ctx);
    return e;
}
