/* rtp_parse, header extensions, RTX and padding on anything. The first byte picks ids. */
#include "proto/rtx.h"

#include "proto/rtp_ext.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 4096 };

static void same_header(const struct rtp_view *a, const struct rtp_view *b)
{
    assert(a->seq == b->seq && a->timestamp == b->timestamp && a->ssrc == b->ssrc &&
           a->payload_type == b->payload_type && a->marker == b->marker &&
           a->csrc_count == b->csrc_count && a->len == b->len && a->padding == b->padding &&
           a->payload_at == b->payload_at && a->payload_len == b->payload_len &&
           a->ext_at == b->ext_at && a->ext_len == b->ext_len && a->ext_profile == b->ext_profile);
}

static void view_is_true(const struct rtp_view *v)
{
    struct rtp_view again;
    assert(rtp_parse(&again, v->data, v->len) == OK);
    same_header(v, &again);
}

static void read_typed(struct slice e)
{
    char text[RTP_EXT_TEXT_MAX + 1];
    uint32_t u32;
    uint16_t u16;
    int32_t i32;
    struct audio_level level;
    struct video_orientation orientation;
    struct abs_capture_time capture;
    struct playout_delay delay;
    uint8_t b[16];
    (void)!rtp_ext_read_text(e, text, sizeof text);
    (void)!rtp_ext_read_abs_send_time(e, &u32);
    (void)!rtp_ext_read_twcc(e, &u16);
    if (rtp_ext_read_audio_level(e, &level) == OK)
        assert(rtp_ext_audio_level_byte(level) == e.p[0]);
    if (rtp_ext_read_video_orientation(e, &orientation) == OK)
        assert(rtp_ext_video_orientation_byte(orientation) == (e.p[0] & 15));
    if (rtp_ext_read_toffset(e, &i32) == OK) {
        rtp_ext_put_toffset(b, i32);
        assert(memcmp(b, e.p, 3) == 0);
    }
    if (rtp_ext_read_abs_capture_time(e, &capture) == OK)
        assert(rtp_ext_put_abs_capture_time(b, &capture) == e.n && memcmp(b, e.p, e.n) == 0);
    if (rtp_ext_read_playout_delay(e, &delay) == OK) {
        rtp_ext_put_playout_delay(b, delay);
        assert(memcmp(b, e.p, 3) == 0);
    }
}

/* The index and the search agree; elements copied into a new packet are found there again. */
static void extensions(const struct rtp_view *v)
{
    struct rtp_ext_index x;
    struct rtp_ext_item items[RTP_EXT_ID_MAX];
    size_t n = 0;
    (void)rtp_ext_index_build(&x, v);
    for (uint8_t id = 1; id <= RTP_EXT_ID_MAX; id++) {
        struct slice found = rtp_ext_find(v, id);
        struct slice at = rtp_ext_at(&x, v, id);
        assert(found.p == at.p && found.n == at.n);
        assert(rtp_ext_at_mut(&x, v, id) == found.p);
        if (found.p == NULL)
            continue;
        assert(found.p + found.n <= v->data + v->payload_at);
        read_typed(found);
        items[n++] = (struct rtp_ext_item){.id = id, .value = found};
    }
    static uint8_t buf[CAP + 4096];
    struct wr w = wr_of(buf, sizeof buf);
    struct rtp_view made;
    enum rtp_ext_form form = rtp_ext_form_for(items, n);
    assert(rtp_ext_copy_packet(&w, v, form, items, n, &made) == OK);
    view_is_true(&made);
    for (size_t i = 0; i < n; i++) {
        struct slice e = rtp_ext_find(&made, items[i].id);
        assert(e.p != NULL && e.n == items[i].value.n);
        assert(e.n == 0 || memcmp(e.p, items[i].value.p, e.n) == 0);
    }
}

static void rtx(const struct rtp_view *v)
{
    static uint8_t buf[CAP + 2];
    struct wr w = wr_of(buf, sizeof buf);
    struct rtp_view made;
    assert(rtx_encode(&w, v, 97, 0x01020304, 77, &made) == OK);
    view_is_true(&made);
    assert(made.payload_type == 97 && made.ssrc == 0x01020304 && made.seq == 77);
    assert(rtx_decode(&made, v->payload_type, v->ssrc) == OK);
    view_is_true(&made);
    assert(made.seq == v->seq && made.payload_len == v->payload_len);
    assert(memcmp(rtp_payload(&made), rtp_payload(v), v->payload_len) == 0);
    if (rtx_wrap(&made, 98, 5, 6, sizeof buf) == OK)
        view_is_true(&made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[CAP + 256];
    struct rtp_view v;
    if (size > CAP)
        return 0;
    memcpy(buf, data, size);
    if (rtp_parse(&v, buf, size) != OK)
        return 0;
    extensions(&v);
    rtx(&v);
    uint16_t osn;
    (void)!rtx_osn(&v, &osn);
    (void)!rtx_decode(&v, 96, 1);
    view_is_true(&v);
    if (rtp_set_padding(&v, 1 + (size_t)v.seq % 255, sizeof buf) == OK)
        view_is_true(&v);
    rtp_drop_padding(&v);
    view_is_true(&v);
    return 0;
}
