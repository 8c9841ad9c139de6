#include "controller/data/pg_values.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/data/db_result.h"

/* pg_type.dat: the numbers of built-in types never change. */
enum pg_oid {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_NUMERIC = 1700,
};

void pg_params_init(struct pg_params *p, const struct db_stmt *s)
{
    for (size_t i = 0; i < s->n_params; i++) {
        const struct db_param *in = &s->params[i];
        p->values[i] = p->numbers[i];
        p->lengths[i] = 0;
        p->formats[i] = 0;
        switch (in->type) {
        case DB_NULL:
            p->values[i] = NULL;
            break;
        case DB_TEXT:
            p->values[i] = in->u.text;
            break;
        case DB_INT:
            snprintf(p->numbers[i], sizeof p->numbers[i], "%lld", (long long)in->u.i64);
            break;
        case DB_DOUBLE:
            snprintf(p->numbers[i], sizeof p->numbers[i], "%.17g", in->u.f64);
            break;
        case DB_BOOL:
            snprintf(p->numbers[i], sizeof p->numbers[i], "%d", in->u.b);
            break;
        case DB_BLOB:
            /* Empty, but not NULL: libpq tells them apart by the pointer. */
            p->values[i] = in->n > 0 ? in->u.blob : "";
            p->lengths[i] = (int)in->n;
            p->formats[i] = 1;
            break;
        }
    }
}

/* The hex form of bytea, which every server since 9.0 sends: \x and two digits a byte. */
static enum err take_bytea(struct db_result *r, struct db_cell *cell, const char *text)
{
    size_t n = 0;
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)text, &n);
    if (!bytes)
        return ERR_NOMEM;
    enum err e = db_cell_blob(r, cell, bytes, n);
    PQfreemem(bytes);
    return e;
}

static enum err take_cell(struct db_result *r, const PGresult *res, int row, int col)
{
    struct db_cell *cell = NULL;
    enum err e = db_result_cell(r, &cell);
    if (e != OK || PQgetisnull(res, row, col))
        return e;
    const char *text = PQgetvalue(res, row, col);
    switch (PQftype(res, col)) {
    case OID_BOOL:
        *cell = (struct db_cell){.type = DB_BOOL, .u.i64 = text[0] == 't'};
        return OK;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        *cell = (struct db_cell){.type = DB_INT, .u.i64 = strtoll(text, NULL, 10)};
        return OK;
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC:
        *cell = (struct db_cell){.type = DB_DOUBLE, .u.f64 = strtod(text, NULL)};
        return OK;
    case OID_BYTEA:
        return take_bytea(r, cell, text);
    default:
        return db_cell_text(r, cell, text, (size_t)PQgetlength(res, row, col));
    }
}

enum err pg_result_read(const struct pg_result *res, struct db_result **out)
{
    int cols = PQnfields(res);
    int rows = PQntuples(res);
    struct db_result *r = db_result_open((size_t)cols);
    if (!r)
        return ERR_NOMEM;
    enum err e = OK;
    for (int c = 0; c < cols && e == OK; c++)
        e = db_result_name(r, (size_t)c, PQfname(res, c));
    for (int i = 0; i < rows && e == OK; i++) {
        for (int c = 0; c < cols && e == OK; c++)
            e = take_cell(r, res, i, c);
    }
    if (e != OK) {
        db_result_close(r);
        return e;
    }
    /* libpq only reads these two, but has not marked them so. */
    PGresult *mutable = (PGresult *)(uintptr_t)res;
    if (strncmp(PQcmdStatus(mutable), "SELECT", 6) != 0)
        r->affected = strtoll(PQcmdTuples(mutable), NULL, 10);
    *out = r;
    return OK;
}

enum err pg_err_of(const char *state)
{
    /* PostgreSQL's appendix A; the first that fits counts. */
    static const struct {
        const char *prefix;
        enum err err;
    } map[] = {
        {"23505", ERR_EXISTS},      /* unique_violation */
        {"23503", ERR_NOT_FOUND},   /* foreign_key_violation */
        {"23", ERR_RANGE},          /* not_null_violation, check_violation */
        {"22", ERR_MALFORMED},      /* data exceptions */
        {"40", ERR_BUSY},           /* serialization_failure, deadlock_detected */
        {"55P03", ERR_BUSY},        /* lock_not_available */
        {"57014", ERR_TIMEOUT},     /* query_canceled: statement_timeout */
        {"57P", ERR_UNAVAILABLE},   /* shutting down, starting up */
        {"08P01", ERR_IO},          /* protocol_violation: wrong number of parameters */
        {"08", ERR_UNAVAILABLE},    /* connection exceptions */
        {"53", ERR_UNAVAILABLE},    /* out of memory, disk, connections */
        {"54", ERR_TOO_LARGE},      /* program limits */
        {"25006", ERR_UNAVAILABLE}, /* read_only_sql_transaction: a standby */
    };
    for (size_t i = 0; state && i < sizeof map / sizeof map[0]; i++) {
        if (strncmp(state, map[i].prefix, strlen(map[i].prefix)) == 0)
            return map[i].err;
    }
    return ERR_IO;
}
