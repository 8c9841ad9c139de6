/* Brings the database's tables to the version that this program knows: the numbered files of sql/,
 * which are built into the program, each applied once, in one transaction, under a lock that all
 * processes share. Does IO. */
#ifndef WEIR_CONTROLLER_DATA_MIGRATE_H
#define WEIR_CONTROLLER_DATA_MIGRATE_H

#include <stddef.h>

#include "common/err.h"
#include "controller/data/db.h"

struct migration {
    int version;      /* 1, 2, ...: the number that the file's name starts with */
    const char *name; /* of the file without ".sql" */
    const char *sql;  /* statements, each ended by a semicolon; no BEGIN or COMMIT */
};

/* What sql/ held when the program was built, by version. */
extern const struct migration migrations_builtin[];
extern const size_t migrations_builtin_count;

struct migrate_report {
    int version;        /* of the database now */
    int applied;        /* how many this call applied */
    const char *failed; /* name of the migration that failed, or NULL */
    const char *reason; /* in the engine's words, or "" */
};

/* report lives until the callback returns. ERR_STATE: the database is of a newer program. Otherwise
 * as db_run. What was applied before the failing one stays; of the failing one, nothing. */
typedef void migrate_done_fn(void *ctx, enum err e, const struct migrate_report *report);

/* flags: 0, or DB_WAIT to wait until the database can be reached. done is called exactly once when
 * the return value is OK, else never. */
MUST_CHECK enum err migrate_run(struct db *db, const struct migration *list, size_t n,
                                unsigned flags, migrate_done_fn *done, void *ctx);

#endif
