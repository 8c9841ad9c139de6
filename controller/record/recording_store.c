#include "controller/record/recording_store.h"

#include <string.h>

#include "controller/data/db_rows.h"

#define COLUMNS                                                                                    \
    "id, stream_id, room_id, title, kind, status, visibility, owner_hash, started_at, ended_at, "  \
    "duration_ms, size_bytes, failure"

/* Indexes into COLUMNS. */
enum column {
    COL_ID,
    COL_STREAM_ID,
    COL_ROOM_ID,
    COL_TITLE,
    COL_KIND,
    COL_STATUS,
    COL_VISIBILITY,
    COL_OWNER_HASH,
    COL_STARTED_AT,
    COL_ENDED_AT,
    COL_DURATION_MS,
    COL_SIZE_BYTES,
    COL_FAILURE
};

#define X(id, name) name,
static const char *const statuses[] = {RECORDING_STATUSES(X)};
static const char *const visibilities[] = {RECORDING_VISIBILITIES(X)};
#undef X

const char *recording_status_name(enum recording_status s)
{
    return statuses[s];
}

const char *recording_visibility_name(enum recording_visibility v)
{
    return visibilities[v];
}

static int index_of(const char *const *names, int n, const char *name)
{
    for (int i = 0; name && i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

enum err recording_visibility_parse(const char *name, enum recording_visibility *out)
{
    int i = index_of(visibilities, RECORDING_VISIBILITY_COUNT, name);
    if (i < 0)
        return ERR_RANGE;
    *out = (enum recording_visibility)i;
    return OK;
}

/* ---- answers ---- */

static void read_row(const struct db_result *r, size_t i, void *row)
{
    /* The table's CHECKs allow no other names. */
    int status = index_of(statuses, RECORDING_STATUS_COUNT, db_get_text(r, i, COL_STATUS));
    int visibility =
        index_of(visibilities, RECORDING_VISIBILITY_COUNT, db_get_text(r, i, COL_VISIBILITY));
    const char *kind = db_get_text(r, i, COL_KIND);
    *(struct recording_row *)row = (struct recording_row){
        .id = db_get_text(r, i, COL_ID),
        .stream_id = db_get_text(r, i, COL_STREAM_ID),
        .room_id = db_get_text(r, i, COL_ROOM_ID),
        .title = db_get_text(r, i, COL_TITLE),
        .clip = kind && strcmp(kind, "clip") == 0,
        .status = status < 0 ? RECORDING_FAILED : (enum recording_status)status,
        .visibility = visibility < 0 ? RECORDING_PRIVATE : (enum recording_visibility)visibility,
        .owner_hash = db_get_text(r, i, COL_OWNER_HASH),
        .started_at = db_get_int(r, i, COL_STARTED_AT),
        .ended_at = db_get_int(r, i, COL_ENDED_AT),
        .duration_ms = db_get_int(r, i, COL_DURATION_MS),
        .size_bytes = db_get_int(r, i, COL_SIZE_BYTES),
        .failure = db_get_text(r, i, COL_FAILURE),
    };
}

static void tell_row(db_callback *cb, void *ctx, enum err e, const void *row)
{
    ((recording_row_fn *)cb)(ctx, e, row);
}

static void tell_rows(db_callback *cb, void *ctx, enum err e, const void *rows, size_t n)
{
    ((recording_rows_fn *)cb)(ctx, e, rows, n);
}

static const struct db_row_type row_type = {.size = sizeof(struct recording_row),
                                            .read = read_row,
                                            .tell_row = tell_row,
                                            .tell_rows = tell_rows};

/* ---- statements ---- */

enum err recording_store_create(struct db *db, const struct recording_row *row,
                                recording_done_fn *done, void *ctx)
{
    struct db_stmt s = {
        .sql = "INSERT INTO recordings (id, stream_id, room_id, title, kind, status, visibility, "
               "owner_hash, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        DB_PARAMS(db_text(row->id), db_text(row->stream_id), db_text(row->room_id),
                  db_text(row->title ? row->title : ""), db_text(row->clip ? "clip" : "stream"),
                  db_text(statuses[row->status]), db_text(visibilities[row->visibility]),
                  db_text(row->owner_hash), db_int(row->started_at))};
    return db_do(db, &s, 1, DB_WAIT, done, ctx);
}

enum err recording_store_update(struct db *db, const struct recording_row *row,
                                recording_done_fn *done, void *ctx)
{
    struct db_stmt s = {
        .sql = "UPDATE recordings SET status = $2, ended_at = $3, duration_ms = $4, "
               "size_bytes = $5, failure = $6 WHERE id = $1",
        DB_PARAMS(db_text(row->id), db_text(statuses[row->status]),
                  row->ended_at ? db_int(row->ended_at) : db_null(), db_int(row->duration_ms),
                  db_int(row->size_bytes), db_text(row->failure)),
        .must_match = true};
    return db_do(db, &s, 1, DB_WAIT, done, ctx);
}

enum err recording_store_delete(struct db *db, const char *id, recording_done_fn *done, void *ctx)
{
    struct db_stmt s = {.sql = "DELETE FROM recordings WHERE id = $1", DB_PARAMS(db_text(id))};
    return db_do(db, &s, 1, DB_WAIT, done, ctx);
}

enum err recording_store_change(struct db *db, const char *id, const char *title,
                                const enum recording_visibility *visibility,
                                recording_done_fn *done, void *ctx)
{
    struct db_stmt s = {.sql = "UPDATE recordings SET title = COALESCE($2, title), "
                               "visibility = COALESCE($3, visibility) WHERE id = $1",
                        DB_PARAMS(db_text(id), db_text(title),
                                  db_text(visibility ? visibilities[*visibility] : NULL)),
                        .must_match = true};
    return db_do(db, &s, 1, 0, done, ctx);
}

enum err recording_store_get(struct db *db, const char *id, recording_row_fn *done, void *ctx)
{
    struct db_stmt s = {.sql = "SELECT " COLUMNS " FROM recordings WHERE id = $1",
                        DB_PARAMS(db_text(id))};
    return db_read_row(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}

enum err recording_store_list_public(struct db *db, const char *room_id, int64_t limit,
                                     int64_t offset, recording_rows_fn *done, void *ctx)
{
    struct db_stmt s = {.sql = "SELECT " COLUMNS " FROM recordings WHERE visibility = 'public' AND "
                               "status = 'ready' AND ($1 = '' OR room_id = $1) "
                               "ORDER BY started_at DESC, id LIMIT $2 OFFSET $3",
                        DB_PARAMS(db_text(room_id ? room_id : ""),
                                  db_int(db_clamp_limit(limit, RECORDING_LIST_MAX)),
                                  db_int(db_clamp_offset(offset)))};
    return db_read_rows(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}

enum err recording_store_list_owned(struct db *db, const char *owner_hash, int64_t limit,
                                    int64_t offset, recording_rows_fn *done, void *ctx)
{
    struct db_stmt s = {.sql = "SELECT " COLUMNS " FROM recordings WHERE owner_hash = $1 "
                               "ORDER BY started_at DESC, id LIMIT $2 OFFSET $3",
                        DB_PARAMS(db_text(owner_hash),
                                  db_int(db_clamp_limit(limit, RECORDING_LIST_MAX)),
                                  db_int(db_clamp_offset(offset)))};
    return db_read_rows(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}

enum err recording_store_list_unfinished(struct db *db, recording_rows_fn *done, void *ctx)
{
    struct db_stmt s = {.sql = "SELECT " COLUMNS " FROM recordings "
                               "WHERE status IN ('recording', 'processing') ORDER BY started_at"};
    return db_read_rows(db, &row_type, &s, 1, DB_WAIT, (db_callback *)done, ctx);
}

enum err recording_store_list_oldest(struct db *db, recording_rows_fn *done, void *ctx)
{
    struct db_stmt s = {.sql =
                            "SELECT " COLUMNS " FROM recordings "
                            "WHERE status IN ('ready', 'failed') ORDER BY started_at LIMIT 1000"};
    return db_read_rows(db, &row_type, &s, 1, 0, (db_callback *)done, ctx);
}
