#include "controller/data/migrate.h"

const struct migration migrations_builtin[] = {
#include "build/gen/migrations.inc" /* made from sql/ by tools/embed-sql.awk */
};

const size_t migrations_builtin_count = sizeof migrations_builtin / sizeof migrations_builtin[0];
