/* The inside of recordings. Private to controller/record. */
#ifndef WEIR_CONTROLLER_RECORD_RECORDINGS_STATE_H
#define WEIR_CONTROLLER_RECORD_RECORDINGS_STATE_H

#include <uv.h>

#include "common/list.h"
#include "controller/record/finish_job.h"
#include "controller/record/recorder.h"
#include "controller/record/recording_store.h"
#include "controller/record/recordings.h"
#include "controller/storage/storage.h"

enum {
    RECORDING_ID_LEN = 37,
    RECORDING_HASH_LEN = 65, /* SHA-256, hexadecimal, with a NUL */
    RECORDING_PATH_MAX = 1300,
    CLIP_MAX_S = 30
};

/* One that runs, or waits to be finished. */
struct recording {
    struct recordings *parent; /* outlives us */
    struct list node;
    char id[RECORDING_ID_LEN];
    char stream_id[RECORDING_ID_LEN];
    char room_id[ROOM_ID_MAX + 1];
    char title[STREAM_TITLE_MAX * 4 + 1];
    char owner_hash[RECORDING_HASH_LEN];
    char failure[160]; /* "" none */
    bool clip;
    bool ended;                /* nothing more is recorded */
    bool deleted;              /* by its owner, as soon as nothing works on it */
    bool failed;               /* to record: what there is gets finished */
    struct recorder *recorder; /* owned; NULL: the stream shows nothing at the moment */
    unsigned writing;          /* recorders that were let go, or a clip, and still write */
    struct finish_job *job;    /* ref; NULL: none */
    unsigned files;            /* of recorders that were let go */
    usec duration;
    uint64_t bytes;
    int64_t started_ms;
    int64_t ended_ms;
};

struct recordings {
    struct recordings_config config;
    struct storage *storage; /* owned; NULL: closed */
    struct list all;         /* of recording, oldest first */
    struct streams_observer streams_observer;
    struct live_observer live_observer;
    uv_timer_t tick; /* retention */
    struct metric *running;
    struct metric *finished;
    struct metric *failures;
    unsigned pending; /* answers of the database that speak of us */
    bool working;     /* a finish job runs */
    bool closing;
    bool tick_closed;
    bool storage_closed;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- recordings.c ---- */
/* Before and after each job of the database whose answer needs us: we outlive it. */
void recordings_hold(struct recordings *r);
void recordings_release(struct recordings *r);
/* What ERR_UNSUPPORTED means here. */
extern const char recordings_no_mp4[];
void recordings_hash(const char *secret, char out[RECORDING_HASH_LEN]);
/* The running one of a room; NULL: none. */
struct recording *recordings_of_room(struct recordings *r, const char *room_id);
struct recording *recordings_find(struct recordings *r, const char *id);
/* Begins to record the room's stream. ERR_EXISTS: it is recorded; ERR_NOT_FOUND: no live stream;
 * ERR_UNSUPPORTED: with hls.container = ts there is nothing to record from; ERR_IO: the folder
 * cannot be made. */
MUST_CHECK enum err recordings_start(struct recordings *r, const char *room_id,
                                     struct recording **out);
void recordings_stop(struct recording *rec);
/* The last seconds of the room's stream as a recording of its own. Errors as recordings_start. */
MUST_CHECK enum err recordings_clip(struct recordings *r, const char *room_id, unsigned seconds,
                                    struct recording **out);
/* Files and row go, now or as soon as nothing works on them. */
void recordings_delete(struct recordings *r, const char *id);
void recordings_folder(const struct recordings *r, const char *id, char out[RECORDING_PATH_MAX]);

/* ---- recording_clip.c ---- */
/* Writes the last seconds that p has in memory into <folder>/0001.mp4. *duration: how much. done is
 * called once, later. ERR_NOT_FOUND: there is nothing. */
MUST_CHECK enum err recording_clip_write(struct uv_loop_s *loop, struct presentation *p,
                                         usec seconds, const char *folder, usec *duration,
                                         void (*done)(void *ctx, enum err e), void *ctx);

/* Of a recording's folder, with it. */
void recordings_remove_files(const struct recordings *r, const char *id);

void recording_write_row(const struct recording *rec, enum recording_status status);
/* Frees it; r may be dead when it returns. */
void recording_forget(struct recording *rec);

/* ---- recording_finish.c ---- */
/* Something that worked on it is done; when nothing is left, what comes next begins. May free it.
 */
void recording_idle(struct recording *rec);
/* Deletes what is too old or too much. */
void recordings_retain(struct recordings *r);
/* Finishes what the last life did not get to. */
MUST_CHECK enum err recordings_take_up(struct recordings *r);

/* ---- recording_storage.c ---- */
/* What is finished goes to the storage, if it is not this disk. */
void recordings_put(struct recordings *r, const char *id);
/* All files of one go, also in the storage. */
void recordings_remove(struct recordings *r, const char *id);
/* What the last life did not get to. */
void recordings_resume_storage(struct recordings *r);
/* Where a browser gets the file; false: from disk. */
bool recordings_url(const struct recordings *r, const char *id, const char *file,
                    const char *disposition, char out[STORAGE_URL_MAX]);

/* ---- recording_routes.c ---- */
MUST_CHECK enum err recordings_add_routes(struct recordings *r);

#endif
