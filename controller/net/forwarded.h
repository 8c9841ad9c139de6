/* What proxies say about the client that they speak for: X-Forwarded-For, X-Forwarded-Proto. Only
 * addresses that the configuration trusts are believed. Pure, no IO. */
#ifndef WEIR_CONTROLLER_NET_FORWARDED_H
#define WEIR_CONTROLLER_NET_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "common/addr_range.h"

enum { FORWARDED_PROXIES_MAX = 64 };

struct forwarded_proxies {
    struct addr_range ranges[FORWARDED_PROXIES_MAX];
    size_t n;
};

/* Who asked, where `peer` is the address that the connection came from. Each proxy appends whom it
 * saw, so the list (the header's value, or NULL) is read from its end, as long as it is a trusted
 * proxy who says so. What is no address ends it. */
struct addr forwarded_peer(const struct forwarded_proxies *trusted, const struct addr *peer,
                           const char *list);
/* Whether X-Forwarded-Proto's value (or NULL) says https; of several, the last counts. */
bool forwarded_tls(const char *proto);

#endif
