#include "controller/stream/stream_store.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                    \
    "id, user_id, room_id, title, description, stream_key, status, started_at, ended_at, "         \
    "viewer_count_peak, recording_enabled, recording_url, thumbnail_url, created_at"

/* Indexes into COLUMNS. */
enum column {
    COL_ID,
    COL_USER_ID,
    COL_ROOM_ID,
    COL_TITLE,
    COL_DESCRIPTION,
    COL_STREAM_KEY,
    COL_STATUS,
    COL_STARTED_AT,
    COL_ENDED_AT,
    COL_VIEWER_COUNT_PEAK,
    COL_RECORDING_ENABLED,
    COL_RECORDING_URL,
    COL_THUMBNAIL_URL,
    COL_CREATED_AT
};

static const char *const status_names[] = {"scheduled", "live", "ended"};

const char *stream_status_name(enum stream_status s)
{
    return status_names[s];
}

/* ---- answers ---- */

/* Who waits for a job's answer; one of the callbacks is set, or none. */
struct waiter {
    stream_done_fn *done;
    stream_row_fn *row;
    stream_rows_fn *rows;
    void *ctx;
};

static enum stream_status status_of(const char *name)
{
    for (int i = 0; name && i <= STREAM_ENDED; i++) {
        if (strcmp(name, status_names[i]) == 0)
            return (enum stream_status)i;
    }
    return STREAM_ENDED; /* the table's CHECK allows no other */
}

static struct stream_row read_row(const struct db_result *r, size_t i)
{
    return (struct stream_row){
        .id = db_get_text(r, i, COL_ID),
        .user_id = db_get_text(r, i, COL_USER_ID),
        .room_id = db_get_text(r, i, COL_ROOM_ID),
        .title = db_get_text(r, i, COL_TITLE),
        .description = db_get_text(r, i, COL_DESCRIPTION),
        .stream_key = db_get_text(r, i, COL_STREAM_KEY),
        .status = status_of(db_get_text(r, i, COL_STATUS)),
        .started_at = db_get_int(r, i, COL_STARTED_AT),
        .ended_at = db_get_int(r, i, COL_ENDED_AT),
        .viewer_count_peak = db_get_int(r, i, COL_VIEWER_COUNT_PEAK),
        .recording_enabled = db_get_bool(r, i, COL_RECORDING_ENABLED),
        .recording_url = db_get_text(r, i, COL_RECORDING_URL),
        .thumbnail_url = db_get_text(r, i, COL_THUMBNAIL_URL),
        .created_at = db_get_int(r, i, COL_CREATED_AT),
    };
}

static void tell_rows(const struct waiter *w, enum err e, const struct db_result *r)
{
    size_t n = r ? db_rows(r) : 0;
    struct stream_row *rows = n > 0 ? calloc(n, sizeof *rows) : NULL;
    if (n > 0 && !rows) {
        e = ERR_NOMEM;
        n = 0;
    }
    for (size_t i = 0; i < n; i++)
        rows[i] = read_row(r, i);
    w->rows(w->ctx, e, rows, n);
    free(rows);
}

static void answered(void *ctx, enum err e, const struct db_result *r)
{
    struct waiter w = *(struct waiter *)ctx;
    free(ctx);
    if (w.done) {
        w.done(w.ctx, e);
    } else if (w.rows) {
        tell_rows(&w, e, r);
    } else if (w.row && e == OK && db_rows(r) == 0) {
        w.row(w.ctx, ERR_NOT_FOUND, NULL);
    } else if (w.row) {
        struct stream_row row = {0};
        if (e == OK)
            row = read_row(r, 0);
        w.row(w.ctx, e, e == OK ? &row : NULL);
    }
}

static enum err run(struct db *db, const struct db_stmt *stmts, size_t n, unsigned flags,
                    struct waiter waiter)
{
    struct waiter *w = malloc(sizeof *w);
    if (!w)
        return ERR_NOMEM;
    *w = waiter;
    enum err e = db_run(db, stmts, n, flags, answered, w);
    if (e != OK)
        free(w);
    return e;
}

/* The parameters as an array with its length. */
#define PARAMS(...)                                                                                \
    .params = (const struct db_param[]){__VA_ARGS__},                                              \
    .n_params = sizeof((const struct db_param[]){__VA_ARGS__}) / sizeof(struct db_param)

/* Columns that are NOT NULL. */
static const char *or_empty(const char *s)
{
    return s ? s : "";
}

/* ---- life of a stream ---- */

enum err stream_store_create(struct db *db, const struct stream_row *row, stream_done_fn *done,
                             void *ctx)
{
    const struct db_stmt s = {
        .sql = "INSERT INTO livestreams (id, user_id, room_id, title, description, stream_key, "
               "recording_enabled, thumbnail_url, created_at) "
               "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        PARAMS(db_text(row->id), db_text(row->user_id), db_text(row->room_id),
               db_text(or_empty(row->title)), db_text(or_empty(row->description)),
               db_text(row->stream_key), db_bool(row->recording_enabled),
               db_text(row->thumbnail_url), db_int(row->created_at)),
    };
    return run(db, &s, 1, 0, (struct waiter){.done = done, .ctx = ctx});
}

enum err stream_store_put_live(struct db *db, const struct stream_row *row, stream_done_fn *done,
                               void *ctx)
{
    const struct db_stmt s = {
        .sql = "INSERT INTO livestreams (id, user_id, room_id, title, description, stream_key, "
               "recording_enabled, thumbnail_url, created_at, status, started_at) "
               "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'live', $10) "
               "ON CONFLICT (id) DO UPDATE SET status = 'live', started_at = excluded.started_at, "
               "ended_at = NULL, interrupted = FALSE",
        PARAMS(db_text(row->id), db_text(row->user_id), db_text(row->room_id),
               db_text(or_empty(row->title)), db_text(or_empty(row->description)),
               db_text(row->stream_key), db_bool(row->recording_enabled),
               db_text(row->thumbnail_url), db_int(row->created_at), db_int(row->started_at)),
    };
    return run(db, &s, 1, DB_WAIT, (struct waiter){.done = done, .ctx = ctx});
}

enum err stream_store_start(struct db *db, const char *id, int64_t now_ms, stream_row_fn *done,
                            void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestreams SET status = 'live', started_at = COALESCE(started_at, $2) "
               "WHERE id = $1 AND status <> 'ended' RETURNING " COLUMNS,
        PARAMS(db_text(id), db_int(now_ms)),
        .must_match = true,
    };
    return run(db, &s, 1, 0, (struct waiter){.row = done, .ctx = ctx});
}

enum err stream_store_end(struct db *db, const char *id, int64_t now_ms, const char *recording_url,
                          stream_done_fn *done, void *ctx)
{
    const struct db_stmt stmts[] = {
        {
            .sql = "UPDATE livestreams SET status = 'ended', ended_at = $2, "
                   "recording_url = COALESCE($3, recording_url) "
                   "WHERE id = $1 AND status <> 'ended'",
            PARAMS(db_text(id), db_int(now_ms), db_text(recording_url)),
            .must_match = true,
        },
        {
            .sql = "UPDATE livestream_viewers SET left_at = $2 "
                   "WHERE stream_id = $1 AND left_at IS NULL",
            PARAMS(db_text(id), db_int(now_ms)),
        },
    };
    return run(db, stmts, 2, DB_WAIT, (struct waiter){.done = done, .ctx = ctx});
}

enum err stream_store_end_all_live(struct db *db, int64_t now_ms, stream_rows_fn *done, void *ctx)
{
    const struct db_stmt stmts[] = {
        {
            .sql = "UPDATE livestreams SET status = 'ended', ended_at = $1, interrupted = TRUE "
                   "WHERE status = 'live' RETURNING " COLUMNS,
            PARAMS(db_int(now_ms)),
        },
        {
            .sql = "UPDATE livestream_viewers SET left_at = $1 WHERE left_at IS NULL",
            PARAMS(db_int(now_ms)),
        },
    };
    return run(db, stmts, 2, 0, (struct waiter){.rows = done, .ctx = ctx});
}

enum err stream_store_start_again(struct db *db, const char *id, stream_row_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestreams SET status = 'live', ended_at = NULL, interrupted = FALSE "
               "WHERE id = $1 AND interrupted RETURNING " COLUMNS,
        PARAMS(db_text(id)),
        .must_match = true,
    };
    return run(db, &s, 1, 0, (struct waiter){.row = done, .ctx = ctx});
}

/* ---- reading ---- */

enum err stream_store_get(struct db *db, const char *id, stream_row_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM livestreams WHERE id = $1",
        PARAMS(db_text(id)),
    };
    return run(db, &s, 1, 0, (struct waiter){.row = done, .ctx = ctx});
}

enum err stream_store_get_by_key(struct db *db, const char *stream_key, stream_row_fn *done,
                                 void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM livestreams WHERE stream_key = $1",
        PARAMS(db_text(stream_key)),
    };
    return run(db, &s, 1, 0, (struct waiter){.row = done, .ctx = ctx});
}

static int64_t clamp_limit(int64_t limit)
{
    if (limit < 1)
        return 1;
    return limit < STREAM_LIST_MAX ? limit : STREAM_LIST_MAX;
}

static int64_t clamp_offset(int64_t offset)
{
    return offset > 0 ? offset : 0;
}

enum err stream_store_list_active(struct db *db, int64_t limit, int64_t offset,
                                  stream_rows_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM livestreams WHERE status = 'live' "
               "ORDER BY started_at DESC, id LIMIT $1 OFFSET $2",
        PARAMS(db_int(clamp_limit(limit)), db_int(clamp_offset(offset))),
    };
    return run(db, &s, 1, 0, (struct waiter){.rows = done, .ctx = ctx});
}

enum err stream_store_list_user(struct db *db, const char *user_id, int64_t limit, int64_t offset,
                                stream_rows_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM livestreams WHERE user_id = $1 "
               "ORDER BY created_at DESC, id LIMIT $2 OFFSET $3",
        PARAMS(db_text(user_id), db_int(clamp_limit(limit)), db_int(clamp_offset(offset))),
    };
    return run(db, &s, 1, 0, (struct waiter){.rows = done, .ctx = ctx});
}

/* ---- changes ---- */

enum err stream_store_set_key(struct db *db, const char *id, const char *user_id,
                              const char *stream_key, stream_done_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestreams SET stream_key = $3 WHERE id = $1 AND user_id = $2",
        PARAMS(db_text(id), db_text(user_id), db_text(stream_key)),
        .must_match = true,
    };
    return run(db, &s, 1, 0, (struct waiter){.done = done, .ctx = ctx});
}

enum err stream_store_set_thumbnail(struct db *db, const char *id, const char *url,
                                    stream_done_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestreams SET thumbnail_url = $2 WHERE id = $1",
        PARAMS(db_text(id), db_text(url)),
        .must_match = true,
    };
    return run(db, &s, 1, DB_WAIT, (struct waiter){.done = done, .ctx = ctx});
}

enum err stream_store_viewer_peak(struct db *db, const char *id, int64_t viewers,
                                  stream_done_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestreams SET viewer_count_peak = "
               "CASE WHEN viewer_count_peak < $2 THEN $2 ELSE viewer_count_peak END "
               "WHERE id = $1",
        PARAMS(db_text(id), db_int(viewers)),
        .must_match = true,
    };
    return run(db, &s, 1, DB_WAIT, (struct waiter){.done = done, .ctx = ctx});
}

/* ---- viewers ---- */

enum err stream_store_viewer_joined(struct db *db, const char *viewer_id, const char *stream_id,
                                    const char *user_id, int64_t now_ms, stream_done_fn *done,
                                    void *ctx)
{
    const struct db_stmt s = {
        .sql = "INSERT INTO livestream_viewers (id, stream_id, user_id, joined_at) "
               "VALUES ($1, $2, $3, $4)",
        PARAMS(db_text(viewer_id), db_text(stream_id), db_text(user_id), db_int(now_ms)),
    };
    return run(db, &s, 1, DB_WAIT, (struct waiter){.done = done, .ctx = ctx});
}

enum err stream_store_viewer_left(struct db *db, const char *viewer_id, int64_t now_ms,
                                  stream_done_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestream_viewers SET left_at = $2 WHERE id = $1 AND left_at IS NULL",
        PARAMS(db_text(viewer_id), db_int(now_ms)),
        .must_match = true,
    };
    return run(db, &s, 1, DB_WAIT, (struct waiter){.done = done, .ctx = ctx});
}
