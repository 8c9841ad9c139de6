#include "controller/stream/stream_store.h"

#include <string.h>

#include "controller/data/db_rows.h"

#define COLUMNS                                                                                    \
    "id, user_id, room_id, title, description, stream_key, status, started_at, ended_at, "         \
    "viewer_count_peak, recording_enabled, recording_url, thumbnail_url, created_at, "             \
    "scheduled_at, viewer_limit"

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
    COL_CREATED_AT,
    COL_SCHEDULED_AT,
    COL_VIEWER_LIMIT
};

static const char *const status_names[] = {"scheduled", "live", "ended"};

const char *stream_status_name(enum stream_status s)
{
    return status_names[s];
}

/* ---- answers ---- */

static enum stream_status status_of(const char *name)
{
    for (int i = 0; name && i <= STREAM_ENDED; i++) {
        if (strcmp(name, status_names[i]) == 0)
            return (enum stream_status)i;
    }
    return STREAM_ENDED; /* the table's CHECK allows no other */
}

static void read_row(const struct db_result *r, size_t i, void *row)
{
    *(struct stream_row *)row = (struct stream_row){
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
        .scheduled_at = db_get_int(r, i, COL_SCHEDULED_AT),
        .viewer_limit = db_get_int(r, i, COL_VIEWER_LIMIT),
    };
}

static void tell_row(db_callback *cb, void *ctx, enum err e, const void *row)
{
    ((stream_row_fn *)cb)(ctx, e, row);
}

static void tell_rows(db_callback *cb, void *ctx, enum err e, const void *rows, size_t n)
{
    ((stream_rows_fn *)cb)(ctx, e, rows, n);
}

static const struct db_row_type row_type = {.size = sizeof(struct stream_row),
                                            .read = read_row,
                                            .tell_row = tell_row,
                                            .tell_rows = tell_rows};

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
               "recording_enabled, thumbnail_url, created_at, scheduled_at, viewer_limit) "
               "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        DB_PARAMS(db_text(row->id), db_text(row->user_id), db_text(row->room_id),
                  db_text(or_empty(row->title)), db_text(or_empty(row->description)),
                  db_text(row->stream_key), db_bool(row->recording_enabled),
                  db_text(row->thumbnail_url), db_int(row->created_at),
                  row->scheduled_at ? db_int(row->scheduled_at) : db_null(),
                  db_int(row->viewer_limit)),
    };
    return db_do(db, &s, 1, 0, done, ctx);
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
        DB_PARAMS(db_text(row->id), db_text(row->user_id), db_text(row->room_id),
                  db_text(or_empty(row->title)), db_text(or_empty(row->description)),
                  db_text(row->stream_key), db_bool(row->recording_enabled),
                  db_text(row->thumbnail_url), db_int(row->created_at), db_int(row->started_at)),
    };
    return db_do(db, &s, 1, DB_WAIT, done, ctx);
}

enum err stream_store_start(struct db *db, const char *id, int64_t now_ms, stream_row_fn *done,
                            void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestreams SET status = 'live', started_at = COALESCE(started_at, $2) "
               "WHERE id = $1 AND status <> 'ended' RETURNING " COLUMNS,
        DB_PARAMS(db_text(id), db_int(now_ms)),
        .must_match = true,
    };
    return db_read_row(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}

enum err stream_store_end(struct db *db, const char *id, int64_t now_ms, const char *recording_url,
                          stream_done_fn *done, void *ctx)
{
    const struct db_stmt stmts[] = {
        {
            .sql = "UPDATE livestreams SET status = 'ended', ended_at = $2, "
                   "recording_url = COALESCE($3, recording_url) "
                   "WHERE id = $1 AND status <> 'ended'",
            DB_PARAMS(db_text(id), db_int(now_ms), db_text(recording_url)),
            .must_match = true,
        },
        {
            .sql = "UPDATE livestream_viewers SET left_at = $2 "
                   "WHERE stream_id = $1 AND left_at IS NULL",
            DB_PARAMS(db_text(id), db_int(now_ms)),
        },
    };
    return db_do(db, stmts, 2, DB_WAIT, done, ctx);
}

enum err stream_store_end_all_live(struct db *db, int64_t now_ms, stream_rows_fn *done, void *ctx)
{
    const struct db_stmt stmts[] = {
        {
            .sql = "UPDATE livestreams SET status = 'ended', ended_at = $1, interrupted = TRUE "
                   "WHERE status = 'live' RETURNING " COLUMNS,
            DB_PARAMS(db_int(now_ms)),
        },
        {
            .sql = "UPDATE livestream_viewers SET left_at = $1 WHERE left_at IS NULL",
            DB_PARAMS(db_int(now_ms)),
        },
    };
    return db_read_rows(db, &row_type, stmts, 2, 0, (db_callback *)done, ctx);
}

enum err stream_store_start_again(struct db *db, const char *id, stream_row_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestreams SET status = 'live', ended_at = NULL, interrupted = FALSE "
               "WHERE id = $1 AND interrupted RETURNING " COLUMNS,
        DB_PARAMS(db_text(id)),
        .must_match = true,
    };
    return db_read_row(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}

/* ---- reading ---- */

enum err stream_store_get(struct db *db, const char *id, stream_row_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM livestreams WHERE id = $1",
        DB_PARAMS(db_text(id)),
    };
    return db_read_row(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}

enum err stream_store_get_by_key(struct db *db, const char *stream_key, stream_row_fn *done,
                                 void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM livestreams WHERE stream_key = $1",
        DB_PARAMS(db_text(stream_key)),
    };
    return db_read_row(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}

enum err stream_store_list_active(struct db *db, int64_t limit, int64_t offset,
                                  stream_rows_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM livestreams WHERE status = 'live' "
               "ORDER BY started_at DESC, id LIMIT $1 OFFSET $2",
        DB_PARAMS(db_int(db_clamp_limit(limit, STREAM_LIST_MAX)), db_int(db_clamp_offset(offset))),
    };
    return db_read_rows(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}

enum err stream_store_list_user(struct db *db, const char *user_id, bool all, int64_t limit,
                                int64_t offset, stream_rows_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM livestreams WHERE user_id = $1 "
               "AND (CAST($4 AS BOOLEAN) OR status <> 'scheduled' OR scheduled_at IS NOT NULL) "
               "ORDER BY created_at DESC, id LIMIT $2 OFFSET $3",
        DB_PARAMS(db_text(user_id), db_int(db_clamp_limit(limit, STREAM_LIST_MAX)),
                  db_int(db_clamp_offset(offset)), db_bool(all)),
    };
    return db_read_rows(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}

enum err stream_store_list_scheduled(struct db *db, int64_t from_ms, int64_t limit, int64_t offset,
                                     stream_rows_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM livestreams WHERE status = 'scheduled' "
               "AND scheduled_at > $1 ORDER BY scheduled_at, id LIMIT $2 OFFSET $3",
        DB_PARAMS(db_int(from_ms), db_int(db_clamp_limit(limit, STREAM_LIST_MAX)),
                  db_int(db_clamp_offset(offset))),
    };
    return db_read_rows(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}

/* ---- changes ---- */

enum err stream_store_change(struct db *db, const char *id, const struct stream_change *c,
                             stream_row_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestreams SET title = COALESCE($2, title), "
               "description = COALESCE($3, description), "
               "recording_enabled = COALESCE($4, recording_enabled), "
               "scheduled_at = NULLIF(COALESCE($5, scheduled_at), 0), "
               "viewer_limit = COALESCE($6, viewer_limit) WHERE id = $1 RETURNING " COLUMNS,
        DB_PARAMS(db_text(id), db_text(c->title), db_text(c->description),
                  c->recording_enabled ? db_bool(*c->recording_enabled) : db_null(),
                  c->scheduled_at ? db_int(*c->scheduled_at) : db_null(),
                  c->viewer_limit ? db_int(*c->viewer_limit) : db_null()),
        .must_match = true,
    };
    return db_read_row(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}

enum err stream_store_set_key(struct db *db, const char *id, const char *user_id,
                              const char *stream_key, stream_done_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestreams SET stream_key = $3 WHERE id = $1 AND user_id = $2",
        DB_PARAMS(db_text(id), db_text(user_id), db_text(stream_key)),
        .must_match = true,
    };
    return db_do(db, &s, 1, 0, done, ctx);
}

enum err stream_store_set_thumbnail(struct db *db, const char *id, const char *url,
                                    stream_done_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestreams SET thumbnail_url = $2 WHERE id = $1",
        DB_PARAMS(db_text(id), db_text(url)),
        .must_match = true,
    };
    return db_do(db, &s, 1, DB_WAIT, done, ctx);
}

enum err stream_store_viewer_peak(struct db *db, const char *id, int64_t viewers,
                                  stream_done_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestreams SET viewer_count_peak = "
               "CASE WHEN viewer_count_peak < $2 THEN $2 ELSE viewer_count_peak END "
               "WHERE id = $1",
        DB_PARAMS(db_text(id), db_int(viewers)),
        .must_match = true,
    };
    return db_do(db, &s, 1, DB_WAIT, done, ctx);
}

/* ---- viewers ---- */

enum err stream_store_viewer_joined(struct db *db, const char *viewer_id, const char *stream_id,
                                    const char *user_id, int64_t now_ms, stream_done_fn *done,
                                    void *ctx)
{
    const struct db_stmt s = {
        .sql = "INSERT INTO livestream_viewers (id, stream_id, user_id, joined_at) "
               "VALUES ($1, $2, $3, $4)",
        DB_PARAMS(db_text(viewer_id), db_text(stream_id), db_text(user_id), db_int(now_ms)),
    };
    return db_do(db, &s, 1, DB_WAIT, done, ctx);
}

enum err stream_store_viewer_left(struct db *db, const char *viewer_id, int64_t now_ms,
                                  stream_done_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE livestream_viewers SET left_at = $2 WHERE id = $1 AND left_at IS NULL",
        DB_PARAMS(db_text(viewer_id), db_int(now_ms)),
        .must_match = true,
    };
    return db_do(db, &s, 1, DB_WAIT, done, ctx);
}
