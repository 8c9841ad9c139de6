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

static void write_row(const struct recording *rec, enum recording_status status)
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

/* ---- finishing ---- */

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

static void forget(struct recording *rec)
{
    struct recordings *r = rec->parent;
    list_remove(&rec->node);
    free(rec);
    check_closed(r);
}

static bool is_idle(const struct recording *rec)
{
    return !rec->recorder && rec->writing == 0 && !rec->job;
}

static void finish_next(struct recordings *r);
static void retain(struct recordings *r);

static void on_finished(void *ctx, const struct finish_result *f)
{
    struct recording *rec = ctx;
    struct recordings *r = rec->parent;
    rec->job = NULL;
    r->working = false;
    if (rec->deleted) {
        recordings_remove(r, rec->id);
    } else if (f->e == OK) {
        rec->duration = f->duration_ms > 0 ? f->duration_ms * USEC_PER_MSEC : rec->duration;
        rec->bytes = (uint64_t)f->size_bytes;
        if (f->why[0] && !rec->failure[0])
            snprintf(rec->failure, sizeof rec->failure, "%s", f->why);
        log_info("record.ready", "id=%s room=%s seconds=%lld", rec->id, rec->room_id,
                 (long long)(rec->duration / USEC_PER_SEC));
        write_row(rec, RECORDING_READY);
        recordings_put(r, rec->id);
        metric_add(r->finished, 1);
    } else if (f->e != ERR_CLOSED) { /* closed: the next start takes it up */
        snprintf(rec->failure, sizeof rec->failure, "%s", f->why);
        log_error("record.failed", "id=%s room=%s why=\"%s\"", rec->id, rec->room_id, f->why);
        write_row(rec, RECORDING_FAILED);
        metric_add(r->failures, 1);
    }
    bool closing = r->closing;
    forget(rec); /* and with the last of them, perhaps, r */
    if (closing)
        return;
    retain(r);
    finish_next(r);
}

static void on_nothing_to_finish(struct recording *rec)
{
    snprintf(rec->failure, sizeof rec->failure, "nothing was recorded");
    write_row(rec, RECORDING_FAILED);
    recordings_remove_files(rec->parent, rec->id);
    forget(rec);
}

/* One at a time: live streams come first. */
static void finish_next(struct recordings *r)
{
    char folder[RECORDING_PATH_MAX];
    list_each (node, &r->all) {
        struct recording *rec = container_of(node, struct recording, node);
        if (r->working || r->closing)
            return;
        if (!rec->ended || !is_idle(rec))
            continue;
        recordings_folder(r, rec->id, folder);
        struct finish_config config = {.loop = r->config.loop,
                                       .ffmpeg = r->config.ffmpeg,
                                       .folder = folder,
                                       .duration_ms = rec->duration / USEC_PER_MSEC,
                                       .done = on_finished,
                                       .ctx = rec};
        enum err e = finish_job_start(&config, &rec->job);
        r->working = e == OK;
        if (e == ERR_NOT_FOUND)
            on_nothing_to_finish(rec);
        else if (e != OK) /* the next start takes it up */
            forget(rec);
    }
}

static void on_idle(struct recording *rec)
{
    struct recordings *r = rec->parent;
    if (!rec->ended || !is_idle(rec))
        return;
    if (rec->deleted) {
        recordings_remove(r, rec->id);
        forget(rec);
    } else if (r->closing) {
        forget(rec);
    } else {
        finish_next(r);
    }
}

/* ---- recording ---- */

static void on_recorder_stopped(void *ctx, const struct recorder_stats *s)
{
    struct recording *rec = ctx;
    rec->writing--;
    rec->duration += s->duration;
    rec->bytes += s->bytes;
    on_idle(rec);
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
    write_row(rec, RECORDING_PROCESSING);
    if (rec->recorder)
        let_go(rec);
    else
        on_idle(rec);
}

/* ---- clips ---- */

static void on_clip_written(void *ctx, enum err e)
{
    struct recording *rec = ctx;
    rec->writing--;
    if (e != OK)
        snprintf(rec->failure, sizeof rec->failure, "the clip could not be written");
    on_idle(rec);
}

enum err recordings_clip(struct recordings *r, const char *room_id, unsigned seconds,
                         struct recording **out)
{
    char folder[RECORDING_PATH_MAX];
    struct stream *s = streams_of_room(r->config.streams, room_id);
    struct presentation *p = live_presentation(r->config.live, room_id);
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
        on_idle(rec);
}

/* ---- retention ---- */

static void expire(struct recordings *r, const struct recording_row *rows, size_t n)
{
    const struct recordings_config *c = &r->config;
    uint64_t all = 0;
    for (size_t i = 0; i < n; i++)
        all += (uint64_t)rows[i].size_bytes;
    int64_t oldest = c->max_age > 0 ? now_ms() - c->max_age / USEC_PER_MSEC : INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        bool old = rows[i].started_at < oldest;
        bool much = c->max_bytes > 0 && all > c->max_bytes;
        if (!old && !much)
            continue;
        log_info("record.expired", "id=%s why=%s", rows[i].id, old ? "age" : "space");
        all -= (uint64_t)rows[i].size_bytes;
        recordings_delete(r, rows[i].id);
    }
}

static void on_oldest(void *ctx, enum err e, const struct recording_row *rows, size_t n)
{
    struct recordings *r = ctx;
    if (e == OK && !r->closing)
        expire(r, rows, n);
    recordings_release(r);
}

static void retain(struct recordings *r)
{
    if (r->config.max_age == 0 && r->config.max_bytes == 0)
        return;
    recordings_hold(r);
    if (recording_store_list_oldest(r->config.db, on_oldest, r) != OK)
        recordings_release(r); /* the next tick tries again */
}

static void on_tick(uv_timer_t *timer)
{
    retain(timer->data);
}

/* ---- what streams tell ---- */

static void on_live(void *ctx, struct stream *s)
{
    struct recordings *r = ctx;
    struct recording *rec;
    if (!r->config.automatic)
        return;
    enum err e = recordings_start(r, stream_room_id(s), &rec);
    if (e != OK && e != ERR_EXISTS)
        log_error("record.not_started", "room=%s why=\"%s\"", stream_room_id(s), err_text(e));
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

/* ---- what a crash interrupted ---- */

static void take_up(struct recordings *r, const struct recording_row *row)
{
    struct recording *rec = calloc(1, sizeof *rec);
    if (!rec)
        return;
    rec->parent = r;
    rec->ended = true;
    rec->clip = row->clip;
    rec->started_ms = row->started_at;
    rec->ended_ms = row->ended_at ? row->ended_at : now_ms();
    rec->duration = row->duration_ms * USEC_PER_MSEC;
    rec->bytes = (uint64_t)row->size_bytes;
    snprintf(rec->id, sizeof rec->id, "%s", row->id);
    snprintf(rec->room_id, sizeof rec->room_id, "%s", row->room_id);
    snprintf(rec->failure, sizeof rec->failure, "%s", row->failure ? row->failure : "");
    list_add(&r->all, &rec->node);
}

static void take_up_all(struct recordings *r, const struct recording_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        /* Those of this life are known. */
        if (!recordings_find(r, rows[i].id))
            take_up(r, &rows[i]);
    }
    if (n > 0)
        log_info("record.taken_up", "recordings=%zu", n);
    finish_next(r);
}

static void on_unfinished(void *ctx, enum err e, const struct recording_row *rows, size_t n)
{
    struct recordings *r = ctx;
    if (e == OK && !r->closing) {
        take_up_all(r, rows, n);
        recordings_resume_storage(r);
        retain(r);
    }
    recordings_release(r);
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
    recordings_hold(r);
    e = recording_store_list_unfinished(config->db, on_unfinished, r);
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
            on_idle(rec);
    }
}
