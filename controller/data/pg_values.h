/* Inside controller/data: parameters to libpq's arrays, libpq's results to ours, SQLSTATE to enum
 * err. No IO. */
#ifndef WEIR_CONTROLLER_DATA_PG_VALUES_H
#define WEIR_CONTROLLER_DATA_PG_VALUES_H

#include "common/err.h"
#include "controller/data/db.h"

struct pg_result; /* PGresult, libpq-fe.h */

/* Values point into the statement and into numbers: not to be moved. */
struct pg_params {
    const char *values[DB_PARAMS_MAX];
    int lengths[DB_PARAMS_MAX];
    int formats[DB_PARAMS_MAX];
    char numbers[DB_PARAMS_MAX][32];
};

void pg_params_init(struct pg_params *p, const struct db_stmt *s);
/* ERR_NOMEM, ERR_TOO_LARGE. */
MUST_CHECK enum err pg_result_read(const struct pg_result *res, struct db_result **out);
/* state: five characters; NULL: unknown. Never OK. */
enum err pg_err_of(const char *state);

#endif
