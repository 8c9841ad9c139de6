#include "worker/media/codec_table.h"

#include <stdio.h>
#include <string.h>

#include "worker/media/fail.h"

static enum err refuse(struct field_error *f, size_t i, const char *member, const char *why)
{
    char path[64];
    snprintf(path, sizeof path, "rtpParameters.codecs[%zu].%s", i, member);
    return fail(f, ERR_TYPE, path, "%s", why);
}

static void read_feedback(struct codec_entry *e, const struct rtp_codec_parameters *c)
{
    for (size_t i = 0; i < c->n_rtcp_feedback; i++) {
        const char *type = c->rtcp_feedback[i].type;
        const char *parameter = c->rtcp_feedback[i].parameter;
        bool plain = !parameter || parameter[0] == '\0';
        e->nack |= plain && strcmp(type, "nack") == 0;
        e->remb |= plain && strcmp(type, "goog-remb") == 0;
        e->transport_cc |= plain && strcmp(type, "transport-cc") == 0;
        e->pli |= !plain && strcmp(type, "nack") == 0 && strcmp(parameter, "pli") == 0;
        e->fir |= !plain && strcmp(type, "ccm") == 0 && strcmp(parameter, "fir") == 0;
    }
}

static enum err read_codec(struct codec_entry *e, const struct rtp_codec_parameters *c, size_t i,
                           enum media_kind kind, struct field_error *f)
{
    e->codec = codec_of_mime(c->mime_type);
    if (e->codec == CODEC_UNKNOWN)
        return refuse(f, i, "mimeType", "unknown codec");
    if (codec_kind(e->codec) != kind)
        return refuse(f, i, "mimeType", "not of this kind");
    e->clock_rate = c->clock_rate;
    e->payload_type = c->payload_type;
    if (codec_is_rtx(e->codec)) {
        int64_t apt = dict_int(c->parameters, c->n_parameters, "apt", -1);
        if (apt < 0 || apt > RTP_PT_MAX)
            return refuse(f, i, "parameters.apt", "missing or not a payload type");
        e->apt = (uint8_t)apt;
    }
    e->use_dtx = dict_int(c->parameters, c->n_parameters, "usedtx", 0) == 1;
    e->use_fec = dict_int(c->parameters, c->n_parameters, "useinbandfec", 0) == 1;
    read_feedback(e, c);
    return OK;
}

static enum err check_relations(const struct codec_table *t, const struct rtp_parameters *p,
                                struct field_error *f)
{
    size_t n_media = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct codec_entry *e = &t->entries[i];
        if (!codec_is_rtx(e->codec)) {
            n_media++;
            continue;
        }
        const struct codec_entry *repaired = codec_table_get(t, e->apt);
        if (!repaired || codec_is_rtx(repaired->codec))
            return refuse(f, i, "parameters.apt", "no media codec has this payload type");
    }
    if (n_media == 0)
        return fail(f, ERR_TYPE, "rtpParameters.codecs", "no media codec");
    for (size_t i = 0; i < p->n_encodings; i++) {
        const struct rtp_encoding_parameters *enc = &p->encodings[i];
        const struct codec_entry *e =
            enc->has_codec_payload_type ? codec_table_get(t, enc->codec_payload_type) : NULL;
        char path[64];
        snprintf(path, sizeof path, "rtpParameters.encodings[%zu].codecPayloadType", i);
        if (enc->has_codec_payload_type && (!e || codec_is_rtx(e->codec)))
            return fail(f, ERR_TYPE, path, "no media codec has this payload type");
    }
    return OK;
}

enum err codec_table_init(struct codec_table *t, const struct rtp_parameters *p,
                          enum media_kind kind, struct arena *arena, struct field_error *f)
{
    memset(t->index, CODEC_TABLE_NONE, sizeof t->index);
    t->n = 0;
    if (p->n_codecs == 0)
        return fail(f, ERR_TYPE, "rtpParameters.codecs", "empty");
    t->entries = arena_array(arena, p->n_codecs, sizeof *t->entries);
    if (!t->entries)
        return fail_plain(f, ERR_NOMEM);
    for (size_t i = 0; i < p->n_codecs; i++) {
        const struct rtp_codec_parameters *c = &p->codecs[i];
        if (c->payload_type > RTP_PT_MAX)
            return refuse(f, i, "payloadType", "not a payload type");
        if (t->index[c->payload_type] != CODEC_TABLE_NONE)
            return refuse(f, i, "payloadType", "used twice");
        enum err e = read_codec(&t->entries[i], c, i, kind, f);
        if (e != OK)
            return e;
        t->index[c->payload_type] = (uint8_t)i;
        t->n++;
    }
    return check_relations(t, p, f);
}

void codec_table_complete(const struct codec_table *t, struct rtp_parameters *p)
{
    for (size_t i = 0; i < t->n; i++)
        p->codecs[i].mime_type = codec_mime(t->entries[i].codec);
    for (size_t i = 0; i < p->n_encodings; i++) {
        struct rtp_encoding_parameters *e = &p->encodings[i];
        e->codec_payload_type = codec_table_of_encoding(t, e)->payload_type;
        e->has_codec_payload_type = true;
    }
}

const struct codec_entry *codec_table_of_encoding(const struct codec_table *t,
                                                  const struct rtp_encoding_parameters *e)
{
    if (e->has_codec_payload_type)
        return codec_table_get(t, e->codec_payload_type);
    for (size_t i = 0; i < t->n; i++) {
        if (!codec_is_rtx(t->entries[i].codec))
            return &t->entries[i];
    }
    return NULL;
}

const struct codec_entry *codec_table_rtx(const struct codec_table *t,
                                          const struct codec_entry *media)
{
    for (size_t i = 0; i < t->n; i++) {
        if (codec_is_rtx(t->entries[i].codec) && t->entries[i].apt == media->payload_type)
            return &t->entries[i];
    }
    return NULL;
}

void codec_table_stream_params(const struct codec_table *t, const struct rtp_parameters *p,
                               const struct rtp_encoding_parameters *e, struct stream_params *out)
{
    const struct codec_entry *media = codec_table_of_encoding(t, e);
    const struct codec_entry *rtx = codec_table_rtx(t, media);
    *out = (struct stream_params){.ssrc = e->ssrc,
                                  .clock_rate = media->clock_rate,
                                  .codec = media->codec,
                                  .payload_type = media->payload_type,
                                  .use_nack = media->nack,
                                  .use_pli = media->pli,
                                  .use_fir = media->fir,
                                  .use_dtx = media->use_dtx || (e->has_dtx && e->dtx)};
    if (rtx && e->rtx) {
        out->has_rtx = true;
        out->rtx_ssrc = e->rtx->ssrc;
        out->rtx_payload_type = rtx->payload_type;
    }
    out->cname = p->rtcp && p->rtcp->cname ? p->rtcp->cname : "";
}
