/* Which UDP ports are bound on this machine, and what waits in them, as the kernel lists it. Reads
 * /proc/net/udp. */
#ifndef WEIR_CONTROLLER_LIVE_UDP_BOUND_H
#define WEIR_CONTROLLER_LIVE_UDP_BOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UDP_BOUND_MAX = 64 };

/* Whether all of the n ports, at most UDP_BOUND_MAX, are bound to some IPv4 address. */
bool udp_all_bound(const uint16_t *ports, size_t n);
/* The same from the text of such a list. */
bool udp_all_bound_in(const char *list, const uint16_t *ports, size_t n);

/* Bytes that have come to them and were not read yet, as the kernel counts them. */
uint64_t udp_backlog(const uint16_t *ports, size_t n);

#endif
