/* vp8_parse on anything; a rewritten descriptor parses to what was written, and back. */
#include "proto/vp8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[4096];
    struct vp8_desc d;
    struct vp8_desc e;
    if (size > sizeof buf || vp8_parse(&d, slice_of(data, size)) != OK)
        return 0;
    assert(d.header_len > 0 && d.header_len < size);
    memcpy(buf, data, size);
    vp8_rewrite(&d, buf, 0x7123, 0x45);
    assert(vp8_parse(&e, slice_of(buf, size)) == OK && e.header_len == d.header_len);
    if (d.picture_id_at)
        assert(e.picture_id == (d.picture_id_15 ? 0x7123 : 0x23));
    if (d.tl0_at)
        assert(e.tl0_pic_idx == 0x45);
    vp8_rewrite(&e, buf, d.picture_id, d.tl0_pic_idx);
    assert(memcmp(buf, data, size) == 0);
    return 0;
}
