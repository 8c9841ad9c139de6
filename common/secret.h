/* Comparing secrets. Leaf; no IO. */
#ifndef WEIR_COMMON_SECRET_H
#define WEIR_COMMON_SECRET_H

#include <stdbool.h>

/* Whether they are the same text; false when either is NULL. Does not tell by its time how much of
 * it was right, only how long it is. */
bool secret_fits(const char *expected, const char *given);

#endif
