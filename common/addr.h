/* Network addresses as plain values: IPv4 or IPv6 with a port, comparable and hashable. No IO, no
 * sockets. */
#ifndef WEIR_COMMON_ADDR_H
#define WEIR_COMMON_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { ADDR_TEXT_MAX = 46 + 8 }; /* "[" IPv6 "]:" port NUL */

struct addr {
    uint8_t ip[16]; /* network order; IPv4 in the first four bytes, the rest zero */
    uint16_t port;  /* host order */
    uint8_t family; /* 4, 6, or 0: unset */
    uint8_t pad;    /* always 0, so that memcmp compares */
};

/* ip: a literal "1.2.3.4" or "::1"; ERR_MALFORMED otherwise. An IPv4-mapped IPv6 address becomes
 * IPv4. */
MUST_CHECK enum err addr_parse(struct addr *out, const char *ip, uint16_t port);
/* Without the port, as inet_ntop writes it. */
const char *addr_ip_text(const struct addr *a, char *buf, size_t n);
/* "1.2.3.4:5" or "[::1]:5". */
const char *addr_text(const struct addr *a, char *buf, size_t n);
bool addr_eq(const struct addr *a, const struct addr *b);
uint64_t addr_hash(const struct addr *a);
/* 0.0.0.0 or ::. */
bool addr_is_any(const struct addr *a);

/* How a datagram came: over which of our sockets, from whom. A TCP connection has an id of its own.
 */
enum tuple_proto { TUPLE_UDP, TUPLE_TCP };

struct tuple {
    struct addr remote;
    uint32_t conn; /* TCP: id of the connection, never reused in a process; UDP: 0 */
    uint16_t sock; /* index of the listening socket in the worker */
    uint8_t proto; /* enum tuple_proto */
    uint8_t pad;
};

bool tuple_eq(const struct tuple *a, const struct tuple *b);
uint64_t tuple_hash(const struct tuple *t);

#endif
