/* Answers of the database as structs: what all *_store.c files have in common. Each says how a row
 * of its table is read, and how its callbacks, which have types of their own, are called. */
#ifndef WEIR_CONTROLLER_DATA_DB_ROWS_H
#define WEIR_CONTROLLER_DATA_DB_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "controller/data/db.h"

/* Any callback; only its owner, who knows its type, calls it. */
typedef void db_callback(void);

/* Just whether it worked. */
typedef void db_told_fn(void *ctx, enum err e);

struct db_row_type {
    size_t size; /* of the struct */
    /* Row i of the result; strings are views that live as long as the result. */
    void (*read)(const struct db_result *r, size_t i, void *row);
    /* row is NULL unless e is OK. */
    void (*tell_row)(db_callback *cb, void *ctx, enum err e, const void *row);
    void (*tell_rows)(db_callback *cb, void *ctx, enum err e, const void *rows, size_t n);
};

/* All three as db_run: OK: the callback comes exactly once, later; it may be NULL. Those that read
 * get the first statement's result. ERR_NOT_FOUND for one row: there is none. */
MUST_CHECK enum err db_do(struct db *db, const struct db_stmt *stmts, size_t n, unsigned flags,
                          db_told_fn *done, void *ctx);
MUST_CHECK enum err db_read_row(struct db *db, const struct db_row_type *type,
                                const struct db_stmt *stmts, size_t n, unsigned flags,
                                db_callback *cb, void *ctx);
MUST_CHECK enum err db_read_rows(struct db *db, const struct db_row_type *type,
                                 const struct db_stmt *stmts, size_t n, unsigned flags,
                                 db_callback *cb, void *ctx);

/* The parameters of a statement as an array with its length. */
#define DB_PARAMS(...)                                                                             \
    .params = (const struct db_param[]){__VA_ARGS__},                                              \
    .n_params = sizeof((const struct db_param[]){__VA_ARGS__}) / sizeof(struct db_param)

static inline int64_t db_clamp_limit(int64_t limit, int64_t most)
{
    if (limit < 1)
        return 1;
    return limit < most ? limit : most;
}

static inline int64_t db_clamp_offset(int64_t offset)
{
    return offset > 0 ? offset : 0;
}

#endif
