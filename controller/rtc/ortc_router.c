#include "controller/rtc/ortc.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "controller/rtc/ortc_match.h"

/* RFC 3551 and RFC 5761: 96..127 is dynamic; the upper part first, as browsers expect, then what is
 * left. */
static const uint8_t dynamic_types[] = {100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110,
                                        111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121,
                                        122, 123, 124, 125, 126, 127, 96,  97,  98,  99};

bool ortc_is_rtx(const char *mime_type)
{
    const char *slash = strchr(mime_type, '/');
    return slash && strcasecmp(slash + 1, "rtx") == 0;
}

static enum err fail(struct field_error *error, enum err e, const char *path, const char *why)
{
    error->err = e;
    snprintf(error->path, sizeof error->path, "%s", path);
    snprintf(error->reason, sizeof error->reason, "%s %s", path, why);
    return e;
}

static const struct rtp_codec_capability *find_supported(const struct rtp_codec_capability *media)
{
    const struct rtp_capabilities *all = ortc_supported();
    struct ortc_codec wanted = ortc_codec_of_capability(media);
    for (size_t i = 0; i < all->n_codecs; i++) {
        struct ortc_codec c = ortc_codec_of_capability(&all->codecs[i]);
        if (ortc_codecs_match(&wanted, &c, false, NULL))
            return &all->codecs[i];
    }
    return NULL;
}

struct type_allocator {
    bool taken[128];
    size_t next; /* index in dynamic_types */
};

static bool allocate_type(struct type_allocator *a, uint8_t *out)
{
    while (a->next < sizeof dynamic_types) {
        uint8_t t = dynamic_types[a->next++];
        if (!a->taken[t]) {
            a->taken[t] = true;
            *out = t;
            return true;
        }
    }
    return false;
}

/* The media's own parameters go before those of the supported codec. */
static enum err merge_parameters(const struct rtp_codec_capability *media,
                                 const struct rtp_codec_capability *supported, struct arena *arena,
                                 struct rtp_codec_capability *out)
{
    size_t n = media->n_parameters + supported->n_parameters;
    out->parameters = arena_array(arena, n, sizeof *out->parameters);
    if (!out->parameters)
        return ERR_NOMEM;
    out->n_parameters = 0;
    for (size_t i = 0; i < media->n_parameters; i++)
        out->parameters[out->n_parameters++] = media->parameters[i];
    for (size_t i = 0; i < supported->n_parameters; i++) {
        if (!dict_find(media->parameters, media->n_parameters, supported->parameters[i].key))
            out->parameters[out->n_parameters++] = supported->parameters[i];
    }
    return OK;
}

static enum err rtx_of(const struct rtp_codec_capability *codec, uint8_t type, struct arena *arena,
                       struct rtp_codec_capability *out)
{
    struct dict_entry *apt = arena_alloc(arena, sizeof *apt);
    if (!apt)
        return ERR_NOMEM;
    *apt =
        (struct dict_entry){.key = "apt", .type = DICT_INT, .num = codec->preferred_payload_type};
    *out = (struct rtp_codec_capability){.kind = codec->kind,
                                         .has_kind = true,
                                         .mime_type = "video/rtx",
                                         .preferred_payload_type = type,
                                         .has_preferred_payload_type = true,
                                         .clock_rate = codec->clock_rate,
                                         .has_clock_rate = true,
                                         .parameters = apt,
                                         .n_parameters = 1};
    return OK;
}

static enum err add_codec(const struct rtp_codec_capability *media, const char *path,
                          struct type_allocator *types, struct arena *arena,
                          struct rtp_capabilities *out, struct field_error *error)
{
    const struct rtp_codec_capability *known = find_supported(media);
    if (!known)
        return fail(error, ERR_UNSUPPORTED, path, "is a codec that the worker does not know");
    struct rtp_codec_capability c = *known;
    uint8_t type = 0;
    if (media->has_preferred_payload_type)
        c.preferred_payload_type = media->preferred_payload_type;
    else if (!known->has_preferred_payload_type && allocate_type(types, &type))
        c.preferred_payload_type = type;
    else if (!known->has_preferred_payload_type)
        return fail(error, ERR_FULL, path, "finds no payload type that is left");
    if (media->has_preferred_payload_type && types->taken[c.preferred_payload_type])
        return fail(error, ERR_TYPE, path, "has a payload type that another codec has");
    c.has_preferred_payload_type = true;
    types->taken[c.preferred_payload_type] = true;
    enum err e = merge_parameters(media, known, arena, &c);
    if (e != OK)
        return fail(error, e, path, "needs more memory than there is");
    out->codecs[out->n_codecs++] = c;
    if (c.kind != MEDIA_KIND_VIDEO)
        return OK;
    if (!allocate_type(types, &type))
        return fail(error, ERR_FULL, path, "finds no payload type that is left for RTX");
    e = rtx_of(&c, type, arena, &out->codecs[out->n_codecs++]);
    return e == OK ? OK : fail(error, e, path, "needs more memory than there is");
}

enum err ortc_router_capabilities(const struct rtp_codec_capability *media, size_t n,
                                  struct arena *arena, struct rtp_capabilities *out,
                                  struct field_error *error)
{
    struct type_allocator types = {0};
    *out = (struct rtp_capabilities){.header_extensions = ortc_supported()->header_extensions,
                                     .n_header_extensions = ortc_supported()->n_header_extensions};
    out->codecs = arena_array(arena, 2 * n, sizeof *out->codecs);
    if (!out->codecs)
        return fail(error, ERR_NOMEM, "mediaCodecs", "needs more memory than there is");
    for (size_t i = 0; i < n; i++) {
        char path[48];
        snprintf(path, sizeof path, "mediaCodecs[%zu]", i);
        enum err e = add_codec(&media[i], path, &types, arena, out, error);
        if (e != OK)
            return e;
    }
    return OK;
}
