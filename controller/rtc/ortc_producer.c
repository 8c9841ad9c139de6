#include "controller/rtc/ortc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "controller/rtc/ortc_match.h"
#include "proto/rtp_ext.h"

static enum err fail(struct field_error *error, enum err e, const char *path, const char *field,
                     const char *why)
{
    error->err = e;
    snprintf(error->path, sizeof error->path, "%s.%s", path, field);
    snprintf(error->reason, sizeof error->reason, "%.127s.%.64s %s", path, field, why);
    return e;
}

static enum err fail_at(struct field_error *error, enum err e, const char *path, const char *list,
                        size_t i, const char *field, const char *why)
{
    char name[96];
    snprintf(name, sizeof name, "%s[%zu].%s", list, i, field);
    return fail(error, e, path, name, why);
}

static bool kind_of_mime(const char *mime, enum media_kind *out)
{
    bool audio = strncasecmp(mime, "audio/", 6) == 0;
    if (!audio && strncasecmp(mime, "video/", 6) != 0)
        return false;
    *out = audio ? MEDIA_KIND_AUDIO : MEDIA_KIND_VIDEO;
    return mime[6] != '\0';
}

static const struct rtp_codec_parameters *codec_by_type(const struct rtp_parameters *p,
                                                        int64_t type)
{
    for (size_t i = 0; i < p->n_codecs; i++) {
        if (p->codecs[i].payload_type == type)
            return &p->codecs[i];
    }
    return NULL;
}

static int64_t apt_of(const struct rtp_codec_parameters *c)
{
    return dict_int(c->parameters, c->n_parameters, "apt", -1);
}

static enum err check_codec(struct rtp_parameters *p, size_t i, enum media_kind kind,
                            const char *path, struct field_error *error)
{
    struct rtp_codec_parameters *c = &p->codecs[i];
    enum media_kind k;
    if (!kind_of_mime(c->mime_type, &k))
        return fail_at(error, ERR_TYPE, path, "codecs", i, "mimeType",
                       "must be audio/ or video/ and a name");
    if (k != kind)
        return fail_at(error, ERR_TYPE, path, "codecs", i, "mimeType",
                       "is not of the producer's kind");
    for (size_t j = 0; j < i; j++) {
        if (p->codecs[j].payload_type == c->payload_type)
            return fail_at(error, ERR_TYPE, path, "codecs", i, "payloadType",
                           "is that of another codec");
    }
    if (k == MEDIA_KIND_AUDIO && !c->has_channels) {
        c->channels = 1;
        c->has_channels = true;
    }
    if (!ortc_is_rtx(c->mime_type))
        return OK;
    const struct rtp_codec_parameters *media = codec_by_type(p, apt_of(c));
    if (!media || ortc_is_rtx(media->mime_type))
        return fail_at(error, ERR_TYPE, path, "codecs", i, "parameters.apt",
                       "must be the payload type of a media codec");
    return OK;
}

static enum err check_encoding(struct rtp_parameters *p, size_t i, const char *path,
                               struct field_error *error)
{
    const struct rtp_encoding_parameters *enc = &p->encodings[i];
    if (enc->has_codec_payload_type && !codec_by_type(p, enc->codec_payload_type))
        return fail_at(error, ERR_TYPE, path, "encodings", i, "codecPayloadType",
                       "is no codec's payload type");
    if (!enc->has_ssrc && !enc->rid && (p->n_encodings > 1 || !p->mid))
        return fail_at(error, ERR_TYPE, path, "encodings", i, "ssrc",
                       "or rid must be given, since nothing else tells the stream");
    if (enc->rtx && enc->has_ssrc && enc->rtx->ssrc == enc->ssrc)
        return fail_at(error, ERR_TYPE, path, "encodings", i, "rtx.ssrc",
                       "must not be that of the media");
    for (size_t j = 0; j < i; j++) {
        const struct rtp_encoding_parameters *other = &p->encodings[j];
        if (enc->has_ssrc && other->has_ssrc && enc->ssrc == other->ssrc)
            return fail_at(error, ERR_TYPE, path, "encodings", i, "ssrc",
                           "is that of another encoding");
        if (enc->rid && other->rid && strcmp(enc->rid, other->rid) == 0)
            return fail_at(error, ERR_TYPE, path, "encodings", i, "rid",
                           "is that of another encoding");
    }
    return OK;
}

enum err ortc_check_parameters(struct rtp_parameters *p, enum media_kind kind, const char *path,
                               struct arena *arena, struct field_error *error)
{
    enum err e = OK;
    bool media = false;
    for (size_t i = 0; i < p->n_codecs && e == OK; i++) {
        e = check_codec(p, i, kind, path, error);
        media = media || !ortc_is_rtx(p->codecs[i].mime_type);
    }
    if (e == OK && !media)
        e = fail(error, ERR_TYPE, path, "codecs", "must hold a media codec");
    if (e == OK && p->n_encodings == 0)
        e = fail(error, ERR_TYPE, path, "encodings", "must hold at least one");
    for (size_t i = 0; i < p->n_encodings && e == OK; i++)
        e = check_encoding(p, i, path, error);
    for (size_t i = 0; i < p->n_header_extensions && e == OK; i++) {
        for (size_t j = 0; j < i; j++) {
            if (p->header_extensions[i].id == p->header_extensions[j].id)
                return fail_at(error, ERR_TYPE, path, "headerExtensions", i, "id",
                               "is that of another extension");
        }
    }
    if (e == OK && !p->rtcp) {
        p->rtcp = arena_alloc(arena, sizeof *p->rtcp);
        if (!p->rtcp)
            return fail(error, ERR_NOMEM, path, "rtcp", "needs more memory than there is");
    }
    if (e == OK && !p->rtcp->has_reduced_size)
        p->rtcp->reduced_size = p->rtcp->has_reduced_size = true;
    return e;
}

enum err ortc_check_capabilities(struct rtp_capabilities *c, const char *path,
                                 struct field_error *error)
{
    for (size_t i = 0; i < c->n_codecs; i++) {
        struct rtp_codec_capability *codec = &c->codecs[i];
        enum media_kind kind;
        if (!kind_of_mime(codec->mime_type, &kind))
            return fail_at(error, ERR_TYPE, path, "codecs", i, "mimeType",
                           "must be audio/ or video/ and a name");
        codec->kind = kind;
        codec->has_kind = true;
    }
    return OK;
}

static const struct rtp_codec_capability *router_codec(const struct rtp_capabilities *router,
                                                       const struct rtp_codec_parameters *codec,
                                                       char profile_level_id[7])
{
    struct ortc_codec a = ortc_codec_of_parameters(codec);
    for (size_t i = 0; i < router->n_codecs; i++) {
        struct ortc_codec b = ortc_codec_of_capability(&router->codecs[i]);
        if (!ortc_is_rtx(router->codecs[i].mime_type) &&
            ortc_codecs_match(&a, &b, true, profile_level_id))
            return &router->codecs[i];
    }
    return NULL;
}

const struct rtp_codec_capability *ortc_find_codec(const struct rtp_capabilities *router,
                                                   const struct rtp_codec_parameters *codec)
{
    return router_codec(router, codec, NULL);
}

static const struct rtp_codec_capability *router_rtx(const struct rtp_capabilities *router,
                                                     int64_t type)
{
    for (size_t i = 0; i < router->n_codecs; i++) {
        const struct rtp_codec_capability *c = &router->codecs[i];
        if (ortc_is_rtx(c->mime_type) &&
            dict_int(c->parameters, c->n_parameters, "apt", -1) == type)
            return c;
    }
    return NULL;
}

/* Entries are shared with who made the parameters: the list is copied before one changes. */
static enum err set_profile_level(struct rtp_codec_parameters *c, const char *id,
                                  struct arena *arena)
{
    struct dict_entry *copy = arena_array(arena, c->n_parameters + 1, sizeof *copy);
    char *text = arena_strndup(arena, id, strlen(id));
    if (!copy || !text)
        return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < c->n_parameters; i++) {
        if (strcmp(c->parameters[i].key, "profile-level-id") != 0)
            copy[n++] = c->parameters[i];
    }
    if (id[0] != '\0')
        copy[n++] = (struct dict_entry){.key = "profile-level-id", .type = DICT_STR, .str = text};
    c->parameters = copy;
    c->n_parameters = n;
    return OK;
}

static enum err map_codec(struct rtp_parameters *p, size_t i, const struct rtp_capabilities *router,
                          struct arena *arena, struct rtp_codec_mapping *out,
                          struct field_error *error)
{
    static const char path[] = "rtpParameters";
    struct rtp_codec_parameters *c = &p->codecs[i];
    const struct rtp_codec_capability *match;
    if (ortc_is_rtx(c->mime_type)) {
        const struct rtp_codec_parameters *media = codec_by_type(p, apt_of(c));
        const struct rtp_codec_capability *of = media ? router_codec(router, media, NULL) : NULL;
        match = of ? router_rtx(router, of->preferred_payload_type) : NULL;
    } else {
        char id[7] = "";
        match = router_codec(router, c, id);
        if (match && strcasecmp(c->mime_type, "video/H264") == 0 &&
            set_profile_level(c, id, arena) != OK)
            return fail(error, ERR_NOMEM, path, "codecs", "needs more memory than there is");
    }
    if (!match)
        return fail_at(error, ERR_UNSUPPORTED, path, "codecs", i, "mimeType",
                       "is a codec that the router does not have");
    *out = (struct rtp_codec_mapping){.payload_type = c->payload_type,
                                      .has_payload_type = true,
                                      .mapped_payload_type = match->preferred_payload_type,
                                      .has_mapped_payload_type = true};
    return OK;
}

enum err ortc_producer_mapping(struct rtp_parameters *p, const struct rtp_capabilities *router,
                               struct rng *rng, struct arena *arena, struct rtp_mapping *out,
                               struct field_error *error)
{
    *out = (struct rtp_mapping){.codecs = arena_array(arena, p->n_codecs, sizeof *out->codecs),
                                .n_codecs = p->n_codecs,
                                .encodings =
                                    arena_array(arena, p->n_encodings, sizeof *out->encodings),
                                .n_encodings = p->n_encodings};
    if (!out->codecs || !out->encodings)
        return fail(error, ERR_NOMEM, "rtpParameters", "codecs", "needs more memory than there is");
    for (size_t i = 0; i < p->n_codecs; i++) {
        enum err e = map_codec(p, i, router, arena, &out->codecs[i], error);
        if (e != OK)
            return e;
    }
    /* Room below 2^32 for all encodings, and never 0, which some receivers take for unset. */
    uint32_t ssrc = 100000000 + rng_u32(rng) % 800000000;
    for (size_t i = 0; i < p->n_encodings; i++)
        out->encodings[i] = (struct rtp_encoding_mapping){.rid = p->encodings[i].rid,
                                                          .ssrc = p->encodings[i].ssrc,
                                                          .has_ssrc = p->encodings[i].has_ssrc,
                                                          .mapped_ssrc = ssrc++,
                                                          .has_mapped_ssrc = true};
    return OK;
}

struct ortc_layers ortc_scalability(const char *mode)
{
    struct ortc_layers none = {1, 1};
    if (!mode || (mode[0] != 'L' && mode[0] != 'S'))
        return none;
    char *end;
    unsigned long spatial = strtoul(mode + 1, &end, 10);
    if (end == mode + 1 || *end != 'T')
        return none;
    const char *t = end + 1;
    unsigned long temporal = strtoul(t, &end, 10);
    bool in_range = spatial >= 1 && spatial <= 9 && temporal >= 1 && temporal <= 9;
    if (end == t || !in_range)
        return none;
    return (struct ortc_layers){(unsigned)spatial, (unsigned)temporal};
}

enum rtp_type ortc_producer_type(const struct rtp_parameters *p)
{
    if (p->n_encodings > 1)
        return RTP_TYPE_SIMULCAST;
    struct ortc_layers l =
        ortc_scalability(p->n_encodings ? p->encodings[0].scalability_mode : NULL);
    return l.spatial > 1 || l.temporal > 1 ? RTP_TYPE_SVC : RTP_TYPE_SIMPLE;
}
