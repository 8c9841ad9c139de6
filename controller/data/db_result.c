#include "controller/data/db_result.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct db_result *db_result_open(size_t cols)
{
    struct db_result *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    arena_init(&r->arena, DB_RESULT_BYTES_MAX);
    r->cols = cols;
    if (cols > 0) {
        r->names = arena_array(&r->arena, cols, sizeof *r->names);
        if (!r->names) {
            db_result_close(r);
            return NULL;
        }
    }
    return r;
}

void db_result_close(struct db_result *r)
{
    while (r) {
        struct db_result *next = r->next;
        free(r->cells);
        arena_fini(&r->arena);
        free(r);
        r = next;
    }
}

/* The arena says just "no": whether that was its limit or memory. */
static enum err arena_refusal(const struct db_result *r, size_t n)
{
    return n > DB_RESULT_BYTES_MAX || r->arena.total > DB_RESULT_BYTES_MAX - n ? ERR_TOO_LARGE
                                                                               : ERR_NOMEM;
}

enum err db_result_name(struct db_result *r, size_t col, const char *name)
{
    assert(col < r->cols);
    r->names[col] = arena_strndup(&r->arena, name, strlen(name));
    return r->names[col] ? OK : ERR_NOMEM;
}

enum err db_result_cell(struct db_result *r, struct db_cell **out)
{
    assert(r->cols > 0);
    if (r->filled / r->cols >= DB_RESULT_ROWS_MAX)
        return ERR_TOO_LARGE;
    if (r->filled == r->capacity) {
        size_t capacity = r->capacity > 0 ? r->capacity * 2 : r->cols * 4;
        struct db_cell *cells = reallocarray(r->cells, capacity, sizeof *cells);
        if (!cells)
            return ERR_NOMEM;
        r->cells = cells;
        r->capacity = capacity;
    }
    *out = &r->cells[r->filled++];
    **out = (struct db_cell){.type = DB_NULL};
    return OK;
}

enum err db_cell_text(struct db_result *r, struct db_cell *cell, const void *p, size_t n)
{
    char *copy = arena_alloc(&r->arena, n + 1);
    if (!copy)
        return arena_refusal(r, n + 1);
    if (n > 0)
        memcpy(copy, p, n);
    copy[n] = '\0';
    *cell = (struct db_cell){.type = DB_TEXT, .n = n, .u.text = copy};
    return OK;
}

enum err db_cell_blob(struct db_result *r, struct db_cell *cell, const void *p, size_t n)
{
    uint8_t *copy = arena_alloc(&r->arena, n);
    if (!copy)
        return arena_refusal(r, n);
    if (n > 0)
        memcpy(copy, p, n);
    *cell = (struct db_cell){.type = DB_BLOB, .n = n, .u.blob = copy};
    return OK;
}

size_t db_rows(const struct db_result *r)
{
    return r->cols > 0 ? r->filled / r->cols : 0;
}

size_t db_cols(const struct db_result *r)
{
    return r->cols;
}

int64_t db_affected(const struct db_result *r)
{
    return r->affected;
}

const struct db_result *db_next(const struct db_result *r)
{
    return r->next;
}

size_t db_col(const struct db_result *r, const char *name)
{
    for (size_t i = 0; i < r->cols; i++) {
        if (strcmp(r->names[i], name) == 0)
            return i;
    }
    assert(!"a column that the statement does not give");
    abort();
}

static const struct db_cell *cell_at(const struct db_result *r, size_t row, size_t col)
{
    assert(col < r->cols && row < db_rows(r));
    return &r->cells[row * r->cols + col];
}

bool db_is_null(const struct db_result *r, size_t row, size_t col)
{
    return cell_at(r, row, col)->type == DB_NULL;
}

const char *db_get_text(const struct db_result *r, size_t row, size_t col)
{
    const struct db_cell *c = cell_at(r, row, col);
    return c->type == DB_TEXT ? c->u.text : NULL;
}

/* What a double holds beyond the range of int64 is pressed to its ends. */
static int64_t int_of_double(double v)
{
    if (!(v > -9223372036854775808.0))
        return v < 0 ? INT64_MIN : 0; /* else it is not a number */
    return v < 9223372036854775808.0 ? (int64_t)v : INT64_MAX;
}

int64_t db_get_int(const struct db_result *r, size_t row, size_t col)
{
    const struct db_cell *c = cell_at(r, row, col);
    switch (c->type) {
    case DB_INT:
    case DB_BOOL:
        return c->u.i64;
    case DB_DOUBLE:
        return int_of_double(c->u.f64);
    case DB_TEXT:
        return strtoll(c->u.text, NULL, 10);
    case DB_NULL:
    case DB_BLOB:
        return 0;
    }
    return 0;
}

double db_get_double(const struct db_result *r, size_t row, size_t col)
{
    const struct db_cell *c = cell_at(r, row, col);
    switch (c->type) {
    case DB_INT:
    case DB_BOOL:
        return (double)c->u.i64;
    case DB_DOUBLE:
        return c->u.f64;
    case DB_TEXT:
        return strtod(c->u.text, NULL);
    case DB_NULL:
    case DB_BLOB:
        return 0;
    }
    return 0;
}

bool db_get_bool(const struct db_result *r, size_t row, size_t col)
{
    const struct db_cell *c = cell_at(r, row, col);
    return c->type == DB_DOUBLE ? c->u.f64 != 0 : db_get_int(r, row, col) != 0;
}

const void *db_get_blob(const struct db_result *r, size_t row, size_t col, size_t *n)
{
    const struct db_cell *c = cell_at(r, row, col);
    *n = c->type == DB_BLOB || c->type == DB_TEXT ? c->n : 0;
    if (c->type == DB_BLOB)
        return c->u.blob;
    return c->type == DB_TEXT ? c->u.text : NULL;
}
