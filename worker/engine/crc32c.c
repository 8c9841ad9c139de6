#include "worker/engine/crc32c.h"

#include <string.h>

/* RFC 9260 3.1: of the whole packet, with zeros in its place, the lowest byte first. */
enum { CHECKSUM_AT = 8, CHECKSUM_LEN = 4 };
/* The Castagnoli polynomial, lowest bit first. */
#define POLYNOMIAL 0x82f63b78u

static uint32_t step(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
    return crc;
}

static uint32_t update(uint32_t crc, const uint8_t *p, size_t n)
{
    while (n-- > 0)
        crc = step(crc, *p++);
    return crc;
}

uint32_t crc32c(const void *bytes, size_t n)
{
    return ~update(UINT32_MAX, bytes, n);
}

static void checksum(uint8_t out[CHECKSUM_LEN], const uint8_t *packet, size_t n)
{
    static const uint8_t ZEROS[CHECKSUM_LEN];
    uint32_t crc = update(UINT32_MAX, packet, CHECKSUM_AT);
    crc = update(crc, ZEROS, CHECKSUM_LEN);
    crc = ~update(crc, packet + CHECKSUM_AT + CHECKSUM_LEN, n - CHECKSUM_AT - CHECKSUM_LEN);
    for (int i = 0; i < CHECKSUM_LEN; i++)
        out[i] = (uint8_t)(crc >> 8 * i);
}

static bool has_none(const uint8_t *packet)
{
    static const uint8_t ZEROS[CHECKSUM_LEN];
    return memcmp(packet + CHECKSUM_AT, ZEROS, CHECKSUM_LEN) == 0;
}

bool crc32c_sctp_ok(const uint8_t *packet, size_t n)
{
    uint8_t right[CHECKSUM_LEN];
    checksum(right, packet, n);
    return has_none(packet) || memcmp(packet + CHECKSUM_AT, right, CHECKSUM_LEN) == 0;
}

void crc32c_sctp_write(uint8_t *packet, size_t n)
{
    checksum(packet + CHECKSUM_AT, packet, n);
}

void crc32c_sctp_renew(uint8_t *packet, size_t n)
{
    if (!has_none(packet))
        crc32c_sctp_write(packet, n);
}
