/* Consumers whose endpoint has chosen the numbers itself, by an SDP offer (RFC 3264 6.1: what is
 * sent to an offerer bears the offer's payload types; RFC 8285 6: and its extension ids). */
#include <string.h>

#include "controller/rtc/ortc.h"
#include "controller/rtc/ortc_match.h"

static enum err no_memory(struct field_error *error)
{
    *error = (struct field_error){.err = ERR_NOMEM, .reason = "out of memory"};
    return ERR_NOMEM;
}

/* The endpoint's extensions under the ids that the router has for them. */
static enum err as_router_numbers(const struct rtp_parameters *consumable,
                                  const struct rtp_capabilities *caps, struct arena *arena,
                                  struct rtp_capabilities *out)
{
    *out = *caps;
    out->header_extensions =
        arena_array(arena, caps->n_header_extensions, sizeof *out->header_extensions);
    if (!out->header_extensions)
        return ERR_NOMEM;
    for (size_t i = 0; i < caps->n_header_extensions; i++) {
        struct rtp_header_extension *x = &out->header_extensions[i];
        *x = caps->header_extensions[i];
        x->preferred_id = 0;
        for (size_t k = 0; k < consumable->n_header_extensions; k++) {
            if (strcmp(consumable->header_extensions[k].uri, x->uri) == 0)
                x->preferred_id = consumable->header_extensions[k].id;
        }
    }
    return OK;
}

static void number_extensions(const struct rtp_capabilities *caps, struct rtp_parameters *p)
{
    for (size_t i = 0; i < p->n_header_extensions; i++) {
        struct rtp_header_extension_parameters *x = &p->header_extensions[i];
        for (size_t k = 0; k < caps->n_header_extensions; k++) {
            if (strcmp(caps->header_extensions[k].uri, x->uri) == 0) {
                x->id = caps->header_extensions[k].preferred_id;
                break;
            }
        }
    }
}

/* The endpoint's payload type for a media codec; false: it has none. */
static bool own_type(const struct rtp_capabilities *caps, const struct rtp_codec_parameters *codec,
                     uint8_t *out)
{
    struct ortc_codec b = ortc_codec_of_parameters(codec);
    for (size_t i = 0; i < caps->n_codecs; i++) {
        struct ortc_codec a = ortc_codec_of_capability(&caps->codecs[i]);
        if (caps->codecs[i].has_preferred_payload_type && ortc_codecs_match(&a, &b, true, NULL)) {
            *out = caps->codecs[i].preferred_payload_type;
            return true;
        }
    }
    return false;
}

static bool own_rtx_type(const struct rtp_capabilities *caps, uint8_t media, uint8_t *out)
{
    for (size_t i = 0; i < caps->n_codecs; i++) {
        const struct rtp_codec_capability *c = &caps->codecs[i];
        if (ortc_is_rtx(c->mime_type) && c->has_preferred_payload_type &&
            dict_int(c->parameters, c->n_parameters, "apt", -1) == media) {
            *out = c->preferred_payload_type;
            return true;
        }
    }
    return false;
}

static enum err set_apt(struct rtp_codec_parameters *c, uint8_t apt, struct arena *arena)
{
    c->parameters = arena_alloc(arena, sizeof *c->parameters);
    if (!c->parameters)
        return ERR_NOMEM;
    *c->parameters = (struct dict_entry){.key = "apt", .type = DICT_INT, .num = apt};
    c->n_parameters = 1;
    return OK;
}

/* Codecs come as media, RTX, media, ...: an RTX without a number of the endpoint's is left out. */
static enum err number_codecs(const struct rtp_capabilities *caps, struct arena *arena,
                              struct rtp_parameters *p, struct rtp_codec_mapping *mapping,
                              size_t *n_mapping)
{
    size_t n = 0;
    uint8_t media = 0;
    bool rtx = false;
    for (size_t i = 0; i < p->n_codecs; i++) {
        struct rtp_codec_parameters c = p->codecs[i];
        uint8_t was = c.payload_type;
        bool is_rtx = ortc_is_rtx(c.mime_type);
        bool known = is_rtx ? own_rtx_type(caps, media, &c.payload_type)
                            : own_type(caps, &c, &c.payload_type);
        if (!known)
            continue;
        if (is_rtx && set_apt(&c, media, arena) != OK)
            return ERR_NOMEM;
        if (!is_rtx)
            media = c.payload_type;
        rtx = rtx || is_rtx;
        mapping[n] = (struct rtp_codec_mapping){.payload_type = was,
                                                .has_payload_type = true,
                                                .mapped_payload_type = c.payload_type,
                                                .has_mapped_payload_type = true};
        p->codecs[n++] = c;
    }
    p->n_codecs = *n_mapping = n;
    if (!rtx)
        p->encodings[0].rtx = NULL;
    return OK;
}

enum err ortc_consumer_numbered(const struct rtp_parameters *consumable,
                                const struct rtp_capabilities *caps, const char *mid,
                                struct rng *rng, struct arena *arena, struct rtp_parameters *out,
                                struct rtp_codec_mapping **mapping, size_t *n_mapping,
                                struct field_error *error)
{
    struct rtp_capabilities as_router;
    if (as_router_numbers(consumable, caps, arena, &as_router) != OK)
        return no_memory(error);
    enum err e = ortc_consumer(consumable, &as_router, mid, true, rng, arena, out, error);
    if (e != OK)
        return e;
    *mapping = arena_array(arena, out->n_codecs, sizeof **mapping);
    if (!*mapping || number_codecs(caps, arena, out, *mapping, n_mapping) != OK)
        return no_memory(error);
    number_extensions(caps, out);
    if (out->n_codecs > 0)
        return OK;
    *error = (struct field_error){.err = ERR_UNSUPPORTED,
                                  .path = "rtpCapabilities.codecs",
                                  .reason = "rtpCapabilities.codecs must have "
                                            "preferredPayloadType where ownNumbers is set"};
    return ERR_UNSUPPORTED;
}
