#include "proto/rtp_ext.h"

static const struct {
    const char *uri;
    size_t n;
} uris[RTP_EXT_KIND_COUNT] = {
#define X(id, uri) [RTP_EXT_##id] = {uri, sizeof uri - 1},
    RTP_EXT_MAP(X)
#undef X
};

enum rtp_ext_kind rtp_ext_kind_of(struct slice uri)
{
    for (unsigned i = 0; i < RTP_EXT_KIND_COUNT; i++)
        if (uri.n == uris[i].n && memcmp(uri.p, uris[i].uri, uri.n) == 0)
            return (enum rtp_ext_kind)i;
    return RTP_EXT_KIND_COUNT;
}

const char *rtp_ext_uri(enum rtp_ext_kind kind)
{
    return (unsigned)kind < RTP_EXT_KIND_COUNT ? uris[kind].uri : "";
}

/* Walks the elements of a block. */
struct walk {
    struct rd r;
    bool two_byte;
    bool bad; /* an element runs over the end */
};

static bool walk_init(struct walk *k, const struct rtp_view *v)
{
    k->bad = false;
    k->two_byte = (v->ext_profile & 0xfff0) == RTP_EXT_PROFILE_TWO;
    if (v->ext_at == 0 || (!k->two_byte && v->ext_profile != RTP_EXT_PROFILE_ONE))
        return false;
    k->r = rd_of(v->data + v->ext_at, v->ext_len);
    return true;
}

static bool walk_next(struct walk *k, uint8_t *id, struct slice *value)
{
    while (rd_left(&k->r) > 0) {
        uint8_t b = rd_u8(&k->r);
        size_t n = 0;
        if (k->two_byte) {
            if (b == 0) /* padding */
                continue;
            *id = b;
            n = rd_u8(&k->r);
        } else {
            /* RFC 8285 4.2: id 0 is padding whatever its length says; id 15 ends the parsing. */
            if (b >> 4 == 0)
                continue;
            if (b >> 4 == 15)
                return false;
            *id = b >> 4;
            n = (b & 0x0fu) + 1;
        }
        *value = rd_bytes(&k->r, n);
        k->bad = k->r.bad;
        return !k->bad;
    }
    return false;
}

struct slice rtp_ext_find(const struct rtp_view *v, uint8_t id)
{
    struct walk k;
    struct slice value;
    uint8_t found = 0;
    if (!walk_init(&k, v))
        return (struct slice){0};
    while (walk_next(&k, &found, &value))
        if (found == id)
            return value;
    return (struct slice){0};
}

uint8_t *rtp_ext_find_mut(const struct rtp_view *v, uint8_t id, size_t *len)
{
    struct slice e = rtp_ext_find(v, id);
    *len = e.n;
    return e.p == NULL ? NULL : v->data + (e.p - v->data);
}

enum err rtp_ext_index_build(struct rtp_ext_index *x, const struct rtp_view *v)
{
    struct walk k;
    struct slice value;
    uint8_t id = 0;
    memset(x, 0, sizeof *x);
    if (!walk_init(&k, v))
        return OK;
    while (walk_next(&k, &id, &value)) {
        if (id > RTP_EXT_ID_MAX || x->at[id] != 0)
            continue;
        x->at[id] = (uint16_t)(value.p - v->data);
        x->len[id] = (uint8_t)value.n;
    }
    return k.bad ? ERR_TRUNCATED : OK;
}

enum rtp_ext_form rtp_ext_form_for(const struct rtp_ext_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (items[i].id > RTP_EXT_ID_MAX || items[i].value.n == 0 || items[i].value.n > 16)
            return RTP_EXT_TWO_BYTE;
    return RTP_EXT_ONE_BYTE;
}

static size_t elements_size(enum rtp_ext_form form, const struct rtp_ext_item *items, size_t n)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += (form == RTP_EXT_ONE_BYTE ? 1 : 2) + items[i].value.n;
    return size;
}

size_t rtp_ext_size(enum rtp_ext_form form, const struct rtp_ext_item *items, size_t n)
{
    return n == 0 ? 0 : 4 + (elements_size(form, items, n) + 3) / 4 * 4;
}

static bool fits(enum rtp_ext_form form, const struct rtp_ext_item *item)
{
    if (item->id == 0)
        return false;
    if (form == RTP_EXT_ONE_BYTE)
        return item->id <= RTP_EXT_ID_MAX && item->value.n >= 1 && item->value.n <= 16;
    return item->value.n <= RTP_EXT_LEN_MAX;
}

enum err rtp_ext_write(struct wr *w, enum rtp_ext_form form, const struct rtp_ext_item *items,
                       size_t n)
{
    if (n == 0)
        return OK;
    for (size_t i = 0; i < n; i++)
        if (!fits(form, &items[i]))
            return ERR_RANGE;
    size_t used = elements_size(form, items, n);
    size_t words = (used + 3) / 4;
    if (words > UINT16_MAX || w->bad || wr_left(w) < 4 + 4 * words)
        return ERR_TOO_LARGE;
    wr_u16(w, form == RTP_EXT_ONE_BYTE ? RTP_EXT_PROFILE_ONE : RTP_EXT_PROFILE_TWO);
    wr_u16(w, (uint16_t)words);
    for (size_t i = 0; i < n; i++) {
        struct slice value = items[i].value;
        if (form == RTP_EXT_ONE_BYTE) {
            wr_u8(w, (uint8_t)(items[i].id << 4 | (value.n - 1)));
        } else {
            wr_u8(w, items[i].id);
            wr_u8(w, (uint8_t)value.n);
        }
        wr_bytes(w, value.p, value.n);
    }
    wr_zeros(w, 4 * words - used);
    return OK;
}

enum err rtp_ext_copy_packet(struct wr *w, const struct rtp_view *v, enum rtp_ext_form form,
                             const struct rtp_ext_item *items, size_t n, struct rtp_view *out)
{
    size_t fixed = RTP_HEADER_LEN + 4u * v->csrc_count;
    wr_bytes(w, v->data, fixed);
    enum err e = rtp_ext_write(w, form, items, n);
    if (e != OK)
        return e;
    size_t payload_at = wr_len(w);
    wr_bytes(w, rtp_payload(v), v->payload_len);
    if (w->bad || wr_len(w) > RTP_PACKET_MAX)
        return ERR_TOO_LARGE;
    w->start[0] = (uint8_t)(0x80 | (n > 0 ? 0x10 : 0) | v->csrc_count);
    if (out == NULL)
        return OK;
    *out = *v;
    out->data = w->start;
    out->len = (uint16_t)wr_len(w);
    out->payload_at = (uint16_t)payload_at;
    out->padding = 0;
    out->ext_at = n > 0 ? (uint16_t)(fixed + 4) : 0;
    out->ext_len = n > 0 ? (uint16_t)(payload_at - fixed - 4) : 0;
    out->ext_profile = n == 0                     ? 0
                       : form == RTP_EXT_ONE_BYTE ? RTP_EXT_PROFILE_ONE
                                                  : RTP_EXT_PROFILE_TWO;
    return OK;
}

/* ---- typed values ---- */

static enum err check_len(struct slice e, size_t n)
{
    if (e.p == NULL)
        return ERR_NOT_FOUND;
    return e.n == n ? OK : ERR_MALFORMED;
}

/* RFC 8866 9, token-char. */
static bool is_token(uint8_t c)
{
    if (c <= ' ' || c >= 0x7f)
        return false;
    return strchr("\"(),/:;<=>?@[\\]", c) == NULL;
}

enum err rtp_ext_read_text(struct slice e, char *out, size_t n)
{
    if (e.p == NULL)
        return ERR_NOT_FOUND;
    if (e.n == 0)
        return ERR_MALFORMED;
    if (e.n >= n)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < e.n; i++)
        if (!is_token(e.p[i]))
            return ERR_MALFORMED;
    memcpy(out, e.p, e.n);
    out[e.n] = '\0';
    return OK;
}

enum err rtp_ext_read_abs_send_time(struct slice e, uint32_t *out)
{
    struct rd r = rd_slice(e);
    *out = rd_u24(&r);
    return check_len(e, RTP_EXT_ABS_SEND_TIME_LEN);
}

enum err rtp_ext_read_twcc(struct slice e, uint16_t *seq)
{
    struct rd r = rd_slice(e);
    *seq = rd_u16(&r);
    return check_len(e, RTP_EXT_TWCC_LEN);
}

enum err rtp_ext_read_audio_level(struct slice e, struct audio_level *out)
{
    struct rd r = rd_slice(e);
    uint8_t b = rd_u8(&r);
    out->voice = (b & 0x80) != 0;
    out->level = b & 0x7f;
    return check_len(e, RTP_EXT_AUDIO_LEVEL_LEN);
}

uint8_t rtp_ext_audio_level_byte(struct audio_level l)
{
    return (uint8_t)((l.voice ? 0x80 : 0) | (l.level > 127 ? 127 : l.level));
}

enum err rtp_ext_read_video_orientation(struct slice e, struct video_orientation *out)
{
    struct rd r = rd_slice(e);
    uint8_t b = rd_u8(&r);
    out->camera_back = (b & 8) != 0;
    out->flip = (b & 4) != 0;
    out->rotation = (uint16_t)((b & 3) * 90);
    return check_len(e, RTP_EXT_VIDEO_ORIENTATION_LEN);
}

uint8_t rtp_ext_video_orientation_byte(struct video_orientation o)
{
    return (uint8_t)((o.camera_back ? 8 : 0) | (o.flip ? 4 : 0) | (o.rotation / 90 & 3));
}

enum err rtp_ext_read_toffset(struct slice e, int32_t *out)
{
    struct rd r = rd_slice(e);
    uint32_t v = rd_u24(&r);
    *out = v & 0x800000 ? (int32_t)v - 0x1000000 : (int32_t)v;
    return check_len(e, RTP_EXT_TOFFSET_LEN);
}

void rtp_ext_put_toffset(uint8_t out[RTP_EXT_TOFFSET_LEN], int32_t offset)
{
    put_u24(out, (uint32_t)offset & 0xffffff);
}

enum err rtp_ext_read_abs_capture_time(struct slice e, struct abs_capture_time *out)
{
    struct rd r = rd_slice(e);
    out->ntp = rd_u64(&r);
    out->has_offset = e.n == RTP_EXT_ABS_CAPTURE_TIME_LONG_LEN;
    out->offset = out->has_offset ? (int64_t)rd_u64(&r) : 0;
    return check_len(e, out->has_offset ? RTP_EXT_ABS_CAPTURE_TIME_LONG_LEN
                                        : RTP_EXT_ABS_CAPTURE_TIME_LEN);
}

size_t rtp_ext_put_abs_capture_time(uint8_t out[RTP_EXT_ABS_CAPTURE_TIME_LONG_LEN],
                                    const struct abs_capture_time *t)
{
    struct wr w = wr_of(out, RTP_EXT_ABS_CAPTURE_TIME_LONG_LEN);
    wr_u64(&w, t->ntp);
    if (t->has_offset)
        wr_u64(&w, (uint64_t)t->offset);
    return wr_len(&w);
}

enum err rtp_ext_read_playout_delay(struct slice e, struct playout_delay *out)
{
    struct rd r = rd_slice(e);
    uint32_t v = rd_u24(&r);
    out->min_10ms = (uint16_t)(v >> 12);
    out->max_10ms = v & 0xfff;
    return check_len(e, RTP_EXT_PLAYOUT_DELAY_LEN);
}

void rtp_ext_put_playout_delay(uint8_t out[RTP_EXT_PLAYOUT_DELAY_LEN], struct playout_delay d)
{
    put_u24(out, (uint32_t)(d.min_10ms & 0xfff) << 12 | (d.max_10ms & 0xfffu));
}
