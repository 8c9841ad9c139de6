/* How each type of a configuration value is read and described. Pure; behind common/config.h. */
#ifndef WEIR_COMMON_CONFIG_VALUE_H
#define WEIR_COMMON_CONFIG_VALUE_H

#include <stddef.h>

#include "common/arena.h"
#include "common/config.h"
#include "common/err.h"

/* Writes the member only on OK. ERR_MALFORMED, ERR_RANGE, ERR_NOMEM. */
MUST_CHECK enum err config_value_parse(const struct config_key *key, const char *text, void *member,
                                       struct arena *arena);
/* The value as one would write it in the file: "***" for secrets that are set. Returns buf. */
const char *config_value_text(const struct config_key *key, const void *member, char *buf,
                              size_t n);

#endif
