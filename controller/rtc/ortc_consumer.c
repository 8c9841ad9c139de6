#include "controller/rtc/ortc.h"

#include <stdio.h>
#include <string.h>

#include "controller/rtc/ortc_match.h"
#include "proto/rtp_ext.h"

static const struct rtp_codec_capability *codec_of_type(const struct rtp_capabilities *c,
                                                        uint8_t type)
{
    for (size_t i = 0; i < c->n_codecs; i++) {
        if (c->codecs[i].has_preferred_payload_type && c->codecs[i].preferred_payload_type == type)
            return &c->codecs[i];
    }
    return NULL;
}

static const struct rtp_codec_capability *rtx_of_type(const struct rtp_capabilities *c,
                                                      uint8_t type)
{
    for (size_t i = 0; i < c->n_codecs; i++) {
        const struct rtp_codec_capability *k = &c->codecs[i];
        if (ortc_is_rtx(k->mime_type) &&
            dict_int(k->parameters, k->n_parameters, "apt", -1) == type)
            return k;
    }
    return NULL;
}

static struct rtp_codec_parameters codec_from(const struct rtp_codec_capability *c)
{
    return (struct rtp_codec_parameters){.mime_type = c->mime_type,
                                         .payload_type = c->preferred_payload_type,
                                         .has_payload_type = true,
                                         .clock_rate = c->clock_rate,
                                         .has_clock_rate = true,
                                         .channels = c->channels,
                                         .has_channels = c->has_channels,
                                         .parameters = c->parameters,
                                         .n_parameters = c->n_parameters,
                                         .rtcp_feedback = c->rtcp_feedback,
                                         .n_rtcp_feedback = c->n_rtcp_feedback};
}

static bool has_extension(const struct rtp_parameters *p, const char *uri)
{
    for (size_t i = 0; i < p->n_header_extensions; i++) {
        if (strcmp(p->header_extensions[i].uri, uri) == 0)
            return true;
    }
    return false;
}

static bool has_type(const struct rtp_parameters *p, uint8_t type)
{
    for (size_t i = 0; i < p->n_codecs; i++) {
        if (p->codecs[i].payload_type == type)
            return true;
    }
    return false;
}

static void consumable_codecs(const struct rtp_parameters *p, const struct rtp_capabilities *router,
                              const struct rtp_mapping *mapping, struct rtp_parameters *out)
{
    for (size_t i = 0; i < p->n_codecs; i++) {
        if (ortc_is_rtx(p->codecs[i].mime_type))
            continue;
        const struct rtp_codec_capability *c =
            codec_of_type(router, mapping->codecs[i].mapped_payload_type);
        /* A producer may list a codec twice, under payload types that are one to the router. */
        if (!c || has_type(out, c->preferred_payload_type))
            continue;
        struct rtp_codec_parameters *codec = &out->codecs[out->n_codecs++];
        *codec = codec_from(c);
        /* How the producer encodes is what a consumer will decode. */
        codec->parameters = p->codecs[i].parameters;
        codec->n_parameters = p->codecs[i].n_parameters;
        const struct rtp_codec_capability *rtx = rtx_of_type(router, c->preferred_payload_type);
        if (rtx)
            out->codecs[out->n_codecs++] = codec_from(rtx);
    }
}

static void consumable_extensions(enum media_kind kind, const struct rtp_parameters *p,
                                  const struct rtp_capabilities *router, struct rtp_parameters *out)
{
    for (size_t i = 0; i < router->n_header_extensions; i++) {
        const struct rtp_header_extension *x = &router->header_extensions[i];
        bool sends =
            x->direction == RTP_DIRECTION_SENDRECV || x->direction == RTP_DIRECTION_SENDONLY;
        if (x->kind != (int)kind || !sends)
            continue;
        /* Handed through from the producer's packets, so there only if it sends them. */
        if (strcmp(x->uri, rtp_ext_uri(RTP_EXT_ABS_CAPTURE_TIME)) == 0 && !has_extension(p, x->uri))
            continue;
        out->header_extensions[out->n_header_extensions++] =
            (struct rtp_header_extension_parameters){.uri = x->uri,
                                                     .id = x->preferred_id,
                                                     .has_id = true,
                                                     .encrypt = false,
                                                     .has_encrypt = true};
    }
}

enum err ortc_consumable(enum media_kind kind, const struct rtp_parameters *p,
                         const struct rtp_capabilities *router, const struct rtp_mapping *mapping,
                         struct arena *arena, struct rtp_parameters *out)
{
    *out = (struct rtp_parameters){.rtcp = arena_alloc(arena, sizeof *out->rtcp), .msid = p->msid};
    out->codecs = arena_array(arena, 2 * p->n_codecs, sizeof *out->codecs);
    out->encodings = arena_array(arena, p->n_encodings, sizeof *out->encodings);
    out->header_extensions =
        arena_array(arena, router->n_header_extensions, sizeof *out->header_extensions);
    if (!out->rtcp || !out->codecs || !out->encodings || !out->header_extensions)
        return ERR_NOMEM;
    consumable_codecs(p, router, mapping, out);
    consumable_extensions(kind, p, router, out);
    out->n_encodings = p->n_encodings;
    for (size_t i = 0; i < p->n_encodings; i++) {
        const struct rtp_encoding_parameters *from = &p->encodings[i];
        out->encodings[i] =
            (struct rtp_encoding_parameters){.ssrc = mapping->encodings[i].mapped_ssrc,
                                             .has_ssrc = true,
                                             .dtx = from->dtx,
                                             .has_dtx = from->has_dtx,
                                             .scalability_mode = from->scalability_mode,
                                             .max_bitrate = from->max_bitrate,
                                             .has_max_bitrate = from->has_max_bitrate};
    }
    *out->rtcp = (struct rtcp_parameters){
        .cname = p->rtcp ? p->rtcp->cname : NULL, .reduced_size = true, .has_reduced_size = true};
    return OK;
}

static const struct rtp_codec_capability *endpoint_codec(const struct rtp_capabilities *caps,
                                                         const struct rtp_codec_parameters *codec)
{
    struct ortc_codec b = ortc_codec_of_parameters(codec);
    for (size_t i = 0; i < caps->n_codecs; i++) {
        struct ortc_codec a = ortc_codec_of_capability(&caps->codecs[i]);
        if (ortc_codecs_match(&a, &b, true, NULL))
            return &caps->codecs[i];
    }
    return NULL;
}

bool ortc_can_consume(const struct rtp_parameters *consumable, const struct rtp_capabilities *caps)
{
    for (size_t i = 0; i < consumable->n_codecs; i++) {
        const struct rtp_codec_parameters *c = &consumable->codecs[i];
        if (!ortc_is_rtx(c->mime_type) && endpoint_codec(caps, c))
            return true;
    }
    return false;
}

/* Which feedback about bandwidth goes, given the extensions that are left. */
struct feedback_rules {
    bool rtx;
    bool transport_cc;
    bool remb;
};

static bool feedback_kept(const struct rtcp_feedback *f, const struct feedback_rules *rules)
{
    bool bare_nack = strcmp(f->type, "nack") == 0 && (!f->parameter || f->parameter[0] == '\0');
    if (bare_nack)
        return rules->rtx;
    if (strcmp(f->type, "transport-cc") == 0)
        return rules->transport_cc;
    if (strcmp(f->type, "goog-remb") == 0)
        return rules->remb;
    return true;
}

static enum err reduce_feedback(struct rtp_codec_parameters *c,
                                const struct rtp_codec_capability *caps,
                                const struct feedback_rules *rules, struct arena *arena)
{
    struct rtcp_feedback *list = arena_array(arena, caps->n_rtcp_feedback, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < caps->n_rtcp_feedback; i++) {
        if (feedback_kept(&caps->rtcp_feedback[i], rules))
            list[n++] = caps->rtcp_feedback[i];
    }
    c->rtcp_feedback = list;
    c->n_rtcp_feedback = n;
    return OK;
}

static void reduce_extensions(const struct rtp_parameters *consumable,
                              const struct rtp_capabilities *caps, struct rtp_parameters *out)
{
    for (size_t i = 0; i < consumable->n_header_extensions; i++) {
        const struct rtp_header_extension_parameters *x = &consumable->header_extensions[i];
        for (size_t j = 0; j < caps->n_header_extensions; j++) {
            const struct rtp_header_extension *c = &caps->header_extensions[j];
            if (c->preferred_id == x->id && strcmp(c->uri, x->uri) == 0) {
                out->header_extensions[out->n_header_extensions++] = *x;
                break;
            }
        }
    }
}

/* Codecs that both have, each media codec followed by its RTX. */
static enum err reduce_codecs(const struct rtp_parameters *consumable,
                              const struct rtp_capabilities *caps,
                              const struct feedback_rules *rules, struct arena *arena,
                              struct rtp_parameters *out, bool *rtx)
{
    for (size_t i = 0; i < consumable->n_codecs; i++) {
        struct rtp_codec_parameters c = consumable->codecs[i];
        const struct rtp_codec_capability *match = endpoint_codec(caps, &c);
        if (!match)
            continue;
        if (ortc_is_rtx(c.mime_type)) {
            int64_t apt = dict_int(c.parameters, c.n_parameters, "apt", -1);
            bool wanted = rules->rtx && out->n_codecs > 0 &&
                          out->codecs[out->n_codecs - 1].payload_type == apt;
            if (!wanted)
                continue;
            *rtx = true;
        }
        if (reduce_feedback(&c, match, rules, arena) != OK)
            return ERR_NOMEM;
        out->codecs[out->n_codecs++] = c;
    }
    return OK;
}

static enum err single_encoding(const struct rtp_parameters *consumable, bool rtx, struct rng *rng,
                                struct arena *arena, struct rtp_encoding_parameters *out)
{
    *out = (struct rtp_encoding_parameters){.ssrc = 100000000 + rng_u32(rng) % 800000000,
                                            .has_ssrc = true};
    if (rtx) {
        out->rtx = arena_alloc(arena, sizeof *out->rtx);
        if (!out->rtx)
            return ERR_NOMEM;
        *out->rtx = (struct rtp_rtx_parameters){.ssrc = out->ssrc + 1, .has_ssrc = true};
    }
    for (size_t i = 0; i < consumable->n_encodings; i++) {
        const struct rtp_encoding_parameters *e = &consumable->encodings[i];
        if (!out->scalability_mode)
            out->scalability_mode = e->scalability_mode;
        if (e->has_max_bitrate && e->max_bitrate > out->max_bitrate) {
            out->max_bitrate = e->max_bitrate;
            out->has_max_bitrate = true;
        }
    }
    if (consumable->n_encodings > 1) {
        /* Simulcast: its streams are the spatial layers. */
        char mode[32];
        int n = snprintf(mode, sizeof mode, "L%zuT%u", consumable->n_encodings,
                         ortc_scalability(out->scalability_mode).temporal);
        out->scalability_mode = arena_strndup(arena, mode, (size_t)n);
        if (!out->scalability_mode)
            return ERR_NOMEM;
    }
    return OK;
}

static enum err no_memory(struct field_error *error)
{
    *error = (struct field_error){.err = ERR_NOMEM, .reason = "out of memory"};
    return ERR_NOMEM;
}

enum err ortc_consumer(const struct rtp_parameters *consumable, const struct rtp_capabilities *caps,
                       const char *mid, bool enable_rtx, struct rng *rng, struct arena *arena,
                       struct rtp_parameters *out, struct field_error *error)
{
    *out = (struct rtp_parameters){
        .mid = mid, .rtcp = consumable->rtcp, .msid = consumable->msid, .n_encodings = 1};
    out->codecs = arena_array(arena, consumable->n_codecs, sizeof *out->codecs);
    out->header_extensions =
        arena_array(arena, consumable->n_header_extensions, sizeof *out->header_extensions);
    out->encodings = arena_alloc(arena, sizeof *out->encodings);
    if (!out->codecs || !out->header_extensions || !out->encodings)
        return no_memory(error);
    reduce_extensions(consumable, caps, out);
    bool twcc = has_extension(out, rtp_ext_uri(RTP_EXT_TWCC));
    struct feedback_rules rules = {.rtx = enable_rtx,
                                   .transport_cc = twcc,
                                   .remb = !twcc &&
                                           has_extension(out, rtp_ext_uri(RTP_EXT_ABS_SEND_TIME))};
    bool rtx = false;
    if (reduce_codecs(consumable, caps, &rules, arena, out, &rtx) != OK)
        return no_memory(error);
    if (out->n_codecs == 0) {
        *error = (struct field_error){.err = ERR_UNSUPPORTED, .path = "rtpCapabilities.codecs"};
        snprintf(error->reason, sizeof error->reason,
                 "rtpCapabilities.codecs has no codec in common with the producer");
        return ERR_UNSUPPORTED;
    }
    return single_encoding(consumable, rtx, rng, arena, out->encodings) == OK ? OK
                                                                              : no_memory(error);
}
