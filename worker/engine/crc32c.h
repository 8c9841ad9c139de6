/* CRC32c, the checksum of SCTP packets (RFC 9260 6.8, appendix A). No IO. */
#ifndef WEIR_WORKER_ENGINE_CRC32C_H
#define WEIR_WORKER_ENGINE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *bytes, size_t n);
/* Of an SCTP packet of 12 bytes or more: a checksum of zero counts as none and is fine. */
bool crc32c_sctp_ok(const uint8_t *packet, size_t n);
/* Writes it, unless the packet has none. */
void crc32c_sctp_renew(uint8_t *packet, size_t n);
/* Writes it in any case. */
void crc32c_sctp_write(uint8_t *packet, size_t n);

#endif
