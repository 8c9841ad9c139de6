#include "controller/sdp/sdp_rtp.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "controller/rtc/ortc.h"
#include "controller/sdp/sdp_codecs.h"
#include "controller/sdp/sdp_encodings.h"
#include "proto/rtp_ext.h"

static enum err no_memory(struct field_error *error)
{
    *error = (struct field_error){.err = ERR_NOMEM, .reason = "out of memory"};
    return ERR_NOMEM;
}

/* ---- codecs ---- */

static bool knows_feedback(const struct rtp_codec_capability *c, const struct rtcp_feedback *f)
{
    for (size_t i = 0; i < c->n_rtcp_feedback; i++) {
        const char *a = c->rtcp_feedback[i].parameter;
        if (strcmp(c->rtcp_feedback[i].type, f->type) == 0 &&
            strcmp(a ? a : "", f->parameter ? f->parameter : "") == 0)
            return true;
    }
    return false;
}

static void reduce_feedback(struct rtp_codec_parameters *c,
                            const struct rtp_codec_capability *known)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_rtcp_feedback; i++) {
        if (knows_feedback(known, &c->rtcp_feedback[i]))
            c->rtcp_feedback[n++] = c->rtcp_feedback[i];
    }
    c->n_rtcp_feedback = n;
}

static bool is_rtx_of(const struct rtp_codec_parameters *c, uint8_t payload_type)
{
    return c->mime_type && ortc_is_rtx(c->mime_type) &&
           dict_int(c->parameters, c->n_parameters, "apt", -1) == payload_type;
}

/* The first that the router has, and its RTX. */
static enum err choose_codecs(const struct sdp_offer_media *m,
                              const struct rtp_capabilities *router, struct arena *arena,
                              struct rtp_parameters *out)
{
    const struct sdp_media *s = m->sdp;
    out->codecs = arena_array(arena, 2, sizeof *out->codecs);
    if (!out->codecs)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_codecs && out->n_codecs == 0; i++) {
        struct rtp_codec_parameters *c = &out->codecs[0];
        enum err e = sdp_codec_parameters(m, &s->codecs[i], arena, c);
        if (e != OK)
            return e;
        const struct rtp_codec_capability *known =
            c->mime_type && !ortc_is_rtx(c->mime_type) ? ortc_find_codec(router, c) : NULL;
        if (!known)
            continue;
        reduce_feedback(c, known);
        out->n_codecs = 1;
    }
    for (size_t i = 0; i < s->n_codecs && out->n_codecs == 1; i++) {
        struct rtp_codec_parameters *c = &out->codecs[1];
        enum err e = sdp_codec_parameters(m, &s->codecs[i], arena, c);
        if (e != OK)
            return e;
        if (is_rtx_of(c, out->codecs[0].payload_type))
            out->n_codecs = 2;
    }
    return OK;
}

/* ---- header extensions ---- */

static bool router_takes(const struct rtp_capabilities *router, enum media_kind kind,
                         struct slice uri)
{
    for (size_t i = 0; i < router->n_header_extensions; i++) {
        const struct rtp_header_extension *x = &router->header_extensions[i];
        bool takes =
            x->direction == RTP_DIRECTION_SENDRECV || x->direction == RTP_DIRECTION_RECVONLY;
        if (takes && x->kind == (int)kind && strlen(x->uri) == uri.n &&
            memcmp(x->uri, uri.p, uri.n) == 0)
            return true;
    }
    return false;
}

static bool id_taken(const struct rtp_parameters *p, uint8_t id)
{
    for (size_t i = 0; i < p->n_header_extensions; i++) {
        if (p->header_extensions[i].id == id)
            return true;
    }
    return false;
}

static enum err choose_extensions(const struct sdp_offer_media *m,
                                  const struct rtp_capabilities *router, struct arena *arena,
                                  struct rtp_parameters *out)
{
    const struct sdp_media *s = m->sdp;
    out->header_extensions = arena_array(arena, SDP_EXTS_MAX, sizeof *out->header_extensions);
    if (!out->header_extensions)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_exts; i++) {
        const struct sdp_ext *x = &s->exts[i];
        bool sent =
            !x->has_direction || x->direction == SDP_SENDRECV || x->direction == SDP_SENDONLY;
        if (x->id == 0 || m->ambiguous[x->id] || !sent || id_taken(out, x->id) ||
            !router_takes(router, m->kind, x->uri))
            continue;
        const char *uri = sdp_copy(arena, x->uri);
        if (!uri)
            return ERR_NOMEM;
        out->header_extensions[out->n_header_extensions++] =
            (struct rtp_header_extension_parameters){
                .uri = uri, .id = x->id, .has_id = true, .has_encrypt = true};
    }
    return OK;
}

static bool has_extension(const struct rtp_parameters *p, enum rtp_ext_kind ext)
{
    for (size_t i = 0; i < p->n_header_extensions; i++) {
        if (strcmp(p->header_extensions[i].uri, rtp_ext_uri(ext)) == 0)
            return true;
    }
    return false;
}

/* Feedback about bandwidth needs the extension that it is made from; of the two, the newer. */
static void settle_bandwidth(struct rtp_parameters *p)
{
    bool twcc = has_extension(p, RTP_EXT_TWCC);
    bool remb = !twcc && has_extension(p, RTP_EXT_ABS_SEND_TIME);
    for (size_t k = 0; k < p->n_codecs; k++) {
        struct rtp_codec_parameters *c = &p->codecs[k];
        size_t n = 0;
        for (size_t i = 0; i < c->n_rtcp_feedback; i++) {
            const char *type = c->rtcp_feedback[i].type;
            if ((strcmp(type, "transport-cc") == 0 && !twcc) ||
                (strcmp(type, "goog-remb") == 0 && !remb))
                continue;
            c->rtcp_feedback[n++] = c->rtcp_feedback[i];
        }
        c->n_rtcp_feedback = n;
    }
}

/* ---- the whole ---- */

static enum err describe_source(const struct sdp_offer_media *m, struct arena *arena,
                                struct rtp_parameters *out)
{
    const struct sdp_media *s = m->sdp;
    out->mid = m->mid[0] ? m->mid : NULL;
    out->rtcp = arena_alloc(arena, sizeof *out->rtcp);
    if (!out->rtcp)
        return ERR_NOMEM;
    out->rtcp->reduced_size = s->rtcp_rsize;
    out->rtcp->has_reduced_size = true;
    for (size_t i = 0; i < s->n_ssrcs && !out->rtcp->cname; i++) {
        if (s->ssrcs[i].cname.n > 0 && s->ssrcs[i].cname.n <= CNAME_MAX &&
            !(out->rtcp->cname = sdp_copy(arena, s->ssrcs[i].cname)))
            return ERR_NOMEM;
    }
    return OK;
}

enum err sdp_producer_parameters(const struct sdp_offer_media *m,
                                 const struct rtp_capabilities *router, struct arena *arena,
                                 struct rtp_parameters *out, struct field_error *error)
{
    *out = (struct rtp_parameters){0};
    enum err e = choose_codecs(m, router, arena, out);
    if (e == OK && out->n_codecs == 0) {
        *error = (struct field_error){.err = ERR_UNSUPPORTED};
        snprintf(error->path, sizeof error->path, "m=%s", media_kind_names[m->kind]);
        snprintf(error->reason, sizeof error->reason,
                 "m=%s has no codec that this service takes (%s)", media_kind_names[m->kind],
                 m->kind == MEDIA_KIND_AUDIO ? "Opus" : "H.264, VP8, VP9, AV1");
        return ERR_UNSUPPORTED;
    }
    if (e == OK)
        e = choose_extensions(m, router, arena, out);
    if (e == OK)
        e = describe_source(m, arena, out);
    if (e != OK)
        return no_memory(error);
    settle_bandwidth(out);
    return sdp_encodings(m, arena, out, error);
}

static enum err add_capability(const struct sdp_offer_media *m, const struct sdp_codec *c,
                               struct arena *arena, struct rtp_capabilities *out)
{
    struct rtp_codec_parameters p;
    enum err e = sdp_codec_parameters(m, c, arena, &p);
    if (e != OK || !p.mime_type || p.clock_rate == 0)
        return e;
    out->codecs[out->n_codecs++] =
        (struct rtp_codec_capability){.kind = (int)m->kind,
                                      .has_kind = true,
                                      .mime_type = p.mime_type,
                                      .preferred_payload_type = p.payload_type,
                                      .has_preferred_payload_type = true,
                                      .clock_rate = p.clock_rate,
                                      .has_clock_rate = true,
                                      .channels = p.channels,
                                      .has_channels = p.has_channels,
                                      .parameters = p.parameters,
                                      .n_parameters = p.n_parameters,
                                      .rtcp_feedback = p.rtcp_feedback,
                                      .n_rtcp_feedback = p.n_rtcp_feedback};
    return OK;
}

enum err sdp_consumer_capabilities(const struct sdp_offer_media *m, struct arena *arena,
                                   struct rtp_capabilities *out)
{
    const struct sdp_media *s = m->sdp;
    *out = (struct rtp_capabilities){
        .codecs = arena_array(arena, SDP_CODECS_MAX, sizeof *out->codecs),
        .header_extensions = arena_array(arena, SDP_EXTS_MAX, sizeof *out->header_extensions)};
    if (!out->codecs || !out->header_extensions)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_codecs; i++) {
        enum err e = add_capability(m, &s->codecs[i], arena, out);
        if (e != OK)
            return e;
    }
    for (size_t i = 0; i < s->n_exts; i++) {
        const struct sdp_ext *x = &s->exts[i];
        bool received =
            !x->has_direction || x->direction == SDP_SENDRECV || x->direction == SDP_RECVONLY;
        if (x->id == 0 || m->ambiguous[x->id] || !received || x->uri.n > 255)
            continue;
        const char *uri = sdp_copy(arena, x->uri);
        if (!uri)
            return ERR_NOMEM;
        out->header_extensions[out->n_header_extensions++] =
            (struct rtp_header_extension){.kind = (int)m->kind,
                                          .has_kind = true,
                                          .uri = uri,
                                          .preferred_id = x->id,
                                          .has_preferred_id = true,
                                          .has_preferred_encrypt = true,
                                          .direction = RTP_DIRECTION_SENDRECV,
                                          .has_direction = true};
    }
    return OK;
}
