/* The SQL of streams: one function a statement, structs in and out. Does IO through
 * controller/data.
 *
 * Every function hands in one job. OK: the callback is called exactly once, later, on the loop.
 * Anything else: it is never called; the codes are those of db_run. Strings that go in are copied;
 * what a callback gets lives until it returns. Callbacks may be NULL where nothing is read. */
#ifndef WEIR_CONTROLLER_STREAM_STREAM_STORE_H
#define WEIR_CONTROLLER_STREAM_STREAM_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "controller/data/db.h"

enum stream_status { STREAM_SCHEDULED, STREAM_LIVE, STREAM_ENDED };

/* "scheduled", "live", "ended". */
const char *stream_status_name(enum stream_status s);

/* A row of livestreams. Times are milliseconds since 1970 UTC, 0 where there is none; strings are
 * NULL where the column is. */
struct stream_row {
    const char *id;
    const char *user_id; /* NULL: the service's own, such as the demo */
    const char *room_id; /* the room whose producers the stream shows */
    const char *title;
    const char *description;
    const char *stream_key; /* secret: for the owner only */
    enum stream_status status;
    int64_t started_at;
    int64_t ended_at;
    int64_t viewer_count_peak;
    bool recording_enabled;
    const char *recording_url;
    const char *thumbnail_url;
    int64_t created_at;
    int64_t scheduled_at; /* when it is to begin */
    int64_t viewer_limit; /* at the same time; 0: none */
};

/* Just whether it worked. ERR_NOT_FOUND: no such stream, or not in the status that this needs. */
typedef void stream_done_fn(void *ctx, enum err e);
/* row is NULL unless e is OK. */
typedef void stream_row_fn(void *ctx, enum err e, const struct stream_row *row);
typedef void stream_rows_fn(void *ctx, enum err e, const struct stream_row *rows, size_t n);

/* ---- life of a stream ---- */

/* Uses id, user_id, room_id, title, description, stream_key, recording_enabled, thumbnail_url,
 * created_at, scheduled_at, viewer_limit; status becomes scheduled. ERR_EXISTS: id or stream key
 * are taken. ERR_NOT_FOUND: no such user. */
MUST_CHECK enum err stream_store_create(struct db *db, const struct stream_row *row,
                                        stream_done_fn *done, void *ctx);
/* Creates the row, or takes an existing one of this id into use again, with status live and
 * started_at: for streams that start without having been announced (rooms, the demo). Title and the
 * rest of an existing row stay. Waits while the database is away. */
MUST_CHECK enum err stream_store_put_live(struct db *db, const struct stream_row *row,
                                          stream_done_fn *done, void *ctx);
/* scheduled -> live, or again live after a restart; gives the row. ERR_NOT_FOUND when it ended. */
MUST_CHECK enum err stream_store_start(struct db *db, const char *id, int64_t now_ms,
                                       stream_row_fn *done, void *ctx);
/* live or scheduled -> ended. recording_url NULL leaves the column. Also closes its viewers' rows,
 * in the same transaction. Waits while the database is away. */
MUST_CHECK enum err stream_store_end(struct db *db, const char *id, int64_t now_ms,
                                     const char *recording_url, stream_done_fn *done, void *ctx);
/* Crash recovery at start-up: every stream that is still live in the table gets ended, and open
 * viewer rows are closed. Gives the rows that were live; they carry a mark in the table, so that
 * stream_store_start_again can take them up. */
MUST_CHECK enum err stream_store_end_all_live(struct db *db, int64_t now_ms, stream_rows_fn *done,
                                              void *ctx);
/* ended by end_all_live -> live once more, when its broadcaster came back: ERR_NOT_FOUND for
 * streams that ended in the regular way. */
MUST_CHECK enum err stream_store_start_again(struct db *db, const char *id, stream_row_fn *done,
                                             void *ctx);

/* ---- reading ---- */

/* ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err stream_store_get(struct db *db, const char *id, stream_row_fn *done, void *ctx);
MUST_CHECK enum err stream_store_get_by_key(struct db *db, const char *stream_key,
                                            stream_row_fn *done, void *ctx);
/* Live ones, the newest first. limit is clamped to 1..STREAM_LIST_MAX, offset to >= 0. */
enum { STREAM_LIST_MAX = 200 };
MUST_CHECK enum err stream_store_list_active(struct db *db, int64_t limit, int64_t offset,
                                             stream_rows_fn *done, void *ctx);
/* Of a user, the newest first; all: also the ones that are scheduled for no time. */
MUST_CHECK enum err stream_store_list_user(struct db *db, const char *user_id, bool all,
                                           int64_t limit, int64_t offset, stream_rows_fn *done,
                                           void *ctx);
/* Scheduled for a time after from_ms, the next first. */
MUST_CHECK enum err stream_store_list_scheduled(struct db *db, int64_t from_ms, int64_t limit,
                                                int64_t offset, stream_rows_fn *done, void *ctx);

/* ---- changes ---- */

/* What a stream's owner says of it; NULL leaves as it is. Gives the row as it is then. */
struct stream_change {
    const char *title;
    const char *description;
    const bool *recording_enabled;
    const int64_t *scheduled_at; /* 0: no time */
    const int64_t *viewer_limit;
};
MUST_CHECK enum err stream_store_change(struct db *db, const char *id,
                                        const struct stream_change *change, stream_row_fn *done,
                                        void *ctx);
/* ERR_NOT_FOUND unless the stream is of this user. ERR_EXISTS: the key is taken. */
MUST_CHECK enum err stream_store_set_key(struct db *db, const char *id, const char *user_id,
                                         const char *stream_key, stream_done_fn *done, void *ctx);
MUST_CHECK enum err stream_store_set_thumbnail(struct db *db, const char *id, const char *url,
                                               stream_done_fn *done, void *ctx);
/* The peak only grows: a smaller number changes nothing. Waits while the database is away. */
MUST_CHECK enum err stream_store_viewer_peak(struct db *db, const char *id, int64_t viewers,
                                             stream_done_fn *done, void *ctx);

/* ---- viewers ---- */

/* viewer_id: made by the caller; user_id NULL: anonymous. Both wait while the database is away. */
MUST_CHECK enum err stream_store_viewer_joined(struct db *db, const char *viewer_id,
                                               const char *stream_id, const char *user_id,
                                               int64_t now_ms, stream_done_fn *done, void *ctx);
MUST_CHECK enum err stream_store_viewer_left(struct db *db, const char *viewer_id, int64_t now_ms,
                                             stream_done_fn *done, void *ctx);

#endif
