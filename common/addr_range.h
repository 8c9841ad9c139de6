/* Ranges of addresses as people write them: "10.0.0.0/8", "fd00::/8", or one address. No IO. */
#ifndef WEIR_COMMON_ADDR_RANGE_H
#define WEIR_COMMON_ADDR_RANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/addr.h"

struct addr_range {
    struct addr ip; /* port 0 */
    unsigned bits;  /* of ip that count; all of them for one address */
};

/* ERR_MALFORMED: no literal address in front; ERR_RANGE: more bits than the address has. */
MUST_CHECK enum err addr_range_parse(struct addr_range *out, const char *text);
bool addr_range_has(const struct addr_range *r, const struct addr *a);
bool addr_ranges_have(const struct addr_range *ranges, size_t n, const struct addr *a);
/* 127.0.0.0/8 or ::1. */
bool addr_is_loopback(const struct addr *a);

#endif
