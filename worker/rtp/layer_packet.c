#include "worker/rtp/layer_packet.h"

#include <stdlib.h>

enum err layer_stream_init(struct layer_stream *s, enum codec codec, bool has_dd)
{
    *s = (struct layer_stream){.codec = codec};
    if (!has_dd || (codec != CODEC_AV1 && codec != CODEC_H264))
        return OK;
    s->dd = malloc(sizeof *s->dd);
    if (!s->dd)
        return ERR_NOMEM;
    dd_cache_init(s->dd);
    return OK;
}

void layer_stream_fini(struct layer_stream *s)
{
    free(s->dd);
    s->dd = NULL;
}

static void read_vp8(struct layer_packet *p, struct slice payload)
{
    p->info = LAYER_INFO_MISSING;
    if (vp8_parse(&p->vp8, payload) != OK)
        return;
    p->info = LAYER_INFO_VP8;
    p->temporal = p->vp8.temporal;
}

static void read_vp9(struct layer_packet *p, struct slice payload)
{
    p->info = LAYER_INFO_MISSING;
    if (vp9_parse(&p->vp9, payload) != OK)
        return;
    p->info = LAYER_INFO_VP9;
    p->spatial = p->vp9.spatial;
    p->temporal = p->vp9.temporal;
}

static void read_dd(struct layer_stream *s, struct layer_packet *p, struct slice dd)
{
    p->info = LAYER_INFO_NONE;
    if (!s->dd || dd.n == 0)
        return;
    p->info = LAYER_INFO_MISSING;
    if (!dd_cache_packet(s->dd, dd, &p->dd))
        return;
    p->info = LAYER_INFO_DD;
    p->spatial = p->dd.dd.spatial;
    p->temporal = p->dd.dd.temporal;
}

void layer_stream_packet(struct layer_stream *s, const struct rtp_view *v, struct slice dd,
                         bool key_frame, struct layer_packet *out)
{
    out->picture = seq_unwrap32(&s->picture, v->timestamp);
    out->timestamp = v->timestamp;
    out->seq = v->seq;
    out->marker = v->marker;
    out->key_frame = key_frame;
    out->spatial = 0;
    out->temporal = 0;
    if (s->codec == CODEC_VP8)
        read_vp8(out, rtp_payload_slice(v));
    else if (s->codec == CODEC_VP9)
        read_vp9(out, rtp_payload_slice(v));
    else
        read_dd(s, out, dd);
}

void layer_patch_payload(enum codec codec, layer_patch patch, uint8_t *payload, size_t n)
{
    struct vp8_desc vp8;
    struct vp9_desc vp9;
    uint16_t picture_id = patch & 0x7fff;
    uint8_t tl0_pic_idx = (uint8_t)(patch >> 15);
    if ((patch & LAYER_PATCH_REWRITE) == 0)
        return;
    if (codec == CODEC_VP8 && vp8_parse(&vp8, slice_of(payload, n)) == OK)
        vp8_rewrite(&vp8, payload, picture_id, tl0_pic_idx);
    if (codec == CODEC_VP9 && vp9_parse(&vp9, slice_of(payload, n)) == OK)
        vp9_rewrite(&vp9, payload, picture_id, tl0_pic_idx);
}

struct slice layer_patch_dd(const struct layer_stream *s, layer_patch patch, struct slice element,
                            uint8_t scratch[DD_LEN_MAX])
{
    return s->dd ? dd_cache_patch(s->dd, patch, element, scratch) : element;
}
