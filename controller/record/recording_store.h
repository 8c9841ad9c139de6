/* The SQL of recordings: one function a statement, structs in and out. Does IO through
 * controller/data; conventions as in controller/stream/stream_store.h. */
#ifndef WEIR_CONTROLLER_RECORD_RECORDING_STORE_H
#define WEIR_CONTROLLER_RECORD_RECORDING_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "controller/data/db.h"

enum { RECORDING_LIST_MAX = 200 };

/* id, name in the table and on the wire */
#define RECORDING_STATUSES(X)                                                                      \
    X(RECORDING_RECORDING, "recording")                                                            \
    X(RECORDING_PROCESSING, "processing")                                                          \
    X(RECORDING_READY, "ready")                                                                    \
    X(RECORDING_FAILED, "failed")
#define RECORDING_VISIBILITIES(X)                                                                  \
    X(RECORDING_PRIVATE, "private")                                                                \
    X(RECORDING_UNLISTED, "unlisted")                                                              \
    X(RECORDING_PUBLIC, "public")

#define X(id, name) id,
enum recording_status { RECORDING_STATUSES(X) RECORDING_STATUS_COUNT };
enum recording_visibility { RECORDING_VISIBILITIES(X) RECORDING_VISIBILITY_COUNT };
#undef X

const char *recording_status_name(enum recording_status s);
const char *recording_visibility_name(enum recording_visibility v);
/* ERR_RANGE: none of them. */
MUST_CHECK enum err recording_visibility_parse(const char *name, enum recording_visibility *out);

/* Times are milliseconds since 1970 UTC, 0 where there is none; strings are NULL where the column
 * is. */
struct recording_row {
    const char *id;
    const char *stream_id;
    const char *room_id;
    const char *title;
    bool clip;
    enum recording_status status;
    enum recording_visibility visibility;
    const char *owner_hash;
    int64_t started_at;
    int64_t ended_at;
    int64_t duration_ms;
    int64_t size_bytes;
    const char *failure;
};

typedef void recording_done_fn(void *ctx, enum err e);
/* row is NULL unless e is OK. */
typedef void recording_row_fn(void *ctx, enum err e, const struct recording_row *row);
typedef void recording_rows_fn(void *ctx, enum err e, const struct recording_row *rows, size_t n);

/* These wait while the database is away. */
MUST_CHECK enum err recording_store_create(struct db *db, const struct recording_row *row,
                                           recording_done_fn *done, void *ctx);
/* status, ended_at, duration_ms, size_bytes, failure of the row with this id. */
MUST_CHECK enum err recording_store_update(struct db *db, const struct recording_row *row,
                                           recording_done_fn *done, void *ctx);
MUST_CHECK enum err recording_store_delete(struct db *db, const char *id, recording_done_fn *done,
                                           void *ctx);

/* What its owner may change; NULL leaves it. ERR_NOT_FOUND. */
MUST_CHECK enum err recording_store_change(struct db *db, const char *id, const char *title,
                                           const enum recording_visibility *visibility,
                                           recording_done_fn *done, void *ctx);

/* ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err recording_store_get(struct db *db, const char *id, recording_row_fn *done,
                                        void *ctx);
/* Public ones that are ready, of a room or (NULL) of all, the newest first. limit is clamped to
 * 1..RECORDING_LIST_MAX, offset to >= 0. */
MUST_CHECK enum err recording_store_list_public(struct db *db, const char *room_id, int64_t limit,
                                                int64_t offset, recording_rows_fn *done, void *ctx);
/* Those that an owner's secret may change, likewise, in any state. */
MUST_CHECK enum err recording_store_list_owned(struct db *db, const char *owner_hash, int64_t limit,
                                               int64_t offset, recording_rows_fn *done, void *ctx);
/* Not ready and not failed: what a crash interrupted. */
MUST_CHECK enum err recording_store_list_unfinished(struct db *db, recording_rows_fn *done,
                                                    void *ctx);
/* Ready or failed ones, the oldest first: for retention. */
MUST_CHECK enum err recording_store_list_oldest(struct db *db, recording_rows_fn *done, void *ctx);

#endif
