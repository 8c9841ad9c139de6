#include "controller/record/recorder.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/hls/bmff_mux.h"
#include "controller/record/append_file.h"

enum { TRACKS = 2, PATH_MAX_BYTES = 1400 };

struct recorder {
    struct recorder_config config;
    char folder[PATH_MAX_BYTES];
    struct presentation_observer observer;
    struct hls_track *tracks[TRACKS]; /* refs; picture first; NULL: none */
    size_t n_tracks;
    uint32_t inits[TRACKS];   /* of the open file */
    struct append_file *file; /* owned; NULL: none is open */
    unsigned number;          /* of the open file, or the next one */
    uint32_t sequence;
    unsigned open_files; /* until their last byte is written */
    struct recorder_stats stats;
    bool began; /* the file has a picture that can be begun with */
    bool failed;
    bool stopping;
    void (*stopped)(void *ctx, const struct recorder_stats *s);
    void *stopped_ctx;
};

/* ---- the end ---- */

static void finish(struct recorder *r)
{
    void (*stopped)(void *, const struct recorder_stats *) = r->stopped;
    void *ctx = r->stopped_ctx;
    struct recorder_stats stats = r->stats;
    free(r);
    if (stopped)
        stopped(ctx, &stats);
}

static void on_file_closed(void *ctx, enum err e)
{
    struct recorder *r = ctx;
    (void)e; /* told by on_failed, unless it was the last write of all */
    if (--r->open_files == 0 && r->stopping)
        finish(r);
}

static void close_file(struct recorder *r)
{
    if (!r->file)
        return;
    append_file_close(r->file, on_file_closed, r);
    r->file = NULL;
    r->number++;
}

/* r may be dead when it returns: the last thing that a function does. */
static void fail(struct recorder *r, enum err e, const char *text)
{
    if (r->failed)
        return;
    r->failed = true;
    close_file(r);
    if (!r->stopping)
        r->config.on_failed(r->config.ctx, e, text);
}

static void on_disk_failed(void *ctx, int why)
{
    fail(ctx, ERR_IO, strerror(why));
}

/* ---- files ---- */

static void add(struct recorder *r, struct blob *b)
{
    size_t n = b ? b->n : 0;
    enum err e = b ? append_file_add(r->file, b) : ERR_NOMEM;
    if (e == OK)
        r->stats.bytes += n;
    else if (e != ERR_IO) /* the disk itself tells */
        fail(r, e, e == ERR_FULL ? "the disk is too slow" : err_text(e));
}

/* Without OK it has failed, and r may be dead. */
static enum err open_file(struct recorder *r)
{
    char path[PATH_MAX_BYTES + 32];
    const struct blob *inits[TRACKS];
    struct blob *init = NULL;
    for (size_t i = 0; i < r->n_tracks; i++) {
        const struct hls_init *in = hls_track_init(r->tracks[i]);
        inits[i] = in->bytes;
        r->inits[i] = in->id;
    }
    enum err e = bmff_mux_inits(inits, r->n_tracks, &init);
    snprintf(path, sizeof path, "%s/%04u.mp4", r->folder, r->number);
    struct append_file_config config = {
        .loop = r->config.loop, .path = path, .on_failed = on_disk_failed, .ctx = r};
    if (e == OK)
        e = append_file_open(&config, &r->file);
    if (e != OK) {
        blob_unref(init);
        fail(r, e, err_text(e));
        return e;
    }
    r->open_files++;
    r->stats.files++;
    r->sequence = 0;
    r->began = false;
    size_t n = init->n;
    e = append_file_add(r->file, init);
    if (e == OK)
        r->stats.bytes += n;
    else
        fail(r, e, err_text(e));
    return e;
}

/* Every track that is recorded has told what it is made of. */
static bool all_known(const struct recorder *r)
{
    for (size_t i = 0; i < r->n_tracks; i++) {
        if (!hls_track_init(r->tracks[i]))
            return false;
    }
    return r->n_tracks > 0;
}

static bool inits_changed(const struct recorder *r)
{
    for (size_t i = 0; i < r->n_tracks; i++) {
        if (hls_track_init(r->tracks[i])->id != r->inits[i])
            return true;
    }
    return false;
}

/* ---- what the presentation tells ---- */

/* The leading picture and the first sound. */
static void choose_tracks(struct recorder *r)
{
    struct presentation *p = r->config.presentation;
    struct hls_track *leader = presentation_leader(p);
    r->n_tracks = 0;
    if (leader)
        r->tracks[r->n_tracks++] = leader;
    for (size_t i = 0; i < presentation_n_tracks(p) && r->n_tracks < TRACKS; i++) {
        struct hls_track *t = presentation_track(p, i);
        if (t != leader && !hls_track_spec(t)->video) {
            r->tracks[r->n_tracks++] = t;
            return;
        }
    }
}

static void on_init(void *ctx, struct hls_track *t, const struct hls_init *init)
{
    struct recorder *r = ctx;
    (void)t;
    (void)init;
    choose_tracks(r);
}

static void on_part(void *ctx, struct hls_track *t, const struct hls_segment *open,
                    const struct hls_part *part)
{
    struct recorder *r = ctx;
    size_t i = 0;
    (void)open;
    while (i < r->n_tracks && r->tracks[i] != t)
        i++;
    if (r->failed || i == r->n_tracks || !all_known(r))
        return;
    if (r->file && inits_changed(r))
        close_file(r);
    if (!r->file && open_file(r) != OK)
        return;
    /* It begins with a picture that needs no other; sound from before it stays away. */
    if (!r->began && (i != 0 || !part->independent))
        return;
    r->began = true;
    if (i == 0)
        r->stats.duration += part->duration;
    add(r, bmff_mux_part(part->bytes, (uint32_t)i + 1, ++r->sequence));
}

/* ---- life ---- */

enum err recorder_start(const struct recorder_config *config, struct recorder **out)
{
    struct recorder *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    if (strlen(config->folder) >= sizeof r->folder) {
        free(r);
        return ERR_TOO_LARGE;
    }
    r->config = *config;
    snprintf(r->folder, sizeof r->folder, "%s", config->folder);
    r->config.folder = r->folder;
    r->number = config->first_file > 0 ? config->first_file : 1;
    r->observer = (struct presentation_observer){.on_init = on_init, .on_part = on_part, .ctx = r};
    choose_tracks(r);
    presentation_observe(config->presentation, &r->observer);
    *out = r;
    return OK;
}

struct presentation *recorder_presentation(const struct recorder *r)
{
    return r->config.presentation;
}

void recorder_get_stats(const struct recorder *r, struct recorder_stats *out)
{
    *out = r->stats;
}

void recorder_stop(struct recorder *r, void (*stopped)(void *ctx, const struct recorder_stats *s),
                   void *ctx)
{
    presentation_unobserve(&r->observer);
    r->stopping = true;
    r->stopped = stopped;
    r->stopped_ctx = ctx;
    /* Its end comes in a later turn, and with it ours. */
    if (r->file)
        close_file(r);
    else if (r->open_files == 0)
        finish(r);
}
