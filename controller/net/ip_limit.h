/* How many connections each address has, and that none has too many. An IPv6 address counts with
 * its /64, since that is what one customer gets (RFC 6177). No IO. */
#ifndef WEIR_CONTROLLER_NET_IP_LIMIT_H
#define WEIR_CONTROLLER_NET_IP_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/addr.h"

struct ip_limit {
    unsigned max;             /* 0: no limit, nothing is counted */
    struct ip_count *by_addr; /* owned; those that have any */
};

/* False: it has as many as it may (or memory is exhausted). */
bool ip_limit_take(struct ip_limit *l, const struct addr *a);
/* One for each that was taken. */
void ip_limit_give(struct ip_limit *l, const struct addr *a);
unsigned ip_limit_count(const struct ip_limit *l, const struct addr *a);
void ip_limit_fini(struct ip_limit *l);

#endif
