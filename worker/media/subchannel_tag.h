/* What a message over a pipe transport carries in front of it, so that subchannels count in the
 * router behind as well. SCTP knows nothing of them: bit 31 of the PPID, which no registered one
 * has, says that there is a tag. No IO.
 *
 *     0                   1                   2                   3
 *    +---------------+---------------+-------------------------------+
 *    |     flags     |       0       |     number of subchannels     |
 *    +---------------+---------------+-------------------------------+
 *    | required, ignored (16 bits each, as flags say), subchannels,  |
 *    | then the message                                              |
 *    +---------------------------------------------------------------+
 */
#ifndef WEIR_WORKER_MEDIA_SUBCHANNEL_TAG_H
#define WEIR_WORKER_MEDIA_SUBCHANNEL_TAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "worker/media/data_producer.h"

enum {
    SUBCHANNEL_TAG_SUBCHANNELS = 1024, /* most in a tag: as many as a data consumer can have */
    SUBCHANNEL_TAG_MAX = 4 + 2 * (2 + SUBCHANNEL_TAG_SUBCHANNELS) /* bytes */
};

/* Bit of the PPID. */
#define SUBCHANNEL_TAG_PPID UINT32_C(0x80000000)

static inline bool subchannel_tag_needed(const struct data_message *m)
{
    return m->n_subchannels > 0 || m->has_required || m->has_ignored;
}

/* Writes the tag of m (not the message) and returns its length; 0: more subchannels than fit. */
size_t subchannel_tag_write(const struct data_message *m, uint8_t out[SUBCHANNEL_TAG_MAX]);

/* Takes the tag off m, whose PPID has the bit; subchannels: room for m's. ERR_MALFORMED. */
MUST_CHECK enum err subchannel_tag_read(struct data_message *m,
                                        uint16_t subchannels[SUBCHANNEL_TAG_SUBCHANNELS]);

#endif
