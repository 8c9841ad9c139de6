#include "controller/data/db_rows.h"

#include <stdlib.h>

/* Who waits for a job's answer. */
struct waiter {
    const struct db_row_type *type; /* static; NULL: told whether it worked */
    bool one;
    db_told_fn *done;
    db_callback *cb;
    void *ctx;
};

static void tell_row(const struct waiter *w, enum err e, const struct db_result *r)
{
    if (e == OK && db_rows(r) == 0)
        e = ERR_NOT_FOUND;
    void *row = e == OK ? calloc(1, w->type->size) : NULL;
    if (e == OK && !row)
        e = ERR_NOMEM;
    if (row)
        w->type->read(r, 0, row);
    w->type->tell_row(w->cb, w->ctx, e, row);
    free(row);
}

static void tell_rows(const struct waiter *w, enum err e, const struct db_result *r)
{
    size_t n = r ? db_rows(r) : 0;
    char *rows = n > 0 ? calloc(n, w->type->size) : NULL;
    if (n > 0 && !rows) {
        e = ERR_NOMEM;
        n = 0;
    }
    for (size_t i = 0; i < n; i++)
        w->type->read(r, i, rows + i * w->type->size);
    w->type->tell_rows(w->cb, w->ctx, e, rows, n);
    free(rows);
}

static void answered(void *ctx, enum err e, const struct db_result *r)
{
    struct waiter w = *(struct waiter *)ctx;
    free(ctx);
    if (w.done)
        w.done(w.ctx, e);
    else if (w.cb && w.one)
        tell_row(&w, e, r);
    else if (w.cb)
        tell_rows(&w, e, r);
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

enum err db_do(struct db *db, const struct db_stmt *stmts, size_t n, unsigned flags,
               db_told_fn *done, void *ctx)
{
    return run(db, stmts, n, flags, (struct waiter){.done = done, .ctx = ctx});
}

enum err db_read_row(struct db *db, const struct db_row_type *type, const struct db_stmt *stmts,
                     size_t n, unsigned flags, db_callback *cb, void *ctx)
{
    return run(db, stmts, n, flags,
               (struct waiter){.type = type, .one = true, .cb = cb, .ctx = ctx});
}

enum err db_read_rows(struct db *db, const struct db_row_type *type, const struct db_stmt *stmts,
                      size_t n, unsigned flags, db_callback *cb, void *ctx)
{
    return run(db, stmts, n, flags, (struct waiter){.type = type, .cb = cb, .ctx = ctx});
}
