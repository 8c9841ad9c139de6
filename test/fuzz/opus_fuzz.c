/* opus_parse on anything. */
#include "proto/opus.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct opus_info o;
    if (opus_parse(&o, slice_of(data, size)) != OK)
        return 0;
    assert(o.n_frames >= 1 && o.n_frames <= OPUS_FRAMES_MAX);
    assert(o.duration_usec == o.n_frames * o.frame_usec);
    assert(o.duration_usec <= OPUS_PACKET_USEC_MAX && o.frame_usec >= 2500);
    assert(o.channels == 1 || o.channels == 2);
    return 0;
}
