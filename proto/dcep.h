/* Data Channel Establishment Protocol: RFC 8832 section 5. Pure; no IO.
 *
 *   |  type 0x03    | channel type  |           priority            |
 *   |                    reliability parameter                      |
 *   |       label length            |       protocol length         |
 *   |  label ...  protocol ...
 */
#ifndef WEIR_PROTO_DCEP_H
#define WEIR_PROTO_DCEP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

enum {
    DCEP_ACK = 0x02,
    DCEP_OPEN = 0x03,
    DCEP_OPEN_HEADER_LEN = 12,
    /* RFC 8832 8.1: payload protocol identifier of these messages. RFC 8831 8: those of data. */
    PPID_DCEP = 50,
    PPID_STRING = 51,
    PPID_BINARY = 53,
    PPID_STRING_EMPTY = 56,
    PPID_BINARY_EMPTY = 57
};

enum dcep_reliability { DCEP_RELIABLE, DCEP_MAX_RETRANSMITS, DCEP_MAX_LIFETIME };

struct dcep_open {
    enum dcep_reliability reliability;
    uint32_t limit; /* retransmissions, or milliseconds; 0 when reliable */
    uint16_t priority;
    bool unordered;
    struct slice label; /* UTF-8, borrowed */
    struct slice protocol;
};

/* 0 for an empty message. */
uint8_t dcep_type(struct slice message);
/* ERR_TYPE: not an OPEN; ERR_TRUNCATED; ERR_MALFORMED: unknown channel type, bytes left over. */
MUST_CHECK enum err dcep_parse_open(struct dcep_open *o, struct slice message);
/* ERR_TOO_LARGE: no room, or label or protocol over 65535 bytes. */
MUST_CHECK enum err dcep_write_open(struct wr *w, const struct dcep_open *o);
void dcep_write_ack(struct wr *w);

#endif
