/* An offer of anything, read as WHIP and WHEP read it, and answered. What comes out must be sound
 * to ORTC, and the answer must be SDP with as many sections. Also as a trickle fragment. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "controller/rtc/ortc.h"
#include "controller/sdp/sdp_answer.h"
#include "controller/sdp/sdp_frag.h"
#include "controller/sdp/sdp_rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWER_MAX = 256 * 1024 };

struct run {
    struct arena arena;
    struct rng rng;
    struct rtp_capabilities router;
    struct sdp_offer offer;
    struct field_error error;
};

static void check_reason(const struct run *r, enum err e)
{
    assert(e == ERR_NOMEM || strlen(r->error.reason) > 0);
    assert(strlen(r->error.reason) < sizeof r->error.reason);
}

static void negotiate(struct run *r, size_t i, struct rtp_parameters *p)
{
    struct rtp_mapping mapping;
    const struct sdp_offer_media *m = &r->offer.media[i];
    enum err e = ortc_check_parameters(p, m->kind, "rtpParameters", &r->arena, &r->error);
    if (e == OK)
        e = ortc_producer_mapping(p, &r->router, &r->rng, &r->arena, &mapping, &r->error);
    if (e != OK)
        check_reason(r, e);
}

static void answer(struct run *r)
{
    static char text[ANSWER_MAX];
    static struct sdp back;
    static struct rtp_parameters p[SDP_MEDIA_MAX];
    struct ice_parameters ice = {.username_fragment = "abcd", .password = "abcdefghijklmnopqrstuv"};
    struct dtls_fingerprint f = {.algorithm = PARAM_DTLS_HASH_SHA256, .value = "AA:BB"};
    struct dtls_parameters dtls = {.fingerprints = &f, .n_fingerprints = 1};
    struct sdp_answer_media media[SDP_MEDIA_MAX] = {0};
    struct sdp_answer a = {.ice = &ice, .dtls = &dtls, .media = media, .stream = "s"};
    for (size_t i = 0; i < r->offer.n_media; i++) {
        struct rtp_capabilities caps;
        const struct sdp_offer_media *m = &r->offer.media[i];
        if (!m->usable)
            continue;
        if (sdp_consumer_capabilities(m, &r->arena, &caps) == OK &&
            ortc_check_capabilities(&caps, "rtpCapabilities", &r->error) != OK)
            check_reason(r, ERR_TYPE);
        enum err e = sdp_producer_parameters(m, &r->router, &r->arena, &p[i], &r->error);
        if (e != OK) {
            check_reason(r, e);
            continue;
        }
        media[i].parameters = &p[i];
        media[i].direction = m->sends ? SDP_RECVONLY : SDP_SENDONLY;
    }
    struct wr w = wr_of(text, sizeof text);
    unsigned line;
    enum err e = sdp_answer_write(&r->offer, &a, &r->arena, &w);
    assert(e == OK || e == ERR_NOMEM);
    if (e == OK) {
        assert(sdp_parse(&back, slice_of(text, wr_len(&w)), &line) == OK);
        assert(back.n_media == r->offer.n_media);
    }
    for (size_t i = 0; i < r->offer.n_media; i++) {
        if (media[i].parameters)
            negotiate(r, i, &p[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r = {0};
    struct sdp_frag frag;
    arena_init(&r.arena, (size_t)2 * SDP_OFFER_ARENA_MAX);
    rng_init_seeded(&r.rng, 1);
    assert(ortc_router_capabilities(ortc_default_codecs, ortc_n_default_codecs, &r.arena, &r.router,
                                    &r.error) == OK);
    enum err e = sdp_offer_read(slice_of(data, size), &r.arena, &r.offer, &r.error);
    if (e == OK)
        answer(&r);
    else
        check_reason(&r, e);
    (void)sdp_frag_read(slice_of(data, size), &r.arena, &frag);
    arena_fini(&r.arena);
    return 0;
}
