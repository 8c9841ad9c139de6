/* Capability negotiation with what clients may send: {"kind":"video","rtpParameters":{...},
 * "rtpCapabilities":{...}}. What comes out must be sound: payload types of the router, one RTX to a
 * codec before it, one encoding, nothing twice; and it must print. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "controller/rtc/ortc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_LIMIT = 256 * 1024 };

struct run {
    struct arena arena;
    struct rng rng;
    struct field_error error;
    struct rtp_capabilities router;
};

/* A reason that is a sentence and can travel, or none because memory ran out. */
static void check_reason(const struct run *r, enum err e)
{
    assert(e == ERR_TYPE || e == ERR_UNSUPPORTED || e == ERR_NOMEM);
    if (e == ERR_NOMEM)
        return;
    json_t *text = json_string(r->error.reason);
    assert(text && r->error.reason[0]);
    json_decref(text);
}

static bool is_router_type(const struct run *r, uint8_t type)
{
    for (size_t i = 0; i < r->router.n_codecs; i++) {
        if (r->router.codecs[i].preferred_payload_type == type)
            return true;
    }
    return false;
}

static void check_parameters(const struct run *r, const struct rtp_parameters *p)
{
    for (size_t i = 0; i < p->n_codecs; i++) {
        const struct rtp_codec_parameters *c = &p->codecs[i];
        assert(is_router_type(r, c->payload_type));
        for (size_t j = 0; j < i; j++)
            assert(p->codecs[j].payload_type != c->payload_type);
        if (ortc_is_rtx(c->mime_type))
            assert(i > 0 && dict_int(c->parameters, c->n_parameters, "apt", -1) ==
                                p->codecs[i - 1].payload_type);
    }
    for (size_t i = 0; i < p->n_encodings; i++)
        assert(p->encodings[i].has_ssrc && p->encodings[i].ssrc != 0);
    json_t *printed = shape_encode(&rtp_parameters_shape, p);
    assert(printed);
    json_decref(printed);
}

static void consume(struct run *r, const struct rtp_parameters *consumable, json_t *in)
{
    struct rtp_capabilities caps;
    struct rtp_parameters out;
    if (shape_decode(&rtp_capabilities_shape, in, &caps, &r->arena, &r->error) != OK)
        return;
    enum err e = ortc_check_capabilities(&caps, "rtpCapabilities", &r->error);
    if (e == OK)
        e = ortc_consumer(consumable, &caps, "0", true, &r->rng, &r->arena, &out, &r->error);
    if (e != OK) {
        check_reason(r, e);
        return;
    }
    assert(ortc_can_consume(consumable, &caps));
    assert(out.n_codecs > 0 && !ortc_is_rtx(out.codecs[0].mime_type) && out.n_encodings == 1);
    check_parameters(r, &out);
}

static void produce(struct run *r, json_t *in, enum media_kind kind, json_t *capabilities)
{
    struct rtp_parameters p;
    struct rtp_mapping mapping;
    struct rtp_parameters consumable;
    if (shape_decode(&rtp_parameters_shape, in, &p, &r->arena, &r->error) != OK)
        return;
    enum err e = ortc_check_parameters(&p, kind, "rtpParameters", &r->arena, &r->error);
    if (e == OK)
        e = ortc_producer_mapping(&p, &r->router, &r->rng, &r->arena, &mapping, &r->error);
    if (e != OK) {
        check_reason(r, e);
        return;
    }
    (void)ortc_producer_type(&p);
    for (size_t i = 0; i < mapping.n_codecs; i++)
        assert(is_router_type(r, mapping.codecs[i].mapped_payload_type));
    e = ortc_consumable(kind, &p, &r->router, &mapping, &r->arena, &consumable);
    if (e != OK)
        return;
    check_parameters(r, &consumable);
    consume(r, &consumable, capabilities);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *root = json_loadb((const char *)data, size, 0, NULL);
    struct run r = {0};
    arena_init(&r.arena, ARENA_LIMIT);
    rng_init_seeded(&r.rng, 1);
    enum err e = ortc_router_capabilities(ortc_default_codecs, ortc_n_default_codecs, &r.arena,
                                          &r.router, &r.error);
    assert(e == OK);
    const char *kind = json_string_value(json_object_get(root, "kind"));
    bool audio = kind && strcmp(kind, "audio") == 0;
    produce(&r, json_object_get(root, "rtpParameters"), audio ? MEDIA_KIND_AUDIO : MEDIA_KIND_VIDEO,
            json_object_get(root, "rtpCapabilities"));
    json_decref(root);
    arena_fini(&r.arena);
    return 0;
}
