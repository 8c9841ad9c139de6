#include "worker/media/ext_layout.h"

#include <string.h>

/* MID, times and numbers are the consumer's own; RID and RRID name the producer's streams and end
 * here. */
static const enum rtp_ext_kind ext_forwarded[EXT_FORWARD_MAX] = {
    RTP_EXT_AUDIO_LEVEL,      RTP_EXT_VIDEO_ORIENTATION, RTP_EXT_TOFFSET,
    RTP_EXT_ABS_CAPTURE_TIME, RTP_EXT_PLAYOUT_DELAY,     RTP_EXT_DEPENDENCY_DESCRIPTOR};

enum err ext_ids_init(struct ext_ids *ids, const struct rtp_header_extension_parameters *list,
                      size_t n, size_t *bad)
{
    bool taken[256] = {false};
    *ids = (struct ext_ids){0};
    for (size_t i = 0; i < n; i++) {
        enum rtp_ext_kind kind = rtp_ext_kind_of(slice_of(list[i].uri, strlen(list[i].uri)));
        *bad = i;
        if (taken[list[i].id])
            return ERR_EXISTS;
        taken[list[i].id] = true;
        if (kind == RTP_EXT_KIND_COUNT)
            continue;
        if (ids->of[kind] != 0)
            return ERR_EXISTS;
        ids->of[kind] = list[i].id;
    }
    return OK;
}

void ext_brought_find(struct ext_brought *b, const struct ext_ids *ids, const struct rtp_view *v)
{
    b->n = 0;
    b->longest = 0;
    if (v->ext_at == 0)
        return;
    struct rtp_ext_index x;
    (void)rtp_ext_index_build(&x, v); /* what was found before an overrun counts */
    for (size_t i = 0; i < EXT_FORWARD_MAX; i++) {
        uint8_t id = ids->of[ext_forwarded[i]];
        if (id == 0)
            continue;
        struct slice e = id <= RTP_EXT_ID_MAX ? rtp_ext_at(&x, v, id) : rtp_ext_find(v, id);
        if (!e.p || e.n == 0)
            continue;
        b->item[b->n].kind = ext_forwarded[i];
        b->item[b->n].value = e;
        b->n++;
        if (e.n > b->longest)
            b->longest = e.n;
    }
}

void ext_brought_drop(struct ext_brought *b, enum rtp_ext_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) {
        if (b->item[i].kind != kind)
            b->item[n++] = b->item[i];
    }
    b->n = n;
}

static uint8_t *put_element(uint8_t *p, bool two_byte, uint8_t id, const void *value, size_t n)
{
    if (two_byte) {
        *p++ = id;
        *p++ = (uint8_t)n;
    } else {
        *p++ = (uint8_t)((unsigned)id << 4 | (unsigned)(n - 1));
    }
    memcpy(p, value, n);
    return p + n;
}

void ext_layout_init(struct ext_layout *l, const struct ext_ids *ids, const char *mid)
{
    static const uint8_t zeros[4];
    *l = (struct ext_layout){.ids = *ids};
    size_t mid_len = mid ? strlen(mid) : 0;
    if (mid_len > MID_MAX)
        mid_len = 0;
    for (size_t k = 0; k < RTP_EXT_KIND_COUNT; k++)
        l->two_byte |= ids->of[k] > RTP_EXT_ID_MAX;
    l->two_byte |= mid_len > 16 && ids->of[RTP_EXT_MID] != 0;
    uint8_t *p = l->fixed;
    put_u16(p, l->two_byte ? RTP_EXT_PROFILE_TWO : RTP_EXT_PROFILE_ONE);
    p += 4;
    if (ids->of[RTP_EXT_MID] != 0 && mid_len > 0)
        p = put_element(p, l->two_byte, ids->of[RTP_EXT_MID], mid, mid_len);
    if (ids->of[RTP_EXT_ABS_SEND_TIME] != 0) {
        p = put_element(p, l->two_byte, ids->of[RTP_EXT_ABS_SEND_TIME], zeros, 3);
        l->time_at = (uint8_t)(p - 3 - l->fixed);
    }
    if (ids->of[RTP_EXT_TWCC] != 0) {
        p = put_element(p, l->two_byte, ids->of[RTP_EXT_TWCC], zeros, 2);
        l->number_at = (uint8_t)(p - 2 - l->fixed);
    }
    l->fixed_len = (uint8_t)(p - l->fixed);
}

/* A dependency descriptor with its template structure is longer than a one-byte element holds. */
static uint8_t *widen(const struct ext_layout *l, uint8_t *out)
{
    const uint8_t *p = l->fixed + 4;
    const uint8_t *end = l->fixed + l->fixed_len;
    put_u16(out, RTP_EXT_PROFILE_TWO);
    uint8_t *q = out + 4;
    while (p < end) {
        size_t n = (size_t)(*p & 0x0f) + 1;
        q = put_element(q, true, *p >> 4, p + 1, n);
        p += 1 + n;
    }
    return q;
}

size_t ext_layout_write(const struct ext_layout *l, const struct ext_brought *b, usec now,
                        uint16_t number, uint8_t *out)
{
    struct ext_layout patched;
    bool two_byte = l->two_byte;
    uint8_t *p = out + l->fixed_len;
    memcpy(out, l->fixed, EXT_FIXED_MAX); /* a constant size: a few vector moves */
    if (l->time_at != 0)
        put_u24(out + l->time_at, abs_send_time_of(now));
    if (l->number_at != 0)
        put_u16(out + l->number_at, number);
    if (!two_byte && b->longest > 16) {
        patched = *l;
        memcpy(patched.fixed, out, l->fixed_len);
        two_byte = true;
        p = widen(&patched, out);
    }
    for (size_t i = 0; i < b->n; i++) {
        uint8_t id = l->ids.of[b->item[i].kind];
        if (id != 0)
            p = put_element(p, two_byte, id, b->item[i].value.p, b->item[i].value.n);
    }
    size_t len = (size_t)(p - out);
    if (len == 4)
        return 0;
    while (len % 4 != 0)
        out[len++] = 0;
    put_u16(out + 2, (uint16_t)(len / 4 - 1));
    return len;
}
