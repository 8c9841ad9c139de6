/* subchannel_tag_read on anything; a tag that was read and written reads back the same. */
#include <assert.h>
#include <string.h>

#include "worker/media/subchannel_tag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint16_t first[SUBCHANNEL_TAG_SUBCHANNELS];
    static uint16_t second[SUBCHANNEL_TAG_SUBCHANNELS];
    static uint8_t tag[SUBCHANNEL_TAG_MAX];
    struct data_message m = {.ppid = SUBCHANNEL_TAG_PPID | 51, .bytes = slice_of(data, size)};
    if (subchannel_tag_read(&m, first) != OK)
        return 0;
    assert(m.ppid == 51 && m.bytes.n <= size);
    size_t n = subchannel_tag_write(&m, tag);
    assert(n > 0 && n + m.bytes.n == size);
    struct data_message again = {.ppid = SUBCHANNEL_TAG_PPID, .bytes = slice_of(tag, n)};
    assert(subchannel_tag_read(&again, second) == OK);
    assert(again.has_required == m.has_required && again.has_ignored == m.has_ignored);
    assert(again.required == m.required && again.ignored == m.ignored);
    assert(again.n_subchannels == m.n_subchannels && again.bytes.n == 0);
    assert(memcmp(first, second, m.n_subchannels * sizeof first[0]) == 0);
    return 0;
}
