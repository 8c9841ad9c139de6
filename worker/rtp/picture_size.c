#include "worker/rtp/picture_size.h"

#include "proto/h264.h"
#include "proto/h264_sps.h"
#include "proto/vp8.h"
#include "proto/vp9.h"

static void vp8_size(struct slice payload, struct picture_size *out)
{
    struct vp8_desc d;
    if (vp8_parse(&d, payload) == OK && d.key_frame)
        *out = (struct picture_size){d.width, d.height};
}

/* VP9 bitstream 6.2, 7.2: of a key frame of profile 0, from its first bit: frame_marker (2),
 * profile (2), show_existing_frame, frame_type, show_frame, error_resilient_mode, frame_sync_code
 * (24), color_space (3), color_range (1, unless it is sRGB, which profile 0 has not), then width
 * and height less one, 16 bits each. */
static void vp9_header_size(struct slice header, struct picture_size *out)
{
    enum { MARKER = 0x80, MARKER_PROFILE_EXISTING_TYPE = 0xfc, SYNC = 0x498342 };
    struct rd r = rd_slice(header);
    uint8_t first = rd_u8(&r);
    uint32_t sync = (uint32_t)rd_u8(&r) << 16;
    sync |= rd_u16(&r);
    /* Half a byte ahead of the sizes. */
    uint32_t high = rd_u32(&r);
    uint8_t low = rd_u8(&r);
    if (r.bad || (first & MARKER_PROFILE_EXISTING_TYPE) != MARKER || sync != SYNC)
        return;
    uint32_t sizes = high << 4 | low >> 4;
    *out = (struct picture_size){(uint16_t)((sizes >> 16) + 1), (uint16_t)((sizes & 0xffff) + 1)};
}

static void vp9_size(struct slice payload, struct picture_size *out)
{
    struct vp9_desc d;
    if (vp9_parse(&d, payload) != OK || !d.key_frame)
        return;
    if (d.ss.n_spatial > 0 && d.ss.has_resolution)
        *out =
            (struct picture_size){d.ss.width[d.ss.n_spatial - 1], d.ss.height[d.ss.n_spatial - 1]};
    else
        vp9_header_size(slice_of(payload.p + d.header_len, payload.n - d.header_len), out);
}

static void h264_size(struct slice payload, struct picture_size *out)
{
    struct h264_info h;
    struct h264_sps sps;
    struct slice nal;
    size_t at = 0;
    if (h264_parse(&h, payload) != OK)
        return;
    while (h264_next_nal(payload, &at, &nal)) {
        if ((nal.p[0] & 0x1f) == H264_NAL_SPS && h264_sps_parse(&sps, nal) == OK)
            *out = (struct picture_size){(uint16_t)sps.width, (uint16_t)sps.height};
    }
}

bool picture_size_read(enum codec codec, struct slice payload, struct picture_size *out)
{
    *out = (struct picture_size){0};
    if (codec == CODEC_VP8)
        vp8_size(payload, out);
    else if (codec == CODEC_VP9)
        vp9_size(payload, out);
    else if (codec == CODEC_H264)
        h264_size(payload, out);
    return out->width > 0 && out->height > 0;
}
