/* A TCP socket that listens, or why it cannot. Does IO. */
#ifndef WEIR_CONTROLLER_NET_LISTEN_H
#define WEIR_CONTROLLER_NET_LISTEN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "common/err.h"

/* host: a literal address, NULL for all; port 0: any. *fd does not block and is the caller's. On
 * failure error names the address: ERR_BUSY taken, ERR_DENIED no permission, ERR_MALFORMED not an
 * address, ERR_IO. */
MUST_CHECK enum err listen_tcp(const char *host, uint16_t port, int *fd, uint16_t *bound_port,
                               char *error, size_t error_size);

/* As a value; IPv4-mapped addresses become IPv4. */
struct addr listen_addr(const struct sockaddr_storage *sa);

#endif
