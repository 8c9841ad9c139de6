/* Cuts a file of SQL into its statements. Pure. */
#ifndef WEIR_CONTROLLER_DATA_SQL_SPLIT_H
#define WEIR_CONTROLLER_DATA_SQL_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

/* The next statement from *at, without its semicolon, as {start, *n}; moves *at behind it. NULL at
 * the end. Semicolons in '...', "...", comments of both kinds do not count; what consists of
 * comments and white space alone is skipped. */
const char *sql_split_next(const char **at, size_t *n);

#endif
