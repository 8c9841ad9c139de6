#include "controller/record/recording_store.h"

#include <stdlib.h>
#include <string.h>

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

/* Who waits for a job's answer; one of the callbacks is set, or none. */
struct waiter {
    recording_done_fn *done;
    recording_row_fn *row;
    recording_rows_fn *rows;
    void *ctx;
};

static struct recording_row read_row(const struct db_result *r, size_t i)
{
    /* The table's CHECKs allow no other names. */
    int status = index_of(statuses, RECORDING_STATUS_COUNT, db_get_text(r, i, COL_STATUS));
    int visibility =
        index_of(visibilities, RECORDING_VISIBILITY_COUNT, db_get_text(r, i, COL_VISIBILITY));
    const char *kind = db_get_text(r, i, COL_KIND);
    return (struct recording_row){
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

static void tell_rows(const struct waiter *w, enum err e, const struct db_result *r)
{
    size_t n = r ? db_rows(r) : 0;
    struct recording_row *rows = n > 0 ? calloc(n, sizeof *rows) : NULL;
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
        struct recording_row row = {0};
        if (e == OK)
            row = read_row(r, 0);
        w.row(w.ctx, e, e == OK ? &row : NULL);
    }
}

static enum err run(struct db *db, const struct db_stmt *stmt, unsigned flags, struct waiter waiter)
{
    struct waiter *w = malloc(sizeof *w);
    if (!w)
        return ERR_NOMEM;
    *w = waiter;
    enum err e = db_run(db, stmt, 1, flags, answered, w);
    if (e != OK)
        free(w);
    return e;
}

/* The parameters as an array with its length. */
#define PARAMS(...)                                                                                \
    .params = (struct db_param[]){__VA_ARGS__},                                                    \
    .n_params = sizeof((struct db_param[]){__VA_ARGS__}) / sizeof(struct db_param)

/* ---- statements ---- */

enum err recording_store_create(struct db *db, const struct recording_row *row,
                                recording_done_fn *done, void *ctx)
{
    struct db_stmt s = {
        .sql = "INSERT INTO recordings (id, stream_id, room_id, title, kind, status, visibility, "
               "owner_hash, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        PARAMS(db_text(row->id), db_text(row->stream_id), db_text(row->room_id),
               db_text(row->title ? row->title : ""), db_text(row->clip ? "clip" : "stream"),
               db_text(statuses[row->status]), db_text(visibilities[row->visibility]),
               db_text(row->owner_hash), db_int(row->started_at))};
    return run(db, &s, DB_WAIT, (struct waiter){.done = done, .ctx = ctx});
}

enum err recording_store_update(struct db *db, const struct recording_row *row,
                                recording_done_fn *done, void *ctx)
{
    struct db_stmt s = {
        .sql = "UPDATE recordings SET status = $2, ended_at = $3, duration_ms = $4, "
               "size_bytes = $5, failure = $6 WHERE id = $1",
        PARAMS(db_text(row->id), db_text(statuses[row->status]),
               row->ended_at ? db_int(row->ended_at) : db_null(), db_int(row->duration_ms),
               db_int(row->size_bytes), db_text(row->failure)),
        .must_match = true};
    return run(db, &s, DB_WAIT, (struct waiter){.done = done, .ctx = ctx});
}

enum err recording_store_delete(struct db *db, const char *id, recording_done_fn *done, void *ctx)
{
    struct db_stmt s = {.sql = "DELETE FROM recordings WHERE id = $1", PARAMS(db_text(id))};
    return run(db, &s, DB_WAIT, (struct waiter){.done = done, .ctx = ctx});
}

enum err recording_store_change(struct db *db, const char *id, const char *title,
                                const enum recording_visibility *visibility,
                                recording_done_fn *done, void *ctx)
{
    struct db_stmt s = {
        .sql = "UPDATE recordings SET title = COALESCE($2, title), "
               "visibility = COALESCE($3, visibility) WHERE id = $1",
        PARAMS(db_text(id), db_text(title), db_text(visibility ? visibilities[*visibility] : NULL)),
        .must_match = true};
    return run(db, &s, 0, (struct waiter){.done = done, .ctx = ctx});
}

enum err recording_store_get(struct db *db, const char *id, recording_row_fn *done, void *ctx)
{
    struct db_stmt s = {.sql = "SELECT " COLUMNS " FROM recordings WHERE id = $1",
                        PARAMS(db_text(id))};
    return run(db, &s, 0, (struct waiter){.row = done, .ctx = ctx});
}

static int64_t clamped(int64_t limit)
{
    return limit < 1 ? 1 : limit > RECORDING_LIST_MAX ? RECORDING_LIST_MAX : limit;
}

enum err recording_store_list_public(struct db *db, const char *room_id, int64_t limit,
                                     int64_t offset, recording_rows_fn *done, void *ctx)
{
    struct db_stmt s = {.sql = "SELECT " COLUMNS " FROM recordings WHERE visibility = 'public' AND "
                               "status = 'ready' AND ($1 = '' OR room_id = $1) "
                               "ORDER BY started_at DESC, id LIMIT $2 OFFSET $3",
                        PARAMS(db_text(room_id ? room_id : ""), db_int(clamped(limit)),
                               db_int(offset < 0 ? 0 : offset))};
    return run(db, &s, 0, (struct waiter){.rows = done, .ctx = ctx});
}

enum err recording_store_list_owned(struct db *db, const char *owner_hash, int64_t limit,
                                    int64_t offset, recording_rows_fn *done, void *ctx)
{
    struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM recordings WHERE owner_hash = $1 "
               "ORDER BY started_at DESC, id LIMIT $2 OFFSET $3",
        PARAMS(db_text(owner_hash), db_int(clamped(limit)), db_int(offset < 0 ? 0 : offset))};
    return run(db, &s, 0, (struct waiter){.rows = done, .ctx = ctx});
}

enum err recording_store_list_unfinished(struct db *db, recording_rows_fn *done, void *ctx)
{
    struct db_stmt s = {.sql = "SELECT " COLUMNS " FROM recordings "
                               "WHERE status IN ('recording', 'processing') ORDER BY started_at"};
    return run(db, &s, DB_WAIT, (struct waiter){.rows = done, .ctx = ctx});
}

enum err recording_store_list_oldest(struct db *db, recording_rows_fn *done, void *ctx)
{
    struct db_stmt s = {.sql =
                            "SELECT " COLUMNS " FROM recordings "
                            "WHERE status IN ('ready', 'failed') ORDER BY started_at LIMIT 1000"};
    return run(db, &s, 0, (struct waiter){.rows = done, .ctx = ctx});
}
