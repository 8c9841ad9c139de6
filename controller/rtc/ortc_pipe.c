#include "controller/rtc/ortc.h"

#include <string.h>

#include "proto/rtp_ext.h"

/* What a pipe has no use for: its streams are told apart by SSRC, and what is sent over it is not
 * estimated. */
static bool extension_goes(const char *uri)
{
    static const enum rtp_ext_kind out[] = {RTP_EXT_MID, RTP_EXT_ABS_SEND_TIME, RTP_EXT_TWCC};
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) {
        if (strcmp(uri, rtp_ext_uri(out[i])) == 0)
            return false;
    }
    return true;
}

/* Losses and key frames; bandwidth is not told. */
static bool feedback_goes(const struct rtcp_feedback *f)
{
    return strcmp(f->type, "nack") == 0 || strcmp(f->type, "ccm") == 0;
}

static enum err pipe_codecs(const struct rtp_parameters *consumable, struct arena *arena,
                            struct rtp_parameters *out, struct rtp_mapping *mapping, bool *rtx)
{
    for (size_t i = 0; i < consumable->n_codecs; i++) {
        struct rtp_codec_parameters *c = &out->codecs[out->n_codecs++];
        *c = consumable->codecs[i];
        *rtx = *rtx || ortc_is_rtx(c->mime_type);
        struct rtcp_feedback *list = arena_array(arena, c->n_rtcp_feedback, sizeof *list);
        if (!list)
            return ERR_NOMEM;
        size_t n = 0;
        for (size_t j = 0; j < c->n_rtcp_feedback; j++) {
            if (feedback_goes(&c->rtcp_feedback[j]))
                list[n++] = c->rtcp_feedback[j];
        }
        c->rtcp_feedback = list;
        c->n_rtcp_feedback = n;
        /* Routers of one service number their codecs alike. */
        mapping->codecs[mapping->n_codecs++] =
            (struct rtp_codec_mapping){.payload_type = c->payload_type,
                                       .has_payload_type = true,
                                       .mapped_payload_type = c->payload_type,
                                       .has_mapped_payload_type = true};
    }
    return OK;
}

static enum err pipe_encodings(const struct rtp_parameters *consumable, uint32_t ssrc, bool rtx,
                               struct arena *arena, struct rtp_parameters *out,
                               struct rtp_mapping *mapping)
{
    for (size_t i = 0; i < consumable->n_encodings; i++) {
        struct rtp_encoding_parameters *e = &out->encodings[out->n_encodings++];
        *e = consumable->encodings[i];
        e->ssrc = ssrc++;
        e->rtx = NULL;
        if (rtx) {
            e->rtx = arena_alloc(arena, sizeof *e->rtx);
            if (!e->rtx)
                return ERR_NOMEM;
            *e->rtx = (struct rtp_rtx_parameters){.ssrc = ssrc++, .has_ssrc = true};
        }
        mapping->encodings[mapping->n_encodings++] =
            (struct rtp_encoding_mapping){.ssrc = e->ssrc,
                                          .has_ssrc = true,
                                          .mapped_ssrc = consumable->encodings[i].ssrc,
                                          .has_mapped_ssrc = true};
    }
    return OK;
}

enum err ortc_pipe(const struct rtp_parameters *consumable, uint32_t ssrc, struct arena *arena,
                   struct rtp_parameters *out, struct rtp_mapping *mapping)
{
    *out = (struct rtp_parameters){.rtcp = consumable->rtcp, .msid = consumable->msid};
    *mapping = (struct rtp_mapping){0};
    out->codecs = arena_array(arena, consumable->n_codecs, sizeof *out->codecs);
    out->encodings = arena_array(arena, consumable->n_encodings, sizeof *out->encodings);
    out->header_extensions =
        arena_array(arena, consumable->n_header_extensions, sizeof *out->header_extensions);
    mapping->codecs = arena_array(arena, consumable->n_codecs, sizeof *mapping->codecs);
    mapping->encodings = arena_array(arena, consumable->n_encodings, sizeof *mapping->encodings);
    if (!out->codecs || !out->encodings || !out->header_extensions || !mapping->codecs ||
        !mapping->encodings)
        return ERR_NOMEM;
    for (size_t i = 0; i < consumable->n_header_extensions; i++) {
        if (extension_goes(consumable->header_extensions[i].uri))
            out->header_extensions[out->n_header_extensions++] = consumable->header_extensions[i];
    }
    bool rtx = false;
    enum err e = pipe_codecs(consumable, arena, out, mapping, &rtx);
    return e == OK ? pipe_encodings(consumable, ssrc, rtx, arena, out, mapping) : e;
}
