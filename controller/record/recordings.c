/* OpenSSL has an ERR_STATE of its own. */
#define ERR_STATE openssl_ERR_STATE
#include <openssl/evp.h>
#undef ERR_STATE

#include "controller/record/recordings.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/record/recordings_state.h"

enum { TICK_MS = 60 * 1000 };

const char recordings_no_mp4[] =
    "with hls.container = ts streams cannot be recorded: it takes hls.container = cmaf";

static int64_t now_ms(void)
{
    return clock_wall() / USEC_PER_MSEC;
}

void recordings_hash(const char *secret, char out[RECORDING_HASH_LEN])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    out[0] = '\0';
    if (EVP_Digest(secret, strlen(secret), digest, &n, EVP_sha256(), NULL) != 1)
        return;
    for (unsigned i = 0; i < n; i++)
        snprintf(out + (size_t)i * 2, 3, "%02x", digest[i]);
}

void recordings_folder(const struct recordings *r, const char *id, char out[RECORDING_PATH_MAX])
{
    snprintf(out, RECORDING_PATH_MAX, "%s/%s", r->config.dir, id);
}

struct recording *recordings_of_room(struct recordings *r, const char *room_id)
{
    list_each (node, &r->all) {
        struct recording *rec = container_of(node, struct recording, node);
        if (!rec->ended && strcmp(rec->room_id, room_id) == 0)
            return rec;
    }
    return NULL;
}

struct recording *recordings_find(struct recordings *r, const char *id)
{
    list_each (node, &r->all) {
        struct recording *rec = container_of(node, struct recording, node);
        if (strcmp(rec->id, id) == 0)
            return rec;
    }
    return NULL;
}

/* ---- files ---- */

/* Small folders, deleted seldom. */
static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    (void)rmdir(path);
}

void recordings_remove_files(const struct recordings *r, const char *id)
{
    char path[RECORDING_PATH_MAX];
    recordings_folder(r, id, path);
    remove_folder(path);
}

static void on_row_written(void *ctx, enum err e)
{
    (void)ctx;
    if (e != OK && e != ERR_CLOSED)
        log_warn("record.row_lost", "why=\"%s\"", err_text(e));
}

void recording_write_row(const struct recording *rec, enum recording_status status)
{
    struct recording_row row = {.id = rec->id,
                                .status = status,
                                .ended_at = rec->ended_ms,
                                .duration_ms = rec->duration / USEC_PER_MSEC,
                                .size_bytes = (int64_t)rec->bytes,
                                .failure = rec->failure[0] ? rec->failure : NULL};
    enum err e = recording_store_update(rec->parent->config.db, &row, on_row_written, NULL);
    if (e != OK)
        on_row_written(NULL, e);
}

/* ---- the end of all ---- */

static void finish_close(struct recordings *r)
{
    void (*closed)(void *) = r->closed;
    void *ctx = r->closed_ctx;
    free(r);
    if (closed)
        closed(ctx);
}

static void check_closed(struct recordings *r)
{
    if (r->closing && r->tick_closed && r->storage_closed && r->pending == 0 && list_empty(&r->all))
        finish_close(r);
}

void recordings_hold(struct recordings *r)
{
    r->pending++;
}

void recordings_release(struct recordings *r)
{
    r->pending--;
    check_closed(r);
}

void recording_forget(struct recording *rec)
{
    struct recordings *r = rec->parent;
    list_remove(&rec->node);
    free(rec);
    check_closed(r);
}

/* ---- recording ---- */

static void on_recorder_stopped(void *ctx, const struct recorder_stats *s)
{
    struct recording *rec = ctx;
    rec->writing--;
    rec->duration += s->duration;
    rec->bytes += s->bytes;
    recording_idle(rec);
}

/* May end in on_idle, before it returns. */
static void let_go(struct recording *rec)
{
    struct recorder *recorder = rec->recorder;
    struct recorder_stats stats;
    /* It opens no more files; the next one's numbers go on while it still writes. */
    recorder_get_stats(recorder, &stats);
    rec->files += stats.files;
    rec->recorder = NULL;
    rec->writing++;
    recorder_stop(recorder, on_recorder_stopped, rec);
}

static void on_recorder_failed(void *ctx, enum err e, const char *text)
{
    struct recording *rec = ctx;
    (void)e;
    rec->failed = true;
    snprintf(rec->failure, sizeof rec->failure, "recording stopped: %s", text);
    log_error("record.stopped", "id=%s room=%s why=\"%s\"", rec->id, rec->room_id, text);
    metric_add(rec->parent->failures, 1);
    recordings_stop(rec);
}

static void begin_recorder(struct recording *rec, struct presentation *p)
{
    struct recordings *r = rec->parent;
    char folder[RECORDING_PATH_MAX];
    if (rec->recorder || rec->ended || rec->failed)
        return;
    recordings_folder(r, rec->id, folder);
    struct recorder_config config = {.loop = r->config.loop,
                                     .presentation = p,
                                     .folder = folder,
                                     .first_file = rec->files + 1,
                                     .on_failed = on_recorder_failed,
                                     .ctx = rec};
    enum err e = recorder_start(&config, &rec->recorder);
    if (e != OK)
        log_error("record.not_started", "id=%s why=\"%s\"", rec->id, err_text(e));
}

static enum err make_path(const struct recording *rec)
{
    char path[RECORDING_PATH_MAX];
    recordings_folder(rec->parent, rec->id, path);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int made = mkdir(path, 0755);
        *slash = '/';
        if (made < 0 && errno != EEXIST)
            return ERR_IO;
    }
    return mkdir(path, 0750) == 0 ? OK : ERR_IO;
}

static struct recording *recording_new(struct recordings *r, const struct stream *s)
{
    struct recording *rec = calloc(1, sizeof *rec);
    if (!rec)
        return NULL;
    const char *token = stream_room(s) ? room_broadcaster_token(stream_room(s)) : NULL;
    rec->parent = r;
    rec->started_ms = now_ms();
    rng_uuid(r->config.rng, rec->id);
    snprintf(rec->stream_id, sizeof rec->stream_id, "%s", stream_id(s));
    snprintf(rec->room_id, sizeof rec->room_id, "%s", stream_room_id(s));
    snprintf(rec->title, sizeof rec->title, "%s", stream_title(s));
    if (token)
        recordings_hash(token, rec->owner_hash);
    if (make_path(rec) != OK) {
        free(rec);
        return NULL;
    }
    list_add(&r->all, &rec->node);
    return rec;
}

static enum err create_row(const struct recording *rec)
{
    struct recording_row row = {.id = rec->id,
                                .stream_id = rec->stream_id,
                                .room_id = rec->room_id,
                                .title = rec->title,
                                .clip = rec->clip,
                                .status = RECORDING_RECORDING,
                                .visibility = RECORDING_UNLISTED,
                                .owner_hash = rec->owner_hash[0] ? rec->owner_hash : NULL,
                                .started_at = rec->started_ms};
    return recording_store_create(rec->parent->config.db, &row, on_row_written, NULL);
}

static enum err begin(struct recordings *r, struct stream *s, bool clip, struct recording **out)
{
    struct recording *rec = recording_new(r, s);
    if (!rec)
        return ERR_IO;
    rec->clip = clip;
    enum err e = create_row(rec);
    if (e != OK) {
        recordings_remove(r, rec->id);
        list_remove(&rec->node);
        free(rec);
        return e;
    }
    *out = rec;
    return OK;
}

enum err recordings_start(struct recordings *r, const char *room_id, struct recording **out)
{
    struct stream *s = streams_of_room(r->config.streams, room_id);
    if (!s)
        return ERR_NOT_FOUND;
    if (!live_has_presentations(r->config.live))
        return ERR_UNSUPPORTED;
    if (recordings_of_room(r, room_id))
        return ERR_EXISTS;
    enum err e = begin(r, s, false, out);
    if (e != OK)
        return e;
    struct presentation *p = live_presentation(r->config.live, room_id);
    log_info("record.started", "id=%s room=%s", (*out)->id, room_id);
    metric_add(r->running, 1);
    if (p)
        begin_recorder(*out, p);
    return OK;
}

void recordings_stop(struct recording *rec)
{
    if (rec->ended)
        return;
    rec->ended = true;
    rec->ended_ms = now_ms();
    if (!rec->clip)
        metric_add(rec->parent->running, -1);
    log_info("record.ended", "id=%s room=%s", rec->id, rec->room_id);
    recording_write_row(rec, RECORDING_PROCESSING);
    if (rec->recorder)
        let_go(rec);
    else
        recording_idle(rec);
}

/* ---- clips ---- */

static void on_clip_written(void *ctx, enum err e)
{
    struct recording *rec = ctx;
    rec->writing--;
    if (e != OK)
        snprintf(rec->failure, sizeof rec->failure, "the clip could not be written");
    recording_idle(rec);
}

enum err recordings_clip(struct recordings *r, const char *room_id, unsigned seconds,
                         struct recording **out)
{
    char folder[RECORDING_PATH_MAX];
    struct stream *s = streams_of_room(r->config.streams, room_id);
    struct presentation *p = live_presentation(r->config.live, room_id);
    if (s && !live_has_presentations(r->config.live))
        return ERR_UNSUPPORTED;
    if (!s || !p)
        return ERR_NOT_FOUND;
    enum err e = begin(r, s, true, out);
    if (e != OK)
        return e;
    struct recording *rec = *out;
    recordings_folder(r, rec->id, folder);
    rec->writing++;
    e = recording_clip_write(r->config.loop, p, (usec)seconds * USEC_PER_SEC, folder,
                             &rec->duration, on_clip_written, rec);
    if (e != OK) {
        rec->writing--;
        rec->ended = true;
        recordings_delete(r, rec->id); /* frees it */
        return e;
    }
    recordings_stop(rec);
    return OK;
}

/* ---- deleting ---- */

void recordings_delete(struct recordings *r, const char *id)
{
    struct recording *rec = recordings_find(r, id);
    enum err e = recording_store_delete(r->config.db, id, on_row_written, NULL);
    if (e != OK)
        on_row_written(NULL, e);
    if (!rec) {
        recordings_remove(r, id);
        return;
    }
    rec->deleted = true;
    if (rec->job)
        finish_job_cancel(rec->job);
    else if (!rec->ended)
        recordings_stop(rec);
    else
        recording_idle(rec);
}

static void on_tick(uv_timer_t *timer)
{
    recordings_retain(timer->data);
}

/* ---- what streams tell ---- */

static void on_live(void *ctx, struct stream *s)
{
    struct recordings *r = ctx;
    struct recording *rec;
    if (!r->config.automatic && !stream_recording_enabled(s))
        return;
    enum err e = recordings_start(r, stream_room_id(s), &rec);
    if (e != OK && e != ERR_EXISTS)
        log_error("record.not_started", "room=%s why=\"%s\"", stream_room_id(s),
                  e == ERR_UNSUPPORTED ? recordings_no_mp4 : err_text(e));
}

static void on_stream_ended(void *ctx, struct stream *s)
{
    struct recording *rec = recordings_of_room(ctx, stream_room_id(s));
    if (rec && strcmp(rec->stream_id, stream_id(s)) == 0)
        recordings_stop(rec);
}

static void on_presentation(void *ctx, struct stream *s, struct presentation *p)
{
    struct recording *rec = recordings_of_room(ctx, stream_room_id(s));
    if (rec)
        begin_recorder(rec, p);
}

static void on_withdrawn(void *ctx, struct presentation *p)
{
    struct recordings *r = ctx;
    list_each (node, &r->all) {
        struct recording *rec = container_of(node, struct recording, node);
        if (rec->recorder && recorder_presentation(rec->recorder) == p)
            let_go(rec); /* goes on with the next presentation */
    }
}

/* ---- life ---- */

static void open_metrics(struct recordings *r)
{
    struct metrics *m = r->config.metrics;
    r->running = metric_gauge(m, "weir_recordings_running", "Streams that are recorded.", NULL, 0);
    r->finished =
        metric_counter(m, "weir_recordings_finished_total", "Recordings that are ready.", NULL, 0);
    r->failures = metric_counter(m, "weir_recordings_failed_total",
                                 "Recordings that failed, or ended early.", NULL, 0);
}

enum err recordings_open(const struct recordings_config *config, struct recordings **out)
{
    struct recordings *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->config = *config;
    list_init(&r->all);
    r->config.storage.loop = config->loop;
    r->config.storage.metrics = config->metrics;
    enum err e = recordings_add_routes(r);
    if (e == OK)
        e = storage_open(&r->config.storage, &r->storage);
    if (e != OK) {
        free(r);
        return e;
    }
    e = recordings_take_up(r);
    if (e != OK) {
        storage_close(r->storage, NULL, NULL);
        free(r);
        return e;
    }
    open_metrics(r);
    uv_timer_init(config->loop, &r->tick);
    r->tick.data = r;
    uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
    r->streams_observer =
        (struct streams_observer){.on_live = on_live, .on_ended = on_stream_ended, .ctx = r};
    r->live_observer = (struct live_observer){
        .on_presentation = on_presentation, .on_withdrawn = on_withdrawn, .ctx = r};
    streams_observe(config->streams, &r->streams_observer);
    live_observe(config->live, &r->live_observer);
    *out = r;
    return OK;
}

static void on_tick_closed(uv_handle_t *h)
{
    struct recordings *r = h->data;
    r->tick_closed = true;
    check_closed(r);
}

static void on_storage_closed(void *ctx)
{
    struct recordings *r = ctx;
    r->storage_closed = true;
    check_closed(r);
}

void recordings_close(struct recordings *r, void (*closed)(void *ctx), void *ctx)
{
    struct storage *storage = r->storage;
    r->closing = true;
    r->closed = closed;
    r->closed_ctx = ctx;
    r->storage = NULL;
    storage_close(storage, on_storage_closed, r);
    streams_unobserve(&r->streams_observer);
    live_unobserve(&r->live_observer);
    uv_close((uv_handle_t *)&r->tick, on_tick_closed);
    list_each (node, &r->all) {
        struct recording *rec = container_of(node, struct recording, node);
        if (rec->job)
            finish_job_cancel(rec->job);
        else if (!rec->ended)
            recordings_stop(rec);
        else
            recording_idle(rec);
    }
}
