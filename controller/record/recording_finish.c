/* What becomes of a recording once it has ended: finished, one after another, also those that a
 * crash interrupted; and, by age and space, deleted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/record/recordings_state.h"

/* ---- finishing ---- */

static bool is_idle(const struct recording *rec)
{
    return !rec->recorder && rec->writing == 0 && !rec->job;
}

static void finish_next(struct recordings *r);

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
        recording_write_row(rec, RECORDING_READY);
        recordings_put(r, rec->id);
        metric_add(r->finished, 1);
        if (r->config.ready)
            r->config.ready(r->config.ctx, rec->id, rec->room_id, rec->stream_id);
    } else if (f->e != ERR_CLOSED) { /* closed: the next start takes it up */
        snprintf(rec->failure, sizeof rec->failure, "%s", f->why);
        log_error("record.failed", "id=%s room=%s why=\"%s\"", rec->id, rec->room_id, f->why);
        recording_write_row(rec, RECORDING_FAILED);
        metric_add(r->failures, 1);
    }
    bool closing = r->closing;
    recording_forget(rec); /* and with the last of them, perhaps, r */
    if (closing)
        return;
    recordings_retain(r);
    finish_next(r);
}

static void on_nothing_to_finish(struct recording *rec)
{
    if (!rec->failure[0]) /* else it tells why */
        snprintf(rec->failure, sizeof rec->failure, "nothing was recorded");
    recording_write_row(rec, RECORDING_FAILED);
    recordings_remove_files(rec->parent, rec->id);
    recording_forget(rec);
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
            recording_forget(rec);
    }
}

void recording_idle(struct recording *rec)
{
    struct recordings *r = rec->parent;
    if (!rec->ended || !is_idle(rec))
        return;
    if (rec->deleted) {
        recordings_remove(r, rec->id);
        recording_forget(rec);
    } else if (r->closing) {
        recording_forget(rec);
    } else {
        finish_next(r);
    }
}

/* ---- retention ---- */

static void expire(struct recordings *r, const struct recording_row *rows, size_t n)
{
    const struct recordings_config *c = &r->config;
    uint64_t all = 0;
    for (size_t i = 0; i < n; i++)
        all += (uint64_t)rows[i].size_bytes;
    int64_t oldest =
        c->max_age > 0 ? clock_wall() / USEC_PER_MSEC - c->max_age / USEC_PER_MSEC : INT64_MIN;
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

void recordings_retain(struct recordings *r)
{
    if (r->config.max_age == 0 && r->config.max_bytes == 0)
        return;
    recordings_hold(r);
    if (recording_store_list_oldest(r->config.db, on_oldest, r) != OK)
        recordings_release(r); /* the next tick tries again */
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
    rec->ended_ms = row->ended_at ? row->ended_at : clock_wall() / USEC_PER_MSEC;
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
        recordings_retain(r);
    }
    recordings_release(r);
}

enum err recordings_take_up(struct recordings *r)
{
    recordings_hold(r);
    enum err e = recording_store_list_unfinished(r->config.db, on_unfinished, r);
    if (e != OK)
        r->pending--; /* nobody waits for the last of them */
    return e;
}
