/* h264_parse, the NAL walk and SPS on anything; the same bytes as profile-level-id texts. */
#include "proto/h264.h"
#include "proto/h264_sps.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void profiles(const uint8_t *data, size_t size)
{
    struct h264_profile_level a;
    struct h264_profile_level b;
    char text[H264_PROFILE_LEVEL_TEXT];
    size_t half = size / 2;
    struct slice first = slice_of(data, half);
    struct slice second = slice_of(data + half, size - half);
    if (h264_profile_level_parse(&a, first) == OK && h264_profile_level_print(a, text) == OK) {
        assert(h264_profile_level_parse(&b, slice_of(text, 6)) == OK);
        assert(a.profile == b.profile && a.level == b.level);
    }
    if (h264_answer_profile_level(first, true, second, size % 2, text) == OK) {
        assert(h264_profile_level_parse(&b, slice_of(text, 6)) == OK);
        assert(h264_same_profile(first, second));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct h264_info h;
    struct slice payload = slice_of(data, size);
    struct slice nal;
    size_t at = 0;
    size_t sum = 0;
    struct h264_sps set;
    profiles(data, size);
    if (h264_sps_parse(&set, payload) == OK)
        assert(set.width > 0 && set.width <= 16384 && set.height > 0 && set.height <= 16384);
    if (h264_parse(&h, payload) != OK)
        return 0;
    bool sps = false;
    while (h264_next_nal(payload, &at, &nal)) {
        assert(nal.n > 0 && nal.p >= data && nal.p + nal.n <= data + size);
        sps |= (nal.p[0] & 0x1f) == H264_NAL_SPS;
        sum += nal.n;
    }
    assert(sum <= size && (h.type == H264_NAL_FU_A || (sps == h.sps && at == size)));
    return 0;
}
