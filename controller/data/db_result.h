/* Inside controller/data: how engines build what a statement gave, in one form for both. No IO. */
#ifndef WEIR_CONTROLLER_DATA_DB_RESULT_H
#define WEIR_CONTROLLER_DATA_DB_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "controller/data/db.h"

struct db_cell {
    enum db_type type;
    size_t n; /* bytes of text (without NUL) and blob */
    union {
        const char *text; /* in the arena */
        const uint8_t *blob;
        int64_t i64; /* DB_INT; DB_BOOL as 0 or 1 */
        double f64;
    } u;
};

struct db_result {
    struct arena arena;
    const char **names;    /* in the arena */
    struct db_cell *cells; /* owned; row after row */
    size_t cols;
    size_t filled;   /* cells in use */
    size_t capacity; /* cells */
    int64_t affected;
    struct db_result *next; /* owned */
};

/* NULL when memory is exhausted. */
struct db_result *db_result_open(size_t cols);
/* The whole chain; NULL is fine. */
void db_result_close(struct db_result *r);

/* ERR_NOMEM or ERR_TOO_LARGE, also below. */
MUST_CHECK enum err db_result_name(struct db_result *r, size_t col, const char *name);
/* The next cell, rows from left to right; a null cell of the engine's choice to fill. */
MUST_CHECK enum err db_result_cell(struct db_result *r, struct db_cell **out);
MUST_CHECK enum err db_cell_text(struct db_result *r, struct db_cell *cell, const void *p,
                                 size_t n);
MUST_CHECK enum err db_cell_blob(struct db_result *r, struct db_cell *cell, const void *p,
                                 size_t n);

#endif
